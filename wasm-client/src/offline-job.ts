// One job of antiphon_offline.wasm, from the message to the result. Runs in a worker, or wherever there is none.
import { errorFromWasm } from "./errors.ts";
import type { OrUndefined } from "./source.ts";
import type { Report, ReportOptions } from "./types.gen.ts";

/** What is to be done. */
export type Job =
  /** `sampleRate` 0: at the file's own. With `compose`, the composition that plays it comes along. */
  | { type: "decode"; file: Uint8Array<ArrayBuffer>; sampleRate: number; compose?: { id: string; name: string; bpm: number } }
  | {
      type: "render"; composition: string; samples: { id: string; file: Uint8Array<ArrayBuffer> }[];
      sampleRate: number; bits: number; tailSeconds: number;
    }
  | { type: "analyze"; source: AnalyzeSource; options: OrUndefined<ReportOptions> }
  | { type: "midi"; composition: string };

/** A file, or samples of one to six channels of equal length. */
export type AnalyzeSource =
  | { file: Uint8Array<ArrayBuffer> }
  | { sampleRate: number; channels: Float32Array<ArrayBuffer>[] };

/** What came of it. */
export interface JobResult {
  decode: { sampleRate: number; channels: Float32Array<ArrayBuffer>[]; isDamaged: boolean; composition: string | null };
  render: Blob;
  analyze: Report;
  midi: Uint8Array<ArrayBuffer>;
}

/** What crosses between a page and its worker. */
export interface ToOfflineWorker {
  module: WebAssembly.Module;
  job: Job;
}
export type FromOfflineWorker =
  | { type: "ready" }
  | { type: "progress"; progress: number }
  | { type: "done"; result: JobResult[Job["type"]] }
  /** As the wasm modules' errors are. */
  | { type: "failed"; error: { code: string; message: string } };

/** The exports of antiphon_offline.wasm; see offline/src/abi.rs. */
interface Offline {
  memory: WebAssembly.Memory;
  message(length: number): number;
  output(): number;
  output_len(): number;
  decode(hz: number): number;
  sample_rate(): number;
  n_frames(): number;
  plane(idx: number): number;
  is_damaged(): number;
  compose(bpm: number): number;
  add_sample(hz: number): number;
  start(hz: number, bits: number, tailSeconds: number): number;
  step(nBlocks: number): number;
  progress(): number;
  finish(): number;
  export_midi(): number;
  report_options(): number;
  analyze_file(): number;
  analyze_pcm(hz: number, nChannels: number, nFrames: number): number;
  push(): number;
  analyze(nPackets: number): number;
  analysis_progress(): number;
  report(): number;
}

/** Blocks of 128 frames between two looks at the clock: half a millisecond of work, or more for large mixes. */
const BLOCKS = 16;
/** Packets of a file, which have some hundred to some thousand frames each, between two looks at the clock. */
const PACKETS = 4;
/** Frames of samples between two looks at the clock. */
const FRAMES = 8192;

export interface JobOptions {
  onProgress?: ((progress: number) => void) | undefined;
  /** Called after each `sliceMs` of work; the work goes on when it resolves. */
  breathe: () => Promise<void>;
  sliceMs: number;
}

/** Does a job in an instance of its own, so that nothing of it is left. */
export async function runJob<J extends Job>(
  module: WebAssembly.Module, job: J, opts: JobOptions,
): Promise<JobResult[J["type"]]> {
  const offline = (await WebAssembly.instantiate(module, {})).exports as unknown as Offline;
  return perform(offline, job, opts) as Promise<JobResult[J["type"]]>;
}

async function perform(offline: Offline, job: Job, opts: JobOptions): Promise<JobResult[Job["type"]]> {
  switch (job.type) {
    case "decode":
      return decode(offline, job);
    case "render":
      return render(offline, job, opts);
    case "analyze":
      return analyze(offline, job, opts);
    case "midi":
      give(offline, utf8(job.composition));
      check(offline, offline.export_midi());
      return output(offline);
  }
}

function decode(offline: Offline, { file, sampleRate, compose }: Job & { type: "decode" }): JobResult["decode"] {
  give(offline, file);
  const nChannels = check(offline, decoding(() => offline.decode(sampleRate)));
  const channels = Array.from({ length: nChannels }, (_, idx) =>
    new Float32Array(offline.memory.buffer, offline.plane(idx), offline.n_frames()).slice());
  let composition: string | null = null;
  if (compose) {
    give(offline, uuidBytes(compose.id), utf8(compose.name));
    check(offline, offline.compose(compose.bpm));
    composition = text(offline);
  }
  return { sampleRate: offline.sample_rate(), channels, isDamaged: offline.is_damaged() !== 0, composition };
}

