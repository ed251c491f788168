/** The arrangement, the piano roll and the mixer as a person edits in them, against the real server. */
import { expect, type Page } from "@playwright/test";
import { test } from "./fixtures.ts";
import type { Server } from "./server.ts";
import { sineWav } from "./wav.ts";

const PPQ = 960;
const HEADS_RULER = 30;
const ROW = 60;

interface Note { pitch: number; velocity: number; start: number; length: number }
interface Track {
  id: string; name: string; color: string; gain_db: number; mute: boolean; solo: boolean;
  instrument: { program: number; drums: boolean };
  sends: { bus: string; gain_db: number }[];
  clips: { id: string; start: number; length: number; notes: Note[] }[];
  audio_clips: { id: string; start: number; length_seconds: number; fade_in_seconds: number; fade_out_seconds: number }[];
}
interface Composition {
  id: string; name: string; length: number; tracks: Track[]; buses: { id: string }[];
  time_signatures: { numerator: number; denominator: number }[];
}

/** A small piece: one clip of one bar with two notes, and an empty track. */
const PIECE = {
  name: "Piece",
  length: 32 * PPQ,
  tracks: [
    {
      name: "Keys", color: "#5b8def", instrument: { program: 0 },
      clips: [{
        start: 0, length: 4 * PPQ,
        notes: [
          { pitch: 60, velocity: 100, start: 0, length: PPQ },
          { pitch: 64, velocity: 90, start: 2 * PPQ, length: PPQ },
        ],
      }],
    },
    { name: "Strings", color: "#3fae7a", instrument: { program: 48 } },
  ],
};

/** Loads the piece, and opens the arrangement on it. */
async function openPiece(page: Page, server: Server): Promise<() => Promise<Composition>> {
  const { id } = await server.send<Composition>("POST", "/api/compositions", PIECE);
  await server.send("POST", `/api/compositions/${id}/load`);
  await showPiece(page, server);
  return () => server.get<Composition>(`/api/compositions/${id}`);
}

async function showPiece(page: Page, server: Server): Promise<void> {
  await page.goto(`${server.url}/#/arrange`);
  await expect(page.getByTestId("composition-name")).toHaveText("Piece");
  await expect(page.getByTestId("track-0")).toContainText("Keys");
}

/** Where a tick of a track's row lies on the canvas. */
async function point(page: Page, tick: number, row: number): Promise<{ x: number; y: number }> {
  const canvas = page.getByTestId("arrangement");
  const zoom = Number(await canvas.getAttribute("data-zoom"));
  const box = await canvas.boundingBox();
  if (!box) throw new Error("the arrangement is not shown");
  return { x: box.x + (tick / PPQ) * zoom, y: box.y + HEADS_RULER + row * ROW + ROW / 2 };
}

async function drag(page: Page, from: { x: number; y: number }, to: { x: number; y: number }, key?: string): Promise<void> {
  await page.mouse.move(from.x, from.y);
  if (key) await page.keyboard.down(key);
  await page.mouse.down();
  await page.mouse.move((from.x + to.x) / 2, (from.y + to.y) / 2, { steps: 4 });
  await page.mouse.move(to.x, to.y, { steps: 4 });
  await page.mouse.up();
  if (key) await page.keyboard.up(key);
}

