// The worklet's parts: each is loaded when a stream needs it, and what fails or is not wanted any more leaves nothing behind.
import { afterEach, beforeEach, expect, test } from "vitest";
import { type AnalysisSource, createAnalysisSource } from "../src/analysis-source.ts";
import { createLocalSource } from "../src/local.ts";
import type { FrameOf } from "../src/source.ts";
import { type Part, PARTS, type WasmLocation } from "../src/wasm.ts";
import type { SentPart, ToWorklet } from "../src/worklet-messages.ts";
import { asContext, FakeContext, settle } from "./audio.ts";
import { composition, wasm } from "./engine.ts";

let context: FakeContext;
let source: AnalysisSource;
/** Parts that were asked for, in order, as URLs that only this test knows. */
let fetched: string[];
/** Parts that the server does not have now. */
let missing: Set<string>;
/** Parts that are under way until this is called. */
let held: Map<string, () => void>;
let n_tests = 0;

beforeEach(async () => {
  [fetched, missing, held] = [[], new Set(), new Map()];
  n_tests += 1;
  context = new FakeContext();
  source = await createAnalysisSource(asContext(context), { wasm: served() });
  await source.resume();
});
afterEach(() => {
  source.close();
  globalThis.fetch = realFetch;
});

const realFetch = globalThis.fetch;

/** The parts at URLs, instead of as bytes. */
function served(): WasmLocation {
  const base = `https://files.test/${n_tests}/`;
  globalThis.fetch = async (url) => {
    const part = String(url).slice(base.length) as Part;
    fetched.push(part);
    if (held.has(part)) await new Promise<void>((resolve) => held.set(part, resolve));
    if (missing.has(part)) return new Response("no such file", { status: 404, statusText: "Not Found" });
    return new Response(wasm[`${part}WasmModule`] as Uint8Array<ArrayBuffer>);
  };
  const places = PARTS.flatMap((part) => [[`${part}WasmModule`, undefined], [`${part}WasmUrl`, base + part]]);
  return { ...wasm, ...(Object.fromEntries(places) as WasmLocation) };
}

/** Messages of streams that the worklet gets from here on. */
function messages(): string[] {
  const sent: string[] = [];
  const port = source.node.port;
  const post = port.postMessage.bind(port) as (message: ToWorklet) => void;
  port.postMessage = (message: ToWorklet) => {
    if ("stream" in message) sent.push(`${message.type} ${message.stream}`);
    post(message);
  };
  return sent;
}

/** So many quanta of full scale in the input, and what came of them. */
async function render(n = 100): Promise<void> {
  await settle(source);
  context.render(n, [new Float32Array(128).fill(1), new Float32Array(128).fill(-1)]);
  await settle(source);
}

test("meters need the first part only, a spectrum one more, music one more, the rest one more", async () => {
  const seen = new Set<string>();
  const see = ({ type }: { type: string }) => void seen.add(type);
  source.subscribe("meters", see, { tap_loudness: true });
  source.subscribe("transport", see);
  source.subscribe("audio", see, { tap: "input" });
  await render();
  expect(fetched).toEqual(["analysis"]);
  source.subscribe("spectrum", see, { tap: "input" });
  await render();
  expect(fetched).toEqual(["analysis", "spectrum"]);
  source.subscribe("music", see, { tap: "input" });
  await render();
  expect(fetched).toEqual(["analysis", "spectrum", "music"]);
  source.subscribe("waveform", see, { tap: "input" });
  source.subscribe("stereo", see, { tap: "input" });
  source.subscribe("analytics", see);
  source.subscribe("trigger", see, { tap: "input", kind: "clip" });
  await render();
  expect(fetched).toEqual(["analysis", "spectrum", "music", "scope"]);
  expect([...seen].sort()).toEqual([
    "analytics", "audio", "meters", "music", "spectrum", "stereo", "transport", "trigger", "waveform",
  ]);
  expect(source.error).toBeNull();
});

test("music brings what it stands on; needles come with meters that ask for them", async () => {
  source.subscribe("music", () => undefined, { tap: "input" });
  await render();
  expect(fetched.sort()).toEqual(["analysis", "music", "spectrum"]);
  let meters: FrameOf<"meters"> | null = null;
  source.subscribe("meters", (frame) => (meters = structuredClone(frame)), { ballistics: "vu" });
  await render();
  expect(fetched.at(-1)).toBe("scope");
  expect(meters).toMatchObject({ ballistics: "vu" });
});

test("sources of a page share what was loaded", async () => {
  const other = await createAnalysisSource(asContext(new FakeContext()), { wasm: served() });
  for (const one of [source, other]) one.subscribe("spectrum", () => undefined);
  await settle(other);
  expect(fetched).toEqual(["analysis", "spectrum"]);
  other.close();
});

test("a local source has its first parts, and loads the others before it needs them when it is told", async () => {
  const local = await createLocalSource(asContext(new FakeContext()), { wasm: served() });
  await local.load(composition());
  expect(fetched).toEqual(["analysis", "worklet"]);
  await local.preload();
  expect(fetched).toEqual(["analysis", "worklet", "spectrum", "music", "scope"]);
  expect(local.error).toBeNull();
  local.close();
});

