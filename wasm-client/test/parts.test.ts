// The worklet's parts: each is loaded when a stream needs it, and what fails or is not wanted any more leaves nothing behind.
import { afterEach, beforeEach, expect, test } from "vitest";
import { type AnalysisSource, createAnalysisSource } from "../src/analysis-source.ts";
import { createLocalSource } from "../src/local.ts";
import type { FrameOf } from "../src/source.ts";
import { loadWasm, type Part, PARTS, type WasmLocation } from "../src/wasm.ts";
import type { FromWorklet, SentPart, ToWorklet } from "../src/worklet-messages.ts";
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
  Object.assign(globalThis, real);
});

const real = { fetch: globalThis.fetch, AudioWorkletNode: globalThis.AudioWorkletNode };

/** Has `made` see each node that is made from here on, with its processor's options, before it is. */
function watchNodes(
  made: (name: string, options: Partial<SentPart> & { parts?: SentPart[] }) => void,
): AudioWorkletNode[] {
  const nodes: AudioWorkletNode[] = [];
  globalThis.AudioWorkletNode = class extends real.AudioWorkletNode {
    constructor(ctx: BaseAudioContext, name: string, options?: AudioWorkletNodeOptions) {
      made(name, options!.processorOptions as Partial<SentPart>);
      super(ctx, name, options);
      nodes.push(this);
    }
  };
  return nodes;
}

/** The next message of that type from the worklet. */
function next(type: FromWorklet["type"]): Promise<FromWorklet> {
  return new Promise((resolve) => {
    const onMessage = ({ data }: MessageEvent<FromWorklet>) => data.type === type && resolve(data);
    source.node.port.addEventListener("message", onMessage);
  });
}

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
  expect(local.error).toBeNull();
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
  expect(source.error).toBeNull();
  end();
});

test("a part that came takes no error away but its own", async () => {
  missing.add("scope");
  source.subscribe("stereo", () => undefined);
  await settle(source);
  source.subscribe("spectrum", () => undefined);
  await settle(source);
  expect(source.error).toMatchObject({ message: expect.stringContaining("antiphon_scope.wasm") });
  missing.clear();
  await source.preload();
  expect(source.error).toBeNull();
});

test("a part of another build is refused, which the name of its table says", async () => {
  const foreign = new Uint8Array(wasm.spectrumWasmModule as Uint8Array);
  const name = new TextDecoder("latin1").decode(foreign).search(/table_[0-9a-f]{6}/);
  foreign.set(new TextEncoder().encode("table_foreig"), name);
  const other = await createAnalysisSource(asContext(context), { wasm: { ...served(), spectrumWasmModule: foreign } });
  const nodes = watchNodes(() => undefined);
  other.subscribe("spectrum", () => undefined);
  await settle(other);
  const message = expect.stringMatching(/antiphon_spectrum\.wasm did not start.*table_foreig/);
  expect(other.error).toMatchObject({ code: "wasm", message });
  expect(other.status).toBe("live");
  expect(nodes.length, "bytes would be refused as well").toBe(1);
  other.close();
});

test("a call to a part that is not there stops the worklet, which says so and is let go", async () => {
  const { Measuring } = await loadWasm(wasm);
  const bytes = new Measuring(48_000, 0).subscription("spectrum", "input", undefined, {}) as Uint8Array;
  const failed = next("failed");
  // What `WorkletParts` keeps from happening.
  const message: ToWorklet = { type: "subscribe", stream: "0 spectrum input", lane: 0, bytes, tells: false };
  source.node.port.postMessage(message);
  await failed;
  expect(source.status).toBe("failed");
  expect(source.error).toMatchObject({ code: "worklet", message: expect.stringContaining("the audio worklet stopped") });
  expect(context.processors[0]!.process([[]], [[new Float32Array(128), new Float32Array(128)]])).toBe(false);
});

test("each part is started once, whoever else waits for it", async () => {
  held.set("spectrum", () => undefined);
  const started: (string | undefined)[] = [];
  const nodes = watchNodes((_, { part }) => started.push(part));
  const preloading = source.preload();
  source.subscribe("stereo", () => undefined);
  await settle(source);
  expect(started).toEqual(["scope"]);
  held.get("spectrum")!();
  await preloading;
  expect(started).toEqual(["scope", "spectrum", "music"]);
  expect(nodes.map(({ port }) => port.onmessage), "nobody listens to what has answered").toEqual([null, null, null]);
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
  const came = { resolve: (): void => undefined };
  source.subscribe("spectrum", ({ magnitudes }) => bands.push(magnitudes.length), { tap: "input", bands: 16, fps: 10 });
  source.subscribe("spectrum", ({ magnitudes }) => {
    bands.push(magnitudes.length);
    came.resolve();
  }, { tap: "input", bands: 16, fps: 60 });
  const began = next("began");
  held.get("spectrum")!();
  await began;
  // 32 ms each: a frame at 60 a second, and seldom one at 10.
  for (let idx = 0; idx < 10; idx += 1) {
    const frame = new Promise<void>((resolve) => (came.resolve = resolve));
    context.render(12);
    await frame;
  }
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

test("a source that is closed starts nothing more", async () => {
  const local = await createLocalSource(asContext(new FakeContext()), { wasm: served() });
  local.close();
  local.recorder.start();
  await settle(local);
  expect(local.error).toBeNull();
  expect(fetched).not.toContain("spectrum");
});

test.each([true, false])("where modules cannot be sent to worklets, bytes are; refused: %s, or left out", async (isRefused) => {
  const sent: [Part, number | undefined][] = [];
  // As in browsers whose worklets are of another agent.
  watchNodes((_, options) => {
    const { parts = [options as SentPart] } = options;
    if (parts.some(({ module }) => module)) {
      if (isRefused) throw new DOMException("cannot be cloned", "DataCloneError");
      for (const part of parts) part.module = null;
      return;
    }
    sent.push(...parts.map(({ part, bytes }) => [part, bytes?.byteLength] as [Part, number | undefined]));
  });
  const other = await createAnalysisSource(asContext(new FakeContext()), { wasm: served() });
  await other.preload();
  for (const [part, length] of sent) expect(length).toBe((wasm[`${part}WasmModule`] as Uint8Array).length);
  expect(sent.map(([part]) => part)).toEqual(["analysis", "spectrum", "music", "scope"]);
  other.close();
});

test("what fails for another reason than that is not tried a second time", async () => {
  const nodes: string[] = [];
  watchNodes((name) => {
    nodes.push(name);
    throw new DOMException("no such processor", "InvalidStateError");
  });
  const making = createAnalysisSource(asContext(new FakeContext()), { wasm: served() });
  await expect(making).rejects.toMatchObject({ code: "worklet" });
  expect(nodes).toEqual(["antiphon"]);
});
