// A hook for each topic. Frames do not render: they go to callbacks, from the animation frame.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { AntiphonError } from "../errors.ts";
import type { FrameOf, Source, SourceStatus, SubscribeOptions, TopicName } from "../source.ts";
import { guarded } from "../ticker.ts";
import { useChosenSource, useSourceState } from "./source.tsx";

/** Which stream, of which source, and whether it renders. */
export interface StreamHookOptions extends SubscribeOptions {
  /** Instead of the SourceProvider's. */
  source?: Source | undefined;
  /** Of a server; shared by all who name it. */
  url?: string | undefined;
  /** With `url`: for servers that listen beyond this machine. */
  token?: string | undefined;
  /** Also renders, so many times a second at most (more than 0), with a copy of the newest frame. */
  reactive?: { fps: number } | undefined;
  /** `false` ends the stream. */
  enabled?: boolean | undefined;
}

/** A stream: frames for callbacks, status for rendering. */
export interface StreamHook<T extends TopicName> {
  status: SourceStatus;
  /** The source's: of a live one what was refused last, of whichever stream; `no-source` where none is named. */
  error: AntiphonError | null;
  /** The newest frame. It and its arrays are reused. */
  latest(): FrameOf<T> | null;
  /** Calls `cb` with each frame until the returned function is called. */
  subscribe(cb: (frame: FrameOf<T>) => void): () => void;
  /** A copy of the newest frame; changes only with `reactive`. */
  frame: FrameOf<T> | null;
}

/** A stream of any topic; the named hooks below are this one. */
export function useStream<T extends TopicName>(topic: T, opts: StreamHookOptions = {}): StreamHook<T> {
  const { source: _source, url: _url, token: _token, reactive, enabled = true, ...stream } = opts;
  const { source, missing } = useChosenSource(opts);
  const { status, error: own } = useSourceState(source);
  const fps = reactive?.fps;
  const isRate = fps === undefined || fps > 0;
  const wrong = useMemo(() => (isRate ? null : noRate(fps)), [isRate, fps]);
  const error = own ?? missing ?? wrong;
  const [frame, setFrame] = useState<FrameOf<T> | null>(null);
  const newest = useRef<FrameOf<T> | null>(null);
  const [listeners] = useState(() => new Set<(frame: FrameOf<T>) => void>());

  const key = JSON.stringify(stream);
  const renderMs = fps !== undefined && isRate ? 1000 / fps : undefined;
  useEffect(() => {
    if (!source || !enabled) return;
    let renderedAt = -Infinity;
    const end = source.subscribe(topic, (next) => {
      newest.current = next;
      for (const listener of [...listeners]) guarded(() => listener(next));
      const now = performance.now();
      // Half a frame early: a timer that is a little fast must not halve the rate.
      if (renderMs === undefined || now - renderedAt < renderMs - 8) return;
      renderedAt = now;
      setFrame(copyOf(next));
    }, JSON.parse(key) as SubscribeOptions);
    return () => {
      end();
      newest.current = null;
      setFrame(null);
    };
  }, [source, topic, key, enabled, renderMs, listeners]);

  const latest = useCallback(() => newest.current, []);
  const subscribe = useCallback((cb: (frame: FrameOf<T>) => void) => {
    const listener = (next: FrameOf<T>) => cb(next);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, [listeners]);
  return useMemo(() => ({ status, error, latest, subscribe, frame }), [status, error, latest, subscribe, frame]);
}

/** Where the playhead is, and what sounds. */
export const useTransportWebsocket = (opts?: StreamHookOptions): StreamHook<"transport"> => useStream("transport", opts);
/** Levels of every track and the master; loudness. */
export const useMeterWebsocket = (opts?: StreamHookOptions): StreamHook<"meters"> => useStream("meters", opts);
/** Magnitudes over frequency. */
export const useSpectrumWebsocket = (opts?: StreamHookOptions): StreamHook<"spectrum"> => useStream("spectrum", opts);
/** The scope, or buckets of it. */
export const useWaveformWebsocket = (opts?: StreamHookOptions): StreamHook<"waveform"> => useStream("waveform", opts);
/** Correlation, balance and the goniometer. */
export const useStereoWebsocket = (opts?: StreamHookOptions): StreamHook<"stereo"> => useStream("stereo", opts);
/** Pitch, chroma, key, onset and tempo. */
export const useMusicWebsocket = (opts?: StreamHookOptions): StreamHook<"music"> => useStream("music", opts);
/** What the engine costs. */
export const useAnalyticsWebsocket = (opts?: StreamHookOptions): StreamHook<"analytics"> => useStream("analytics", opts);

export {
  useAnalyticsWebsocket as useAnalyticsWebSocket, useMeterWebsocket as useMeterWebSocket,
  useMusicWebsocket as useMusicWebSocket, useSpectrumWebsocket as useSpectrumWebSocket, useStereoWebsocket as useStereoWebSocket, useTransportWebsocket as useTransportWebSocket,
  useWaveformWebsocket as useWaveformWebSocket,
};

function noRate(fps: number): AntiphonError {
  return new AntiphonError("invalid-option", `reactive.fps: ${String(fps)} is not more than 0`, "leave reactive out to render no frames");
}

/** A frame that nobody will change: React compares identities, and renders later. */
function copyOf<F extends object>(frame: F): F {
  const copied = Object.entries(frame).map(([name, value]: [string, unknown]) => {
    // Cloning a number costs as much as cloning an object.
    if (typeof value !== "object") return [name, value];
    return [name, value instanceof Float32Array ? value.slice() : structuredClone(value)];
  });
  return Object.fromEntries(copied) as F;
}
