/** A static host: files of `WORK`, under the headers of a policy that is the first part of the path. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, resolve } from "node:path";

const TYPES: Record<string, string> = {
  ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm",
  ".css": "text/css", ".json": "application/json", ".wav": "audio/wav", ".mid": "audio/midi",
};
const ISOLATED = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };
const script = (sources: string) => ({
  "content-security-policy":
    `default-src 'none'; script-src ${sources} 'wasm-unsafe-eval'; connect-src 'self' ws://127.0.0.1:*; img-src data:`,
});

/** What a host may demand of a page. `blob` is what a page with everything inside of its script needs. */
export const POLICIES = {
  plain: {},
  strict: { ...script("'self'"), ...ISOLATED },
  blob: { ...script("'self' blob:"), ...ISOLATED },
} as const;
export type Policy = keyof typeof POLICIES;

export interface Site {
  origin: string;
  close(): void;
}

export async function serve(folder: string): Promise<Site> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const [, policy = "", ...rest] = decodeURIComponent(pathname).split("/");
    const file = resolve(folder, rest.join("/") || "index.html");
    const headers = POLICIES[policy as Policy] as Record<string, string> | undefined;
    const found = headers && file.startsWith(folder) ? readFile(file) : Promise.reject(new Error("outside"));
    found.then(
      (body) => response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "text/plain", ...headers }).end(body),
      () => response.writeHead(404).end(),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    origin: `http://127.0.0.1:${address.port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
