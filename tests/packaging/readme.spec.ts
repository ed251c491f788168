/** The examples of the package's README, word for word, but for the server's address. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, type Locator, type Page, test as base } from "@playwright/test";
import { build } from "vite";
import { Server } from "../e2e/server.ts";
import shared from "../playwright.config.ts";
import { sineWav } from "../e2e/wav.ts";
import { HERE, ROOT, WORK } from "./places.ts";
import { serve, type Site } from "./site.ts";

/** Inside of a folder from which the installed package is found. */
const SOURCES = `${HERE}/dist/readme`;
const SERVER_URL = "http://127.0.0.1:8080";

/** What Chromium's microphone hears, over and over; its own beeps are short, and no two readings of them are alike. */
const MICROPHONE = `${WORK}/microphone.wav`;
mkdirSync(WORK, { recursive: true });
writeFileSync(MICROPHONE, sineWav({ hz: 997, seconds: 10 }));
const launchOptions = shared.use?.launchOptions ?? {};

interface Running {
  site: Site;
  server: Server;
  /** The addresses of the examples' pages by heading. */
  pages: Map<string, string>;
}

const test = base.extend<{ open: (heading: string) => Promise<void> }, { running: Running }>({
  running: [
    async ({}, use) => {
      const site = await serve(WORK);
      const server = await Server.start(["--allow-origin", site.origin]);
      const pages = await buildExamples(server.url);
      await use({ site, server, pages });
      await server.kill();
      site.close();
    },
    { scope: "worker" },
  ],
  open: async ({ page, running: { site, pages } }, use) => {
    const errors: string[] = [];
    page.on("pageerror", ({ message }) => errors.push(message));
    await use(async (heading) => {
      await page.goto(`${site.origin}/plain/readme/${pages.get(heading) ?? "missing"}`);
    });
    expect(errors, "errors in the page").toEqual([]);
  },
});

test.use({
  launchOptions: { ...launchOptions, args: [...(launchOptions.args ?? []), `--use-file-for-fake-audio-capture=${MICROPHONE}`] },
});

/** Each `### heading` with its first block of code becomes a page. */
async function buildExamples(serverUrl: string): Promise<Map<string, string>> {
  const readme = readFileSync(`${ROOT}/wasm-client/README.md`, "utf8");
  const examples = [...readme.matchAll(/^### ([^\n]+)\n[^#`]*^```(html|tsx)\n(.*?)^```/gms)];
  mkdirSync(SOURCES, { recursive: true });
  const pages = new Map<string, string>();
  for (const [idx, [, heading = "", language, text = ""]] of examples.entries()) {
    const code = text.replaceAll(SERVER_URL, serverUrl);
    if (language === "tsx") writeFileSync(`${SOURCES}/${idx}.tsx`, code);
    const root = `<!doctype html><div id="root"></div><script type="module" src="./${idx}.tsx"></script>`;
    writeFileSync(`${SOURCES}/${idx}.html`, language === "tsx" ? root : code);
    pages.set(heading, `${idx}.html`);
  }
  await build({
    // Only errors: each "use client" of another package is a warning.
    root: SOURCES, base: "./", configFile: false, logLevel: "error",
    build: {
      outDir: `${WORK}/readme`, emptyOutDir: true,
      rolldownOptions: { input: [...pages.values()].map((page) => `${SOURCES}/${page}`) },
    },
  });
  return pages;
}

/** Ends the microphone that the page opens, as pulling the plug does. */
async function unplugger(page: Page): Promise<() => Promise<void>> {
  await page.addInitScript(() => {
    const { mediaDevices } = navigator;
    const open = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = async (constraints) => {
      const stream = await open(constraints);
      addEventListener("unplug", () => stream.getTracks().forEach((track) => track.dispatchEvent(new Event("ended"))));
      return stream;
    };
  });
  return () => page.evaluate(() => void dispatchEvent(new Event("unplug")));
}

/** Plays from the start, so that there is something to see. */
async function play({ url }: Server): Promise<void> {
  const response = await fetch(`${url}/api/playback/play`, { method: "POST" });
  expect(response.ok).toBe(true);
}

/** A canvas shows something else each time one looks. */
async function expectLively(canvas: Locator): Promise<void> {
  const seen = new Set<string>();
  await expect
    .poll(async () => seen.add(await canvas.evaluate((it: HTMLCanvasElement) => it.toDataURL())).size)
    .toBeGreaterThan(5);
}

test("a meter, without a framework", async ({ open, page, running }) => {
  await play(running.server);
  await open("A meter, without a framework");
  await expectLively(page.locator("#meter"));
});

test("a spectrum in React", async ({ open, page, running }) => {
  await play(running.server);
  await open("A spectrum in React");
  await expect(page.locator("figcaption")).toHaveText("live");
  await expectLively(page.locator("canvas"));
});

test("the loudness of a microphone, without a server", async ({ open, page }) => {
  const unplug = await unplugger(page);
  await open("The loudness of a microphone, without a server");
  await page.getByRole("button").click();
  // As of the file below.
  await expect(page.locator("output")).toHaveText("-6.0 LUFS");
  const loaded = await page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name));
  const modules = loaded.flatMap((name) => /(antiphon_\w+?)-[^/]*\.wasm$/.exec(name)?.[1] ?? []);
  expect(modules.sort(), "meters, and nothing of the engine").toEqual(["antiphon_analysis", "antiphon_wasm_bg"]);
  await unplug();
  await expect(page.locator("output")).toHaveText(/^the microphone is gone: plug it in/);
});

