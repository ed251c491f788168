// The sound of a source in this page: the `audio` topic through a jitter buffer in an AudioWorklet.
import { contextClosed, resumeContext } from "./audio-context.ts";
import { AntiphonError } from "./errors.ts";
import type { Source, SourceStatus } from "./source.ts";
import { Status } from "./status.ts";
import { compileListen, type WasmLocation } from "./wasm.ts";
import { createListenNode } from "./worklet-node.ts";
import type { FromWorklet, ListenStats, ToListener } from "./worklet-messages.ts";

/** How to listen. */
export interface ListenOptions {
  /** `"master"` (the default), `"input"`, or a track's id. */
  tap?: string | undefined;
  /** What waits before the first sound, 20 to 1000; 120 when absent. Then it is as much as the network's jitter needs. */
  latencyMs?: number | undefined;
  /** Where the package's files are, when a bundler does not know. */
  wasm?: WasmLocation | undefined;
}

/** Sound that is heard. */
export interface Listening {
  /** Connected to `context.destination`; disconnect it to route the sound elsewhere. */
  readonly node: AudioWorkletNode;
  /** `connecting` until the first sound, `live`, `needs-gesture` (call `resume()` in a click), `failed`, `closed`. */
  readonly status: SourceStatus;
  /** Why it is `failed`, or what the source says while nothing comes. */
  readonly error: AntiphonError | null;
  /** `cb` runs when status or error changed. */
  onStatus(cb: () => void): () => void;
  /** How it goes, four times a second; null before the first sound. */
  readonly stats: ListenStats | null;
  /** Starts the context; call it in a click when `status` is `needs-gesture`. */
  resume(): Promise<void>;
  /** Ends it, and with the last listener the stream. */
  close(): void;
}

/** Sixty stretches a second: what a stretch holds waits before it is sent. */
const FPS = 60;

/**
 * Plays a source's tap in `ctx`. What jitters is evened out, clocks that differ are followed by slow resampling, and
 * where sound is missing it fades. Rejects with an AntiphonError that says what to do.
 */
export async function listen(source: Source, ctx: AudioContext, opts: ListenOptions = {}): Promise<Listening> {
  const { latencyMs = 120 } = opts;
  if (!(typeof latencyMs === "number" && latencyMs >= 20 && latencyMs <= 1000)) {
    throw new AntiphonError(
      "invalid-option", `latencyMs: ${String(latencyMs)} is not a number from 20 to 1000`, "leave it out for 120");
  }
  // TypeScript believes that it is always there; on insecure pages it is not.
  if (!(ctx.audioWorklet as AudioWorklet | undefined)) {
    throw new AntiphonError(
      "no-audio-worklet", "this page may not use AudioWorklet", "open it over https, or from localhost");
  }
  const node = await createListenNode(ctx, await compileListen(opts.wasm), latencyMs, opts.wasm);
  return new WorkletListening(source, ctx, node, opts.tap);
}

class WorkletListening implements Listening {
  readonly node: AudioWorkletNode;
  stats: ListenStats | null = null;
  readonly #ctx: AudioContext;
  readonly #state = new Status("connecting");
  readonly #source: Source;
  readonly #ends: (() => void)[];
  #hasSound = false;

  constructor(source: Source, ctx: AudioContext, node: AudioWorkletNode, tap: string | undefined) {
    this.node = node;
    this.#ctx = ctx;
    this.#source = source;
    node.port.onmessage = ({ data }: MessageEvent<FromWorklet | ListenStats>) => {
      if (data.type === "stats") this.stats = data;
      if (data.type === "failed") this.#state.fail(new AntiphonError("worklet", `the audio worklet stopped: ${data.message}`, "reload the page"));
    };
    node.onprocessorerror = () => this.#state.fail(new AntiphonError("worklet", "the audio worklet crashed", "reload the page"));
    node.connect(ctx.destination);
    ctx.addEventListener("statechange", this.#update);
    const end = source.subscribe("audio", (frame) => {
      // Copies, since others may listen to the same stream.
      const [left, right] = [frame.samples_left.slice(), frame.samples_right.slice()];
      const isCut = frame.discontinuity || frame.dropped > 0;
      const message: ToListener = { type: "sound", end: frame.sample_position, isCut, rate: frame.sample_rate, left, right };
      node.port.postMessage(message, [left.buffer, right.buffer]);
      if (this.#hasSound) return;
      this.#hasSound = true;
      this.#update();
    }, { tap, fps: FPS });
    this.#ends = [end, source.onStatus(this.#update)];
    this.#update();
  }

  get status(): SourceStatus {
    return this.#state.status;
  }

  get error(): AntiphonError | null {
    return this.#state.error;
  }

  onStatus(cb: () => void): () => void {
    return this.#state.onChange(cb);
  }

  async resume(): Promise<void> {
    await resumeContext(this.#ctx);
    this.#update();
  }

  close(): void {
    if (this.#state.status === "closed") return;
    this.#ends.forEach((end) => end());
    this.#ctx.removeEventListener("statechange", this.#update);
    this.node.port.postMessage({ type: "close" } satisfies ToListener);
    this.node.disconnect();
    this.#state.set({ status: "closed", error: null });
  }

  readonly #update = () => {
    if (this.#state.status === "failed" || this.#state.status === "closed") return;
    if (this.#ctx.state === "closed") return this.#state.fail(contextClosed());
    const status = this.#ctx.state !== "running" ? "needs-gesture" : this.#hasSound ? "live" : "connecting";
    // Of a live source it may be another stream's, which was refused; where sound comes, ours was not.
    const isOurs = this.#source.status !== "live" || !this.#hasSound;
    this.#state.set({ status, error: isOurs ? this.#source.error : null });
  };
}
