/** An app that uses all of the package works from each bundler's output. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync } from "node:fs";
import { expect, type Page, test } from "@playwright/test";
import { freePort, Server } from "../e2e/server.ts";
import {
  buildWithEsbuild, buildWithRollup, buildWithVite, buildWithWebpack, copyFiles, page as writePage, serveWithVite,
} from "./bundlers.ts";
import { HERE, INSTALLED, WORK } from "./places.ts";
import { type Policy, serve, type Site } from "./site.ts";

let site: Site;
let server: Server;
let nextPort: number;
let devPort: number;

test.beforeAll(async () => {
  nextPort = await freePort();
  devPort = await freePort();
  site = await serve(WORK);
  const others = [nextPort, devPort].map((port) => `http://127.0.0.1:${port}`);
  server = await Server.start([site.origin, ...others].flatMap((origin) => ["--allow-origin", origin]));
});

test.afterAll(async () => {
  await server.kill();
  site.close();
});

/** Opens a page and tells what its probe saw. */
async function expectToWork(page: Page, url: string, isIsolated: boolean): Promise<void> {
  const errors: string[] = [];
  page.on("pageerror", ({ message }) => errors.push(message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await page.goto(`${url}${url.includes("?") ? "&" : "?"}server=${encodeURIComponent(server.url)}`);
  const body = page.locator("body[data-probe]");
  await expect(body, errors.join("\n")).toBeAttached({ timeout: 30_000 });
  const seen: unknown = JSON.parse((await body.getAttribute("data-probe")) ?? "null");
  // The server's default; a tone and a sample at half of full scale.
  expect(seen).toEqual({
    bands: [256, 256],
    loudest: { tones: expect.closeTo(1, 1), db: expect.closeTo(-6, 0) },
    measured: { tones: expect.closeTo(1, 1), db: expect.closeTo(-6, 0) },
    peak: expect.closeTo(-6.02, 2),
    hearing: "live",
    isIsolated,
  });
  expect(errors, "errors in the page").toEqual([]);
}

const cases: { name: string; out: string; build: () => unknown; policies: Policy[] }[] = [
  { name: "Vite as it is", out: "vite", build: () => buildWithVite("vite"), policies: ["plain"] },
  {
    name: "Vite with assetsInlineLimit: 0", out: "vite-files", build: () => buildWithVite("vite-files", 0),
    policies: ["strict"],
  },
  { name: "webpack", out: "webpack", build: () => buildWithWebpack("webpack", "default"), policies: ["plain", "strict"] },
  {
    name: "esbuild, files next to the bundle", out: "esbuild", policies: ["plain", "strict"],
    build: async () => {
      await buildWithEsbuild("esbuild", "default");
      copyFiles("esbuild");
    },
  },
  {
    name: "esbuild, inline", out: "esbuild-inline", policies: ["plain", "blob"],
    build: () => buildWithEsbuild("esbuild-inline", "inline"),
  },
  {
    name: "rollup, explicit URLs", out: "rollup", policies: ["plain", "strict"],
    build: async () => {
      await buildWithRollup("rollup", "explicit");
      copyFiles("antiphon");
    },
  },
  {
    name: "rollup, inline", out: "rollup-inline", policies: ["blob"],
    build: () => buildWithRollup("rollup-inline", "inline"),
  },
  {
    name: "no bundler, an import map", out: "bare", policies: ["plain"],
    build: () => {
      cpSync(`${INSTALLED}/dist`, `${WORK}/bare/antiphon`, { recursive: true });
      for (const name of ["default.js", "probe.js"]) cpSync(`${HERE}/apps/${name}`, `${WORK}/bare/${name}`);
      const imports = { antiphon: "./antiphon/index.js" };
      writePage("bare", "./default.js", `<script type="importmap">${JSON.stringify({ imports })}</script>`);
    },
  },
];

for (const { name, out, build, policies } of cases) {
  test(`${name}: ${policies.join(" and ")}`, async ({ page }) => {
    await build();
    for (const policy of policies) {
      await expectToWork(page, `${site.origin}/${policy}/${out}/index.html`, policy !== "plain");
    }
  });
}

for (const [name, isOptimised] of [["as it is", true], ["with the package excluded from its optimiser", false]] as const) {
  test(`Vite's development server, ${name}`, async ({ page }) => {
    const dev = await serveWithVite(devPort, isOptimised);
    try {
      await expectToWork(page, `http://127.0.0.1:${devPort}/`, false);
      const loaded = await page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name));
      expect(loaded.some((name) => name.includes("/deps/antiphon.js")), "what the optimiser made").toBe(isOptimised);
    } finally {
      await dev.close();
    }
  });
}

test("Next: rendered on its server, built and started", async ({ page }) => {
  const app = `${HERE}/apps/next`;
  const next = [`${HERE}/node_modules/next/dist/bin/next`];
  // Vite's development server says otherwise in this process.
  const env = { ...process.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" };
  try {
    execFileSync(process.execPath, [...next, "build"], { cwd: app, env, encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`next build failed:\n${stdout}${stderr}`);
  }
  const url = `http://127.0.0.1:${nextPort}/`;
  const started = spawn(process.execPath, [...next, "start", "-H", "127.0.0.1", "-p", String(nextPort)], {
    cwd: app, env, stdio: "ignore",
  });
  try {
    await expect.poll(() => fetch(url).then(({ status }) => status, () => 0), { timeout: 30_000 }).toBe(200);
    expect(await (await fetch(url)).text()).toContain('<p id="status">loading</p>');
    await expectToWork(page, url, false);
    await expectToWork(page, `${url}?isolated=1`, true);
  } finally {
    await end(started);
  }
});

async function end(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null) return;
  const exit = once(process, "exit");
  process.kill("SIGKILL");
  await exit;
}
