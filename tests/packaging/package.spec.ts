/** What is published: its manifest, its types, its size, its reference. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { expect, test } from "@playwright/test";
import { build } from "esbuild";
import { HERE, INSTALLED, TARBALL } from "./places.ts";

/** Of a page that shows one stream in React, gzipped; WebAssembly and React are not counted. */
const MAX_SCRIPT_BYTES = 12_000;

/** Runs a tool that is installed here; its output is the error if it fails. */
async function run(...command: string[]): Promise<void> {
  await promisify(execFile)("npx", ["--no", "--", ...command], { cwd: HERE }).catch((error: unknown) => {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command[0]}:\n${stdout}${stderr}`);
  });
}

test("publint finds nothing", () => run("publint", "run", TARBALL, "--strict"));

test("types resolve as the script does, for ESM", () => {
  const { exports } = JSON.parse(readFileSync(`${INSTALLED}/package.json`, "utf8")) as { exports: object };
  const files = Object.keys(exports).filter((name) => name.endsWith(".wasm")).map((name) => name.slice(2));
  return run("attw", TARBALL, "--profile", "esm-only", "--exclude-entrypoints", ...files);
});

test("every entry can be imported where there is no browser", async () => {
  for (const name of ["", "/react", "/store", "/rest", "/draw", "/inline", "/inline-offline"]) {
    const entry = (await import(`antiphon${name}`)) as object;
    expect(Object.keys(entry), `antiphon${name}`).not.toEqual([]);
  }
});

test("connection and one hook are small, and bring nothing of the rest", async () => {
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: 'export { connect } from "antiphon"; export { useSpectrumWebsocket } from "antiphon/react";',
      resolveDir: HERE,
    },
    bundle: true, minify: true, format: "esm", target: "es2022", metafile: true, write: false, logLevel: "silent",
    external: ["react", "react/jsx-runtime", "@tanstack/react-query"],
  });
  const script = outputFiles[0]?.contents ?? new Uint8Array();
  const parts = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
  const lines = parts.map(([path, { bytesInOutput }]) => `${path.split("/").pop()} ${bytesInOutput}`);
  const size = gzipSync(script, { level: 9 }).length;
  console.log(`connect and a hook: ${size} bytes gzipped, ${script.length} minified: ${lines.join(", ")}`);
  expect(size).toBeGreaterThan(1000);
  expect(size).toBeLessThanOrEqual(MAX_SCRIPT_BYTES);
  const text = new TextDecoder().decode(script);
  for (const foreign of ["addModule", "antiphon_worklet.wasm", "antiphon_offline.wasm", "/api/compositions"]) {
    expect(text).not.toContain(foreign);
  }
});

test("the reference is complete: every export is documented, every link leads somewhere", () => {
  return run("typedoc", "--options", "typedoc.json", "--logLevel", "Warn");
});
