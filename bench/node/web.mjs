// What a page with 64 meters and a spectrum costs Chromium's main thread, beside the same page with a message as state.

import { chromium } from "playwright-core";
import { median } from "./compare.mjs";
import { serve } from "./web/site.mjs";

const RUNS = 9;
/** Frames of one run: a second and a half. */
const N_FRAMES = 90;
const N_TRACKS = 64;

export async function run(table) {
  const site = await serve("ours", "peer");
  const browser = await chromium.launch({
    executablePath: process.env.ANTIPHON_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
  });
  const runs = [];
  for (let i = 0; i < RUNS; i++) runs.push([await cost(browser, site.url("ours")), await cost(browser, site.url("peer"))]);
  await browser.close();
  site.close();
  const name = "64 meters and a spectrum at 60 Hz";
  const peer = "react-use-websocket";
  const compare = (name, of, note) => {
    const seconds = [0, 1].map((i) => median(runs.map((run) => run[i][of])) / 1000);
    table.row({ name, peer, note }, "×", runs.map(([ours, peer]) => peer[of] / ours[of]), seconds);
  };
  table.value({ name: `${name}: main thread a frame`, peer: "a quarter of a frame", atMost: 4 }, "ms", runs.map(([ours]) => ours.tasks));
  compare(`${name}: main thread`, "tasks", "Of ours, two thirds are Chromium's own work on 65 canvases.");
  compare(`${name}: scripts alone`, "scripts", commits(runs));
}

const commits = (runs) => {
  const [ours, peer] = [0, 1].map((i) => median(runs.map((run) => run[i].commits)).toFixed(2));
  return `Commits of React a frame: ${ours} against ${peer}.`;
};

/**
 * Milliseconds of the main thread for a frame that the screen could show: all tasks (decoding, drawing, layout,
 * compositing), and scripts alone.
 */
async function cost(browser, url) {
  const page = await browser.newPage();
  const session = await page.context().newCDPSession(page);
  // Time that the thread had, not time that passed: other programs are at work, too.
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const read = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    const counts = await page.evaluate(() => globalThis.counts);
    const ms = (wanted) => 1000 * metrics.find(({ name }) => name === wanted).value;
    return { tasks: ms("TaskDuration"), scripts: ms("ScriptDuration"), ...counts };
  };
  const after = (n) => page.waitForFunction((n) => globalThis.counts?.n_frames >= n, n);
  await page.goto(url);
  await after(60);
  const before = await read();
  await after(before.n_frames + N_FRAMES);
  const now = await read();
  await page.close();
  const perFrame = (what) => (now[what] - before[what]) / (now.n_shown - before.n_shown);
  const nLevels = (now.levels - before.levels) / (now.n_frames - before.n_frames);
  if (now.bands !== 512 || Math.abs(nLevels - N_TRACKS) > 2) {
    throw new Error(`${url} drew ${nLevels} meters and ${now.bands} bands a frame`);
  }
  return { tasks: perFrame("tasks"), scripts: perFrame("scripts"), commits: perFrame("n_commits") };
}
