// Nothing fails in silence: what a browser forbids has a code, and says what to do.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { asContext, FakeContext } from "./audio.ts";
import { wasm } from "./engine.ts";
import { BrowserSocket, until } from "./stream-server.ts";

beforeEach(() => {
  vi.resetModules(); // The main module is loaded once in a page: each test is another one.
  vi.stubGlobal("WebSocket", BrowserSocket);
});
afterEach(() => vi.unstubAllGlobals());

/** What a blocked `WebAssembly.compile` and a broken file have in common: no module comes of it. */
const broken = new Uint8Array([1, 2, 3]);

test("an unencrypted server from an https page", async () => {
  vi.stubGlobal("location", new URL("https://studio.example/live"));
  const { connect } = await import("../src/server.ts");
  const source = connect("http://studio.lan:8080", { wasm });
  await until(() => source.status === "failed");
  expect(source.error).toMatchObject({ code: "mixed-content", hint: expect.stringContaining("--tls-cert") });
  source.close();
});

test("WebAssembly that a content policy blocks", async () => {
  const { connect } = await import("../src/server.ts");
  const source = connect("http://127.0.0.1:9", { wasm: { wasmModule: broken } });
  await until(() => source.status === "failed");
  expect(source.error).toMatchObject({ code: "wasm", hint: expect.stringContaining("'wasm-unsafe-eval'") });
  source.close();
});

test("a browser without WebAssembly", async () => {
  vi.stubGlobal("WebAssembly", undefined);
  const unsupported = { code: "unsupported", message: "this browser has no WebAssembly", hint: expect.stringContaining("use a current browser") };
  const { connect } = await import("../src/server.ts");
  const source = connect("http://127.0.0.1:9", { wasm });
  await until(() => source.status === "failed");
  expect(source.error).toMatchObject(unsupported);
  source.close();
  const { decodeAudio } = await import("../src/offline.ts");
  await expect(decodeAudio(new Uint8Array(1), { wasm })).rejects.toMatchObject(unsupported);
});

test("an engine that does not load, a script that is not served, a worklet that fails", async () => {
  const { createLocalSource } = await import("../src/local.ts");
  const { listen } = await import("../src/listen.ts");
  const context = new FakeContext();
  const ctx = asContext(context);
  await expect(createLocalSource(ctx, { wasm: { ...wasm, workletWasmModule: broken } })).rejects.toMatchObject({
    code: "wasm", message: expect.stringContaining("antiphon_worklet.wasm"), hint: expect.stringContaining("workletWasmUrl"),
  });

  const unserved = Object.assign(new FakeContext(), { audioWorklet: { addModule: () => Promise.reject(new Error("404")) } });
  await expect(createLocalSource(asContext(unserved), { wasm })).rejects.toMatchObject({
    code: "worklet-script", message: expect.stringContaining("404"), hint: expect.stringContaining("worklet.js"),
  });

  // A module that is none of ours: it has no exports.
  const empty = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  await expect(createLocalSource(ctx, { wasm: { ...wasm, workletWasmModule: empty } })).rejects.toMatchObject({
    name: "AntiphonError", code: "worklet", hint: expect.stringMatching(/./),
  });
  await expect(listen({} as never, ctx, { wasm: { ...wasm, listenWasmModule: broken } })).rejects.toMatchObject({
    code: "wasm", message: expect.stringContaining("antiphon_listen.wasm"), hint: expect.stringContaining("listenWasmUrl"),
  });
});