test("clips are moved, trimmed, copied and deleted by pointer, and every step is undone", async ({ page, player, server }) => {
  void player;
  const piece = await openPiece(page, server);
  const clips = async () => (await piece()).tracks.map((track) => track.clips.map(({ start, length }) => [start / PPQ, length / PPQ]));
  await expect.poll(clips).toEqual([[[0, 4]], []]);

  // To bar 3 of the other track.
  await drag(page, await point(page, PPQ, 0), await point(page, 9 * PPQ, 1));
  await expect.poll(clips).toEqual([[], [[8, 4]]]);
  // Its end, by two beats.
  const end = await point(page, 12 * PPQ, 1);
  await drag(page, { ...end, x: end.x - 3 }, await point(page, 10 * PPQ, 1));
  await expect.poll(clips).toEqual([[], [[8, 2]]]);
  // A copy, on the first track.
  await drag(page, await point(page, 9 * PPQ, 1), await point(page, 17 * PPQ, 0), "Alt");
  await expect.poll(clips).toEqual([[[16, 2]], [[8, 2]]]);
  // The copy is selected, and deleted.
  await page.keyboard.press("Delete");
  await expect.poll(clips).toEqual([[], [[8, 2]]]);

  for (const before of [[[[16, 2]], [[8, 2]]], [[], [[8, 2]]], [[], [[8, 4]]], [[[0, 4]], []]]) {
    await page.getByTestId("undo").click();
    await expect.poll(clips).toEqual(before);
  }
  await page.getByTestId("redo").click();
  await expect.poll(clips).toEqual([[], [[8, 4]]]);
  await page.keyboard.press("Control+z");
  await expect.poll(clips).toEqual([[[0, 4]], []]);
});

test("clips are edited by keyboard alone, and said", async ({ page, player, server }) => {
  void player;
  const piece = await openPiece(page, server);
  const clips = async () => (await piece()).tracks.map((track) => track.clips.map(({ start, length }) => [start / PPQ, length / PPQ]));
  await page.getByTestId("snap").selectOption("1");
  await page.getByTestId("arrangement").focus();
  await page.keyboard.press(".");
  await expect(page.getByTestId("arrangement-said")).toHaveText("Clip of 2 notes on Keys, from 001:1.00 to 002:1.00");
  await page.keyboard.press("ArrowRight");
  await expect.poll(clips).toEqual([[[1, 4]], []]);
  await page.keyboard.press("Shift+ArrowLeft");
  await expect.poll(clips).toEqual([[[1, 3]], []]);
  await page.keyboard.press("ArrowDown");
  await expect.poll(clips).toEqual([[], [[1, 3]]]);
  await page.keyboard.press("Control+d");
  await expect.poll(clips).toEqual([[], [[1, 3], [4, 3]]]);
  await page.keyboard.press("Delete");
  await expect.poll(clips).toEqual([[], [[1, 3]]]);
  // Enter makes a clip where the playhead is when none is selected.
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await expect.poll(async () => (await piece()).tracks.reduce((n, track) => n + track.clips.length, 0)).toBe(2);
});

test("notes are drawn, moved, stretched, struck harder, boxed and deleted", async ({ page, player, server }) => {
  void player;
  const piece = await openPiece(page, server);
  const notes = async () => (await piece()).tracks[0]!.clips[0]!.notes
    .map(({ pitch, start, length, velocity }) => ({ pitch, start: start / PPQ, length: length / PPQ, velocity }))
    .sort((a, b) => a.start - b.start || a.pitch - b.pitch);
  await page.getByTestId("snap").selectOption("1");
  const at = await point(page, PPQ, 0);
  await page.mouse.click(at.x, at.y);
  const roll = page.getByTestId("roll");
  await expect(page.getByTestId("roll-said")).toHaveText("2 notes, none selected");

  // By keyboard: the second note, up a semitone, a beat later, longer, louder.
  await roll.focus();
  await page.keyboard.press(".");
  await page.keyboard.press(".");
  await expect(page.getByTestId("roll-said")).toContainText("E 4");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Alt+ArrowUp");
  await expect.poll(notes).toEqual([
    { pitch: 60, start: 0, length: 1, velocity: 100 },
    { pitch: 65, start: 3, length: 1, velocity: 95 },
  ]);
  await page.keyboard.press("Shift+ArrowRight");
  await expect.poll(async () => (await notes())[1]?.length).toBe(2);
  await page.keyboard.press("Delete");
  await expect.poll(notes).toEqual([{ pitch: 60, start: 0, length: 1, velocity: 100 }]);

  // By pointer: draws on the row of the note that is there, two beats on.
  await page.getByTestId("draw").click();
  const box = await roll.boundingBox();
  if (!box) throw new Error("no roll");
  // The roll opens with its notes in the middle between ruler and velocities: here 62, two rows above 60.
  const beat = 64;
  const x = (beats: number) => box.x + 54 + beats * beat;
  const first = await rowOfNote(page, x(0.5), box);
  await drag(page, { x: x(2.1), y: first }, { x: x(2.9), y: first });
  await expect.poll(async () => (await notes()).map(({ pitch, start }) => [pitch, start])).toEqual([[60, 0], [60, 2]]);
  // Both by a box, and away.
  await page.getByTestId("draw").click();
  await drag(page, { x: x(3.6), y: first + 30 }, { x: x(0.2), y: first - 30 });
  await expect(page.getByTestId("roll-said")).toContainText("2 notes, the first");
  await page.keyboard.press("Delete");
  await expect.poll(notes).toEqual([]);
  await page.keyboard.press("Control+z");
  await expect.poll(async () => (await notes()).length).toBe(2);
});

