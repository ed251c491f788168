// The decoder and renderer with the real module: the same bits as natively, by hashes that `tests/tests/render.rs` made.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";
import { parseMidi } from "../src/midi.ts";
import { decodeAudio, exportMidi, renderComposition } from "../src/offline.ts";
import type { CompositionSpecInput } from "../src/types.gen.ts";
import { composition, toneFile, wasm } from "./engine.ts";

const root = new URL("../../", import.meta.url);
const golden = (name: string) => readFileSync(new URL(`tests/golden/${name}.txt`, root), "utf8");
const spec = JSON.parse(readFileSync(new URL("tests/data/render.json", root), "utf8")) as CompositionSpecInput;
const sha256 = (...parts: Uint8Array[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
};
const samples = vi.fn(async () => toneFile());

afterEach(() => void vi.unstubAllGlobals());

test("a FLAC file is decoded to the bit", async () => {
  const { sampleRate, channels, isDamaged } = await decodeAudio(toneFile(), { wasm });
  expect({ sampleRate, isDamaged, n: channels.map(({ length }) => length) }).toEqual({
    sampleRate: 44_100, isDamaged: false, n: [17_640, 17_640],
  });
  // `+ 0`: a rounded −0 is stored as 0.
  const step = (idx: number) => Math.round(16_384 * Math.sin((2 * Math.PI * 1000 * idx) / 44_100)) + 0;
  const exact = Float32Array.from({ length: 17_640 }, (_, idx) => step(idx) / 32_768);
  expect(channels[0]).toEqual(exact);
});

test("decoded and resampled files have the bits that they have natively", async () => {
  let lines = "";
  for (const format of ["flac", "mp3", "ogg"] as const) {
    const { sampleRate, channels } = await decodeAudio(toneFile(format), { sampleRate: 48_000, wasm });
    expect([sampleRate, channels.length]).toEqual([48_000, 2]);
    const planes = channels.map(({ buffer }) => new Uint8Array(buffer));
    lines += `tone.${format} ${channels[0]!.length} ${sha256(...planes)}\n`;
  }
  expect(lines).toBe(golden("decode"));
});

test("a render has the bytes of a native one, at any depth and rate", async () => {
  let lines = "";
  for (const [sampleRate, bits] of [[48_000, 16], [48_000, 24], [48_000, 32], [44_100, 32]] as const) {
    const seen: number[] = [];
    const onProgress = (progress: number) => void seen.push(progress);
    const blob = await renderComposition(spec, { bits, sampleRate, samples, onProgress, wasm });
    expect(blob.type).toBe("audio/wav");
    lines += `${sampleRate} ${bits} ${blob.size} ${sha256(new Uint8Array(await blob.arrayBuffer()))}\n`;
    expect(seen.length).toBeGreaterThan(2);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(1);
  }
  expect(lines).toBe(golden("render"));
});

test("a render leaves the thread to others, and ends when it is told", async () => {
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 1);
  await renderComposition(spec, { samples, wasm });
  clearInterval(timer);
  expect(turns).toBeGreaterThan(2);
  const abort = new AbortController();
  const onProgress = () => abort.abort(new Error("enough"));
  await expect(renderComposition(spec, { samples, wasm, onProgress, signal: abort.signal })).rejects.toThrow("enough");
  await expect(renderComposition(spec, { samples, wasm, signal: abort.signal })).rejects.toThrow("enough");
});

test("what is wrong is named", async () => {
  await expect(decodeAudio(new Uint8Array([1, 2, 3]), { wasm })).rejects.toMatchObject({
    code: "invalid-audio", message: expect.stringContaining("known format"), hint: expect.stringContaining("FLAC"),
  });
  await expect(decodeAudio(toneFile(), { sampleRate: 7, wasm })).rejects.toThrow("sampleRate: 7");
  await expect(renderComposition(spec, { wasm })).rejects.toMatchObject({
    code: "missing-sample", message: expect.stringContaining("tracks[2].audio_clips[0].sample"),
  });
  const gone = async () => Promise.reject(new Error("404 Not Found"));
  await expect(renderComposition(spec, { samples: gone, wasm })).rejects.toThrow("404 Not Found");
  await expect(renderComposition(spec, { samples, bits: 20 as 24, wasm })).rejects.toThrow("bits: 20");
  const loud = composition();
  loud.tracks[0]!.gain_db = 99;
  await expect(renderComposition(loud, { wasm })).rejects.toMatchObject({
    code: "invalid-composition", message: expect.stringContaining("tracks[0].gain_db"),
  });
});

test("a MIDI file comes back as it went", async () => {
  const file = await exportMidi(composition(), { wasm });
  const again = await parseMidi(file, "again", { wasm });
  expect(again.tracks[0]!.clips[0]!.notes).toEqual(composition().tracks[0]!.clips[0]!.notes);
});

test("where a worker cannot start, the work is done here", async () => {
  let ended = 0;
  vi.stubGlobal("Worker", class {
    onerror: ((event: { preventDefault(): void }) => void) | null = null;
    constructor() {
      setTimeout(() => this.onerror?.({ preventDefault: () => undefined }));
    }
    terminate(): void {
      ended += 1;
    }
  });
  expect((await decodeAudio(toneFile(), { wasm })).sampleRate).toBe(44_100);
  expect(ended).toBe(1);
});