async function render(offline: Offline, job: Job & { type: "render" }, opts: JobOptions): Promise<Blob> {
  for (const { id, file } of job.samples) {
    give(offline, uuidBytes(id), file);
    check(offline, decoding(() => offline.add_sample(job.sampleRate)));
    await opts.breathe();
  }
  give(offline, utf8(job.composition));
  check(offline, offline.start(job.sampleRate, job.bits, job.tailSeconds));
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let sliceEnd = performance.now() + opts.sliceMs;
  while (check(offline, offline.step(BLOCKS)) === 1) {
    pieces.push(output(offline));
    if (performance.now() < sliceEnd) continue;
    opts.onProgress?.(offline.progress());
    await opts.breathe();
    sliceEnd = performance.now() + opts.sliceMs;
  }
  pieces.push(output(offline));
  check(offline, offline.finish());
  // Lengths in the header are known last.
  const head = output(offline);
  let at = 0;
  for (let idx = 0; at < head.length; idx += 1) {
    const piece = pieces[idx]!;
    piece.set(head.subarray(at, at + piece.length));
    at += piece.length;
  }
  opts.onProgress?.(1);
  return new Blob(pieces, { type: "audio/wav" });
}

async function analyze(offline: Offline, job: Job & { type: "analyze" }, opts: JobOptions): Promise<Report> {
  const { source } = job;
  setOptions(offline, job.options);
  let step: () => boolean;
  if ("file" in source) {
    give(offline, source.file);
    check(offline, decoding(() => offline.analyze_file()));
    step = () => check(offline, decoding(() => offline.analyze(PACKETS))) === 1;
  } else {
    const { channels, sampleRate } = source;
    const nFrames = channels[0]?.length ?? 0;
    check(offline, offline.analyze_pcm(sampleRate, channels.length, nFrames));
    let at = 0;
    step = () => {
      const end = Math.min(at + FRAMES, nFrames);
      give(offline, ...channels.map((channel) => bytesOf(channel.subarray(at, end))));
      check(offline, offline.push());
      at = end;
      return at < nFrames;
    };
  }
  let sliceEnd = performance.now() + opts.sliceMs;
  while (step()) {
    if (performance.now() < sliceEnd) continue;
    opts.onProgress?.(offline.analysis_progress());
    await opts.breathe();
    sliceEnd = performance.now() + opts.sliceMs;
  }
  check(offline, offline.report());
  opts.onProgress?.(1);
  return JSON.parse(text(offline)) as Report;
}

/** What is refused says which field it was: the parser names a place in JSON that nobody wrote. */
function setOptions(offline: Offline, options: OrUndefined<ReportOptions>): void {
  const set = (some: object) => {
    give(offline, utf8(JSON.stringify(some)));
    return offline.report_options();
  };
  if (set(options) >= 0) return;
  const { code, message } = JSON.parse(text(offline)) as { code: string; message: string };
  const field = Object.entries(options).find(([name, value]) => set({ [name]: value }) < 0)?.[0];
  throw errorFromWasm({ code, message: `${field ?? "options"}: ${message.replace(/ at line \d+ column \d+$/, "")}` });
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** A damaged file may trap the module; natively the same is an error. */
function decoding(call: () => number): number {
  try {
    return call();
  } catch {
    throw errorFromWasm({ code: "invalid-audio", message: "the audio file is damaged: its numbers make no sense" });
  }
}

function give(offline: Offline, ...parts: Uint8Array[]): void {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const start = offline.message(length);
  const message = new Uint8Array(offline.memory.buffer, start, length);
  let at = 0;
  for (const part of parts) {
    message.set(part, at);
    at += part.length;
  }
}

function output(offline: Offline): Uint8Array<ArrayBuffer> {
  return new Uint8Array(offline.memory.buffer, offline.output(), offline.output_len()).slice() as Uint8Array<ArrayBuffer>;
}

function text(offline: Offline): string {
  return new TextDecoder().decode(output(offline));
}

function check(offline: Offline, code: number): number {
  if (code < 0) throw errorFromWasm(JSON.parse(text(offline)));
  return code;
}

const utf8 = (value: string) => new TextEncoder().encode(value);

/** The 16 bytes of a UUID. */
export function uuidBytes(id: string): Uint8Array<ArrayBuffer> {
  const hex = id.replaceAll("-", "");
  return Uint8Array.from({ length: 16 }, (_, idx) => Number.parseInt(hex.slice(2 * idx, 2 * idx + 2), 16));
}
