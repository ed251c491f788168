// A source whose frames an AudioWorklet of this page makes: its streams, its input, its state.
import { contextClosed, resumeContext } from "./audio-context.ts";
import { AntiphonError, errorFromWasm, messageOf } from "./errors.ts";
import { type AnyFrame, type Link, placeAt, placeOf, Streams } from "./streams.ts";
import type { FrameOf, Playhead, Source, SourceStatus, SubscribeOptions, TopicName } from "./source.ts";
import { Status } from "./status.ts";
import type { Hello, LiveNote, StreamOptions } from "./types.gen.ts";
import { compilePart, type Part, PARTS, partsOf, type Wasm, type WasmLocation } from "./wasm.ts";
import type { FromWorklet, ToWorklet } from "./worklet-messages.ts";
import { createWorkletNode, type WorkletNode } from "./worklet-node.ts";
import { WorkletParts } from "./worklet-parts.ts";

/** Lanes that the worklet has, besides the recorder's: so many different streams of one place there can be. */
const N_LANES = 4;

/** Of a stream, between here and the worklet. */
const nameOf = (lane: number, place: string) => `${lane} ${place}`;

/** What the main thread keeps of any of these sources. */
type Measuring = InstanceType<Wasm["Measuring"]>;

/** The two halves of a source. */
export interface Halves<Local> extends WorkletNode {
  local: Local;
  location: WasmLocation | undefined;
}

/**
 * Makes them, here with the class that `load` brings, and in the worklet with these parts. Rejects with an AntiphonError
 * that says what to do.
 */
export async function createHalves<Local>(
  ctx: AudioContext, load: (location?: WasmLocation) => Promise<new (hz: number, epoch: number) => Local>,
  parts: Part[], location: WasmLocation | undefined,
): Promise<Halves<Local>> {
  // TypeScript believes that it is always there; on insecure pages it is not.
  if (!(ctx.audioWorklet as AudioWorklet | undefined)) {
    throw new AntiphonError(
      "no-audio-worklet", "this page may not use AudioWorklet", "open it over https, or from localhost");
  }
  const epoch = Date.now() & 0xffff;
  const compile = async (part: Part) => ({ part, ...(await compilePart(part, location)) });
  const [Local, compiled] = await Promise.all([load(location), Promise.all(parts.map(compile))]);
  let local: Local;
  try {
    local = new Local(ctx.sampleRate, epoch);
  } catch (error) {
    throw errorFromWasm(error);
  }
  return { local, location, ...(await createWorkletNode(ctx, compiled, epoch, location)) };
}

/** What the sources of this page share, whatever plays there. */
export abstract class WorkletSource<Local extends Measuring = Measuring> implements Source {
  readonly kind = "local";
  readonly context: AudioContext;
  readonly node: AudioWorkletNode;
  protected readonly local: Local;
  protected readonly state = new Status("connecting");
  protected readonly streams: Streams;
  protected readonly parts: WorkletParts;
  readonly #links = new Map<number, Link>();
  readonly #freeLanes = Array.from({ length: N_LANES }, (_, lane) => lane);
  /** Options of the streams that the worklet has, by name. */
  readonly #options = new Map<string, string>();
  /** Streams that were asked for, by name, and how often the worklet has still to say that they began. */
  readonly #fences = new Map<string, number>();
  #input: AudioNode | null = null;