test("the flight recorder brings the spectrum", async () => {
  const ctx = new FakeContext();
  const local = await createLocalSource(asContext(ctx), { wasm: served() });
  await local.resume();
  missing.add("spectrum");
  local.recorder.start();
  await settle(local);
  expect(local.error).toMatchObject({ code: "wasm", message: expect.stringContaining("antiphon_spectrum.wasm") });
  expect(local.recorder.isOn).toBe(false);
  missing.clear();
  local.recorder.start();
  await settle(local);
  ctx.render(200);
  await settle(local);
  expect(local.recorder.range).not.toBeNull();
  local.close();
});

test("a part that is missing is an error that says so; all else goes on, and the next subscription tries again", async () => {
  let n_meters = 0;
  source.subscribe("meters", () => (n_meters += 1));
  missing.add("spectrum");
  const sent = messages();
  const end = source.subscribe("spectrum", () => undefined, { tap: "input" });
  await render();
  expect(source.error).toMatchObject({
    code: "wasm", message: expect.stringMatching(/antiphon_spectrum\.wasm.*404/), hint: expect.stringContaining("spectrumWasmUrl"),
  });
  expect(source.status).toBe("live");
  expect(n_meters).toBeGreaterThan(0);
  expect(sent).not.toContain("subscribe 0 spectrum input");
  missing.clear();
  let n_spectra = 0;
  source.subscribe("spectrum", () => (n_spectra += 1), { tap: "input" });
  await render();
  expect(fetched).toEqual(["analysis", "spectrum", "spectrum"]);
  expect(n_spectra).toBeGreaterThan(0);
  end();
});

test("a part of another version is refused", async () => {
  const foreign = { ...served(), spectrumWasmModule: wasm.musicWasmModule };
  const other = await createAnalysisSource(asContext(context), { wasm: foreign });
  other.subscribe("spectrum", () => undefined);
  await settle(other);
  expect(other.error).toMatchObject({ code: "wasm", message: expect.stringContaining("antiphon_spectrum.wasm did not start") });
  expect(other.status).toBe("live");
  other.close();
});

test("what is not wanted any more when its part comes is not started", async () => {
  held.set("spectrum", () => undefined);
  const sent = messages();
  const end = source.subscribe("spectrum", () => undefined, { tap: "input" });
  await settle(source);
  end();
  held.get("spectrum")!();
  await render();
  expect(fetched).toEqual(["analysis", "spectrum"]);
  expect(sent.filter((one) => one.startsWith("subscribe"))).toEqual([]);
  expect(source.error).toBeNull();
});

test("the last wish wins while a part is under way", async () => {
  held.set("spectrum", () => undefined);
  const sent = messages();
  const bands: number[] = [];
  source.subscribe("spectrum", () => bands.push(0), { tap: "input", bands: 8 })();
  source.subscribe("spectrum", ({ magnitudes }) => bands.push(magnitudes.length), { tap: "input", bands: 16, fps: 10 });
  source.subscribe("spectrum", () => undefined, { tap: "input", bands: 16, fps: 60 });
  await settle(source);
  held.get("spectrum")!();
  // 32 ms each: a frame at 60 a second, and seldom one at 10.
  for (let idx = 0; idx < 10; idx += 1) await render(12);
  expect(sent.filter((one) => one.startsWith("subscribe"))).toEqual(["subscribe 0 spectrum input"]);
  expect(new Set(bands)).toEqual(new Set([16]));
  expect(bands.length).toBeGreaterThanOrEqual(10);
});

test("needles that wait for their part are not shown meters of before", async () => {
  held.set("scope", () => undefined);
  source.subscribe("meters", () => undefined)();
  const end = source.subscribe("meters", () => undefined);
  await settle(source);
  context.render(50, []);
  end();
  const shown: (string | null)[] = [];
  source.subscribe("meters", ({ ballistics }) => shown.push(ballistics ?? null), { ballistics: "vu" });
  await render();
  expect(shown).toEqual([]);
  held.get("scope")!();
  await render();
  expect(new Set(shown)).toEqual(new Set(["vu"]));
});

test("a source that is closed meanwhile stays so", async () => {
  held.set("spectrum", () => undefined);
  source.subscribe("spectrum", () => undefined);
  const preloading = source.preload();
  await settle(source);
  source.close();
  const sent = messages();
  held.get("spectrum")!();
  await expect(preloading).rejects.toMatchObject({ code: "closed" });
  expect(sent).toEqual([]);
  expect(source.error).toBeNull();
});

test("where modules cannot be sent to worklets, bytes are", async () => {
  const sent: [Part, number | undefined][] = [];
  const realNode = globalThis.AudioWorkletNode;
  // As in browsers whose worklets are of another agent.
  globalThis.AudioWorkletNode = class extends realNode {
    constructor(ctx: BaseAudioContext, name: string, options?: AudioWorkletNodeOptions) {
      const { parts = [options?.processorOptions] } = options?.processorOptions as { parts?: SentPart[] };
      if (parts.some(({ module }) => module)) throw new Error("cannot be cloned");
      super(ctx, name, options);
      sent.push(...parts.map(({ part, bytes }) => [part, bytes?.byteLength] as [Part, number | undefined]));
    }
  };
  const location = served();
  const other = await createAnalysisSource(asContext(new FakeContext()), { wasm: location });
  await other.preload();
  globalThis.AudioWorkletNode = realNode;
  for (const [part, length] of sent) expect(length).toBe((wasm[`${part}WasmModule`] as Uint8Array).length);
  expect(sent.map(([part]) => part)).toEqual(["analysis", "spectrum", "music", "scope"]);
  other.close();
});
