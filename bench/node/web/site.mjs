// The two pages and what they load, built into memory, with the server that feeds them.
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { build } from "esbuild";
import { feed } from "./feed.mjs";

const here = new URL("./", import.meta.url);
const dist = new URL("../../../wasm-client/dist/", import.meta.url);
const modules = new URL("../../../node_modules/", import.meta.url).pathname;
const html = (script) => `<!doctype html><link rel="icon" href="data:,"><div id="root"></div><script type="module" src="${script}"></script>`;

/** Serves `ours` and `peer`, whichever are named. */
export async function serve(...pages) {
  const { outputFiles } = await build({
    entryPoints: pages.map((page) => new URL(`${page}.jsx`, here).pathname), outdir: "/", write: false,
    logLevel: "error", bundle: true, minify: true, format: "esm", target: "es2022", jsx: "automatic",
    define: { "process.env.NODE_ENV": '"production"' },
    // One React for all, and the build of it that counts commits.
    alias: { react: `${modules}react`, "react-dom/client": `${modules}react-dom/profiling` },
  });
  const scripts = new Map(outputFiles.map(({ path, contents }) => [path.split("/").pop(), contents]));
  const answer = async (name) => {
    if (scripts.has(name)) return ["text/javascript", scripts.get(name)];
    if (name.endsWith(".wasm")) return ["application/wasm", await readFile(new URL(name, dist))];
    return ["text/html", html(`${name}.js`)];
  };
  const server = createServer((request, response) => {
    answer(new URL(request.url, "http://localhost").pathname.slice(1)).then(
      ([type, body]) => response.writeHead(200, { "content-type": type }).end(body),
      () => response.writeHead(404).end(),
    );
  });
  feed(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    url: (page) => `${origin}/${page}?server=${origin}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
