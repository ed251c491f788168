// Who wants which stream, and which link carries it. The same for sockets and for the worklet.
import { AntiphonError, hintOf } from "./errors.ts";
import { DEFAULT_FPS, Pace } from "./paced.ts";
import type { FrameOf, SubscribeOptions, TopicName } from "./source.ts";
import { guarded, onFrame } from "./ticker.ts";
import type { StreamOptions, TriggerKind } from "./types.gen.ts";

/** Any frame, as the decoder hands it out. */
export type AnyFrame = FrameOf<TopicName>;

/** A stream socket, or a lane of the worklet. It carries at most one stream of each place. */
export interface Link {
  /** Starts a stream or changes its options; throws an AntiphonError. */
  subscribe(topic: TopicName, tap: string, fps: number | undefined, options: StreamOptions): void;
  unsubscribe(topic: TopicName, tap: string, kind: TriggerKind | undefined): void;
  /** Frames that came since the last call. */
  drain(): AnyFrame[];
  /** Those of them that may not wait for an animation frame: triggers and audio. */
  drainQueue(): AnyFrame[];
  close(): void;
}

/** What the other end of a link refused, and of which stream, where it says that. */
export interface Refusal {
  error: AntiphonError;
  topic?: string | undefined;
  tap?: string | undefined;
}

