/** What is made in the browser alone stays there: over reloads, and when two tabs have it open. */
import { expect, type Page, test } from "@playwright/test";
import { Player } from "./player.ts";
import { serveStatic, type StaticHost } from "./static.ts";

let host: StaticHost;

test.beforeAll(async () => {
  host = await serveStatic();
});
test.afterAll(() => host.close());

/** The page on its own engine. */
async function openHere(page: Page): Promise<Player> {
  const player = new Player(page);
  await page.goto(`${host.url}#/live`);
  await useBrowser(player);
  return player;
}

async function useBrowser(player: Player): Promise<void> {
  await player.get("source-browser").click();
  await expect(player.get("status")).toHaveAttribute("data-source", "local");
  await expect(player.get("status")).toHaveAttribute("data-status", "live");
  await expect(player.get("play")).toBeEnabled();
}

const gain = ({ page }: Player, of: string) => page.getByRole("slider", { name: `${of} gain` });
const tracks = ({ page }: Player) => page.locator("[data-testid^=track-menu-]");
const view = (player: Player, name: string) => player.get(`view-${name}`).click();

/** What the browser keeps of the composition that is opened first. */
const kept = ({ page }: Player) =>
  page.evaluate(async () => {
    // To open what is not there yet would make it, with nothing in it.
    if ((await indexedDB.databases()).every(({ name }) => name !== "antiphon")) return undefined;
    const open = indexedDB.open("antiphon", 1);
    await new Promise((done) => (open.onsuccess = done));
    const all = open.result.transaction("compositions").objectStore("compositions").getAll();
    await new Promise((done) => (all.onsuccess = done));
    open.result.close();
    const [first] = all.result as { spec: { tracks: { gain_db: number }[]; tempo: { bpm: number }[]; name: string } }[];
    return first && { gain: first.spec.tracks[1]!.gain_db, bpm: first.spec.tempo[0]!.bpm, name: first.spec.name };
  });

test("faders and the tempo are kept without any other change", async ({ page }) => {
  const player = await openHere(page);
  const fader = gain(player, "Right choir");
  await fader.focus();
  for (let step = 0; step < 5; step += 1) await page.keyboard.press("ArrowUp");
  await player.get("tempo").fill("77");
  await player.get("tempo").press("Enter");
  const shown = (await fader.getAttribute("aria-valuetext"))!;
  await expect.poll(async () => (await kept(player))?.bpm).toBe(77);
  await page.reload();
  await useBrowser(player);
  await expect(gain(player, "Right choir")).toHaveAttribute("aria-valuetext", shown);
  await expect(player.get("tempo")).toHaveValue("77");
});

test("a new name outlives the next change", async ({ page }) => {
  const player = await openHere(page);
  await view(player, "compositions");
  await player.get("new-composition").click();
  await view(player, "compositions");
  const row = player.get("composition-row").first();
  await row.getByRole("button", { name: /rename/i }).click();
  await row.locator("input").fill("Second name");
  await row.locator("input").press("Enter");
  await expect(player.get("composition-name")).toHaveText("Second name");
  await expect(row).toContainText("Second name");
  await view(player, "arrange");
  await player.get("add-track").click();
  await expect(tracks(player)).toHaveCount(2);
  await expect.poll(async () => (await kept(player))?.name).toBe("Second name");
  await expect(player.get("composition-name")).toHaveText("Second name");
});

test("two tabs on one composition show, and keep, what either changes", async ({ page, context }) => {
  const one = await openHere(page);
  await view(one, "arrange");
  await one.get("add-track").click();
  await expect(tracks(one)).toHaveCount(9);
  await expect.poll(async () => (await kept(one))?.name).toBeTruthy();
  const two = await openHere(await context.newPage());
  await view(two, "arrange");
  await expect(tracks(two)).toHaveCount(9);
  await one.get("add-track").click();
  await expect(tracks(two)).toHaveCount(10);
  await two.get("add-track").click();
  await expect(tracks(one)).toHaveCount(11);
  // What the other tab did is not this one's to take back.
  await expect(one.get("undo")).toBeDisabled();
  await page.reload();
  await useBrowser(one);
  await expect(tracks(one)).toHaveCount(11);
});