  constructor(context: AudioContext, { node, local, addPart, location }: Halves<Local>) {
    this.context = context;
    this.node = node;
    this.local = local;
    this.parts = new WorkletParts(addPart, location, (isItsError) => {
      if (this.state.ownError && isItsError(this.state.ownError)) this.state.set({ error: null });
      this.streams.retry(isItsError);
    });
    const open = () => this.#openLane();
    const sampleRate = () => context.sampleRate;
    this.streams = new Streams({ open, onError: (refusal) => this.state.set({ refusal }), sampleRate, maxStreams: () => Infinity, perTopic: false });
    node.port.onmessage = ({ data }: MessageEvent<FromWorklet>) => this.received(data);
    node.onprocessorerror = () => this.state.fail(new AntiphonError("worklet", "the audio worklet crashed", "reload the page"));
    node.connect(context.destination);
    context.addEventListener("statechange", this.#update);
    this.streams.start(open(), null);
    this.post({ type: "latency", ms: 1000 * (context.baseLatency + (context.outputLatency || 0)) });
    this.state.set({ hello: this.greeting() });
    this.#update();
  }

  abstract playhead(): Playhead | null;
  abstract note(note: LiveNote): void;
  /** The input is heard, or only measured. */
  protected abstract monitor(isHeard: boolean): void;

  get status(): SourceStatus {
    return this.state.status;
  }

  get error(): AntiphonError | null {
    return this.state.error;
  }

  get hello(): Hello | null {
    return this.state.hello;
  }

  onStatus(cb: () => void): () => void {
    return this.state.onChange(cb);
  }

  subscribe<T extends TopicName>(topic: T, cb: (frame: FrameOf<T>) => void, opts?: SubscribeOptions): () => void {
    return this.streams.subscribe(topic, cb, opts);
  }

  latest<T extends TopicName>(topic: T, opts?: SubscribeOptions): FrameOf<T> | null {
    return this.streams.latest(topic, opts);
  }

  /** Throws where nothing can be done any more. */
  protected checkOpen(): void {
    if (this.state.status === "closed") throw new AntiphonError("closed", "this source was closed", "make another one");
  }

  setInput(node: AudioNode | null, { monitor = false }: { monitor?: boolean } = {}): void {
    this.checkOpen();
    try {
      node?.connect(this.node);
    } catch (cause) {
      const hint = "make the node with the source's own context";
      throw new AntiphonError("invalid-node", `the node cannot be connected: ${messageOf(cause)}`, hint, cause);
    }
    const before = this.#input;
    this.#input = node;
    try {
      if (before !== node) before?.disconnect(this.node);
    } catch { /* its owner did that already */ }
    this.monitor(node !== null && monitor);
  }

  get input(): AudioNode | null {
    return this.#input;
  }

  async resetLoudness(tap?: string): Promise<void> {
    this.checkOpen();
    const name = tap?.toLowerCase();
    const found = this.state.hello?.taps.find((one) => (one.track_id ?? one.name) === name);
    if (name !== undefined && !found) {
      const message = `tap: ${JSON.stringify(tap)} is not master, input or the id of a track that plays`;
      throw new AntiphonError("invalid-value", message, "see the taps in hello");
    }
    this.post({ type: "reset-loudness", tap: found?.id ?? null });
  }

  async resume(): Promise<void> {
    this.checkOpen();
    await resumeContext(this.context);
    this.#update();
  }

  /** Loads what streams of any topic need. Rejects with an AntiphonError; what did not load is tried again when it is needed. */
  preload(): Promise<void> {
    return this.parts.add(PARTS.filter((part) => part !== "analysis" && part !== "worklet"));
  }

  close(): void {
    if (this.state.status === "closed") return;
    this.parts.close();
    this.context.removeEventListener("statechange", this.#update);
    this.setInput(null);
    this.streams.close();
    this.post({ type: "close" });
    this.node.port.onmessage = null;
    this.node.disconnect();
    this.state.set({ status: "closed", error: null, refusal: null });
  }

  readonly #update = () => {
    if (this.state.status === "failed" || this.state.status === "closed") return;
    // Safari adds "interrupted" to the states that the types know.
    const state: string = this.context.state;
    if (state === "closed") {
      this.state.fail(contextClosed());
    } else {
      this.state.set({ status: state === "running" ? "live" : "needs-gesture" });
    }
  };

  /** What a server would say first. */
  protected greeting(): Hello {
    return this.local.hello(Date.now()) as Hello;
  }

  protected post(message: ToWorklet): void {
    this.node.port.postMessage(message);
  }

  protected received(message: FromWorklet): void {
    if (message.type === "frames") {
      const bytes = new Uint8Array(message.buffer);
      this.local.push(message.lane, bytes);
      const link = this.#links.get(message.lane);
      if (link) this.streams.flush(link);
    } else if (message.type === "began") {
      this.#began(message.stream);
    } else if (message.type === "refused") {
      const error = new AntiphonError("refused", `the engine refused ${message.what} (${message.code})`, "change what was asked for");
      this.state.set({ error });
    } else if (message.type === "refused-stream") {
      this.#refused(message.stream, message.options);
    } else if (message.type === "failed") {
      this.state.fail(new AntiphonError("worklet", `the audio worklet stopped: ${messageOf(message.message)}`, "reload the page"));
    }
  }

  /** Ranges are the engine's to know: it says that an option is out of its own, not which. */
  #refused(stream: string, options: string): void {
    // Something else was asked for meanwhile.
    if (this.#options.get(stream) !== options) return;
    const [lane = "", ...words] = stream.split(" ");
    const link = this.#links.get(Number(lane));
    const place = words.join(" ");
    const given = Object.entries(JSON.parse(options) as object).map(([name, value]) => `${name}: ${value}`).join(", ");
    const error = new AntiphonError("invalid-option", `${given} of ${place}: out of range`, "see the ranges in StreamOptions");
    if (link) this.streams.fail(link, place, error);
  }

  /** The worklet makes frames of the new options from here on: what waits is of others. */
  #began(stream: string): void {
    const [lane, topic, tap] = stream.split(" ") as [string, string, string];
    this.local.forget(Number(lane), topic, tap);
    const n_left = (this.#fences.get(stream) ?? 1) - 1;
    if (n_left > 0) this.#fences.set(stream, n_left);
    else this.#fences.delete(stream);
  }

  /** Without those that were under way when their stream was asked for with other options, and those of streams that wait. */
  #ofNow(lane: number, frames: AnyFrame[]): AnyFrame[] {
    if (this.#fences.size === 0 && !this.parts.isWaiting) return frames;
    return frames.filter((frame) => {
      const stream = nameOf(lane, placeOf(frame));
      return !this.#fences.has(stream) && !this.parts.awaits(stream);
    });
  }

  #openLane(): Link {
    const lane = this.#freeLanes.shift();
    if (lane === undefined) {
      const hint = "let components share one set of options";
      throw new AntiphonError("too-many-streams", `more than ${N_LANES} different streams of one tap`, hint);
    }
    const link: Link = {
      subscribe: (topic: TopicName, tap: string, fps: number | undefined, options: StreamOptions) => {
        const place = placeAt(topic, tap, options.kind);
        const stream = nameOf(lane, place);
        let bytes: Uint8Array;
        try {
          bytes = this.local.subscription(topic, tap, fps, options);
        } catch (error) {
          throw errorFromWasm(error);
        }
        const start = () => {
          const said = JSON.stringify(options);
          // Each trigger counts, whatever it waited for.
          const tells = topic !== "trigger" && this.#options.get(stream) !== said;
          this.#options.set(stream, said);
          if (tells) this.#fences.set(stream, (this.#fences.get(stream) ?? 0) + 1);
          this.post({ type: "subscribe", lane, stream, options: said, bytes, tells });
        };
        this.parts.start(stream, partsOf(topic, options), start, (error) => this.streams.fail(link, place, error));
      },
      unsubscribe: (topic, tap, kind) => {
        const stream = nameOf(lane, placeAt(topic, tap, kind));
        this.parts.forget(stream);
        this.#options.delete(stream);
        this.post({ type: "unsubscribe", stream });
      },
      drain: () => this.#ofNow(lane, this.local.drain(lane) as AnyFrame[]),
      drainQueue: () => this.#ofNow(lane, this.local.drain_queue(lane) as AnyFrame[]),
      close: () => {
        this.#links.delete(lane);
        this.#freeLanes.unshift(lane);
      },
    };
    this.#links.set(lane, link);
    return link;
  }
}
