import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures.ts";
import type { Server } from "./server.ts";
import { sineWav } from "./wav.ts";

interface Note { start: number; length: number }
interface Composition {
  id: string;
  name: string;
  tracks: {
    name: string; audio_clips: { sample: string; length_seconds: number }[];
    clips: { start: number; notes: Note[] }[];
  }[];
}

async function loaded(server: Server): Promise<Composition> {
  const { items } = await server.get<{ items: { id: string; loaded: boolean }[] }>("/api/compositions?limit=200");
  return server.get(`/api/compositions/${items.find((item) => item.loaded)?.id}`);
}

/** Chooses an item of the menu and gives the file that is saved. */
async function save(page: Page, item: string): Promise<{ name: string; bytes: Buffer }> {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByTestId("download").click().then(() => page.getByTestId(item).click()),
  ]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

async function serverRender(server: Server, query: string): Promise<Buffer> {
  const { id } = await loaded(server);
  const response = await fetch(`${server.url}/api/compositions/${id}/render.wav?${query}`);
  expect(response.ok).toBe(true);
  return Buffer.from(await response.arrayBuffer());
}

/** Leaves two bars in which every track sounds: a server that is not optimised renders the whole piece for a minute. */
async function shorten(server: Server): Promise<void> {
  const [from, length] = [96 * 960, 8 * 960];
  const composition = await loaded(server);
  const tracks = composition.tracks.map((track) => {
    const notes = track.clips.flatMap((clip) => clip.notes.map((note) => ({ ...note, start: clip.start + note.start - from })))
      .filter((note) => note.start >= 0 && note.start + note.length <= length);
    expect(notes, track.name).not.toEqual([]);
    return { ...track, clips: [{ start: 0, length, notes }] };
  });
  await server.send("PATCH", `/api/compositions/${composition.id}`, { length, tracks });
}

const firstDifference = (a: Buffer, b: Buffer) => a.findIndex((byte, idx) => byte !== b[idx]);

test("a recording that is dropped plays on the server, and in the browser when the server is gone", async ({ page, player, server }) => {
  await player.drop("Tone.wav", "audio/wav", sineWav({ hz: 1000, seconds: 3, sampleRate: 44_100, tremolo: true }));
  await expect(player.get("composition-name")).toHaveText("Tone");
  await expect(player.get("status")).toHaveAttribute("data-source", "server");
  await expect(player.get("play")).toHaveAttribute("data-playing", "true");
  await player.expectLively("meter-0");
  const composition = await loaded(server);
  expect(composition.tracks).toMatchObject([{ name: "Tone", audio_clips: [{ length_seconds: 3 }] }]);
  const isTone = async () => {
    const { hz, db } = await player.loudestBand();
    return Math.abs(hz - 1000) < 20 && db > -12;
  };
  await expect.poll(isTone, { timeout: 30_000 }).toBe(true);

  // The same bits from the browser as from the server.
  const { name, bytes } = await save(page, "download-wav-24");
  expect(name).toBe("Tone.wav");
  const expected = await serverRender(server, "bits=24");
  expect({ length: bytes.length, difference: firstDifference(bytes, expected) }).toEqual({ length: expected.length, difference: -1 });

  await server.kill();
  await expect(player.get("server-gone")).toBeVisible();
  await player.get("continue-in-browser").click();
  await expect(player.get("status")).toHaveAttribute("data-source", "local");
  await expect(player.get("status")).toHaveAttribute("data-status", "live");
  await expect(player.get("composition-name")).toHaveText("Tone");
  await player.expectMoving();
  await player.expectLively("meter-0");
  await expect.poll(isTone, { timeout: 30_000 }).toBe(true);
  const offline = await save(page, "download-wav-16");
  expect(offline.bytes.length).toBeGreaterThan(3 * 44_100 * 4);
});

test("what is played is saved as WAV and as MIDI, from either source", async ({ page, player, server }) => {
  const midi = await save(page, "download-midi");
  expect(midi.name).toBe("Antiphon.mid");
  expect(midi.bytes.subarray(0, 4).toString()).toBe("MThd");

  // A render takes a while: it says how far it is, and can be cancelled.
  await player.get("download").click();
  await player.get("download-wav-32").click();
  await expect(player.get("download-progress")).toContainText("%");
  await player.get("download-progress").click();
  await expect(player.get("download")).toBeVisible();

  await shorten(server);
  await page.reload();
  await expect(player.get("seek")).toHaveAttribute("aria-valuemax", "8");
  await player.get("source-browser").click();
  await expect(player.get("status")).toHaveAttribute("data-source", "local");
  const { bytes } = await save(page, "download-wav-16");
  const rate = bytes.readUInt32LE(24);
  const expected = await serverRender(server, `bits=16&sample_rate=${rate}`);
  expect({ length: bytes.length, difference: firstDifference(bytes, expected) }).toEqual({ length: expected.length, difference: -1 });
});
