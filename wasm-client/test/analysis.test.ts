// Sources that only measure: no engine behind the real worklet script.
import { afterEach, beforeEach, expect, test } from "vitest";
import { type AnalysisSource, createAnalysisSource } from "../src/analysis-source.ts";
import { createLocalSource } from "../src/local.ts";
import type { FrameOf } from "../src/source.ts";
import { loadLocalWasm, loadWasm } from "../src/wasm.ts";
import { asContext, FakeContext, settle } from "./audio.ts";
import { wasm } from "./engine.ts";

let context: FakeContext;
let source: AnalysisSource;

/** Of an engine, which is not to be loaded. */
const missing = { workletWasmModule: new Uint8Array(), localWasmModule: new Uint8Array() };

beforeEach(async () => {
  context = new FakeContext();
  source = await createAnalysisSource(asContext(context), { wasm: { ...wasm, ...missing } });
});
afterEach(() => source.close());

const node = { connect: () => undefined, disconnect: () => undefined } as unknown as AudioNode;
/** A quarter of full scale on the left, half of it on the right. */
const INPUT = [0.25, 0.5].map((level) => new Float32Array(128).map((_, i) => (i % 2 === 0 ? level : -level)));

test("measures its input without the engine's modules, heard only when it is monitored", async () => {
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

/** A node whose browser is as strict as the standard about what it joins and parts. */
function strictNode(isOfOtherContext = false) {
  const joined = new Set<unknown>();
  const refuse = () => {
    throw new DOMException("no", "InvalidAccessError");
  };
  const it = {
    joined,
    connect: (to: unknown) => (isOfOtherContext ? refuse() : joined.add(to)),
    disconnect: (from?: unknown) => (from === undefined ? joined.clear() : joined.delete(from) || refuse()),
  };
  return Object.assign(it as unknown as AudioNode, { joined });
}

test("a node of another context is an error that says so, and what was there before stays", () => {
  const mine = strictNode();
  source.setInput(mine);
  expect(() => source.setInput(strictNode(true))).toThrow(expect.objectContaining({
    name: "AntiphonError", code: "invalid-node", hint: expect.stringContaining("context"),
  }));
  expect([source.input, mine.joined.size]).toEqual([mine, 1]);
  source.setInput(null);
  expect([source.input, mine.joined.size]).toEqual([null, 0]);
});

test("an input that its owner disconnected is connected again, or let go", () => {
  const mine = strictNode();
  source.setInput(mine);
  mine.disconnect();
  source.setInput(mine);
  expect(mine.joined.size).toBe(1);
  mine.disconnect();
  source.close();
  expect(source.status).toBe("closed");
});

test("a context that does not resume is an error that says why", async () => {
  context.isMute = true;
  await expect(source.resume()).rejects.toMatchObject({ name: "AntiphonError", code: "no-output" });
  await context.close();
  await expect(source.resume()).rejects.toMatchObject({ name: "AntiphonError", code: "context-closed" });
  expect(source).toMatchObject({ status: "failed", error: { code: "context-closed" } });
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

test("asks and greets as local mode does, beside it in one page", async () => {
  const local = await createLocalSource(asContext(new FakeContext()), { wasm });
  const omitted = { epoch: 0, server_time: 0, topics: [] };
  expect({ ...source.hello, ...omitted }).toEqual({ ...local.hello, ...omitted });
  expect(source.hello).toMatchObject({
    version: 1, sample_rate: 48_000, channels: 2, taps: [{ id: 0, name: "master" }, { id: 65_535, name: "input" }],
    limits: {
      max_fps: 120, max_message_bytes: 4096, max_subscriptions: 32, max_messages_per_second: 100, max_message_burst: 300,
      max_unread_answers: 64, max_waiting_triggers: 64, max_waiting_audio_ms: 500, max_active_notes: 64,
    },
  });
  local.close();
  const [{ Measuring }, { Local }] = [await loadWasm(), await loadLocalWasm()];
  const both = [new Measuring(48_000, 7), new Local(48_000, 7)];
  const options = { kind: "silence", seconds: 0.5, below_db: -50, once: false };
  const [bytes, same] = both.map((one) => one.subscription("trigger", "input", 20, options));
  expect(bytes).toEqual(same);
  for (const [topic, tap, fps, wrong, field, message] of [
    ["spectra", "input", 30, {}, undefined, 'topic: "spectra" is not a topic'],
    ["spectrum", "nobody", 30, {}, "tap", 'tap: "nobody" is not master, input or the id of a track that plays'],
    ["spectrum", "input", 500, {}, "fps", "fps: 500 is not between 1 and 120"],
    ["spectrum", "input", 30, { fft: 1 }, "fft", "fft: is not known"],
    ["spectrum", "input", 30, { scale: "lin" }, "scale", "scale: must be one of linear, log, mel, bark, octave, not lin"],
    ["meters", "input", 30, { scale: "log" }, "scale", "scale: not an option of meters"],
  ] as const) {
    const refusals = both.map((one) => {
      try {
        return one.subscription(topic, tap, fps, wrong);
      } catch (error) {
        return error;
      }
    });
    expect(refusals).toEqual([1, 2].map(() => ({ code: "invalid-option", message, field })));
  }
  for (const Class of [Measuring, Local]) {
    expect(() => new Class(4000, 7)).toThrow(expect.objectContaining({ code: "sample-rate" }));
  }
});