/** Where, from top to bottom, the pointer finds a note: it changes its shape there. */
async function rowOfNote(page: Page, x: number, box: { y: number; height: number }): Promise<number> {
  for (let y = box.y + 24; y < box.y + box.height - 60; y += 4) {
    await page.mouse.move(x, y);
    if ((await page.getByTestId("roll").evaluate((canvas) => canvas.style.cursor)) === "grab") return y + 3;
  }
  throw new Error("no note under this column");
}

test("tracks are added, named, coloured, given an instrument and a send, and deleted with a way back", async ({ page, player, server }) => {
  void player;
  const piece = await openPiece(page, server);
  await page.getByTestId("add-track").click();
  await expect.poll(async () => (await piece()).tracks.map(({ name }) => name)).toEqual(["Keys", "Strings", "Track 3"]);
  await page.getByTestId("track-menu-2").click();
  await page.getByTestId("track-name").fill("Bells");
  await page.getByTestId("track-name").press("Enter");
  await page.getByRole("button", { name: "Colour 4" }).click();
  await page.getByTestId("track-instrument").selectOption({ label: "Tubular bells" });
  await page.getByTestId("add-reverb").click();
  await expect.poll(async () => {
    const { tracks, buses } = await piece();
    const [, , bells] = tracks;
    return { name: bells?.name, color: bells?.color, program: bells?.instrument.program, send: bells?.sends[0]?.bus === buses[0]?.id && bells?.sends[0]?.gain_db };
  }).toEqual({ name: "Bells", color: "#d9607c", program: 14, send: -12 });
  await page.getByTestId("track-delete").click();
  await expect.poll(async () => (await piece()).tracks.length).toBe(2);
  await page.getByTestId("notices").getByRole("button", { name: "Undo" }).click();
  await expect.poll(async () => (await piece()).tracks.map(({ name }) => name)).toEqual(["Keys", "Strings", "Bells"]);
  // The selected track, by letters.
  await page.getByTestId("track-1").getByRole("button", { name: "Strings", exact: true }).click();
  await page.keyboard.press("m");
  await expect.poll(async () => (await piece()).tracks[1]?.mute).toBe(true);
  await page.keyboard.press("s");
  await expect.poll(async () => (await piece()).tracks[1]?.solo).toBe(true);
});

