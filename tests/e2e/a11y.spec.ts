/** Every view in both themes, looked at by axe: WCAG 2.2 A and AA, and its best practices. */
import { AxeBuilder } from "@axe-core/playwright";
import type { Locator, Page } from "@playwright/test";
import { expect, test } from "./fixtures.ts";
import { sineWav } from "./wav.ts";

const VIEWS = ["live", "arrange", "analysis", "compositions"] as const;
const THEMES = ["dark", "light"] as const;

/** Shows a theme. The page hears of the system's choice with its next frame. */
async function wear(page: Page, theme: (typeof THEMES)[number]): Promise<void> {
  // Colours that are on their way would be too faint for axe.
  await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
  await expect(page.locator("html")).toHaveAttribute("data-theme", theme);
}

/** What axe finds on the page, or in the named parts of it. */
async function findings(page: Page, ...parts: string[]): Promise<string[]> {
  const axe = new AxeBuilder({ page })
    // What is right need not be listed, which takes longer than finding it.
    .options({ resultTypes: ["violations"] })
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]);
  const { violations } = await parts.reduce((all, part) => all.include(part), axe).analyze();
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(" ")} — ${node.failureSummary?.split("\n").slice(1).join(" ")}`));
}

for (const theme of THEMES) {
  for (const view of VIEWS) {
    test(`axe finds nothing on the view ${view}, ${theme}`, async ({ page, player, server }) => {
      void player;
      await wear(page, theme);
      await page.goto(`${server.url}/#/${view}`);
      await expect(page.getByTestId(`view-${view}`)).toHaveAttribute("aria-current", "page");
      // Views are files of their own.
      await expect(page.locator("main.view > *").first()).toBeVisible();
      if (view === "compositions") await expect(page.getByTestId("composition-row").first()).toBeVisible();
      expect(await findings(page)).toEqual([]);
    });
  }

  test(`axe finds nothing in what is opened by keys and buttons, ${theme}`, async ({ page, player, server }) => {
    void player;
    await wear(page, theme);
    await page.goto(`${server.url}/#/arrange`);
    await page.getByTestId("arrangement").focus();
    await page.keyboard.press(".");
    await expect(page.getByTestId("roll")).toBeVisible();
    expect(await findings(page), "with the piano roll").toEqual([]);
    await page.getByTestId("dock-mixer").click();
    await expect(page.getByTestId("meter-0")).toBeVisible();
    expect(await findings(page), "with the mixer").toEqual([]);
    await page.getByTestId("track-menu-0").click();
    await expect(page.getByTestId("track-name")).toBeVisible();
    expect(await findings(page), "settings of a track").toEqual([]);
    await page.keyboard.press("Escape");
    await expect(page.getByRole("dialog")).toHaveCount(0);
    await page.keyboard.press("?");
    await expect(page.getByRole("dialog")).toBeVisible();
    expect(await findings(page), "keys").toEqual([]);
  });
}

for (const theme of THEMES) {
  test(`axe finds nothing in what opens on top, nor where something is wrong, ${theme}`, async ({ page, player, server }) => {
    await wear(page, theme);
    await player.get("signature").click();
    await expect(player.get("signature-beats")).toBeVisible();
    expect(await findings(page, ".transport", "[role=dialog]"), "time signature").toEqual([]);
    await page.keyboard.press("Escape");
    await player.get("download").click();
    await expect(player.get("download-midi")).toBeVisible();
    expect(await findings(page, ".head"), "formats").toEqual([]);
    await page.keyboard.press("Escape");
    await player.drop("nothing.wav", "audio/wav", new Uint8Array());
    await player.dropAll(["one.wav", "two.txt"].map((name) => ({ name, type: "", bytes: sineWav({ hz: 440, seconds: 1 }) })));
    await expect(player.get("batch")).toContainText("dBTP");
    await player.get("source-browser").click();
    await expect(player.get("status")).toHaveAttribute("data-source", "local");
    await player.drop("tone.wav", "audio/wav", sineWav({ hz: 440, seconds: 1 }));
    await expect(player.get("report")).toBeVisible();
    await expect(player.get("notices")).toContainText("nothing.wav is empty");
    const parts = [".head", ".panel-report", ".panel-batch", ".notices"];
    expect(await findings(page, ...parts), "reports and messages").toEqual([]);
    await player.get("source-server").click();
    await player.get("failover").click();
    await server.kill();
    await expect(player.get("server-gone")).toBeVisible();
    expect(await findings(page, ".head", ".banner", ".panel-master"), "without the server").toEqual([]);
  });
}

