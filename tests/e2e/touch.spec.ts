/** Fingers: faders, clips and the arrangement's scrolling. */
import { expect, type Locator, type Page } from "@playwright/test";
import { test } from "./fixtures.ts";

test.use({ hasTouch: true });

interface Point { x: number; y: number }

/** One finger, down, along and up, as the screen tells of it. */
async function swipe(page: Page, from: Point, to: Point): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const touch = (type: "touchStart" | "touchMove" | "touchEnd", touchPoints: Point[]) =>
    session.send("Input.dispatchTouchEvent", { type, touchPoints });
  await touch("touchStart", [from]);
  for (let step = 1; step <= 8; step += 1) {
    await touch("touchMove", [{ x: from.x + ((to.x - from.x) * step) / 8, y: from.y + ((to.y - from.y) * step) / 8 }]);
  }
  await touch("touchEnd", []);
  await session.detach();
}

async function middle(locator: Locator): Promise<Point> {
  await locator.scrollIntoViewIfNeeded();
  const box = await locator.boundingBox();
  if (!box) throw new Error("it is not shown");
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

test("a finger draws a fader down, and the server follows", async ({ page, player, server }) => {
  const mixer = () => server.get<{ channels: { name: string; gain_db: number }[] }>("/api/mixer");
  const [channel] = (await mixer()).channels;
  const cap = player.get("strip-0").getByRole("slider", { name: `${channel!.name} gain` });
  const from = await middle(cap);
  await swipe(page, from, { x: from.x, y: from.y + 40 });
  await expect.poll(async () => (await mixer()).channels[0]!.gain_db).toBeLessThan(channel!.gain_db - 3);
  // The page did not scroll instead.
  expect(await page.evaluate(() => scrollY)).toBe(0);
});

test("a finger moves a clip, and elsewhere scrolls the arrangement", async ({ page, player, server }) => {
  const PPQ = 960;
  const { id } = await server.send<{ id: string }>("POST", "/api/compositions", {
    name: "Touched", length: 256 * PPQ,
    tracks: [{ name: "Keys", color: "#5b8def", instrument: { program: 0 }, clips: [{ start: 0, length: 4 * PPQ, notes: [] }] }],
  });
  await server.send("POST", `/api/compositions/${id}/load`);
  await page.goto(`${server.url}/#/arrange`);
  await expect(player.get("composition-name")).toHaveText("Touched");
  const canvas = player.get("arrangement");
  await expect(canvas).toBeVisible();
  const zoom = Number(await canvas.getAttribute("data-zoom"));
  const box = (await canvas.boundingBox())!;
  const at = (beat: number): Point => ({ x: box.x + beat * zoom, y: box.y + 60 });
  const start = async () => {
    const { tracks } = await server.get<{ tracks: { clips: { start: number }[] }[] }>(`/api/compositions/${id}`);
    return tracks[0]!.clips[0]!.start / PPQ;
  };

  await swipe(page, at(2), at(10));
  await expect.poll(start).toBe(8);
  const scrolled = () => canvas.evaluate((element) => element.closest(".timeline")!.scrollLeft);
  expect(await scrolled()).toBe(0);
  await swipe(page, at(20), at(16));
  await expect.poll(scrolled).toBeGreaterThan(2 * zoom);
  expect(await start()).toBe(8);
});