interface Carrier {
  link: Link;
  /** What it can carry; all topics without. */
  topic: TopicName | null;
  /** By place. */
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
  /** Why it is not there. */
  error: AntiphonError | null;
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
  /** How many streams a link carries at most. */
  maxStreams(): number;
  /** Each link carries one topic only. */
  perTopic: boolean;
  /** Why a stream is not there, the last of them; `null` once all are, or nobody wants those any more. */
  onError(error: AntiphonError | null): void;
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
      stream = {
        topic, ...wanted, listeners: new Set(), latest: null, carrier: null, isOver: false, error: null,
      };
      this.#streams.set(key, stream);
    }
    const it = stream;
    const fpsBefore = fpsOf(it);
    // The map's key holds the topic, so that the stream's frames are of the subscriber's type.
    const listener: Listener = { cb: cb as Listener["cb"], fps: opts.fps, pace: new Pace(opts.fps) };
    it.listeners.add(listener);
    // A trigger would be armed anew, and has no rate.
    if (!it.carrier || (fpsOf(it) !== fpsBefore && topic !== "trigger")) this.#begin(it);
    this.#stopTicks ??= onFrame(() => this.pump());
    return () => {
      const fpsBefore = fpsOf(it);
      if (!it.listeners.delete(listener)) return;
      if (it.listeners.size > 0) {
        // Sound that is started anew would have a gap.
        const canSlow = topic !== "trigger" && topic !== "audio";
        if (it.carrier && canSlow && fpsOf(it) !== fpsBefore) this.#begin(it);
        return;
      }
      this.#end(it);
      if (this.#streams.get(key) === it) this.#streams.delete(key);
      this.#report();
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
      const stream = held.get(placeOf(frame));
      if (!stream) continue;
      stream.latest = frame;
      if (stream.error) this.#settle(stream, null);
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
  fail(link: Link, place: string, error: AntiphonError): void {
    const carrier = this.#carriers.find((one) => one.link === link);
    const stream = carrier?.held.get(place);
    if (!stream) return;
    this.#end(stream);
    this.#settle(stream, error);
  }

  /**
   * The other end of a link refused something: a stream has the error until its first frame. `false`: it was none, not even
   * one that ended meanwhile.
   */
  refused(link: Link, refusal: Refusal): boolean {
    const { error } = refusal;
    const carrier = this.#carriers.find((one) => one.link === link);
    const meant = meantBy(refusal, [...(carrier?.held.values() ?? [])]);
    for (const stream of meant ?? []) {
      // An endpoint of one topic goes on with the stream that it began with, the master's, which nobody asked for.
      if (carrier?.topic && stream.tap === "master") this.#end(stream);
      this.#settle(stream, error);
    }
    return meant !== null;
  }

  /** A link asked for its streams again, with other taps or of another server: what was refused may not be now. */
  asked(link: Link): void {
    const carrier = this.#carriers.find((one) => one.link === link);
    for (const stream of carrier?.held.values() ?? []) stream.error = null;
    this.#report();
  }

  /** Tries those again that failed for a reason that is no more. */
  retry(isGone: (error: AntiphonError) => boolean): void {
    for (const stream of this.#streams.values()) if (stream.error && isGone(stream.error)) this.#begin(stream);
  }

  /** Asks for all streams again: what the taps' names mean has changed. */
  restart(): void {
    const wanted = [...this.#streams.values()].filter((stream) => stream.carrier || stream.error);
    for (const stream of wanted) this.#end(stream);
    for (const stream of wanted) this.#begin(stream);
  }

  close(): void {
    this.#isReady = false;
    clearInterval(this.#hiddenPump);
    this.#unwatch();
    this.#stop();
    for (const stream of this.#streams.values()) stream.carrier = null;
    this.#streams.clear();
    this.#report();
    for (const { link } of this.#carriers) link.close();
    this.#carriers = [];
  }

  #begin(stream: Stream): void {
    const isPaused = this.#isHidden && isPausable(stream.topic);
    if (!this.#isReady || isPaused) return;
    const place = placeIn(stream);
    let failure: AntiphonError | null = null;
    try {
      const fps = fpsOf(stream);
      if (!isRate(fps)) {
        const code = "invalid-option";
        throw new AntiphonError(code, `fps: ${fps} is not a whole number from 1 to 120`, hintOf(code));
      }
      stream.carrier ??= this.#carrierFor(stream.topic, place);
      stream.carrier.held.set(place, stream);
      stream.carrier.link.subscribe(stream.topic, stream.tap, fps, stream.options);
    } catch (error) {
      this.#end(stream);
      if (!(error instanceof AntiphonError)) throw error;
      failure = error;
    }
    this.#settle(stream, failure);
  }

  /** Keeps what is wrong with a stream, for as long as it is. */
  #settle(stream: Stream, error: AntiphonError | null): void {
    stream.error = error;
    this.#report();
  }

  #report(): void {
    const errors = [...this.#streams.values()].map(({ error }) => error).filter((error) => error !== null);
    this.#opts.onError(errors.at(-1) ?? null);
  }

  #end(stream: Stream): void {
    const { carrier, topic, tap } = stream;
    if (!carrier) return;
    stream.carrier = null;
    carrier.held.delete(placeIn(stream));
    carrier.link.unsubscribe(topic, tap, stream.options.kind);
    if (carrier.held.size > 0 || carrier.isPermanent) return;
    setTimeout(() => {
      if (carrier.held.size > 0 || !this.#carriers.includes(carrier)) return;
      this.#carriers = this.#carriers.filter((other) => other !== carrier);
      carrier.link.close();
    }, LINGER_MS);
  }

  #carrierFor(topic: TopicName, place: string): Carrier {
    const fits = (carrier: Carrier) =>
      (carrier.topic === null || carrier.topic === topic) && !carrier.held.has(place) &&
      carrier.held.size < this.#opts.maxStreams();
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

function identify(topic: TopicName, { tap, fps, ...options }: SubscribeOptions) {
  const hasTap = topic !== "transport" && topic !== "meters" && topic !== "analytics";
  const given = Object.entries(options).filter(([, value]) => value !== undefined).sort(([a], [b]) => (a < b ? -1 : 1));
  const name = hasTap ? (tap ?? "master").toLowerCase() : "master";
  return {
    // A rate that cannot be spoils no other's stream.
    key: `${topic} ${name} ${JSON.stringify(given)}${isRate(fps) ? "" : ` at ${fps}`}`,
    tap: name, options: Object.fromEntries(given) as StreamOptions,
  };
}

const isRate = (fps: number | undefined) => fps === undefined || (Number.isInteger(fps) && fps >= 1 && fps <= 120);

/** Streams that differ in nothing else are one, at the highest rate that somebody wants; `undefined`: nobody says. */
function fpsOf({ listeners }: Stream): number | undefined {
  const wanted = [...listeners];
  return wanted.every(({ fps }) => fps === undefined) ? undefined : Math.max(...wanted.map(({ pace }) => pace.fps));
}

/** The streams that a refusal is about; `null`: about none. */
function meantBy({ error: { message }, topic, tap }: Refusal, held: Stream[]): Stream[] | null {
  if (!topic || !tap) return null;
  const named = held.filter((stream) => stream.topic === topic && stream.tap === tap);
  // Of a tap's triggers, those with that option.
  const having = named.filter(({ options }) => message.split(":")[0]! in options);
  return having.length > 0 ? having : named;
}

/** Where a frame belongs on its link. */
export function placeOf(frame: AnyFrame): string {
  return placeAt(frame.type, "tap" in frame ? frame.tap : "master", frame.type === "trigger" ? frame.kind : undefined);
}

/** A topic of a tap; of triggers, one of each kind. */
export function placeAt(topic: TopicName, tap: string, kind: TriggerKind | undefined): string {
  return kind === undefined ? `${topic} ${tap}` : `${topic} ${tap} ${kind}`;
}

function placeIn({ topic, tap, options }: Stream): string {
  return placeAt(topic, tap, options.kind);
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
  // A page that was opened hidden has no event.
  if (document.hidden) onChange();
  return () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", onChange);
  };
}
