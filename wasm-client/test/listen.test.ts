// Listening to a source with the real worklet script and the real buffer.
import { afterEach, beforeEach, expect, test } from "vitest";
import { AntiphonError } from "../src/errors.ts";
import { listen, type Listening } from "../src/listen.ts";
import type { FrameOf } from "../src/source.ts";
import { asContext, FakeContext } from "./audio.ts";
import { wasm } from "./engine.ts";
import { FakeSource } from "./fake-source.ts";
import { until } from "./stream-server.ts";

const N = 800;
let context: FakeContext;
let source: FakeSource;
let listening: Listening;

beforeEach(async () => {
  context = new FakeContext();
  source = new FakeSource();
  listening = await listen(source, asContext(context), { tap: "input", wasm, latencyMs: 100 });
});
afterEach(() => listening.close());

/** A stretch of a sine of 480 Hz at half of full scale. */
function sound(idx: number, change: Partial<FrameOf<"audio">> = {}): FrameOf<"audio"> {
  const samples = Float32Array.from({ length: N }, (_, at) => 0.5 * Math.sin((2 * Math.PI * (idx * N + at)) / 100));
  return {
    type: "audio", seq: idx, epoch: 1, dropped: 0, tap: "input", sample_position: (idx + 1) * N, sample_rate: 48_000,
    discontinuity: false, samples_left: samples, samples_right: samples.slice(), ...change,
  };
}

/** Ports carry messages when the event loop turns. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

async function play(from: number, to: number): Promise<number[]> {
  context.heard = [];
  for (let idx = from; idx < to; idx += 1) {
    source.emit(sound(idx));
    await turn();
    context.render(idx % 4 === 3 ? 7 : 6);
  }
  return context.heard;
}

test("asks for the tap, waits for a click, and plays what comes", async () => {
  expect([...source.listeners].map(({ topic, opts }) => [topic, opts])).toEqual([["audio", { tap: "input", fps: 60 }]]);
  expect(listening.status).toBe("needs-gesture");
  await listening.resume();
  expect(listening.status).toBe("connecting");
  const heard = await play(0, 120);
  expect(listening.status).toBe("live");
  const tail = heard.slice(-9600);
  expect(Math.max(...tail)).toBeCloseTo(0.5, 2);
  expect(tail.filter((x, at) => at > 0 && tail[at - 1]! < 0 && x >= 0).length).toBeCloseTo(96, -0.5);
  await until(() => listening.stats !== null);
  expect(listening.stats).toMatchObject({ underRuns: 0, skips: 0, gaps: 0 });
  expect(listening.stats!.depthMs).toBeGreaterThan(20);
  expect(listening.stats!.depthMs).toBeLessThan(150);
  expect(listening.stats!.position).toBeGreaterThan(50 * N);
});

test("fades when nothing comes, says so, and goes on", async () => {
  await listening.resume();
  await play(0, 60);
  context.heard = [];
  context.render(200);
  expect(context.heard.slice(-4000).every((x) => x === 0)).toBe(true);
  // No step of the fade is greater than a sample of the sine itself.
  expect(Math.max(...context.heard.map((x, at) => Math.abs(x - (context.heard![at - 1] ?? x))))).toBeLessThan(0.035);
  const heard = await play(60, 120);
  expect(Math.max(...heard.slice(-2000))).toBeCloseTo(0.5, 1);
  await until(() => listening.stats?.underRuns === 1);
});

test("tells what keeps its source from sounding", async () => {
  await listening.resume();
  let nTold = 0;
  listening.onStatus(() => (nTold += 1));
  const error = new AntiphonError("invalid-option", "tap: nowhere is not a tap");
  source.state.set({ status: "live", error });
  expect([listening.status, listening.error, nTold]).toEqual(["connecting", error, 1]);
  // What a live source refuses while this one sounds was another stream's.
  await play(0, 1);
  expect([listening.status, listening.error]).toEqual(["live", null]);
  const gone = new AntiphonError("unreachable", "the server is gone");
  source.state.set({ status: "reconnecting", error: gone });
  expect(listening.error).toBe(gone);
});

test("fails with its context, and ends its stream when it is closed", async () => {
  await context.close();
  expect(listening.error).toMatchObject({ code: "context-closed", hint: expect.stringContaining("another context") });
  listening.close();
  expect([source.listeners.size, listening.status]).toEqual([0, "closed"]);
  const insecure = { audioWorklet: undefined } as unknown as AudioContext;
  await expect(listen(source, insecure, { wasm })).rejects.toMatchObject({ code: "no-audio-worklet" });
});

test("a latency that cannot be is refused", async () => {
  for (const latencyMs of [5, 5000, Number.NaN, "x", null]) {
    const refused = listen(source, asContext(context), { wasm, latencyMs: latencyMs as number });
    await expect(refused).rejects.toMatchObject({ code: "invalid-option", message: `latencyMs: ${latencyMs} is not a number from 20 to 1000` });
  }
});
