/** "Tell me when": triggers that the person armed, on the tap that is shown, wherever in the page they are. */
import type { FrameOf, Source, SubscribeOptions } from "antiphon";
import { useSource } from "antiphon/react";
import { useEffect } from "react";
import { createStore } from "zustand/vanilla";
import { live, useSession } from "../app/hooks";
import { notify } from "../app/notices";
import { formatDb, formatTime } from "../lib/format";
import { type TriggerSettings, useAnalysis } from "./settings";

export interface TriggerEvent {
  id: number;
  /** When, on this clock. */
  at: Date;
  text: string;
}

/** Newest first. */
export const triggerLog = createStore<{ events: readonly TriggerEvent[] }>(() => ({ events: [] }));

const MOST = 200;
let lastId = 0;

const MEASURES = { momentary: "Momentary", short_term: "Short-term", integrated: "Integrated" } as const;

/** The subscriptions that the settings ask for. */
export function wantedTriggers(settings: TriggerSettings): SubscribeOptions[] {
  const wanted: SubscribeOptions[] = [];
  if (settings.clip) wanted.push({ kind: "clip", once: false });
  if (settings.silence) {
    wanted.push({ kind: "silence", once: false, seconds: settings.silenceSeconds, below_db: settings.silenceDb });
  }
  if (settings.loudness) {
    wanted.push({ kind: "loudness", once: false, measure: settings.measure, above_lufs: settings.aboveLufs });
  }
  return wanted;
}

/** What an event says, with its place in the engine's time. */
export function triggerText(frame: FrameOf<"trigger">, tapName: string, sampleRate: number): string {
  const time = formatTime(frame.sample_position / sampleRate);
  if (frame.kind === "clip") return `${tapName} clips at ${time}: ${formatDb(frame.value, 1, true)} dBFS`;
  if (frame.kind === "silence") {
    return `${tapName} is silent since ${frame.seconds} s at ${time}: nothing above ${formatDb(frame.below_db ?? -120)} dBFS`;
  }
  const measure = MEASURES[frame.measure ?? "momentary"];
  return `${measure} loudness of ${tapName} reached ${formatDb(frame.above_lufs ?? 0)} LUFS at ${time}: ${formatDb(frame.value)} LUFS`;
}

export const clearTriggers = (): void => triggerLog.setState({ events: [] });

function fire(source: Source, frame: FrameOf<"trigger">): void {
  const tap = live.getState().hello?.taps.find(({ name, track_id }) => (track_id ?? name) === frame.tap);
  const name = tap?.name ?? frame.tap;
  const text = triggerText(frame, name[0]?.toUpperCase() + name.slice(1), source.hello?.sample_rate ?? 48_000);
  const event = { id: ++lastId, at: new Date(), text };
  triggerLog.setState(({ events }) => ({ events: [event, ...events].slice(0, MOST) }));
  notify("info", text);
}

/** Keeps the armed triggers armed. Has nothing to show, and works while its panel is hidden: that is its use. */
export function TriggerWatch(): null {
  const source = useSource();
  const tap = useSession((state) => state.tap);
  const settings = useAnalysis((state) => state.triggers);
  useEffect(() => {
    const ends = wantedTriggers(settings).map((options) =>
      source.subscribe("trigger", (frame) => fire(source, frame), { ...options, tap }));
    return () => ends.forEach((end) => end());
  }, [source, tap, settings]);
  return null;
}
