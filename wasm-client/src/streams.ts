// Who wants which stream, and which link carries it. The same for sockets and for the worklet.
import { AntiphonError } from "./errors.ts";
import { DEFAULT_FPS, Pace } from "./paced.ts";
import type { FrameOf, SubscribeOptions, TopicName } from "./source.ts";
import { guarded, onFrame } from "./ticker.ts";
import type { StreamOptions } from "./types.gen.ts";

/** Any frame, as the decoder hands it out. */
export type AnyFrame = FrameOf<TopicName>;

/** A stream socket, or a lane of the worklet. It carries at most one stream of each topic and tap. */
export interface Link {
  /** Starts a stream or changes its options; throws an AntiphonError. */
  subscribe(topic: TopicName, tap: string, fps: number | undefined, options: StreamOptions): void;
  unsubscribe(topic: TopicName, tap: string): void;
  /** Frames that came since the last call. */
  drain(): AnyFrame[];
  /** Those of them that may not wait for an animation frame: triggers and audio. */
  drainQueue(): AnyFrame[];
  close(): void;
}

interface Carrier {
  link: Link;
  /** What it can carry; all topics without. */
  topic: TopicName | null;
  held: Map<string, Stream>;
  isPermanent: boolean;
}

interface Stream {
  topic: TopicName;
  tap: string;
  options: StreamOptions;
  listeners: Set<Listener>;
  latest: AnyFrame | null;
  carrier: Carrier | null;
  /** A trigger that fired for the last time. */
  isOver: boolean;
}

interface Listener {
  cb: (frame: AnyFrame) => void;
  fps: number | undefined;
  pace: Pace;
}

/** A link that carries nothing is kept this long, for a component that unmounts and mounts again. */
const LINGER_MS = 500;
/** A page that is hidden for this long stops its streams. */
const HIDDEN_MS = 2000;
/** A hidden page has no animation frames: what goes on there is handed out by a timer. */
const HIDDEN_PUMP_MS = 250;

export interface StreamsOptions {
  /** Makes a link for a topic. */
  open(topic: TopicName): Link;
  /** The engine's, Hz, once frames come. */
  sampleRate(): number;
  /** Each link carries one topic only. */
  perTopic: boolean;
  /** A stream could not be started. */
  onError(error: AntiphonError): void;
}

/** The streams of one source. */
export class Streams {
  readonly #opts: StreamsOptions;
  readonly #streams = new Map<string, Stream>();
  #carriers: Carrier[] = [];
  #isReady = false;
  #isHidden = false;
  #stopTicks: (() => void) | null = null;
  #hiddenPump: ReturnType<typeof setInterval> | undefined;
  #unwatch: () => void = () => undefined;

  constructor(opts: StreamsOptions) {
    this.#opts = opts;
  }

