/** What is published: its manifest, its types, its size, its reference. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { expect, test } from "@playwright/test";
import { build } from "esbuild";
import { HERE, INSTALLED, ROOT, TARBALL } from "./places.ts";

/** Of a page that shows one stream in React, gzipped; WebAssembly and React are not counted. */
const MAX_SCRIPT_BYTES = 12_000;

/** What can be imported besides the package itself, such as `react`. */
function entries(): string[] {
  const { exports } = JSON.parse(readFileSync(`${INSTALLED}/package.json`, "utf8")) as { exports: object };
  return Object.keys(exports).filter((name) => name !== ".").map((name) => name.slice(2));
}

/** Runs a tool that is installed here; its output is the error if it fails. */
async function run(...command: string[]): Promise<void> {
  await promisify(execFile)("npx", ["--no", "--", ...command], { cwd: HERE }).catch((error: unknown) => {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command[0]}:\n${stdout}${stderr}`);
  });
}

test("publint finds nothing", () => run("publint", "run", TARBALL, "--strict"));

test("the licences are packed, and not left beside the manifest", () => {
  for (const name of ["LICENSE-MIT", "LICENSE-APACHE"]) {
    expect(readFileSync(`${INSTALLED}/${name}`, "utf8")).toBe(readFileSync(`${ROOT}/${name}`, "utf8"));
    expect(existsSync(`${ROOT}/wasm-client/${name}`)).toBe(false);
  }
});

test("types resolve as the script does, for ESM", () => {
  const files = entries().filter((name) => name.endsWith(".wasm"));
  return run("attw", TARBALL, "--profile", "esm-only", "--exclude-entrypoints", ...files);
});

test("every entry can be imported where there is no browser", async () => {
  const scripts = entries().filter((name) => !/\.|^(worklet|offline-worker)$/.test(name));
  expect(scripts).toContain("react");
  for (const name of ["antiphon", ...scripts.map((name) => `antiphon/${name}`)]) {
    expect(Object.keys((await import(name)) as object), name).not.toEqual([]);
  }
});

test("connection and one hook are small, and bring nothing of the rest", async () => {
  const script = await bundle("antiphon", "antiphon/react");
  const size = gzipSync(script.bytes, { level: 9 }).length;
  const { parts } = await bundle(`${ROOT}/wasm-client/src/index.ts`, `${ROOT}/wasm-client/src/react/index.ts`);
  console.log(`connect and a hook: ${size} bytes gzipped; before: ${script.bytes.length}, of which ${parts.join(", ")}`);
  expect(size).toBeGreaterThan(1000);
  expect(size).toBeLessThanOrEqual(MAX_SCRIPT_BYTES);
  const text = new TextDecoder().decode(script.bytes);
  for (const foreign of ["addModule", "antiphon_local_bg.wasm", "antiphon_worklet.wasm", "antiphon_offline.wasm", "/api/compositions"]) {
    expect(text).not.toContain(foreign);
  }
});

/** The script of a page that connects and uses one hook, and what each file has in it, largest first. */
async function bundle(index: string, react: string): Promise<{ bytes: Uint8Array; parts: string[] }> {
  const { outputFiles: [file], metafile } = await build({
    stdin: {
      contents: `export { connect } from "${index}"; export { useSpectrumWebsocket } from "${react}";`, resolveDir: HERE,
    },
    bundle: true, minify: true, format: "esm", target: "es2022", jsx: "automatic", metafile: true, write: false,
    external: ["react", "react/jsx-runtime", "@tanstack/react-query"], logLevel: "silent",
  });
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  const sizes = inputs.map(([path, { bytesInOutput }]) => ({ name: path.split("/").pop(), bytesInOutput }))
    .filter(({ bytesInOutput }) => bytesInOutput > 0).sort((a, b) => b.bytesInOutput - a.bytesInOutput);
  return { bytes: file?.contents ?? new Uint8Array(), parts: sizes.map((it) => `${it.name} ${it.bytesInOutput}`) };
}

test("streams in React need nothing but React, and every entry of it is for clients", async () => {
  const { outputFiles: [file], metafile } = await build({
    stdin: { contents: `export * from "antiphon/react/streams";`, resolveDir: HERE },
    bundle: true, format: "esm", target: "es2022", metafile: true, write: false, packages: "bundle", logLevel: "silent",
    external: ["react", "react/jsx-runtime"],
  });
  expect(file?.text).toContain("useSpectrumWebsocket");
  expect(Object.keys(metafile.inputs).filter((name) => name.includes("@tanstack"))).toEqual([]);
  expect(packagesOfTypes(`${INSTALLED}/dist/react/streams.d.ts`)).toEqual(new Set(["react"]));
  for (const name of entries().filter((name) => /^react\b/.test(name))) {
    expect(readFileSync(`${INSTALLED}/dist/${name}.js`, "utf8"), name).toMatch(/^"use client";\n/);
  }
});

test("options may be undefined, for those who tell that from absent ones", async () => {
  mkdirSync(`${HERE}/dist`, { recursive: true });
  writeFileSync(`${HERE}/dist/exact.tsx`, `
    import { analyzeBuffer, decodeAudio, preloadOffline, type Source, type SubscribeOptions } from "antiphon";
    import { drawSpectrumGrid } from "antiphon/draw";
    import { useSpectrumWebsocket, WebSocketSync } from "antiphon/react";
    import { type AntiphonStore, createAntiphonStore } from "antiphon/store";
    export const options: SubscribeOptions = { fps: undefined, fft_size: undefined, scale: undefined };
    export function Picture({ source }: { source: Source | undefined }) {
      useSpectrumWebsocket({ source, bands: undefined, reactive: undefined });
      const store: AntiphonStore = createAntiphonStore();
      return <WebSocketSync store={store} source={source} url={undefined} topics={undefined} />;
    }
    export async function work(file: File, ctx: CanvasRenderingContext2D) {
      await preloadOffline({ wasm: undefined });
      await decodeAudio(file, { sampleRate: undefined });
      await analyzeBuffer(file, { fft_size: undefined, signal: undefined });
      drawSpectrumGrid(ctx, { width: 1, height: 1 }, { minDb: undefined });
    }`);
  const flags = ["--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "false", "--jsx", "react-jsx"];
  const target = ["--target", "es2022", "--lib", "es2022,dom,dom.iterable", "--module", "esnext", "--moduleResolution", "bundler", "--types", "react"];
  await run("tsc", "--noEmit", "--ignoreConfig", ...flags, ...target, "dist/exact.tsx");
});

test("the README's import map has what its pages import", () => {
  const readme = readFileSync(`${INSTALLED}/README.md`, "utf8");
  const [, map = "{}"] = /<script type="importmap">(.*?)<\/script>/.exec(readme) ?? [];
  const { imports } = JSON.parse(map) as { imports: Record<string, string> };
  const pages = [...readme.matchAll(/^```html\n(.*?)^```/gms)].flatMap(([, page = ""]) => [...page.matchAll(/(?:from|import) "(antiphon[^"]*)"/g)]);
  expect(Object.keys(imports)).toEqual(expect.arrayContaining([...new Set(pages.map(([, name]) => name))]));
  for (const path of Object.values(imports)) expect(existsSync(`${INSTALLED}/dist/${path.replace("/antiphon/", "")}`), path).toBe(true);
});

/** Packages that a declaration's imports name, and those of the files that it imports. */
function packagesOfTypes(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return new Set();
  seen.add(file);
  const names = [...readFileSync(file, "utf8").matchAll(/(?:from|import) *\(?"([^"]+)"/g)].map(([, name]) => name!);
  const [own, others] = [names.filter((name) => name.startsWith(".")), names.filter((name) => !name.startsWith("."))];
  const below = own.map((name) => packagesOfTypes(resolve(dirname(file), name.replace(/\.js$/, ".d.ts")), seen));
  return new Set([...others, ...below.flatMap((some) => [...some])]);
}

test("the README names all files that are loaded besides the script, and how each is told where it is", () => {
  const files = readdirSync(`${INSTALLED}/dist`).filter((name) => /\.wasm$|^worklet\.js$|^offline-worker\.js$/.test(name)).sort();
  const readme = readFileSync(`${INSTALLED}/README.md`, "utf8");
  const [, count, list = ""] = /^Besides the script there are (\w+) files(.*?)^The package finds/ms.exec(readme) ?? [];
  expect([...list.matchAll(/`([^`]+\.(?:js|wasm))`/g)].map(([, name]) => name).sort()).toEqual(files);
  expect(files.length).toBe(["ten", "eleven", "twelve"].indexOf(count ?? "") + 10);
  const told = [...readme.matchAll(/^ {4}.*"\/antiphon\/.*$/gm)].flatMap(([line]) => [...line.matchAll(/"\/antiphon\/([^"]+)"/g)]);
  expect(told.map(([, name]) => name).sort()).toEqual(files);
});

test("the reference is complete: every export is documented, every link leads somewhere", () => {
  return run("typedoc", "--logLevel", "Warn");
});
