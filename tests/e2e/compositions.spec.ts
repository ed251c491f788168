/** The list of compositions: on the server, and in the browser. */
import { readFile } from "node:fs/promises";
import { expect, test } from "./fixtures.ts";
import type { Server } from "./server.ts";
import { sineWav } from "./wav.ts";

interface Summary { id: string; name: string; loaded: boolean }

const names = async (server: Server) =>
  (await server.get<{ items: Summary[] }>("/api/compositions?limit=100")).items.map(({ name }) => name).sort();

test("on the server compositions are made, renamed, opened, deleted and put back", async ({ page, player, server }) => {
  await page.getByTestId("view-compositions").click();
  const row = (name: string) => page.getByTestId("composition-row").filter({ has: page.getByText(name, { exact: true }) });
  await expect(row("Antiphon")).toHaveAttribute("data-loaded", "true");

  await page.getByTestId("new-composition").click();
  await expect(row("Untitled")).toHaveAttribute("data-loaded", "true");
  await expect(player.get("composition-name")).toHaveText("Untitled");
  await expect.poll(() => names(server)).toEqual(["Antiphon", "Untitled"]);

  await page.getByRole("button", { name: "Rename Untitled" }).click();
  await page.getByTestId("rename-field").fill("Nocturne");
  await page.getByTestId("rename-field").press("Enter");
  await expect.poll(() => names(server)).toEqual(["Antiphon", "Nocturne"]);

  await page.getByRole("button", { name: "Delete Antiphon" }).click();
  await expect.poll(() => names(server)).toEqual(["Nocturne"]);
  await expect(row("Antiphon")).toBeHidden();
  await page.getByTestId("notices").getByRole("button", { name: "Undo" }).click();
  await expect.poll(() => names(server)).toEqual(["Antiphon", "Nocturne"]);
  await page.getByRole("button", { name: "Open Antiphon" }).click();
  await expect(row("Antiphon")).toHaveAttribute("data-loaded", "true");
  await expect(player.get("composition-name")).toHaveText("Antiphon");
  // All of it came back: eight tracks with their notes play.
  await player.playFromStart();
  await player.get("view-live").click();
  await player.expectLively("meter-5");
});

test("where the loaded composition is deleted, the mixer says that nothing is loaded", async ({ page, player, server }) => {
  player.refusals = /404/;
  await player.get("view-compositions").click();
  await page.getByRole("button", { name: "Delete Antiphon" }).click();
  await expect.poll(() => names(server)).toEqual([]);
  await player.get("view-live").click();
  await expect(page.locator(".strips")).toContainText("Nothing is loaded");
});

test("numbers out of range, letters, empty names and files that are none are told, and change nothing else", async ({ page, player, server }) => {
  player.refusals = /422/;
  const notices = player.get("notices");
  const type = async (testId: string, text: string) => {
    await player.get(testId).fill(text);
    await player.get(testId).press("Enter");
  };
  await expect(player.get("tempo")).toHaveValue("92");
  await type("tempo", "fast");
  await expect(notices).toContainText("“fast” is not a number");
  await expect(player.get("tempo")).toHaveValue("92");
  await type("tempo", "0");
  await expect(notices).toContainText("0 is out of its rangePossible are 20 to 400 bpm");
  await expect(player.get("tempo")).toHaveValue("20");
  // The loop is a sixteenth at least: what is told is what it becomes.
  await type("loop-start", "5000");
  await expect(notices).toContainText("From is 135.75: 5000 is out of its range");
  await expect.poll(async () => (await server.get<{ loop_start: number }>("/api/playback")).loop_start).toBe(135.75);
  await page.getByTestId("view-compositions").click();
  await page.getByRole("button", { name: "Rename Antiphon" }).click();
  await type("rename-field", "  ");
  await expect(notices).toContainText("Antiphon keeps its name");
  await player.drop("nothing.wav", "audio/wav", new Uint8Array());
  await expect(notices).toContainText("nothing.wav is empty");
  await player.drop("letter.mid", "audio/midi", new TextEncoder().encode("Dear reader"));
  await expect(notices).toContainText("letter.mid was not imported");
  expect(await names(server)).toEqual(["Antiphon"]);
});

test("MIDI and audio files are imported, by drop and by choice", async ({ page, player, server }) => {
  await page.getByTestId("view-compositions").click();
  const midi = await readFile(new URL("../../www/public/antiphon.mid", import.meta.url));
  await player.drop("Dropped.mid", "audio/midi", midi);
  await expect.poll(() => names(server)).toEqual(["Antiphon", "Dropped"]);
  await page.getByTestId("import").setInputFiles([
    { name: "Chosen.wav", mimeType: "audio/wav", buffer: Buffer.from(sineWav({ hz: 440, seconds: 1 })) },
    { name: "Another.mid", mimeType: "audio/midi", buffer: midi },
  ]);
  await expect.poll(() => names(server)).toEqual(["Another", "Antiphon", "Chosen", "Dropped"]);
  await expect(player.get("composition-name")).toHaveText("Another");
});

test("in the browser compositions are kept without a server, with their recordings", async ({ page, player, server }) => {
  await player.get("source-browser").click();
  await expect(player.get("status")).toHaveAttribute("data-source", "local");
  await player.expectPrepared();
  await server.kill();
  await page.getByTestId("view-compositions").click();
  await page.getByTestId("import").setInputFiles([
    { name: "Tone.wav", mimeType: "audio/wav", buffer: Buffer.from(sineWav({ hz: 440, seconds: 4, tremolo: true })) },
  ]);
  const row = (name: string) => page.getByTestId("composition-row").filter({ has: page.getByText(name, { exact: true }) });
  await expect(row("Tone")).toHaveAttribute("data-loaded", "true");
  await page.getByTestId("new-composition").click();
  await expect(row("Untitled")).toHaveAttribute("data-loaded", "true");
  await expect(row("Tone")).toHaveAttribute("data-loaded", "false");
  await page.getByRole("button", { name: "Delete Tone" }).click();
  await expect(row("Tone")).toBeHidden();
  await page.getByTestId("notices").getByRole("button", { name: "Undo" }).click();
  await page.getByRole("button", { name: "Open Tone" }).click();
  await expect(row("Tone")).toHaveAttribute("data-loaded", "true");
  await player.get("view-live").click();
  await player.playFromStart();
  // The recording is still there.
  await player.expectLively("meter-0");
});
