// The flight recorder: the last ten minutes of a local source, and recordings from files.
import { type AntiphonError, errorFromWasm } from "./errors.ts";
import type { FrameOf } from "./source.ts";
import type { Hello, Tap } from "./types.gen.ts";
import { loadLocalWasm, type LocalWasm, partsOf, type WasmLocation } from "./wasm.ts";
import type { ToWorklet } from "./worklet-messages.ts";
import type { WorkletParts } from "./worklet-parts.ts";

/** Meters (with the loudness of every tap) and spectra of 64 bands, ten of each a second. */
export type RecordedFrame = FrameOf<"meters"> | FrameOf<"spectrum">;

/** Which frames: by sample position, of all taps or of one (its spectra, and meters of the master and of it). */
export interface RecordedRange {
  /** First position; the oldest when absent. */
  from?: number | undefined;
  /** Last position; the newest when absent. */
  to?: number | undefined;
  /** `"master"`, `"input"`, or a track's id. */
  tap?: string | undefined;
}

/** What can be read of a recording. Positions are engine frames. */
export interface Recording {
  readonly sampleRate: number;
  readonly taps: Tap[];
  /** Positions of the first and the last frames; `null` when nothing is there. */
  readonly range: { from: number; to: number } | null;
  /** The position of the frames that measured the sample at `position`. */
  at(position: number): number | null;
  /** Frames in order, each an object of its own. */
  frames(range?: RecordedRange): RecordedFrame[];
}

/** Records a local source. Off until it is started: it measures every tap. */
export interface Recorder extends Recording {
  readonly isOn: boolean;
  /** Begins to measure and to keep. */
  start(): void;
  /** Ends the work; what was recorded stays. */
  stop(): void;
  /** A file, for `openRecording`. */
  save(range?: RecordedRange): Uint8Array<ArrayBuffer>;
}

/** Opens a file that a recorder, or `GET /api/recorder?format=file`, saved. Rejects with an AntiphonError. */
export async function openRecording(
  bytes: ArrayBuffer | Uint8Array, { wasm }: { wasm?: WasmLocation | undefined } = {},
): Promise<Recording> {
  const { Recording: Opened } = await loadLocalWasm(wasm);
  try {
    return new Reader(new Opened(new Uint8Array(bytes)));
  } catch (error) {
    throw errorFromWasm(error);
  }
}

type Readable = Pick<InstanceType<LocalWasm["Recording"]>, "directory" | "range" | "at" | "frames">;

class Reader implements Recording {
  readonly #readable: Readable;

  constructor(readable: Readable) {
    this.#readable = readable;
  }

  get sampleRate(): number {
    return this.#directory.sample_rate;
  }

  get taps(): Tap[] {
    return this.#directory.taps;
  }

  get range(): Recording["range"] {
    const range = this.#readable.range() as [number, number] | undefined;
    return range ? { from: range[0], to: range[1] } : null;
  }

  at(position: number): number | null {
    return this.#readable.at(position) ?? null;
  }

  frames({ from = 0, to = Infinity, tap }: RecordedRange = {}): RecordedFrame[] {
    try {
      return this.#readable.frames(from, to, tap) as RecordedFrame[];
    } catch (error) {
      throw errorFromWasm(error);
    }
  }

  get #directory(): { sample_rate: number; taps: Tap[] } {
    return this.#readable.directory() as { sample_rate: number; taps: Tap[] };
  }
}

/** The worklet's lane that is the recorder's. */
export const RECORDER_LANE = 4;
/** Its streams, which start together. */
const STREAM = "recorder";

/** What it is made of, and whom it tells. */
export interface RecorderOptions {
  wasm: LocalWasm;
  parts: WorkletParts;
  post(message: ToWorklet): void;
  hello(): Hello;
  /** It did not start. */
  onError(error: AntiphonError): void;
}

/** The recorder of a worklet. */
export class WorkletRecorder implements Recorder {
  readonly #opts: RecorderOptions;
  #recorder: InstanceType<LocalWasm["FlightRecorder"]> | null = null;
  #streams: string[] = [];

  constructor(opts: RecorderOptions) {
    this.#opts = opts;
  }

  get isOn(): boolean {
    return this.#streams.length > 0;
  }

  get sampleRate(): number {
    return this.#opts.hello().sample_rate;
  }

  get taps(): Tap[] {
    return this.#reader?.taps ?? this.#opts.hello().taps;
  }

  get range(): Recording["range"] {
    return this.#reader?.range ?? null;
  }

  at(position: number): number | null {
    return this.#reader?.at(position) ?? null;
  }

  frames(range?: RecordedRange): RecordedFrame[] {
    return this.#reader?.frames(range) ?? [];
  }

  save({ from = 0, to = Infinity, tap }: RecordedRange = {}): Uint8Array<ArrayBuffer> {
    try {
      this.#recorder ??= new this.#opts.wasm.FlightRecorder(this.#opts.hello());
      return new Uint8Array(this.#recorder.save(from, to, tap));
    } catch (error) {
      throw errorFromWasm(error);
    }
  }

  start(): void {
    if (!this.isOn) this.#subscribe();
  }

  stop(): void {
    this.#opts.parts.forget(STREAM);
    for (const stream of this.#streams) this.#opts.post({ type: "unsubscribe", stream });
    this.#streams = [];
  }

  /** The taps changed. */
  retap(): void {
    if (!this.isOn) return;
    this.stop();
    this.#subscribe();
  }

  /** Takes what came on the recorder's lane. */
  push(frames: Uint8Array): void {
    this.#recorder?.push(frames);
  }

  #subscribe(): void {
    try {
      const hello = this.#opts.hello();
      this.#recorder ??= new this.#opts.wasm.FlightRecorder(hello);
      const subscriptions = this.#recorder.retap(hello) as Uint8Array[];
      this.#streams = subscriptions.map((_, idx) => `${RECORDER_LANE} recorder ${idx}`);
      const start = () => {
        subscriptions.forEach((bytes, idx) => {
          this.#opts.post({ type: "subscribe", lane: RECORDER_LANE, stream: this.#streams[idx]!, bytes, tells: false });
        });
      };
      this.#opts.parts.start(STREAM, partsOf("spectrum", {}), start, (error) => {
        this.#streams = [];
        this.#opts.onError(error);
      });
    } catch (error) {
      throw errorFromWasm(error);
    }
  }

  get #reader(): Reader | null {
    return this.#recorder && new Reader(this.#recorder);
  }
}
