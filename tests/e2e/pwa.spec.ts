/** The page as plain files: installed, and started again without any network. */
import { expect, test } from "@playwright/test";
import { Player } from "./player.ts";
import { serveStatic } from "./static.ts";

/** Names of all tracks of all compositions that this browser keeps. */
const keptTracks = () => new Promise<string[]>((resolve, reject) => {
  const opening = indexedDB.open("antiphon");
  opening.onerror = () => reject(opening.error!);
  opening.onsuccess = () => {
    const database = opening.result;
    const all = database.transaction("compositions").objectStore("compositions").getAll();
    all.onerror = () => reject(all.error!);
    all.onsuccess = () => {
      database.close();
      const kept = all.result as { spec: { tracks: { name: string }[] } }[];
      resolve(kept.flatMap(({ spec }) => spec.tracks.map(({ name }) => name)));
    };
  };
});

test("plain static files play without a server, and start again when the network is off", async ({ page, context }) => {
  const host = await serveStatic();
  const player = new Player(page);
  await page.goto(host.url);
  // Nobody answers at /api: the page says so, and offers this browser.
  await player.get("continue-in-browser").click();
  await expect(player.get("status")).toHaveAttribute("data-source", "local");
  await player.playFromStart();
  await player.expectLively("canvas-spectrum");
  // Something of one's own, to be found again.
  await page.getByTestId("view-arrange").click();
  await page.getByTestId("add-track").click();
  await expect(page.getByTestId("track-8")).toContainText("Track 9");
  // All files are kept.
  await page.evaluate(async () => (await navigator.serviceWorker.ready).active?.state);
  await expect.poll(() => page.evaluate(async () => {
    const caches_ = await Promise.all((await caches.keys()).map(async (name) => (await (await caches.open(name)).keys()).map(({ url }) => url)));
    return caches_.flat().filter((url) => /\.(wasm|mid)(\?|$)/.test(url)).length;
  })).toBe(10);

  // So is the track.
  await expect.poll(() => page.evaluate(keptTracks)).toContain("Track 9");

  await host.close();
  await context.setOffline(true);
  await page.reload();
  await player.get("continue-in-browser").click();
  await expect(player.get("status")).toHaveAttribute("data-source", "local");
  await expect(player.get("status")).toHaveAttribute("data-status", "live");
  await expect(page.getByTestId("track-8")).toContainText("Track 9");
  await page.getByTestId("view-live").click();
  await player.playFromStart();
  for (const canvas of ["canvas-spectrum", "canvas-waveform", "meter-master"]) await player.expectLively(canvas);
});

test("the page can be installed: its manifest names files that are there", async ({ page, request }) => {
  const host = await serveStatic();
  await page.goto(host.url);
  const href = await page.locator("link[rel=manifest]").getAttribute("href");
  const url = new URL(href ?? "", host.url);
  const manifest = (await (await request.get(url.href)).json()) as {
    name: string; start_url: string; display: string; icons: { src: string; sizes: string; purpose?: string }[];
  };
  expect(manifest).toMatchObject({ name: "Antiphon", display: "standalone" });
  expect(new URL(manifest.start_url, url).href).toBe(host.url);
  expect(manifest.icons.map(({ sizes, purpose }) => `${sizes} ${purpose ?? "any"}`)).toEqual(
    expect.arrayContaining(["192x192 any", "512x512 any", "512x512 maskable"]),
  );
  for (const { src, sizes } of manifest.icons) {
    const icon = await request.get(new URL(src, url).href);
    expect(icon.ok(), src).toBe(true);
    const bytes = await icon.body();
    // A PNG says its size itself.
    if (src.endsWith(".png")) expect(`${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`).toBe(sizes);
  }
  await host.close();
});
