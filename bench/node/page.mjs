// What the page costs Chromium's main thread with everything open, and how soon it paints, on the real server.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { share } from "./compare.mjs";

const root = new URL("../../", import.meta.url);
const BINARY = process.env.ANTIPHON_SERVER ?? fileURLToPath(new URL("target/release/antiphon", root));
const RUNS = 5;
/** Of one run. */
const SECONDS = 3;
const LOADS = 9;
const SIZE = { width: 1440, height: 900 };

/** Views by name: what is done to open them. */
const VIEWS = {
  Live: (page) => open(page, "live", "canvas-spectrum"),
  Analysis: (page) => open(page, "analysis", "goniometer"),
  "Arrange with the mixer": async (page) => {
    await open(page, "arrange", "arrangement");
    await page.getByTestId("dock-mixer").click();
    await page.getByTestId("meter-0").waitFor();
  },
  "Arrange with the piano roll": async (page) => {
    await open(page, "arrange", "arrangement");
    await page.getByTestId("dock-roll").click();
    await page.getByTestId("arrangement").focus();
    // Selects the next clip.
    await page.keyboard.press(".");
    await page.getByTestId("roll").waitFor();
  },
};

async function open(page, view, testId) {
  await page.getByTestId(`view-${view}`).click();
  await page.getByTestId(testId).waitFor();
}

export async function run(table) {
  const server = await serve();
  const browser = await chromium.launch({
    executablePath: process.env.ANTIPHON_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
  });
  try {
    await measure(table, browser, server.url);
  } finally {
    await browser.close();
    server.close();
  }
}

async function measure(table, browser, url) {
  const paints = [];
  for (let i = 0; i < LOADS; i++) paints.push(await firstPaint(browser, url));
  const note = "Time that passed: wants an idle machine.";
  table.value({ name: "first contentful paint", peer: "a second", atMost: 1000, note }, "ms", paints);

  const page = await browser.newPage({ viewport: SIZE });
  await page.goto(url);
  await page.locator("[data-testid=status][data-status=live]").waitFor();
  const play = page.getByTestId("play");
  if ((await play.getAttribute("data-playing")) !== "true") await play.click();
  await page.locator("[data-testid=play][data-playing=true]").waitFor();
  // Round and round: what plays must not end.
  const loop = page.getByTestId("loop");
  if ((await loop.getAttribute("aria-pressed")) !== "true") await loop.click();
  for (const [name, show] of Object.entries(VIEWS)) {
    await show(page);
    const costs = [];
    for (let i = 0; i < RUNS; i++) costs.push(share(await frames(browser, page), 0.95));
    if ((await play.getAttribute("data-playing")) !== "true") throw new Error(`${name}: the music ended`);
    table.value({ name: `${name}: main thread a frame, 95th percentile`, peer: "half a frame", atMost: 8 }, "ms", costs);
  }
}

/** Milliseconds of the main thread from one animation frame to the next: scripts, layout, painting, canvases. */
async function frames(browser, page) {
  await browser.startTracing(page, { categories: ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"] });
  await page.waitForTimeout(1000 * SECONDS);
  const { traceEvents } = JSON.parse(await browser.stopTracing());
  // The worker that draws has animation frames, too.
  const mains = traceEvents.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain");
  const isMain = ({ pid, tid }) => mains.some((main) => main.pid === pid && main.tid === tid);
  const animations = traceEvents.filter((event) => event.name === "FireAnimationFrame" && event.ph === "X" && isMain(event));
  if (animations.length === 0) throw new Error("the page drew nothing");
  const [{ pid, tid }] = animations;
  const tasks = traceEvents
    .filter((event) => event.name === "RunTask" && event.ph === "X" && event.pid === pid && event.tid === tid)
    .sort((a, b) => a.ts - b.ts);
  const costs = [];
  for (const { ts, dur, tdur } of tasks) {
    if (animations.some((animation) => animation.ts >= ts && animation.ts < ts + dur)) costs.push(0);
    // Time that the thread had, not time that passed: other programs are at work, too.
    if (costs.length > 0) costs[costs.length - 1] += tdur / 1000;
  }
  // The last one was cut off.
  return costs.slice(0, -1);
}

/** Milliseconds from the navigation, in a browser that keeps nothing. */
async function firstPaint(browser, url) {
  const context = await browser.newContext({ viewport: SIZE });
  const page = await context.newPage();
  await page.goto(url);
  const paint = await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
  const at = await paint.jsonValue();
  await context.close();
  return at;
}

/** The real server with the page that is built. */
async function serve() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  const page = fileURLToPath(new URL("www/dist", root));
  const args = ["serve", "--null-device", "--db", "memory", "--bind", `127.0.0.1:${port}`, "--page", page];
  const child = spawn(BINARY, args, { stdio: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  const isHealthy = () => fetch(`${url}/api/health`).then(({ ok }) => ok, () => false);
  while (!(await isHealthy())) {
    if (child.exitCode !== null || !child.pid) throw new Error(`${BINARY} did not start`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { url, close: () => child.kill() };
}
