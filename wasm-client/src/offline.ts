// Work that takes its time, away from the page's thread: decoding and measuring audio files, rendering compositions to files.
import { AntiphonError, errorFromWasm } from "./errors.ts";
import { type AudioFile, bytesOfFile, checkReportOptions, checkSampleRate, isAudioBuffer } from "./offline-input.ts";
import { type AnalyzeSource, type FromOfflineWorker, type Job, type JobResult, runJob, type ToOfflineWorker } from "./offline-job.ts";
import type { OrUndefined } from "./source.ts";
import type { CompositionSpecInput, Report, ReportOptions } from "./types.gen.ts";
import { compileOffline, offlineWorkerUrl, type WasmLocation } from "./wasm.ts";

/** Of all work on files. */
export interface OfflineOptions {
  /** Ends the work; the promise then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  wasm?: WasmLocation | undefined;
}

/** A decoded audio file. */
export interface DecodedAudio {
  sampleRate: number;
  /** One or two, of equal length; full scale is ±1. */
  channels: Float32Array<ArrayBuffer>[];
  /** The file ends before it says, or parts of it could not be decoded and are silent. */
  isDamaged: boolean;
}

/**
 * Decodes a WAV, AIFF, FLAC, MP3 or OGG Vorbis file with the server's own decoder. With `sampleRate` (8,000 to 192,000)
 * it is resampled to stereo, as an engine at that rate plays it; without, it stays as it is.
 */
export async function decodeAudio(
  file: AudioFile, opts: OfflineOptions & { sampleRate?: number | undefined } = {},
): Promise<DecodedAudio> {
  if (opts.sampleRate !== undefined) checkSampleRate(opts.sampleRate);
  const job = { type: "decode", file: await bytesOfFile(file), sampleRate: opts.sampleRate ?? 0 } as const;
  const { composition: _, ...decoded } = await run(job, opts);
  return decoded;
}

/** Fetches the file (WAV, FLAC …) of a sample by its id. */
export type SampleFiles = (id: string) => Promise<ArrayBuffer | Uint8Array>;

/** What {@link renderComposition} makes, and of what. */
export interface RenderOptions extends OfflineOptions {
  /** 16 (dithered), 24 (when absent) or 32 (floats, the engine's own bits). */
  bits?: 16 | 24 | 32 | undefined;
  /** 8,000 to 192,000 frames per second; 48,000 when absent. */
  sampleRate?: number | undefined;
  /** Longest time, 0 to 600 s, in which notes and echoes may ring out after the end; 30 when absent. */
  tailSeconds?: number | undefined;
  /** For compositions that use samples. */
  samples?: SampleFiles | undefined;
  /** The share of the composition that is done, 0 to 1. */
  onProgress?: ((progress: number) => void) | undefined;
}

/** A WAV file of a composition: the bits of `antiphon render` and of the server's `render.wav`. */
export async function renderComposition(composition: CompositionSpecInput, opts: RenderOptions = {}): Promise<Blob> {
  const { samples: files, bits = 24, sampleRate = 48_000, tailSeconds = 30 } = opts;
  checkSampleRate(sampleRate);
  const samples = await Promise.all(sampleUses(composition).map(async ({ id, field }) => (
    { id, file: await bytesOfFile(await sampleFile(id, field, files)) }
  )));
  const job = { type: "render", composition: JSON.stringify(composition), samples, sampleRate, bits, tailSeconds } as const;
  return run(job, opts);
}

/** How {@link analyzeBuffer} measures. */
export interface AnalyzeOptions extends OfflineOptions, OrUndefined<ReportOptions> {
  /** The share of the sound that is measured, 0 to 1. */
  onProgress?: ((progress: number) => void) | undefined;
}

/**
 * Everything there is to say about sound: loudness, peaks, spectrum, overview, key and tempo; the numbers of
 * `antiphon analyze --json` and of the server's `POST /api/analysis`, to the bit for equal samples. Takes an AudioBuffer of
 * one to six channels at 8,000 to 192,000 Hz, or a WAV, AIFF, FLAC, MP3 or OGG Vorbis file (OGG: of one or two).
 */
export async function analyzeBuffer(
  source: AudioBuffer | AudioFile, opts: AnalyzeOptions = {},
): Promise<Report> {
  const { signal, wasm, onProgress, ...options } = opts;
  checkReportOptions(options);
  return run({ type: "analyze", source: await analyzeSource(source), options }, { signal, wasm, onProgress });
}

async function analyzeSource(source: AudioBuffer | AudioFile): Promise<AnalyzeSource> {
  if (!isAudioBuffer(source)) return { file: await bytesOfFile(source) };
  const { sampleRate, numberOfChannels } = source;
  return { sampleRate, channels: Array.from({ length: numberOfChannels }, (_, idx) => source.getChannelData(idx).slice()) };
}

/** A composition as a Standard MIDI File of type 1. Audio clips and effects have no place in it. */
export async function exportMidi(
  composition: CompositionSpecInput, opts: OfflineOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  return run({ type: "midi", composition: JSON.stringify(composition) }, opts);
}

/** Loads what {@link decodeAudio} and {@link renderComposition} need, for when the network is gone. */
export async function preloadOffline(opts: { wasm?: WasmLocation | undefined } = {}): Promise<void> {
  await compileOffline(opts.wasm);
}

/** @internal The samples that a composition uses, each once, with a field that names it. */
export function sampleUses({ tracks }: CompositionSpecInput): { id: string; field: string }[] {
  const fields = new Map<string, string>();
  const add = (id: string, field: string) => fields.has(id) || fields.set(id, field);
  tracks?.forEach((track, at) => {
    track.instrument?.zones?.forEach(({ sample }, idx) => add(sample, `tracks[${at}].instrument.zones[${idx}].sample`));
    track.audio_clips?.forEach(({ sample }, idx) => add(sample, `tracks[${at}].audio_clips[${idx}].sample`));
  });
  return [...fields].map(([id, field]) => ({ id, field }));
}

/** @internal A sample's file, or an error that names the field that wants it. */
export async function sampleFile(
  id: string, field: string, files: SampleFiles | undefined,
): Promise<ArrayBuffer | Uint8Array> {
  const missing = (why: string, cause?: unknown) => {
    const hint = "pass { samples } that fetches it, such as the rest client's samples.file";
    return new AntiphonError("missing-sample", `${field}: sample ${id} is not there${why}`, hint, cause);
  };
  if (!files) throw missing("");
  return files(id).catch((cause: unknown) => {
    throw missing(` (${cause instanceof Error ? cause.message : String(cause)})`, cause);
  });
}

/** @internal Decodes for an engine, and makes the composition that plays it as sample `id`. */
export async function decodeForEngine(
  file: ArrayBuffer | Uint8Array, sampleRate: number, opts: OfflineOptions, compose?: { id: string; name: string; bpm: number },
): Promise<JobResult["decode"]> {
  return run({ type: "decode", file: await bytesOfFile(file), sampleRate, ...(compose && { compose }) }, opts);
}

async function run<J extends Job>(
  job: J, { signal, wasm, onProgress }: OfflineOptions & Pick<RenderOptions, "onProgress">,
): Promise<JobResult[J["type"]]> {
  signal?.throwIfAborted();
  const module = await compileOffline(wasm);
  const worker = typeof Worker === "function" ? await startWorker(wasm) : null;
  signal?.throwIfAborted();
  if (!worker) return runHere(module, job, signal, onProgress);
  try {
    return await new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      worker.onmessage = ({ data }: MessageEvent<FromOfflineWorker>) => {
        if (data.type === "progress") onProgress?.(data.progress);
        else if (data.type === "done") resolve(data.result as JobResult[J["type"]]);
        else if (data.type === "failed") reject(errorFromWasm(data.error));
      };
      worker.onerror = ({ message }) => {
        reject(new AntiphonError("worker", `the worker stopped: ${message || "out of memory?"}`, "try again with a shorter file"));
      };
      worker.postMessage({ module, job } satisfies ToOfflineWorker);
    });
  } finally {
    worker.terminate();
  }
}

/** A worker that runs; null where its script is out of reach: no server any more, or a policy that forbids it. */
function startWorker(wasm: WasmLocation | undefined): Promise<Worker | null> {
  return new Promise((resolve) => {
    let worker: Worker;
    try {
      worker = new Worker(offlineWorkerUrl(wasm), { type: "module" });
    } catch {
      return resolve(null);
    }
    worker.onmessage = () => resolve(worker);
    worker.onerror = (event) => {
      event.preventDefault();
      worker.terminate();
      resolve(null);
    };
  });
}

/** Without a worker a render pauses often, so that the page stays alive; decoding a file is one piece of work. */
function runHere<J extends Job>(
  module: WebAssembly.Module, job: J, signal: AbortSignal | undefined, onProgress: RenderOptions["onProgress"],
): Promise<JobResult[J["type"]]> {
  const breathe = async () => {
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
  };
  return runJob(module, job, { onProgress, breathe, sliceMs: 8 });
}
