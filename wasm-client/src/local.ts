// This browser as a source: engine and analysis in an AudioWorklet, frames as the bytes that a server would send.
import type { MixerClient, PlaybackClient, RevisionsClient } from "./clients.ts";
import { AntiphonError, errorFromWasm, messageOf } from "./errors.ts";
import { createLocalClients } from "./local-clients.ts";
import { decodeForEngine, sampleFile, type SampleFiles, sampleUses } from "./offline.ts";
import { uuidBytes } from "./offline-job.ts";
import { type AnyFrame, type Link, Streams, tapOf } from "./streams.ts";
import { type Recorder, RECORDER_LANE, WorkletRecorder } from "./recorder.ts";
import type { FrameOf, Playhead, Source, SourceStatus, SubscribeOptions, TopicName } from "./source.ts";
import { Status } from "./status.ts";
import type { CompositionSpec, CompositionSpecInput, Hello, LiveNote, StreamOptions } from "./types.gen.ts";
import { compileWorklet, loadLocalWasm, type LocalWasm, type WasmLocation } from "./wasm.ts";
import { createWorkletNode } from "./worklet-node.ts";
import type { FromWorklet, ToWorklet } from "./worklet-messages.ts";

/** How a local source is made. */
export interface LocalSourceOptions {
  wasm?: WasmLocation | undefined;
}

/** How a composition is loaded. */
export interface LoadOptions {
  /** Fetches the files of samples that the composition uses; each is fetched and decoded once. */
  samples?: SampleFiles | undefined;
  /** Tempo that bars and beats of an audio file follow, 20 to 400; 120 when absent. */
  bpm?: number | undefined;
}

/** A source whose sound is made here. */
export interface LocalSource extends Source {
  readonly kind: "local";
  /** Connected to `context.destination`; disconnect it to route the sound elsewhere. */
  readonly node: AudioWorkletNode;
  readonly context: AudioContext;
  /** The server's REST interface, answered by the worklet. */
  readonly playback: PlaybackClient;
  readonly mixer: MixerClient;
  /** Undo and redo since the composition was loaded. */
  readonly revisions: RevisionsClient;
  /** The last ten minutes; off until it is started. */
  readonly recorder: Recorder;
  /** What plays, with all that was changed since it was loaded; null before. */
  readonly composition: CompositionSpec | null;
  /**
   * Loads the bytes of a MIDI file or an audio file (WAV, AIFF, FLAC, MP3, OGG Vorbis), or a composition as JSON; it is
   * looped as a whole, and stands at its start.
   */
  load(composition: ArrayBuffer | Uint8Array | CompositionSpecInput, name?: string, opts?: LoadOptions): Promise<CompositionSpec>;
  /**
   * Takes a changed composition in place of the one that plays: the playhead and what sounds go on. Undo and redo begin
   * anew with it.
   */
  update(composition: CompositionSpecInput, opts?: Pick<LoadOptions, "samples">): Promise<CompositionSpec>;
  /**
   * Routes a node into the `input` tap. `monitor`: heard through the master (files), else only measured
   * (microphones, which would feed back). `null` disconnects.
   */
  setInput(node: AudioNode | null, opts?: { monitor?: boolean }): void;
  /** What `setInput` was given. */
  readonly input: AudioNode | null;
  /** Starts the context; call it in a click when `status` is `needs-gesture`. */
  resume(): Promise<void>;
}

/** Makes the engine in `ctx`'s AudioWorklet. Rejects with an AntiphonError that says what to do. */
export async function createLocalSource(ctx: AudioContext, opts: LocalSourceOptions = {}): Promise<LocalSource> {
  // TypeScript believes that it is always there; on insecure pages it is not.
  if (!(ctx.audioWorklet as AudioWorklet | undefined)) {
    throw new AntiphonError(
      "no-audio-worklet", "this page may not use AudioWorklet", "open it over https, or from localhost");
  }
  const epoch = Date.now() & 0xffff;
  const [wasm, module] = await Promise.all([loadLocalWasm(opts.wasm), compileWorklet(opts.wasm)]);
  let local: InstanceType<LocalWasm["Local"]>;
  try {
    local = new wasm.Local(ctx.sampleRate, epoch);
  } catch (error) {
    throw errorFromWasm(error);
  }
  const node = await createWorkletNode(ctx, module, epoch, opts.wasm);
  return new WorkletSource(ctx, node, local, wasm, opts.wasm);
}

type Planes = Float32Array<ArrayBuffer>[];

