// This browser as a source: engine and analysis in an AudioWorklet, frames as the bytes that a server would send.
import type { MixerClient, PlaybackClient, RevisionsClient } from "./clients.ts";
import type { AnalysisSource } from "./analysis-source.ts";
import { AntiphonError, errorFromWasm } from "./errors.ts";
import { createLocalClients } from "./local-clients.ts";
import { decodeForEngine, sampleFile, type SampleFiles, sampleUses } from "./offline.ts";
import { uuidBytes } from "./offline-job.ts";
import { type Recorder, RECORDER_LANE, WorkletRecorder } from "./recorder.ts";
import type { Playhead } from "./source.ts";
import type { CompositionSpec, CompositionSpecInput, LiveNote } from "./types.gen.ts";
import { loadLocalWasm, type LocalWasm, type WasmLocation } from "./wasm.ts";
import type { FromWorklet, ToWorklet } from "./worklet-messages.ts";
import { createHalves, type Halves, WorkletSource } from "./worklet-source.ts";

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
export interface LocalSource extends AnalysisSource {
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
}

/** Makes the engine in `ctx`'s AudioWorklet. Rejects with an AntiphonError that says what to do. */
export async function createLocalSource(ctx: AudioContext, opts: LocalSourceOptions = {}): Promise<LocalSource> {
  const load = async (location?: WasmLocation) => (await loadLocalWasm(location)).Local;
  const halves = await createHalves(ctx, load, ["analysis", "worklet"], opts.wasm);
  return new EngineSource(ctx, halves, await loadLocalWasm(opts.wasm));
}

type Planes = Float32Array<ArrayBuffer>[];

/** "MThd". */
const isMidi = (bytes: Uint8Array) => [0x4d, 0x54, 0x68, 0x64].every((byte, idx) => bytes[idx] === byte);

/** A UUID of version 4; `crypto.randomUUID` is not there on insecure pages. */
function newId(): string {
  const hex = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

/** What the main thread keeps of an engine. */
type Local = InstanceType<LocalWasm["Local"]>;

class EngineSource extends WorkletSource<Local> implements LocalSource {
  readonly playback: PlaybackClient;
  readonly mixer: MixerClient;
  readonly revisions: RevisionsClient;
  readonly recorder: WorkletRecorder;
  readonly #wasm: LocalWasm;
  readonly #location: WasmLocation | undefined;
  /** Samples that the worklet has. */
  readonly #samples = new Set<string>();
  /** The last call of `load`: a slow one must not overtake a later one. */
  #loading = 0;

  constructor(context: AudioContext, halves: Halves<Local>, wasm: LocalWasm) {
    super(context, halves);
    this.#wasm = wasm;
    this.#location = halves.location;
    const send = (bytes: Uint8Array) => this.post({ type: "command", bytes });
    const checkOpen = () => this.checkOpen();
    ({ playback: this.playback, mixer: this.mixer, revisions: this.revisions } = createLocalClients(halves.local, send, checkOpen));
    this.recorder = new WorkletRecorder({
      wasm, parts: this.parts, post: (message) => this.post(message), hello: () => this.greeting(),
      onError: (error) => this.state.set({ error }),
    });
    // Playback state is made of transport frames, whether or not anybody draws them.
    this.streams.subscribe("transport", () => undefined);
  }

  playhead(): Playhead | null {
    const { context } = this;
    // Safari has no outputLatency, Firefox had no time stamp for long; a time stamp of 0 was never made.
    const stamp = context.getOutputTimestamp?.();
    const heard = stamp?.contextTime && stamp.performanceTime
      ? this.local.heard(stamp.contextTime, Math.max(0, performance.now() - stamp.performanceTime))
      : this.local.heard(context.currentTime - (context.outputLatency || context.baseLatency || 0), 0);
    return heard as Playhead | null;
  }

  get composition(): CompositionSpec | null {
    return this.local.composition() as CompositionSpec | null;
  }

  async load(
    composition: ArrayBuffer | Uint8Array | CompositionSpecInput, name = "Untitled", opts: LoadOptions = {},
  ): Promise<CompositionSpec> {
    return this.#replace(composition, name, opts, (spec) => {
      const [program, commands] = this.local.load(spec) as [Uint8Array, Uint8Array];
      return [{ type: "load", bytes: program }, { type: "command", bytes: commands }];
    });
  }

  async update(composition: CompositionSpecInput, opts: Pick<LoadOptions, "samples"> = {}): Promise<CompositionSpec> {
    return this.#replace(composition, composition.name, opts, (spec) => [{ type: "update", bytes: this.local.update(spec) }]);
  }

  /** Opens a composition, has the worklet take it, and names the taps anew if they are others. */
  async #replace(
    composition: ArrayBuffer | Uint8Array | CompositionSpecInput, name: string, opts: LoadOptions,
    take: (spec: CompositionSpecInput) => ToWorklet[],
  ): Promise<CompositionSpec> {
    const turn = ++this.#loading;
    const { spec, samples } = await this.#open(composition, name, opts);
    if (turn !== this.#loading) throw new AntiphonError("superseded", `${name} was not loaded: something else was meanwhile`);
    if (this.state.status === "closed") throw new AntiphonError("closed", "this source was closed", "make another one");
    let messages: ToWorklet[];
    try {
      messages = take(spec);
      for (const [id, planes] of samples) this.#postSample(id, planes);
      for (const message of messages) this.post(message);
    } catch (error) {
      throw errorFromWasm(error);
    }
    // The worklet drops what the composition does not use.
    this.#samples.clear();
    for (const { id } of sampleUses(spec)) this.#samples.add(id);
    const hello = this.greeting();
    if (messages[0]?.type === "load" || JSON.stringify(hello.taps) !== JSON.stringify(this.state.hello?.taps)) {
      this.streams.restart();
      this.recorder.retap();
    }
    this.state.set({ hello, error: null });
    return this.local.composition() as CompositionSpec;
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

  note(note: LiveNote): void {
    this.checkOpen();
    try {
      this.post({ type: "command", bytes: this.local.request("note", note) });
    } catch (error) {
      throw errorFromWasm(error);
    }
  }

  protected override monitor(isHeard: boolean): void {
    this.post({ type: "command", bytes: this.local.request("monitor", isHeard) });
  }

  protected override received(message: FromWorklet): void {
    if (message.type === "frames" && message.lane === RECORDER_LANE) this.recorder.push(new Uint8Array(message.buffer));
    else if (message.type === "started") this.local.started(message.frame);
    else super.received(message);
  }
}