  /** Links can be opened now. `permanent` carries its topic for as long as the source lives. */
  start(permanent: Link, topic: TopicName | null): void {
    this.#isReady = true;
    this.#carriers.push({ link: permanent, topic, held: new Map(), isPermanent: true });
    this.#unwatch = watchVisibility((isHidden) => this.#setHidden(isHidden));
    for (const stream of this.#streams.values()) this.#begin(stream);
  }

  subscribe<T extends TopicName>(
    topic: T, cb: (frame: FrameOf<T>) => void, opts: SubscribeOptions = {},
  ): () => void {
    const { key, ...wanted } = identify(topic, opts);
    let stream = this.#streams.get(key);
    if (!stream || stream.isOver) {
      stream = { topic, ...wanted, listeners: new Set(), latest: null, carrier: null, isOver: false };
      this.#streams.set(key, stream);
    }
    const it = stream;
    const fpsBefore = fpsOf(it);
    // The map's key holds the topic, so that the stream's frames are of the subscriber's type.
    const listener: Listener = { cb: cb as Listener["cb"], fps: opts.fps, pace: new Pace(opts.fps) };
    it.listeners.add(listener);
    if (!it.carrier || fpsOf(it) !== fpsBefore) this.#begin(it);
    this.#stopTicks ??= onFrame(() => this.pump());
    return () => {
      const fpsBefore = fpsOf(it);
      if (!it.listeners.delete(listener)) return;
      // A trigger or sound that is started anew would lose what happens meanwhile.
      const isQueued = topic === "trigger" || topic === "audio";
      if (it.carrier && it.listeners.size > 0 && fpsOf(it) !== fpsBefore && !isQueued) this.#begin(it);
      if (it.listeners.size > 0) return;
      this.#end(it);
      if (this.#streams.get(key) === it) this.#streams.delete(key);
      if (this.#streams.size === 0) this.#stop();
    };
  }

  latest<T extends TopicName>(topic: T, opts: SubscribeOptions = {}): FrameOf<T> | null {
    return (this.#streams.get(identify(topic, opts).key)?.latest ?? null) as FrameOf<T> | null;
  }

  /** Hands out what came since the last call. */
  pump(): void {
    for (const { link, held } of [...this.#carriers]) this.#handOut(held, link.drain());
  }

  /** Hands out what came on a link and may not wait. */
  flush(link: Link): void {
    const carrier = this.#carriers.find((one) => one.link === link);
    if (carrier) this.#handOut(carrier.held, link.drainQueue());
  }

  #handOut(held: Map<string, Stream>, frames: AnyFrame[]): void {
    for (const frame of frames) {
      const stream = held.get(`${frame.type} ${tapOf(frame)}`);
      if (!stream) continue;
      stream.latest = frame;
      if (frame.type === "trigger" && frame.ended) {
        stream.isOver = true;
        this.#end(stream);
      }
      const streamFps = fpsOf(stream) ?? DEFAULT_FPS;
      for (const { cb, pace } of [...stream.listeners]) {
        const taken = pace.take(frame, streamFps, this.#opts.sampleRate());
        if (taken) guarded(() => cb(taken));
      }
    }
  }

  /** A stream that a link was to start did not come about. The next subscription tries again. */
  fail(link: Link, topic: TopicName, tap: string, error: AntiphonError): void {
    const carrier = this.#carriers.find((one) => one.link === link);
    const stream = carrier?.held.get(`${topic} ${tap}`);
    if (stream) this.#end(stream);
    this.#opts.onError(error);
  }

  /** Asks for all streams again: what the taps' names mean has changed. */
  restart(): void {
    const running = [...this.#streams.values()].filter((stream) => stream.carrier);
    for (const stream of running) this.#end(stream);
    for (const stream of running) this.#begin(stream);
  }

  close(): void {
    this.#isReady = false;
    clearInterval(this.#hiddenPump);
    this.#unwatch();
    this.#stop();
    this.#streams.clear();
    for (const { link } of this.#carriers) link.close();
    this.#carriers = [];
  }

  #begin(stream: Stream): void {
    const isPaused = this.#isHidden && isPausable(stream.topic);
    if (!this.#isReady || isPaused) return;
    const place = `${stream.topic} ${stream.tap}`;
    try {
      stream.carrier ??= this.#carrierFor(stream.topic, place);
      stream.carrier.held.set(place, stream);
      stream.carrier.link.subscribe(stream.topic, stream.tap, fpsOf(stream), stream.options);
    } catch (error) {
      this.#end(stream);
      if (!(error instanceof AntiphonError)) throw error;
      this.#opts.onError(error);
    }
  }

  #end(stream: Stream): void {
    const { carrier, topic, tap } = stream;
    if (!carrier) return;
    stream.carrier = null;
    carrier.held.delete(`${topic} ${tap}`);
    carrier.link.unsubscribe(topic, tap);
    if (carrier.held.size > 0 || carrier.isPermanent) return;
    setTimeout(() => {
      if (carrier.held.size > 0 || !this.#carriers.includes(carrier)) return;
      this.#carriers = this.#carriers.filter((other) => other !== carrier);
      carrier.link.close();
    }, LINGER_MS);
  }

  #carrierFor(topic: TopicName, place: string): Carrier {
    const fits = (carrier: Carrier) =>
      (carrier.topic === null || carrier.topic === topic) && !carrier.held.has(place);
    const found = this.#carriers.find(fits);
    if (found) return found;
    const carrier: Carrier = {
      link: this.#opts.open(topic), topic: this.#opts.perTopic ? topic : null, held: new Map(), isPermanent: false,
    };
    this.#carriers.push(carrier);
    return carrier;
  }

  #setHidden(isHidden: boolean): void {
    this.#isHidden = isHidden;
    clearInterval(this.#hiddenPump);
    if (isHidden) this.#hiddenPump = setInterval(() => this.pump(), HIDDEN_PUMP_MS);
    for (const stream of this.#streams.values()) {
      if (!isPausable(stream.topic)) continue;
      if (isHidden) this.#end(stream);
      else if (!stream.carrier) this.#begin(stream);
    }
  }

  #stop(): void {
    this.#stopTicks?.();
    this.#stopTicks = null;
  }
}

/** Nobody sees a picture of a hidden page; but what is heard, and what is waited for, goes on. */
function isPausable(topic: TopicName): boolean {
  return topic !== "transport" && topic !== "trigger" && topic !== "audio";
}

function identify(topic: TopicName, { tap, fps: _, ...options }: SubscribeOptions) {
  const hasTap = topic !== "transport" && topic !== "meters" && topic !== "analytics";
  const given = Object.entries(options).filter(([, value]) => value !== undefined).sort(([a], [b]) => (a < b ? -1 : 1));
  const name = hasTap ? (tap ?? "master").toLowerCase() : "master";
  return {
    key: `${topic} ${name} ${JSON.stringify(given)}`, tap: name, options: Object.fromEntries(given) as StreamOptions,
  };
}

/** Streams that differ in nothing else are one, at the highest rate that somebody wants; `undefined`: nobody says. */
function fpsOf({ listeners }: Stream): number | undefined {
  const wanted = [...listeners];
  return wanted.every(({ fps }) => fps === undefined) ? undefined : Math.max(...wanted.map(({ pace }) => pace.fps));
}

/** What a frame is of, as subscriptions name it. */
export function tapOf(frame: AnyFrame): string {
  return "tap" in frame ? frame.tap : "master";
}

function watchVisibility(changed: (isHidden: boolean) => void): () => void {
  if (typeof document === "undefined") return () => undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onChange = () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(() => changed(true), HIDDEN_MS);
    else changed(false);
  };
  document.addEventListener("visibilitychange", onChange);
  return () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", onChange);
  };
}
