// Sources that only measure: no engine behind the real worklet script.
import { afterEach, beforeEach, expect, test } from "vitest";
import { type AnalysisSource, createAnalysisSource } from "../src/analysis-source.ts";
import type { FrameOf } from "../src/source.ts";
import { asContext, FakeContext, settle } from "./audio.ts";
import { wasm } from "./engine.ts";

let context: FakeContext;
let source: AnalysisSource;

beforeEach(async () => {
  context = new FakeContext();
  source = await createAnalysisSource(asContext(context), { wasm: { ...wasm, workletWasmModule: new Uint8Array() } });
});
afterEach(() => source.close());

const node = { connect: () => undefined, disconnect: () => undefined } as unknown as AudioNode;
/** A quarter of full scale on the left, half of it on the right. */
const INPUT = [0.25, 0.5].map((level) => new Float32Array(128).map((_, i) => (i % 2 === 0 ? level : -level)));

test("measures its input without the engine's module, heard only when it is monitored", async () => {
  await source.resume();
  expect(source.status).toBe("live");
  expect(source.hello?.taps.map(({ name }) => name)).toEqual(["master", "input"]);
  const meters: FrameOf<"meters">[] = [];
  source.subscribe("meters", (frame) => meters.push(structuredClone(frame)), { tap_loudness: true });
  source.setInput(node);
  await settle(source);
  expect(context.render(200, INPUT)).toBe(0);
  await settle(source);
  expect(meters.at(-1)?.tracks.at(-1)).toMatchObject({ track_id: "input", peak_left: expect.closeTo(-12.04), peak_right: expect.closeTo(-6.02) });
  expect(meters.at(-1)?.master.peak_left).toBe(-120);
  source.setInput(node, { monitor: true });
  await settle(source);
  expect(context.render(200, INPUT)).toBe(0.5);
  await settle(source);
  expect(meters.at(-1)?.master.peak_left).toBeCloseTo(-12.04);
  source.setInput(null);
  await settle(source);
  expect(context.render(10, INPUT)).toBe(0);
});

test("says what it does not do", async () => {
  await source.resume();
  expect(() => source.note({ track_id: "x", pitch: 60, velocity: 1 } as never)).toThrow(expect.objectContaining({ code: "no-engine" }));
  expect(source.playhead()).toBeNull();
  await expect(source.resetLoudness("nobody")).rejects.toMatchObject({ code: "invalid-value" });
  await source.resetLoudness("input");
});

test("its module is the only one that a worklet needs; where it is missing, the error says so", async () => {
  const broken = new Uint8Array([1, 2, 3]);
  await expect(createAnalysisSource(asContext(context), { wasm: { ...wasm, analysisWasmModule: broken } })).rejects.toMatchObject({
    code: "wasm", message: expect.stringContaining("antiphon_analysis.wasm"), hint: expect.stringContaining("analysisWasmUrl"),
  });
  const insecure = asContext(Object.assign(new FakeContext(), { audioWorklet: undefined }));
  await expect(createAnalysisSource(insecure, { wasm })).rejects.toMatchObject({ code: "no-audio-worklet" });
});
