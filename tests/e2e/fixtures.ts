/** What the tests have at hand: a running server, and a page on it that reported no error. */
import { type ConsoleMessage, test as base, expect } from "@playwright/test";
import { Player } from "./player.ts";
import { Server } from "./server.ts";

interface Fixtures {
  server: Server;
  player: Player;
}

export const test = base.extend<Fixtures>({
  server: async ({}, use) => {
    const server = await Server.start();
    await use(server);
    await server.kill();
  },
  player: async ({ page, server }, use) => {
    const errors: string[] = [];
    const player = new Player(page);
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error" && !isExpected(message) && !player.refusals.test(message.text())) {
        errors.push(message.text());
      }
    });
    await page.goto(server.url);
    // It stands: what plays is known, and how far it is.
    await expect(page.getByTestId("status")).toHaveAttribute("data-status", "live");
    await expect(page.getByTestId("play")).toBeEnabled();
    await expect(page.getByTestId("composition-name")).not.toBeEmpty();
    await use(player);
    expect(errors, "errors in the page").toEqual([]);
  },
});

/** A server that was killed is meant to be unreachable. */
const isExpected = (message: ConsoleMessage) =>
  /ERR_CONNECTION_(REFUSED|RESET)|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED/.test(message.text());

export { expect };
