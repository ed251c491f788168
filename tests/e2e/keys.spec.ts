/** The computer's keys play the armed track, and what they play is recorded. */
import { expect, test } from "./fixtures.ts";

interface Track { id: string; name: string; clips: { notes: { pitch: number }[] }[] }
interface Composition { id: string; tracks: Track[] }
interface Playback { is_recording: boolean; armed_track_id: string | null; active_notes: { track_id: string; pitch: number }[] }

test("keys play the armed track on the server, and are recorded into a clip", async ({ page, player, server }) => {
  await player.stop();
  await page.getByTestId("view-compositions").click();
  await page.getByTestId("new-composition").click();
  await expect(player.get("composition-name")).toHaveText("Untitled");
  await page.getByTestId("view-arrange").click();
  const playback = () => server.get<Playback>("/api/playback");
  await page.getByTestId("arm-0").click();
  await expect(page.getByTestId("arm-0")).toHaveAttribute("aria-pressed", "true");
  const armed = (await playback()).armed_track_id;
  expect(armed).not.toBeNull();

  await page.getByTestId("keys").click();
  await page.keyboard.down("d");
  await expect.poll(async () => (await playback()).active_notes).toEqual([expect.objectContaining({ track_id: armed, pitch: 64 })]);
  await page.keyboard.up("d");
  await expect.poll(async () => (await playback()).active_notes).toEqual([]);

  await page.getByTestId("count-in").selectOption("0");
  await page.getByTestId("record").click();
  await expect.poll(async () => (await playback()).is_recording).toBe(true);
  // The page knows it too: its button ends it.
  await expect(page.getByTestId("record")).toHaveAttribute("aria-pressed", "true");
  for (const key of ["a", "d", "g"]) {
    await page.keyboard.down(key);
    await expect.poll(async () => (await playback()).active_notes.length).toBe(1);
    await page.keyboard.up(key);
    await expect.poll(async () => (await playback()).active_notes.length).toBe(0);
  }
  await page.getByTestId("record").click();
  await expect.poll(async () => (await playback()).is_recording).toBe(false);
  const { items } = await server.get<{ items: { id: string; loaded: boolean }[] }>("/api/compositions?limit=100");
  const id = items.find((item) => item.loaded)?.id;
  await expect.poll(async () => (await server.get<Composition>(`/api/compositions/${id}`)).tracks[0]?.clips.map(({ notes }) => notes.map(({ pitch }) => pitch)))
    .toEqual([[60, 64, 67]]);
  // The clip is shown without anybody's asking, and undone like all else.
  await page.getByTestId("keys").click();
  await page.getByTestId("arrangement").focus();
  await expect.poll(async () => {
    await page.keyboard.press(".");
    return page.getByTestId("arrangement-said").textContent();
  }).toContain("Clip of 3 notes on Track 1");
});

test("in the browser the selected track is played by keys, and heard", async ({ page, player }) => {
  await player.get("source-browser").click();
  await expect(player.get("status")).toHaveAttribute("data-source", "local");
  await player.stop();
  await player.expectStill("meter-0");
  await page.getByTestId("keys").click();
  await page.keyboard.down("a");
  await player.expectLively("meter-0");
  await page.keyboard.up("a");
  await player.expectStill("meter-0");
});
