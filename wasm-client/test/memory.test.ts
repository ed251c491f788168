// What a source leaves behind in the module's memory.
import { beforeAll, expect, test, vi } from "vitest";
import init from "../pkg/antiphon_wasm.js";
import { connect } from "../src/server.ts";
import { loadWasm } from "../src/wasm.ts";
import { wasm } from "./engine.ts";
import { BrowserSocket, StreamServer, until } from "./stream-server.ts";

beforeAll(() => {
  vi.stubGlobal("WebSocket", BrowserSocket);
});

test("sources that are closed leave nothing, whatever they subscribed", async () => {
  await loadWasm(wasm);
  const { memory } = await init({ module_or_path: wasm.wasmModule! });
  const server = await new StreamServer().start();
  const use = async (multiplex: boolean) => {
    const source = connect(`http://127.0.0.1:${server.port}`, { wasm, multiplex });
    const end = source.subscribe("spectrum", () => undefined, { bands: 32 });
    await until(() => source.status === "live" && server.said(/spectrum/).length === 1);
    source.close();
    // Late calls find nothing to do.
    end();
    source.close();
    expect(source.playhead()).toBeNull();
    await until(() => server.clients.length === 0);
  };
  const useMany = async (n: number) => {
    for (let idx = 0; idx < n; idx += 1) await use(idx % 2 === 0);
    return memory.buffer.byteLength;
  };
  const before = await useMany(20);
  expect(await useMany(100)).toBe(before);
  await server.kill();
});

test("a source may be closed by whoever hears of it", async () => {
  const server = await new StreamServer().start();
  const errors = vi.spyOn(console, "error");
  const source = connect(`http://127.0.0.1:${server.port}`, { wasm });
  source.onStatus(() => source.status === "live" && source.close());
  await until(() => source.status === "closed");
  await until(() => server.clients.length === 0);
  expect(errors).not.toHaveBeenCalled();
  await server.kill();
});