/** "MThd". */
const isMidi = (bytes: Uint8Array) => [0x4d, 0x54, 0x68, 0x64].every((byte, idx) => bytes[idx] === byte);

/** A UUID of version 4; `crypto.randomUUID` is not there on insecure pages. */
function newId(): string {
  const hex = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

/** Lanes that the worklet has, besides the recorder's: so many different streams of one topic and tap there can be. */
const N_LANES = 4;

/** Of a stream, between here and the worklet. */
const nameOf = (lane: number, topic: TopicName, tap: string) => `${lane} ${topic} ${tap}`;

class WorkletSource implements LocalSource {
  readonly kind = "local";
  readonly playback: PlaybackClient;
  readonly mixer: MixerClient;
  readonly revisions: RevisionsClient;
  readonly recorder: WorkletRecorder;
  readonly #state = new Status("connecting");
  readonly #streams: Streams;
  readonly #links = new Map<number, Link>();
  readonly #freeLanes = Array.from({ length: N_LANES }, (_, lane) => lane);
  /** Options of the streams that the worklet has, by name. */
  readonly #options = new Map<string, string>();
  /** Streams that were asked for, by name, and how often the worklet has still to say that they began. */
  readonly #fences = new Map<string, number>();
  #input: AudioNode | null = null;
  readonly context: AudioContext;
  readonly node: AudioWorkletNode;
  readonly #local: InstanceType<LocalWasm["Local"]>;
  readonly #wasm: LocalWasm;
  readonly #location: WasmLocation | undefined;
  /** Samples that the worklet has. */
  readonly #samples = new Set<string>();
  /** The last call of `load`: a slow one must not overtake a later one. */
  #loading = 0;

  constructor(
    context: AudioContext, node: AudioWorkletNode, local: InstanceType<LocalWasm["Local"]>, wasm: LocalWasm,
    location: WasmLocation | undefined,
  ) {
    this.context = context;
    this.node = node;
    this.#local = local;
    this.#wasm = wasm;
    this.#location = location;
    const send = (bytes: Uint8Array) => this.#post({ type: "command", bytes });
    ({ playback: this.playback, mixer: this.mixer, revisions: this.revisions } = createLocalClients(local, send));
    this.recorder = new WorkletRecorder(wasm, (message) => this.#post(message), () => this.#hello());
    const open = () => this.#openLane();
    this.#streams = new Streams({ open, onError: (error) => this.#state.set({ error }), perTopic: false });
    node.port.onmessage = ({ data }: MessageEvent<FromWorklet>) => this.#received(data);
    node.onprocessorerror = () => this.#state.fail(new AntiphonError("worklet", "the audio worklet crashed", "reload the page"));
    node.connect(context.destination);
    context.addEventListener("statechange", this.#update);
    this.#streams.start(open(), null);
    // Playback state is made of transport frames, whether or not anybody draws them.
    this.#streams.subscribe("transport", () => undefined);
    this.#post({ type: "latency", ms: 1000 * (context.baseLatency + (context.outputLatency || 0)) });
    this.#state.set({ hello: this.#hello() });
    this.#update();
  }

  get status(): SourceStatus {
    return this.#state.status;
  }

  get error(): AntiphonError | null {
    return this.#state.error;
  }

  get hello(): Hello | null {
    return this.#state.hello;
  }

  onStatus(cb: () => void): () => void {
    return this.#state.onChange(cb);
  }

  subscribe<T extends TopicName>(topic: T, cb: (frame: FrameOf<T>) => void, opts?: SubscribeOptions): () => void {
    return this.#streams.subscribe(topic, cb, opts);
  }

  latest<T extends TopicName>(topic: T, opts?: SubscribeOptions): FrameOf<T> | null {
    return this.#streams.latest(topic, opts);
  }

  playhead(): Playhead | null {
    const { context } = this;
    // Safari has no outputLatency, Firefox had no time stamp for long; a time stamp of 0 was never made.
    const stamp = context.getOutputTimestamp?.();
    const heard = stamp?.contextTime && stamp.performanceTime
      ? this.#local.heard(stamp.contextTime, Math.max(0, performance.now() - stamp.performanceTime))
      : this.#local.heard(context.currentTime - (context.outputLatency || context.baseLatency || 0), 0);
    return heard as Playhead | null;
  }

  get composition(): CompositionSpec | null {
    return this.#local.composition() as CompositionSpec | null;
  }

  async load(
    composition: ArrayBuffer | Uint8Array | CompositionSpecInput, name = "Untitled", opts: LoadOptions = {},
  ): Promise<CompositionSpec> {
    return this.#replace(composition, name, opts, (spec) => {
      const [program, commands] = this.#local.load(spec) as [Uint8Array, Uint8Array];
      return [{ type: "load", bytes: program }, { type: "command", bytes: commands }];
    });
  }

  async update(composition: CompositionSpecInput, opts: Pick<LoadOptions, "samples"> = {}): Promise<CompositionSpec> {
    return this.#replace(composition, composition.name, opts, (spec) => [{ type: "update", bytes: this.#local.update(spec) }]);
  }

  /** Opens a composition, has the worklet take it, and names the taps anew if they are others. */
  async #replace(
    composition: ArrayBuffer | Uint8Array | CompositionSpecInput, name: string, opts: LoadOptions,
    take: (spec: CompositionSpecInput) => ToWorklet[],
  ): Promise<CompositionSpec> {
    const turn = ++this.#loading;
    const { spec, samples } = await this.#open(composition, name, opts);
    if (turn !== this.#loading) throw new AntiphonError("superseded", `${name} was not loaded: something else was meanwhile`);
    if (this.#state.status === "closed") throw new AntiphonError("closed", "this source was closed", "make another one");
    let messages: ToWorklet[];
    try {
      messages = take(spec);
      for (const [id, planes] of samples) this.#postSample(id, planes);
      for (const message of messages) this.#post(message);
    } catch (error) {
      throw errorFromWasm(error);
    }
    // The worklet drops what the composition does not use.
    this.#samples.clear();
    for (const { id } of sampleUses(spec)) this.#samples.add(id);
    const hello = this.#hello();
    if (messages[0]?.type === "load" || JSON.stringify(hello.taps) !== JSON.stringify(this.#state.hello?.taps)) {
      this.#streams.restart();
      this.recorder.retap();
    }
    this.#state.set({ hello, error: null });
    return this.#local.composition() as CompositionSpec;
  }

  /** What is to be played, and the samples that the worklet needs for it. */
  async #open(
    data: ArrayBuffer | Uint8Array | CompositionSpecInput, name: string, opts: LoadOptions,
  ): Promise<{ spec: CompositionSpecInput; samples: [id: string, planes: Planes][] }> {
    const decode = (file: ArrayBuffer | Uint8Array, compose?: { id: string; name: string; bpm: number }) =>
      decodeForEngine(file, this.context.sampleRate, { wasm: this.#location }, compose);
    if (!(data instanceof ArrayBuffer || ArrayBuffer.isView(data))) {
      const missing = sampleUses(data).filter(({ id }) => !this.#samples.has(id));
      const samples = missing.map(async ({ id, field }): Promise<[string, Planes]> => {
        return [id, (await decode(await sampleFile(id, field, opts.samples))).channels];
      });
      return { spec: data, samples: await Promise.all(samples) };
    }
    const bytes = new Uint8Array(data);
    if (isMidi(bytes)) {
      try {
        return { spec: this.#wasm.parse_midi(bytes, name) as CompositionSpec, samples: [] };
      } catch (error) {
        throw errorFromWasm(error);
      }
    }
    const id = newId();
    const { channels, composition } = await decode(bytes, { id, name, bpm: opts.bpm ?? 120 });
    return { spec: JSON.parse(composition ?? "null") as CompositionSpec, samples: [[id, channels]] };
  }

  #postSample(id: string, planes: Planes): void {
    const [left, right] = planes;
    if (!left || !right) return;
    const message: ToWorklet = { type: "sample", id: uuidBytes(id), left, right };
    this.node.port.postMessage(message, [left.buffer, right.buffer]);
  }

  setInput(node: AudioNode | null, { monitor = false }: { monitor?: boolean } = {}): void {
    this.#input?.disconnect(this.node);
    this.#input = node;
    node?.connect(this.node);
    this.#post({ type: "command", bytes: this.#local.request("monitor", node !== null && monitor) });
  }

  get input(): AudioNode | null {
    return this.#input;
  }

  note(note: LiveNote): void {
    try {
      this.#post({ type: "command", bytes: this.#local.request("note", note) });
    } catch (error) {
      throw errorFromWasm(error);
    }
  }

  async resetLoudness(tap?: string): Promise<void> {
    const name = tap?.toLowerCase();
    const found = this.#state.hello?.taps.find((one) => (one.track_id ?? one.name) === name);
    if (name !== undefined && !found) {
      const message = `tap: ${JSON.stringify(tap)} is not master, input or the id of a track that plays`;
      throw new AntiphonError("invalid-value", message, "see the taps in hello");
    }
    this.#post({ type: "reset-loudness", tap: found?.id ?? null });
  }

  async resume(): Promise<void> {
    await this.context.resume();
    this.#update();
  }

  close(): void {
    if (this.#state.status === "closed") return;
    this.context.removeEventListener("statechange", this.#update);
    this.setInput(null);
    this.#streams.close();
    this.#post({ type: "close" });
    this.node.port.onmessage = null;
    this.node.disconnect();
    this.#state.set({ status: "closed", error: null });
  }

  readonly #update = () => {
    if (this.#state.status === "failed" || this.#state.status === "closed") return;
    // Safari adds "interrupted" to the states that the types know.
    const state: string = this.context.state;
    if (state === "closed") {
      const hint = "make another context and another source";
      this.#state.fail(new AntiphonError("context-closed", "the audio context was closed", hint));
    } else {
      this.#state.set({ status: state === "running" ? "live" : "needs-gesture" });
    }
  };

  #hello(): Hello {
    return this.#local.hello(Date.now()) as Hello;
  }

  #post(message: ToWorklet): void {
    this.node.port.postMessage(message);
  }

  #received(message: FromWorklet): void {
    if (message.type === "frames") {
      const bytes = new Uint8Array(message.buffer);
      if (message.lane === RECORDER_LANE) return this.recorder.push(bytes);
      this.#local.push(message.lane, bytes);
      const link = this.#links.get(message.lane);
      if (link) this.#streams.flush(link);
    } else if (message.type === "began") {
      this.#began(message.stream);
    } else if (message.type === "started") {
      this.#local.started(message.frame);
    } else if (message.type === "refused") {
      const error = new AntiphonError("refused", `the engine refused ${message.what} (${message.code})`, "see the ranges of the options");
      this.#state.set({ error });
    } else if (message.type === "failed") {
      this.#state.fail(new AntiphonError("worklet", `the audio worklet stopped: ${messageOf(message.message)}`, "reload the page"));
    }
  }

  /** The worklet makes frames of the new options from here on: what waits is of others. */
  #began(stream: string): void {
    const [lane, topic, tap] = stream.split(" ") as [string, string, string];
    this.#local.forget(Number(lane), topic, tap);
    const n_left = (this.#fences.get(stream) ?? 1) - 1;
    if (n_left > 0) this.#fences.set(stream, n_left);
    else this.#fences.delete(stream);
  }

  /** Without those that were under way when their stream was asked for with other options. */
  #ofNow(lane: number, frames: AnyFrame[]): AnyFrame[] {
    if (this.#fences.size === 0) return frames;
    return frames.filter((frame) => !this.#fences.has(nameOf(lane, frame.type, tapOf(frame))));
  }

  #openLane(): Link {
    const lane = this.#freeLanes.shift();
    if (lane === undefined) {
      const hint = "let components share one set of options";
      throw new AntiphonError("too-many-streams", `more than ${N_LANES} different streams of one tap`, hint);
    }
    const link: Link = {
      subscribe: (topic: TopicName, tap: string, fps: number | undefined, options: StreamOptions) => {
        try {
          const bytes = this.#local.subscription(topic, tap, fps, options);
          const stream = nameOf(lane, topic, tap);
          const said = JSON.stringify(options);
          // Each trigger counts, whatever it waited for.
          const tells = topic !== "trigger" && this.#options.get(stream) !== said;
          this.#options.set(stream, said);
          if (tells) this.#fences.set(stream, (this.#fences.get(stream) ?? 0) + 1);
          this.#post({ type: "subscribe", lane, stream, bytes, tells });
        } catch (error) {
          throw errorFromWasm(error);
        }
      },
      unsubscribe: (topic, tap) => {
        const stream = nameOf(lane, topic, tap);
        this.#options.delete(stream);
        this.#post({ type: "unsubscribe", stream });
      },
      drain: () => this.#ofNow(lane, this.#local.drain(lane) as AnyFrame[]),
      drainQueue: () => this.#ofNow(lane, this.#local.drain_queue(lane) as AnyFrame[]),
      close: () => {
        this.#links.delete(lane);
        this.#freeLanes.unshift(lane);
      },
    };
    this.#links.set(lane, link);
    return link;
  }
}
