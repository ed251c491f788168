// What may be given of files and options to the work on files, checked before anything is loaded for it.
import { AntiphonError } from "./errors.ts";
import type { OrUndefined } from "./source.ts";
import type { ReportOptions } from "./types.gen.ts";

/** The bytes of an audio file, or a `File` as a page gets it. */
export type AudioFile = ArrayBuffer | Uint8Array | DataView | Blob;

/** What an object is, also that of another frame's page: `File`, `ArrayBuffer`. */
const kindOf = (value: unknown) => Object.prototype.toString.call(value).slice(8, -1);

const KINDS = new Set(["ArrayBuffer", "SharedArrayBuffer", "Blob", "File", "DataView", "Uint8Array", "Uint8ClampedArray", "Int8Array"]);

/** A copy of the bytes, which may be sent away. */
export async function bytesOfFile(file: AudioFile): Promise<Uint8Array<ArrayBuffer>> {
  const kind = kindOf(file);
  if (!KINDS.has(kind)) {
    throw new AntiphonError("invalid-input", `an audio file is wanted, not ${kind}`, "pass await file.arrayBuffer(), or the File itself");
  }
  if ("arrayBuffer" in file) return new Uint8Array(await file.arrayBuffer());
  const view = ArrayBuffer.isView(file) ? new Uint8Array(file.buffer, file.byteOffset, file.byteLength) : new Uint8Array(file);
  return view.slice() as Uint8Array<ArrayBuffer>;
}

/** Whether it has samples, and is no file. */
export function isAudioBuffer(source: AudioBuffer | AudioFile): source is AudioBuffer {
  return typeof source === "object" && source !== null && "getChannelData" in source;
}

/** A rate that an engine can have. */
export function checkSampleRate(hz: number): void {
  if (Number.isInteger(hz) && hz >= 8000 && hz <= 192_000) return;
  throw new AntiphonError("invalid-value", `sampleRate: ${String(hz)} is not a whole number from 8000 to 192000`, "give a value in range");
}

const isWhole = (min: number, max: number) => (value: number) => Number.isInteger(value) && value >= min && value <= max;

/** Options that are numbers, where JSON has no NaN and its parser names no field. The module knows how they depend on one another. */
const NUMBERS = [
  ["fft_size", "a power of two, 256 to 32768", isWhole(256, 32_768)],
  ["bands", "a whole number, 1 to 8192, or 0 on the linear scale for every bin", isWhole(0, 8192)],
  ["fraction", "a whole number, 1 to 24", isWhole(1, 24)],
  ["min_hz", "at least 0 and below half the sample rate", (value: number) => value >= 0 && value < Infinity],
  ["max_hz", "above min_hz, and finite", (value: number) => value > 0 && value < Infinity],
] as const;

/** Throws for a number that is none, or out of range. */
export function checkReportOptions(options: OrUndefined<ReportOptions>): void {
  for (const [name, allowed, isAllowed] of NUMBERS) {
    const value: unknown = options[name];
    if (value === undefined || (typeof value === "number" && isAllowed(value))) continue;
    throw new AntiphonError("invalid-value", `${name}: must be ${allowed}, not ${String(value)}`, "give a value in range");
  }
}
