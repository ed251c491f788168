// The analysis with the real module: the numbers that it has natively, by the reports that `tests/tests/analysis.rs` made.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { analyzeBuffer, decodeAudio } from "../src/offline.ts";
import type { Report } from "../src/types.gen.ts";
import { toneFile, wasm } from "./engine.ts";

const golden = JSON.parse(
  readFileSync(new URL("../../tests/golden/report.json", import.meta.url), "utf8"),
) as Record<string, Report>;

/** An AudioBuffer's part that matters, since Node has none. */
function audioBuffer(sampleRate: number, channels: Float32Array<ArrayBuffer>[]): AudioBuffer {
  return {
    sampleRate, numberOfChannels: channels.length, length: channels[0]?.length ?? 0,
    getChannelData: (idx: number) => channels[idx],
  } as unknown as AudioBuffer;
}

/** As in `tests/tests/analysis.rs`. */
function noise(nFrames: number): Float32Array<ArrayBuffer>[] {
  const channels = Array.from({ length: 6 }, () => new Float32Array(nFrames));
  let x = 1;
  for (let i = 0; i < nFrames; i += 1) {
    const gain = [1, 0.125, 0.015625, 0.001953125][Math.floor(i / 48_000) % 4]!;
    for (const channel of channels) {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      channel[i] = gain * ((x >>> 8) / 8_388_608 - 1);
    }
  }
  return channels;
}

test("files have the reports that they have natively, to the bit", async () => {
  for (const format of ["flac", "mp3", "ogg"] as const) {
    expect(await analyzeBuffer(toneFile(format), { wasm })).toEqual(golden[`tone.${format}`]);
  }
});

test("samples of six channels have the report that they have natively, to the bit", async () => {
  const seen: number[] = [];
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 1);
  const report = await analyzeBuffer(audioBuffer(48_000, noise(480_000)), { wasm, onProgress: (share) => seen.push(share) });
  clearInterval(timer);
  expect(report).toEqual(golden["noise"]);
  expect(report.channels).toHaveLength(6);
  // The page stays alive, and hears how far it is.
  expect(turns).toBeGreaterThan(2);
  expect(seen.length).toBeGreaterThan(2);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(seen.at(-1)).toBe(1);
});

test("a file and its samples have the same report", async () => {
  const { channels, sampleRate } = await decodeAudio(toneFile(), { wasm });
  expect(await analyzeBuffer(audioBuffer(sampleRate, channels), { wasm })).toEqual(golden["tone.flac"]);
});

test("options and an end are heeded", async () => {
  const { spectrum } = await analyzeBuffer(toneFile(), { wasm, fft_size: 1024, scale: "octave", fraction: 1 });
  expect(spectrum.fft_size).toBe(1024);
  expect(spectrum.frequencies).toHaveLength(10);
  const abort = new AbortController();
  const opts = { wasm, signal: abort.signal, onProgress: () => abort.abort(new Error("enough")) };
  await expect(analyzeBuffer(audioBuffer(48_000, noise(480_000)), opts)).rejects.toThrow("enough");
});

test("a file may be a Blob, or any view of bytes", async () => {
  const file = toneFile();
  const padded = new Uint8Array(file.length + 20);
  padded.set(file, 7);
  const view = new DataView(padded.buffer, 7, file.length);
  for (const source of [new Blob([file]), new File([file], "tone.flac"), view, new Uint8ClampedArray(file) as unknown as Uint8Array]) {
    expect(await analyzeBuffer(source, { wasm })).toEqual(golden["tone.flac"]);
  }
  expect((await decodeAudio(new Blob([file]), { wasm })).sampleRate).toBe(44_100);
});

test("what is no file says how to pass one", async () => {
  const wrong = [null, undefined, "tone.flac", new Response(toneFile()), new Float32Array(8), [1, 2]];
  for (const source of wrong as unknown as Uint8Array[]) {
    const error = { code: "invalid-input", hint: expect.stringContaining("await file.arrayBuffer()") };
    await expect(analyzeBuffer(source, { wasm })).rejects.toMatchObject(error);
    await expect(decodeAudio(source, { wasm })).rejects.toMatchObject(error);
  }
});

test("an option that is wrong is named, with what is allowed", async () => {
  const wrong = [
    [{ bands: -1 }, "bands: must be a whole number, 1 to 8192"], [{ fraction: 2.5 }, "fraction: must be a whole number, 1 to 24"],
    [{ fft_size: "big" }, "fft_size: must be a power of two, 256 to 32768"], [{ min_hz: Number.NaN }, "min_hz: must be at least 0"],
    [{ max_hz: Infinity }, "max_hz: must be above min_hz"], [{ window: "door" }, "window: unknown variant `door`, expected one of `hann`"],
    [{ fft_size: 1024, partial: "yes" }, "partial: invalid type: string \"yes\", expected a boolean"],
  ] as const;
  for (const [options, message] of wrong) {
    const error = analyzeBuffer(toneFile(), { wasm, ...(options as object) }).catch((error: unknown) => error);
    expect(await error).toMatchObject({ name: "AntiphonError", message: expect.stringContaining(message) });
    expect(await error).toMatchObject({ message: expect.not.stringContaining("column"), hint: expect.not.stringContaining("stream") });
  }
  for (const sampleRate of [0, Number.NaN, 44_100.5, 7999, 192_001]) {
    const error = { code: "invalid-value", message: expect.stringContaining(`sampleRate: ${sampleRate} is not a whole number from 8000 to 192000`) };
    await expect(decodeAudio(toneFile(), { wasm, sampleRate })).rejects.toMatchObject(error);
  }
});

test("what is wrong is named", async () => {
  const one = new Float32Array(100);
  const cut = toneFile().slice(0, Math.floor(toneFile().length * 0.75));
  const wrong = async (source: Parameters<typeof analyzeBuffer>[0], opts: object, code: string, word: string) =>
    expect(analyzeBuffer(source, { wasm, ...opts })).rejects.toMatchObject({ code, message: expect.stringContaining(word) });
  await wrong(new Uint8Array([1, 2, 3]), {}, "invalid-audio", "known format");
  await wrong(cut, {}, "invalid-audio", "partial: true");
  await wrong(toneFile(), { fft_size: 100 }, "invalid-value", "fft_size: must be a power of two");
  await wrong(toneFile(), { size: 100 }, "invalid-option", "size");
  await wrong(audioBuffer(48_000, []), {}, "invalid-value", "channels: must be 1 to 6");
  await wrong(audioBuffer(48_000, Array(7).fill(one)), {}, "invalid-value", "channels: must be 1 to 6");
  await wrong(audioBuffer(48_000, [new Float32Array(0)]), {}, "invalid-value", "frames: must be at least 1");
  await wrong(audioBuffer(400_000, [one]), {}, "invalid-value", "sample_rate");
  const bad = await analyzeBuffer(audioBuffer(48_000, [Float32Array.of(NaN, 0.5, Infinity)]), { wasm });
  expect([bad.bad_samples, bad.frames]).toEqual([2, 3]);
  expect(bad.channels[0]!.peak).toBeCloseTo(-6.02, 2);
  expect((await analyzeBuffer(cut, { wasm, partial: true })).is_cut_short).toBe(true);
});
