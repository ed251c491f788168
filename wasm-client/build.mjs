// Builds dist/ from src/ and the modules in pkg/ (`cargo xtask wasm` makes those).
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

process.chdir(import.meta.dirname);
const modules = [
  "antiphon_wasm_bg.wasm", "antiphon_local_bg.wasm", "antiphon_analysis.wasm", "antiphon_spectrum.wasm",
  "antiphon_music.wasm", "antiphon_scope.wasm", "antiphon_worklet.wasm", "antiphon_listen.wasm", "antiphon_offline.wasm",
];
const missing = modules.filter((name) => !existsSync(`pkg/${name}`));
if (missing.length > 0) {
  console.error(`wasm-client/pkg/${missing[0]} is missing; run \`cargo xtask wasm\` first`);
  process.exit(2);
}

rmSync("dist", { recursive: true, force: true });
const common = { bundle: true, format: "esm", target: "es2022", outdir: "dist", sourcemap: true, legalComments: "none" };
const external = ["react", "react/jsx-runtime", "zustand/vanilla", "@tanstack/react-query"];

// A worklet is one file: `import` is not for granted there. So is a worker, whose imports bundlers would not follow.
await build({ ...common, entryPoints: ["src/worklet.ts", "src/offline-worker.ts"], minify: true, sourcemap: false });
const react = { react: "src/react/index.ts", "react/streams": "src/react/streams.ts", "react/providers": "src/react/providers.ts" };
// The entries share chunks, so that each React context and the wasm instance exist once.
await build({
  ...common,
  external,
  jsx: "automatic",
  splitting: true,
  plugins: [evaluated(/colormap-table\.js$/)],
  chunkNames: "chunk-[hash]",
  entryPoints: {
    index: "src/index.ts", ...react, store: "src/store.ts", rest: "src/rest.ts",
    draw: "src/draw/index.ts", elements: "src/elements/index.ts",
  },
});
for (const name of Object.keys(react)) markForClients(`dist/${name}.js`);
await build({ ...common, entryPoints: ["src/inline.ts", "src/inline-offline.ts"], sourcemap: false, plugins: [inlineFiles()] });
for (const name of modules) copyFileSync(`pkg/${name}`, `dist/${name}`);
execFileSync(process.execPath, [tsc(), "-p", "tsconfig.build.json"], { stdio: "inherit" });

// TypeScript leaves `.ts` in declarations, which only some consumers' settings accept, and points to `pkg/`, which is
// not published.
for (const name of readdirSync("pkg").filter((name) => /(?<!_bg\.wasm)\.d\.ts$/.test(name))) {
  cpSync(`pkg/${name}`, `dist/pkg/${name}`);
}
for (const name of readdirSync("dist", { recursive: true }).filter((name) => name.endsWith(".d.ts"))) {
  const text = readFileSync(`dist/${name}`, "utf8").replaceAll('"../pkg/', '"./pkg/')
    // Known only to TypeScript's newest library; consumers may have an older one.
    .replace(/^ *\[Symbol\.dispose\]\(\): void;\n/gm, "");
  writeFileSync(`dist/${name}`, text.replace(/((?:from|import)\s*\(?"\.[^"]*)\.tsx?"/g, '$1.js"'));
}

const sizes = readdirSync("dist").filter((name) => /\.(js|wasm)$/.test(name)).map((name) => {
  const bytes = readFileSync(`dist/${name}`);
  return { name, "KB": (bytes.length / 1e3).toFixed(1), "KB gzipped": (gzipSync(bytes, { level: 9 }).length / 1e3).toFixed(1) };
});
console.table(Object.fromEntries(sizes.map(({ name, ...size }) => [name, size])));

/** Hooks and contexts are not for server components: frameworks that have those read it in the first line. */
function markForClients(file) {
  writeFileSync(file, `"use client";\n${readFileSync(file, "utf8")}`);
  const map = JSON.parse(readFileSync(`${file}.map`, "utf8"));
  // One line more before all others.
  writeFileSync(`${file}.map`, JSON.stringify({ ...map, mappings: `;${map.mappings}` }));
}

/** `inline:path` is the file at that path, as base64. */
function inlineFiles() {
  return {
    name: "inline",
    setup(build) {
      build.onResolve({ filter: /^inline:/ }, ({ path }) => ({ path: path.slice(7), namespace: "inline" }));
      build.onLoad({ filter: /.*/, namespace: "inline" }, ({ path }) => ({
        contents: readFileSync(path), loader: "base64",
      }));
    },
  };
}

/** A module of constants, as what it comes to: what it imports stays out of the bundle. */
function evaluated(filter) {
  return {
    name: "evaluated",
    setup(build) {
      build.onLoad({ filter }, async ({ path }) => {
        const constants = Object.entries(await import(path));
        return { contents: constants.map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`).join("\n") };
      });
    },
  };
}

function tsc() {
  const manifest = import.meta.resolve("typescript/package.json");
  return new URL("./bin/tsc", manifest).pathname;
}