test("a recording is dropped onto a track as a clip, faded and split, and the signature is changed", async ({ page, player, server }) => {
  const piece = await openPiece(page, server);
  const { x, y } = await point(page, 8 * PPQ, 1);
  await player.drop("Tone.wav", "audio/wav", sineWav({ hz: 440, seconds: 2 }), { x, y });
  await expect.poll(async () => (await piece()).tracks[1]?.audio_clips.map(({ start, length_seconds }) => [start / PPQ, length_seconds])).toEqual([[8, 2]]);

  // Its fades, by the handles in its upper corners and by keys; then it is cut in two where the playhead stands.
  const fades = async () => (await piece()).tracks[1]!.audio_clips.map((clip) => [clip.fade_in_seconds, clip.fade_out_seconds]);
  const corner = await point(page, 8 * PPQ, 1);
  const top = corner.y - ROW / 2 + 8;
  const inside = await point(page, 9 * PPQ, 1);
  await drag(page, { x: corner.x + 8, y: top }, { x: inside.x, y: top });
  await expect.poll(fades).toEqual([[expect.closeTo(0.5, 1), 0]]);
  await page.getByTestId("arrangement").focus();
  await page.keyboard.press("o");
  await expect.poll(fades).toEqual([[expect.closeTo(0.5, 1), expect.closeTo(0.1, 6)]]);
  await player.stop();
  const ruler = await page.getByTestId("arrangement").boundingBox();
  await page.mouse.click((await point(page, 10 * PPQ, 1)).x, ruler!.y + 22);
  await expect(page.getByTestId("position")).toContainText("003:3.00");
  await page.getByTestId("split").click();
  const parts = async () => (await piece()).tracks[1]!.audio_clips.map(({ start, length_seconds }) => [start / PPQ, length_seconds]);
  await expect.poll(parts).toEqual([[8, expect.closeTo(1, 3)], [10, expect.closeTo(1, 3)]]);
  await expect.poll(fades).toEqual([[expect.closeTo(0.5, 1), 0], [0, expect.closeTo(0.1, 6)]]);
  await page.getByTestId("undo").click();
  await expect.poll(parts).toEqual([[8, 2]]);

  await page.getByTestId("signature").click();
  await page.getByTestId("signature-beats").fill("3");
  await page.getByTestId("signature-beats").press("Enter");
  await expect.poll(async () => (await piece()).time_signatures[0]?.numerator).toBe(3);
  await expect(page.getByTestId("signature")).toHaveText("3/4");
});

test("two browsers stay in step, and a reload finds view, zoom and selection again", async ({ page, player, server, browser }) => {
  void player;
  const piece = await openPiece(page, server);
  const other = await (await browser.newContext()).newPage();
  await showPiece(other, server);
  await page.getByTestId("add-track").click();
  await expect(other.getByTestId("track-2")).toContainText("Track 3");
  await other.getByTestId("track-menu-2").click();
  await other.getByTestId("track-name").fill("Theirs");
  await other.getByTestId("track-name").press("Enter");
  await expect(page.getByTestId("track-2")).toContainText("Theirs");
  // Both change the same piece at once: neither change is lost.
  await other.getByRole("button", { name: "Close" }).click();
  await Promise.all([
    page.getByTestId("add-track").click(),
    other.getByTestId("track-0").getByRole("button", { name: "Mute Keys" }).click(),
  ]);
  await expect.poll(async () => (await piece()).tracks.map(({ mute }) => mute)).toEqual([true, false, false, false]);
  await expect(other.getByTestId("track-3")).toBeVisible();
  await expect(page.getByRole("button", { name: "Mute Keys" })).toHaveAttribute("aria-pressed", "true");

  const arrangement = page.getByTestId("arrangement");
  const before = (await arrangement.getAttribute("data-zoom")) ?? "";
  await page.getByTestId("zoom-in-arrangeZoom").click();
  await expect(arrangement).not.toHaveAttribute("data-zoom", before);
  const zoom = (await arrangement.getAttribute("data-zoom")) ?? "";
  await page.getByTestId("track-1").getByRole("button", { name: "Strings", exact: true }).click();
  await page.goto(server.url);
  await expect(arrangement).toHaveAttribute("data-zoom", zoom);
  await expect(page.getByTestId("track-1")).toHaveAttribute("data-selected", "true");
  await other.context().close();
});

test("a fader that keys move loses no step on a slow connection", async ({ page, player, server }) => {
  void player;
  const piece = await openPiece(page, server);
  await page.route("**/api/mixer/**", async (route) => {
    await new Promise((done) => setTimeout(done, 150));
    await route.continue();
  });
  await page.goto(`${server.url}/#/live`);
  const fader = page.getByRole("slider", { name: "Keys gain" });
  await fader.focus();
  const seen = [];
  for (let n = 1; n <= 20; n += 1) {
    await page.keyboard.press("ArrowUp");
    seen.push(await fader.getAttribute("aria-valuetext"));
  }
  expect(seen).toEqual(seen.map((_, n) => `+${((n + 1) / 2).toFixed(1)} decibels`));
  await expect.poll(async () => (await piece()).tracks[0]?.gain_db).toBe(10);
});

