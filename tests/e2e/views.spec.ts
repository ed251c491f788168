/** Views are files of their own: fetched in time, and told of where they could not be. */
import { expect, test } from "./fixtures.ts";

test.use({ serviceWorkers: "block" });

test("views are fetched ahead: they open although the server is gone", async ({ page, player, server }) => {
  const fetched = () => page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name).join(" "));
  for (const name of ["ArrangeView", "AnalysisView", "CompositionsView"]) await expect.poll(fetched).toContain(name);
  // And what they are made of.
  await expect.poll(() => page.evaluate(() =>
    [...document.querySelectorAll<HTMLLinkElement>("link[rel=modulepreload]")].map(({ href }) => href)
      .filter((href) => performance.getEntriesByName(href).length === 0))).toEqual([]);
  await server.kill();
  await player.get("view-analysis").click();
  await expect(player.get("canvas-spectrum")).toBeVisible();
  await player.get("view-arrange").click();
  await expect(player.get("arrangement")).toBeVisible();
});

test("a view that could not be fetched says so, and a reload shows it", async ({ page, player, server }) => {
  player.refusals = /ERR_FAILED/;
  await page.route(/ArrangeView/, (route) => route.abort());
  await page.goto(`${server.url}/#/arrange`);
  await page.reload();
  await expect(page.getByRole("alert")).toContainText("could not be fetched");
  await page.unroute(/ArrangeView/);
  await page.getByRole("button", { name: "Reload the page" }).click();
  await expect(player.get("arrangement")).toBeVisible();
});