test("a report of a file", async ({ open, page }) => {
  await open("A report of a file");
  const choose = (name: string, bytes: Uint8Array) =>
    page.locator("input").setInputFiles({ name, mimeType: "audio/wav", buffer: Buffer.from(bytes) });
  await choose("tone.wav", sineWav({ hz: 997, seconds: 3 }));
  // Both channels at half of full scale: −6.02 dBFS and, by the K weighting's definition at 997 Hz, as many LUFS.
  await expect(page.locator("pre")).toHaveText(/^integrated -6\.0 LUFS\nrange 0\.0 LU\ntrue peak -6\.0 dBTP\ntempo /);
  // As a dialogue that is cancelled.
  await page.locator("input").setInputFiles([]);
  await expect(page.locator("pre")).toHaveText(/^integrated -6\.0 LUFS\n/);
  await choose("noise.wav", new Uint8Array(100));
  await expect(page.locator("pre")).toHaveText(/use a WAV, AIFF, FLAC, MP3 or OGG Vorbis file/);
});

test("when the server is gone", async ({ open, page, running: { server } }) => {
  await server.kill();
  await open("When the server is gone");
  // Until this browser plays, of which it has nothing yet.
  await page.waitForFunction(() => document.querySelector("output")?.textContent.includes(": start the server"));
  await server.start();
  await play(server);
  const plays = async (who: string) => {
    const beats = new Set<string>();
    await expect.poll(async () => {
      const shown = await text(page, "output");
      if (shown.startsWith(`${who}, beat `)) beats.add(shown);
      return beats.size;
    }).toBeGreaterThan(3);
  };
  await plays("the server");
  // What takes over is there: the composition, the engine, and all that may be measured.
  const loaded = () => page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name).join(" "));
  await expect.poll(loaded).toMatch(/\/api\/compositions\/[0-9a-f-]{36}/);
  for (const part of ["worklet", "spectrum", "music", "scope"]) {
    await expect.poll(loaded).toMatch(new RegExp(`antiphon_${part}`));
  }
  await server.kill();
  await plays("this browser");
  await server.start();
  await play(server);
  await plays("the server");
});

async function text(page: Page, selector: string): Promise<string> {
  return (await page.locator(selector).textContent()) ?? "";
}
