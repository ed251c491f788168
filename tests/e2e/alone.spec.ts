/** The page on a static host, where nobody answers at /api. */
import { expect, test } from "@playwright/test";
import { Player } from "./player.ts";
import { serveStatic, type StaticHost } from "./static.ts";
import { sineWav } from "./wav.ts";

let host: StaticHost;

test.beforeAll(async () => {
  host = await serveStatic();
});
test.afterAll(() => host.close());

test("what nobody measured has no number, and what nobody answered is told once", async ({ page }) => {
  const player = new Player(page);
  await page.goto(host.url);
  await expect(player.get("server-gone")).toContainText("No server answers");
  await expect(player.get("value-integrated")).toHaveText("–");
  await player.get("view-compositions").click();
  await expect(page.getByText("The list comes when the server answers.")).toBeVisible();
});

test("a file's report can be closed however long its name is", async ({ page }) => {
  const player = new Player(page);
  await page.goto(host.url);
  const name = `${"x".repeat(230)}.wav`;
  await player.get("input-file").setInputFiles({ name, mimeType: "audio/wav", buffer: Buffer.from(sineWav({ hz: 1000, seconds: 1 })) });
  await expect(player.get("report")).toBeVisible();
  for (const width of [1280, 320]) {
    await page.setViewportSize({ width, height: 800 });
    await expect(player.get("report-close")).toBeInViewport({ ratio: 1 });
  }
  await player.get("report-close").click();
  await expect(player.get("report")).toHaveCount(0);
});

test("every message can be dismissed in a small window", async ({ page }) => {
  const player = new Player(page);
  await page.setViewportSize({ width: 320, height: 420 });
  await page.goto(host.url);
  const notices = player.get("notices");
  for (const letter of ["a", "b", "c", "d"]) {
    const name = `${letter.repeat(230)}.wav`;
    await player.get("input-file").setInputFiles({ name, mimeType: "audio/wav", buffer: Buffer.from("no sound") });
    await expect(notices).toContainText(`${letter.repeat(230)}.wav is not audio`);
  }
  // From the oldest on, which stands on top.
  for (const nLeft of [3, 2, 1, 0]) {
    await notices.getByRole("button", { name: "Dismiss" }).first().click();
    await expect(notices.getByRole("button", { name: "Dismiss" })).toHaveCount(nLeft);
  }
});
