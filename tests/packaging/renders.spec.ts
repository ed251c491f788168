/** The benchmark's page of 64 meters and a spectrum: each frame is drawn, and none is rendered by React. */
import { expect, test } from "@playwright/test";
import { serve } from "../../bench/node/web/site.mjs";

/** What the page counts. */
interface Counts {
  n_frames: number;
  n_commits: number;
  levels: number;
  bands: number;
}

test("React renders for no frame of 64 meters and a spectrum", async ({ page }) => {
  const site = await serve("ours");
  const counts = () => page.evaluate(() => (globalThis as unknown as { counts: Counts }).counts);
  const after = async (n: number) => {
    await expect.poll(async () => (await counts()).n_frames).toBeGreaterThanOrEqual(n);
    return counts();
  };
  await page.goto(site.url("ours"));
  const first = await after(10);
  const last = await after(first.n_frames + 120);
  // The page mounts, and hears that it is connected.
  expect(first.n_commits).toBeGreaterThan(0);
  expect(last.n_commits - first.n_commits).toBe(0);
  expect((last.levels - first.levels) / (last.n_frames - first.n_frames)).toBeCloseTo(64, -1);
  expect(last.bands).toBe(512);
  site.close();
});