test("in the browser's own mode everything is edited without a server, and kept", async ({ page, player, server }) => {
  await openPiece(page, server);
  await player.get("source-browser").click();
  await expect(player.get("status")).toHaveAttribute("data-source", "local");
  await server.kill();
  await page.getByTestId("add-track").click();
  await expect(page.getByTestId("track-2")).toContainText("Track 3");
  await page.getByTestId("arrangement").focus();
  await page.keyboard.press(".");
  await page.keyboard.press("Control+d");
  await expect(page.getByTestId("arrangement-said")).toContainText("from 002:1.00 to 003:1.00");
  await expect(player.get("play")).toHaveAttribute("data-playing", "false");
  await player.get("play").click();
  await player.expectMoving();
  await page.getByTestId("undo").click();
  await page.getByTestId("undo").click();
  await expect(page.getByTestId("track-2")).toBeHidden();
  await page.getByTestId("redo").click();
  await expect(page.getByTestId("track-2")).toBeVisible();
  await player.expectMoving();
  await page.getByTestId("view-compositions").click();
  await expect(page.getByTestId("composition-row").filter({ hasText: "Piece" })).toContainText("3 tracks");
});

test("a clip that somebody moves to another track at that moment is moved all the same; undoing past the first step leads nowhere", async ({ page, player, server }) => {
  // What somebody else was quicker with, and the step too many.
  player.refusals = /404|409/;
  const piece = await openPiece(page, server);
  const begun = (await piece()).tracks.map(({ clips }) => clips);
  await page.getByTestId("arrangement").focus();
  await page.keyboard.press(".");
  await expect(page.getByTestId("arrangement-said")).toContainText("Clip of 2 notes on Keys");
  const { id, tracks: [keys, strings] } = await piece();
  const tracks = [{ ...keys, clips: [] }, { ...strings, clips: keys!.clips }];
  // Somebody else's request goes out just before the page's own.
  await page.evaluate(({ url, body }) => {
    const send = window.fetch;
    window.fetch = async (...args) => {
      const [request, init] = args;
      if ((request instanceof Request ? request.method : init?.method) !== "PUT") return send(...args);
      window.fetch = send;
      await send(url, { method: "PATCH", headers: { "content-type": "application/json" }, body });
      return send(...args);
    };
  }, { url: `/api/compositions/${id}`, body: JSON.stringify({ tracks }) });
  await page.keyboard.press("ArrowRight");
  const starts = async () => (await piece()).tracks.map(({ clips }) => clips.map(({ start }) => start));
  await expect.poll(starts).toEqual([[], [PPQ / 4]]);
  await expect(page.getByTestId("arrangement-said")).toContainText("Clip of 2 notes on Strings, from 001:1.25");
  for (let i = 0; i < 8; i += 1) await page.keyboard.press("Control+z");
  await expect.poll(async () => (await piece()).tracks.map(({ clips }) => clips)).toEqual(begun);
  await expect(page.getByTestId("undo")).toHaveAttribute("aria-disabled", "true");
  await expect(page.getByTestId("arrangement-said")).toContainText("Clip of 2 notes on Keys, from 001:1.00");
  await expect(page.getByTestId("notices")).toBeEmpty();
});

test("only the last step is offered to be taken back", async ({ page, player, server }) => {
  void player;
  const piece = await openPiece(page, server);
  for (const name of ["Keys", "Strings"]) {
    await page.getByTestId("track-menu-0").click();
    await page.getByTestId("track-delete").click();
    await expect(page.getByTestId("notices")).toHaveText(new RegExp(`^${name} was deleted`));
  }
  await expect(page.getByText("There is no track yet")).toBeVisible();
  await page.getByTestId("notices").getByRole("button", { name: "Undo" }).click();
  await expect.poll(async () => (await piece()).tracks.map(({ name }) => name)).toEqual(["Strings"]);
  await expect(page.getByTestId("notices")).toBeEmpty();
});
