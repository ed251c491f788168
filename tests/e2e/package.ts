/** The built package on a page of its own, from another origin than the real server that it connects to. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { test as base } from "@playwright/test";
import { expect } from "./fixtures.ts";
import { Server } from "./server.ts";
import { sineWav } from "./wav.ts";

const DIST = fileURLToPath(new URL("../../wasm-client/dist/", import.meta.url));
const TYPES: Record<string, string> = { ".js": "text/javascript", ".wasm": "application/wasm" };

interface Fixtures {
  /** The page at the host's root. */
  head: string;
  /** Of a host that serves the built package, and the page at its root. */
  host: string;
  server: Server;
  /** The server, playing a tone. */
  tone: Server;
}

export const test = base.extend<Fixtures>({
  head: ["<!doctype html><title>Package</title>", { option: true }],
  host: async ({ head }, use) => {
    const host = createServer((request, response) => {
      const name = (request.url ?? "/").slice(1);
      if (name === "") return void response.setHeader("content-type", "text/html").end(head);
      readFile(DIST + name.replaceAll("/", "")).then(
        (file) => response.setHeader("content-type", TYPES[extname(name)] ?? "").end(file),
        () => response.writeHead(404).end(),
      );
    }).listen(0, "127.0.0.1");
    await once(host, "listening");
    await use(`http://127.0.0.1:${(host.address() as AddressInfo).port}`);
    host.closeAllConnections();
    host.close();
  },
  server: async ({ host }, use) => {
    const server = await Server.start(["--allow-origin", host]);
    await use(server);
    await server.kill();
  },
  tone: async ({ server }, use) => {
    await playTone(server);
    await use(server);
  },
});

/** A tone of 1 kHz at −6 dBFS on both channels, round and round. */
async function playTone(server: Server): Promise<void> {
  const call = async (method: string, path: string, body?: BodyInit, type = "application/json") => {
    const response = await fetch(server.url + path, { method, ...(body ? { body, headers: { "content-type": type } } : {}) });
    expect(response.ok, path).toBe(true);
    return response.json();
  };
  const wav = new Uint8Array(sineWav({ hz: 1000, seconds: 4 }));
  const { id, length } = await call("POST", "/api/compositions/import?name=Tone", wav, "application/octet-stream");
  await call("POST", `/api/compositions/${id}/load`);
  await call("PUT", "/api/playback/loop", JSON.stringify({ enabled: true, start_beats: 0, end_beats: length / 960 }));
  await call("POST", "/api/playback/play");
}
