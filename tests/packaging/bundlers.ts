/** Each bundler with the settings that its users start from; none knows anything about this package. */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import * as esbuild from "esbuild";
import { rollup } from "rollup";
import { build as vite, createServer, type ViteDevServer } from "vite";
import webpack from "webpack";
import { HERE, INSTALLED, WORK } from "./places.ts";

const APPS = `${HERE}/apps`;
/** Whichever of `apps/` is built. */
export type App = "default" | "inline" | "explicit";

export async function buildWithVite(out: string, assetsInlineLimit?: number): Promise<void> {
  await vite({
    root: APPS, base: "./", configFile: false, logLevel: "warn",
    build: { outDir: `${WORK}/${out}`, emptyOutDir: true, assetsInlineLimit },
  });
}

/** `npx vite`, on a port and with a cache of its own. */
export async function serveWithVite(port: number, isOptimised: boolean): Promise<ViteDevServer> {
  const server = await createServer({
    root: APPS, configFile: false, logLevel: "error", cacheDir: `${HERE}/node_modules/.vite/${isOptimised ? "optimised" : "plain"}`,
    server: { host: "127.0.0.1", port, strictPort: true },
    // Anew, for the package is another one each time, and its version the same.
    optimizeDeps: { force: true, ...(isOptimised ? {} : { exclude: ["antiphon"] }) },
  });
  return server.listen();
}

export async function buildWithWebpack(out: string, app: App): Promise<void> {
  const compiler = webpack({
    mode: "production", context: APPS, entry: `./${app}.js`, output: { path: `${WORK}/${out}`, filename: "app.js" },
    performance: { hints: false },
  });
  const run = promisify(compiler.run.bind(compiler));
  const stats = await run();
  if (stats?.hasErrors() || stats?.hasWarnings()) throw new Error(stats.toString("errors-warnings"));
  await promisify(compiler.close.bind(compiler))();
  page(out);
}

export async function buildWithEsbuild(out: string, app: App): Promise<void> {
  const { warnings } = await esbuild.build({
    entryPoints: [`${APPS}/${app}.js`], outfile: `${WORK}/${out}/app.js`, bundle: true, minify: true, format: "esm",
    logLevel: "silent",
  });
  if (warnings.length > 0) throw new Error((await esbuild.formatMessages(warnings, { kind: "warning" })).join("\n"));
  page(out);
}

export async function buildWithRollup(out: string, app: App): Promise<void> {
  const onwarn = ({ message }: { message: string }) => {
    throw new Error(message);
  };
  const bundle = await rollup({ input: `${APPS}/${app}.js`, plugins: [nodeResolve({ browser: true })], onwarn });
  await bundle.write({ file: `${WORK}/${out}/app.js`, format: "es" });
  page(out);
}

/** What else the package loads, for bundlers that leave it behind. */
export function copyFiles(to: string): void {
  for (const name of FILES) cpSync(`${INSTALLED}/dist/${name}`, `${WORK}/${to}/${name}`);
}

const FILES = [
  "antiphon_wasm_bg.wasm", "antiphon_local_bg.wasm", "antiphon_analysis.wasm", "antiphon_spectrum.wasm",
  "antiphon_music.wasm", "antiphon_scope.wasm", "antiphon_worklet.wasm", "antiphon_listen.wasm", "antiphon_offline.wasm", "worklet.js", "offline-worker.js",
];

/** A page for `app.js`, with `head` before it. */
export function page(out: string, src = "./app.js", head = ""): void {
  mkdirSync(`${WORK}/${out}`, { recursive: true });
  const html = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>Probe</title>${head}
<body></body><script type="module" src="${src}"></script>`;
  writeFileSync(`${WORK}/${out}/index.html`, html);
}
