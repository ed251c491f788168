// One source for all that name the same server, however they spell it.
import { beforeAll, expect, test, vi } from "vitest";
import { acquire } from "../src/shared-source.ts";
import { wasm } from "./engine.ts";
import { BrowserSocket, StreamServer, until } from "./stream-server.ts";

beforeAll(() => {
  vi.stubGlobal("WebSocket", BrowserSocket);
});

test("spellings of one URL share a source, whose streams share a socket", async () => {
  const server = await new StreamServer().start();
  const host = `127.0.0.1:${server.port}`;
  const held = [`http://${host}`, `http://${host}/`, `ws://${host}`, `HTTP://${host}`].map((url) => acquire(url, { wasm }));
  const [{ source }] = held as [(typeof held)[0]];
  expect(new Set(held.map((one) => one.source)).size).toBe(1);
  const others = [acquire(`http://${host}/x`, { wasm }), acquire(`http://${host}`, { wasm, token: "t" }), acquire("http://[", { wasm })];
  for (const other of others) expect(other.source).not.toBe(source);
  for (const { source, release } of others) {
    source.close();
    release();
  }
  source.subscribe("spectrum", () => undefined, { bands: 32 });
  source.subscribe("meters", () => undefined);
  source.subscribe("waveform", () => undefined);
  await until(() => server.said(/./).filter(({ type }) => type === "subscribe").length === 3);
  expect(server.clients.map(({ path }) => path)).toEqual(["/api/ws/stream"]);
  held.forEach(({ release }) => release());
  await until(() => source.status === "closed");
  await server.kill();
});