test("a narrow page needs no sideways scrolling, and every control can be tabbed to and has a name", async ({ page, player, server }) => {
  void player;
  await wear(page, "dark");
  await page.setViewportSize({ width: 360, height: 740 });
  for (const view of VIEWS) {
    await page.goto(`${server.url}/#/${view}`);
    await expect(page.getByTestId(`view-${view}`)).toHaveAttribute("aria-current", "page");
    await expect(page.locator("main.view > *").first()).toBeVisible();
    const excess = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    await expect.poll(excess, { message: `${view} at 360 px` }).toBeLessThanOrEqual(0);
    expect(await findings(page), `${view} at 360 px`).toEqual([]);
  }
  // Only the list of keys is left out: phones have none.
  for (const testId of ["theme", "download"]) await expect(page.getByTestId(testId)).toBeVisible();
});

test("what keys select and move is scrolled to, in the arrangement and in the piano roll", async ({ page, player }) => {
  await player.get("view-arrange").click();
  await player.stop();
  const arrangement = player.get("arrangement");
  const timeline = page.locator(".timeline");
  await arrangement.focus();
  // The last clip is the drums', below what is seen.
  await expect.poll(() => timeline.evaluate((box) => box.scrollHeight - box.clientHeight)).toBeGreaterThan(60);
  await page.keyboard.press(",");
  await expect(player.get("arrangement-said")).toContainText("on Drums");
  const { clientHeight, scrollTop } = await timeline.evaluate(({ clientHeight, scrollTop }) => ({ clientHeight, scrollTop }));
  expect(scrollTop + clientHeight).toBeGreaterThanOrEqual(30 + 7.5 * 60);
  // And the first one is above.
  await page.keyboard.press(".");
  await expect(player.get("arrangement-said")).toContainText("on Left choir");
  expect(await timeline.evaluate((box) => box.scrollTop)).toBeLessThanOrEqual(30);

  await player.get("roll").focus();
  const roll = page.locator(".roll");
  await page.keyboard.press(",");
  // One of the last notes of 34 bars: far to the right.
  await expect.poll(() => roll.evaluate((box) => box.scrollLeft)).toBeGreaterThan(1000);
  const before = await roll.evaluate((box) => box.scrollTop);
  for (let octave = 0; octave < 4; octave += 1) await page.keyboard.press("Shift+ArrowDown");
  await expect.poll(() => roll.evaluate((box) => box.scrollTop)).toBeGreaterThan(before + 100);
});

test("levels are told in numbers too", async ({ page, player }) => {
  await player.playFromStart();
  const meter = page.getByRole("meter", { name: "Master level, left and right" });
  await expect.poll(async () => Number(await meter.getAttribute("aria-valuenow"))).toBeGreaterThan(-50);
  await expect(meter).toHaveAttribute("aria-valuetext", /^L \u2212[\d.]+, R \u2212[\d.]+ dBFS$/);
  await player.stop();
  await expect(meter).toHaveAttribute("aria-valuetext", "L \u2212∞, R \u2212∞ dBFS");
  await expect(meter).toHaveAttribute("aria-valuenow", "-60");
});

test("what is on, and where things are, is seen in a contrast theme", async ({ page, player, server }) => {
  await page.emulateMedia({ forcedColors: "active" });
  /** Colours of surfaces, by which a state is told. */
  const surface = (part: Locator) => part.evaluate((it) => getComputedStyle(it).backgroundColor);
  const differ = async (one: Locator, other: Locator) => expect(await surface(one)).not.toBe(await surface(other));
  await differ(player.get("source-server"), player.get("source-browser"));
  await differ(player.get("view-live"), player.get("view-analysis"));
  const mute = player.get("mute-0");
  await mute.click();
  await expect(mute).toHaveAttribute("data-state", "on");
  await differ(mute, player.get("mute-1"));
  const canvas = page.locator("body");
  for (const part of [".slider-track", ".correlation-bar"]) await differ(page.locator(part).first(), canvas);
  await page.goto(`${server.url}/#/arrange`);
  await differ(page.locator(".timeline-head"), canvas);
});

test("the theme is chosen, and kept", async ({ page, player, server }) => {
  void player;
  await wear(page, "dark");
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await background();
  await page.getByTestId("theme").click();
  await expect.poll(background).not.toBe(dark);
  const light = await background();
  await page.goto(server.url);
  await expect.poll(background).toBe(light);
  await expect(page.getByTestId("theme")).toHaveAccessibleName("Theme: light");
});
