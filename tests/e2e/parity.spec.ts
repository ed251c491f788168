/** The same bits in Chromium as natively; `tests/tests/parity.rs` leaves the scenario and the native recording. */
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { PARTS } from "../parity/player.mjs";

const root = new URL("../../", import.meta.url);
const FILES: Record<string, [path: string, type: string]> = {
  "/player.mjs": ["tests/parity/player.mjs", "text/javascript"],
  "/scenario.json": ["target/tests/parity.json", "application/json"],
  ...Object.fromEntries(PARTS.map((part) => [`/${part}.wasm`, [`wasm-client/pkg/antiphon_${part}.wasm`, "application/wasm"]])),
};

let site: Server;
let posted: Promise<Buffer>;

test.beforeAll(async () => {
  let give: (bytes: Buffer) => void;
  posted = new Promise((resolve) => (give = resolve));
  site = createServer((request, response) => {
    void answer(request).then(
      ({ type, body }) => response.writeHead(200, { "content-type": type }).end(body),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  const answer = async (request: IncomingMessage) => {
    if (request.method === "POST") {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      give(Buffer.concat(chunks));
      return { type: "text/plain", body: "" };
    }
    const [path, type] = FILES[request.url ?? ""] ?? [];
    return path && type
      ? { type, body: await readFile(new URL(path, root)) }
      : { type: "text/html", body: "<!doctype html><title>Parity</title>" };
  };
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
});

test.afterAll(() => {
  site.close();
  site.closeAllConnections();
});

test("ten seconds have the same bits in Chromium as natively", async ({ page }) => {
  const native = await readFile(new URL("target/tests/parity.native.bin", root)).catch(() => {
    throw new Error("run `cargo test -p antiphon-tests` first: it makes the native recording");
  });
  const address = site.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  await page.goto(`http://127.0.0.1:${address.port}/`);
  await page.evaluate(async () => {
    const url = (path: string) => new URL(path, location.href).href;
    const { PARTS, play } = (await import(url("player.mjs"))) as typeof import("../parity/player.mjs");
    const modules = await Promise.all(PARTS.map((part) => WebAssembly.compileStreaming(fetch(`${part}.wasm`))));
    const recording = await play(modules, await (await fetch("scenario.json")).json());
    await fetch("recording", { method: "POST", body: recording as BufferSource });
  });
  const chromium = await posted;
  await note(chromium);
  const firstDifference = chromium.findIndex((byte, idx) => byte !== native[idx]);
  expect({ length: chromium.length, firstDifference }).toEqual({ length: native.length, firstDifference: -1 });
});

/** Leaves the hash for docs/conformance.md, as `golden::note` does. */
async function note(recording: Buffer): Promise<void> {
  const folder = process.env.ANTIPHON_CONFORMANCE;
  if (!folder) return;
  const sha256 = createHash("sha256").update(recording).digest("hex");
  await mkdir(folder, { recursive: true });
  const row = { target: "wasm in Chromium", bytes: recording.length, sha256 };
  await writeFile(join(folder, "parity-wasm-in-Chromium.json"), JSON.stringify(row));
}
