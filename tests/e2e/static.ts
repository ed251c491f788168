/** The built page as any static host would serve it: files and nothing else. */
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const PAGE = process.env.PAGE_DIR ?? fileURLToPath(new URL("../../www/dist", import.meta.url));

const TYPES: Record<string, string> = {
  ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm", ".svg": "image/svg+xml",
  ".png": "image/png", ".mid": "audio/midi", ".webmanifest": "application/manifest+json",
};

export interface StaticHost {
  url: string;
  close(): Promise<void>;
}

/** Serves the page in a folder of its own, as static hosts often do. */
export async function serveStatic(folder = "/studio/"): Promise<StaticHost> {
  const server: Server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://host");
    const path = normalize(pathname.slice(folder.length) || "index.html");
    if (!pathname.startsWith(folder) || path.startsWith("..")) return void response.writeHead(404).end();
    readFile(join(PAGE, path)).then(
      (bytes) => response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" }).end(bytes),
      () => response.writeHead(404).end(),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}${folder}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
