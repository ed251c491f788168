/** The analysis view, against tones whose measurements are known beforehand. */
import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { expect, test } from "./fixtures.ts";
import type { Player } from "./player.ts";
import { sineWav } from "./wav.ts";

/** A sine of amplitude 0.5 on both channels. */
const DB = -6.02;
/** EBU Tech 3341: a stereo sine of 1 kHz reads its peak in dBFS as LUFS. */
const LUFS = DB;

/** Plays a tone on the server, and opens the analysis view. */
async function playTone(player: Player, { hz = 1000, tremolo = false } = {}): Promise<void> {
  // What plays until then may be louder, and is not to be measured.
  await player.stop();
  await player.drop("Tone.wav", "audio/wav", sineWav({ hz, seconds: 4, tremolo }));
  await expect(player.get("composition-name")).toHaveText("Tone");
  await player.get("view-analysis").click();
  await expect(player.get("spectrogram")).toBeVisible();
}

const numberIn = (text: string | null) => Number((text ?? "").replace("\u2212", "-").match(/-?[\d.]+/)?.[0] ?? Number.NaN);

/** The number beside a label. */
const reading = (player: Player, list: string, label: string) => async () =>
  numberIn(await player.get(list).locator("div", { has: player.page.getByText(label, { exact: true }) }).locator("dd").textContent());

async function save(page: Page, testId: string): Promise<{ name: string; bytes: Buffer }> {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId(testId).click()]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

test("panels are shown and hidden, stay so, and hidden ones are not measured", async ({ page, player }) => {
  const sockets = new Map<string, number>();
  page.on("websocket", (socket) => {
    const topic = new URL(socket.url()).pathname.split("/").pop() ?? "";
    sockets.set(topic, (sockets.get(topic) ?? 0) + 1);
    socket.on("close", () => sockets.set(topic, (sockets.get(topic) ?? 0) - 1));
  });
  await player.get("view-analysis").click();
  await expect.poll(() => sockets.get("stereo")).toBe(1);
  await player.get("panel-stereo").click();
  await expect(player.get("goniometer")).toHaveCount(0);
  await expect.poll(() => sockets.get("stereo")).toBe(0);
  await player.get("scale").selectOption("mel");
  await page.reload();
  await expect(player.get("spectrogram")).toBeVisible();
  await expect(player.get("panel-stereo")).toHaveAttribute("aria-pressed", "false");
  await expect(player.get("goniometer")).toHaveCount(0);
  await expect(player.get("scale")).toHaveValue("mel");
  await player.get("panel-stereo").click();
  await expect(player.get("goniometer")).toBeVisible();
});

test("the spectrum reads a tone on every scale, whatever the slope", async ({ player }) => {
  await playTone(player);
  for (const scale of ["log", "linear", "octave", "mel", "bark"]) {
    await player.get("scale").selectOption(scale);
    // A band of a third of an octave is as wide as from 891 to 1122 Hz; two pixels of the linear scale are 50 Hz.
    await expect.poll(async () => {
      const { hz, db } = await player.loudestBand();
      return Math.abs(hz - 1000) < (scale === "octave" ? 125 : 60) && Math.abs(db - DB) < 1;
    }, { message: scale, timeout: 30_000 }).toBe(true);
  }
  await player.get("scale").selectOption("log");
  await player.get("slope").selectOption("6");
  await expect.poll(async () => Math.abs((await player.loudestBand()).db - DB), { timeout: 30_000 }).toBeLessThan(1);
  const held = () => player.get("canvas-spectrum").evaluate((element) => {
    const { clientWidth: width, clientHeight: height } = element;
    const color = getComputedStyle(document.documentElement).getPropertyValue("--meter-hold").trim();
    const wanted = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
    // A copy of what is shown: the canvas itself is a worker's.
    const copy = new OffscreenCanvas(width, height).getContext("2d")!;
    copy.drawImage(element as HTMLCanvasElement, 0, 0, width, height);
    // Above −60 dB at 1 kHz, beside the lines of the grid.
    const { data } = copy.getImageData(width * 0.565, height * 0.1, width * 0.02, height * 0.4);
    const isHeld = (_: unknown, at: number) => data[4 * at + 3]! > 0 && wanted.every((value, idx) => Math.abs(data[4 * at + idx]! - value) < 16);
    return Array.from({ length: data.length / 4 }).filter(isHeld).length;
  });
  expect(await held()).toBe(0);
  await player.get("hold").selectOption("3600000");
  await expect.poll(held).toBeGreaterThan(0);
  await player.stop();
  // The curve falls; the held one stays.
  await player.expectStill("canvas-spectrum");
  expect(await held()).toBeGreaterThan(0);
  await player.get("hold").selectOption("0");
  await expect.poll(held).toBe(0);
});

test("loudness by the standard, its target, its highest values and their reset", async ({ player }) => {
  await playTone(player);
  await expect.poll(reading(player, "loudness", "Short-term")).toBeCloseTo(LUFS, 0);
  await expect.poll(reading(player, "loudness", "Max. momentary")).toBeCloseTo(LUFS, 0);
  await expect.poll(reading(player, "loudness", "Max. true peak")).toBeCloseTo(DB, 0);
  await player.expectLively("canvas-loudness");
  const integrated = reading(player, "loudness", "Integrated");
  const toTarget = async () => numberIn(await player.get("to-target").textContent());
  await expect.poll(async () => Math.abs((await toTarget()) - (await integrated()) - 23)).toBeLessThan(0.3);
  await player.get("target").selectOption("-14");
  await expect.poll(async () => Math.abs((await toTarget()) - (await integrated()) - 14)).toBeLessThan(0.3);
  await player.stop();
  await expect(player.get("loudness")).toContainText("Momentary\u2212∞");
  // Another view is no other sound.
  await player.get("view-live").click();
  await player.get("view-analysis").click();
  await expect(player.get("loudness")).toContainText("Momentary\u2212∞");
  expect(await reading(player, "loudness", "Max. momentary")()).toBeCloseTo(LUFS, 0);
  await player.get("loudness-reset").click();
  await expect(player.get("loudness")).toContainText("Max. momentary\u2212∞");
  await expect(player.get("loudness")).toContainText("Watched0:0");
  // Not only here: the engine's own begins anew.
  await expect(player.get("loudness")).toContainText("Integrated\u2212∞");
});

test("meters move as their ballistics say: a steady tone reads the same on all scales but their zeros", async ({ page, player }) => {
  await playTone(player);
  const level = page.getByRole("meter", { name: "Level of master" });
  for (const [ballistics, db] of [["peak", DB], ["ppm1", DB], ["ppm2", DB], ["vu", DB], ["k12", DB + 12], ["k20", DB + 20]] as const) {
    await player.get("ballistics").selectOption(ballistics);
    await expect.poll(async () => Math.abs(numberIn(await level.getAttribute("aria-valuetext")) - db), ballistics).toBeLessThan(0.3);
  }
});

test("a tone on both channels is mono; its pitch has a name; the engine tells of itself", async ({ page, player }) => {
  await playTone(player, { hz: 440, tremolo: true });
  await expect(page.getByRole("meter", { name: "Stereo image, master" })).toHaveAttribute("aria-valuetext", /correlation 1\.00, balance 0\.00/);
  await player.get("waveform-mode").selectOption("overview");
  await player.expectLively("canvas-waveform");
  // What is out of sight is not measured.
  await player.get("music").scrollIntoViewIfNeeded();
  await expect(player.get("pitch")).toHaveText(/^A4( [+\u2212][1-5])?, 440 Hz$/);
  await player.get("analytics").scrollIntoViewIfNeeded();
  await expect(player.get("analytics")).toContainText("48 kHz");
});

test("triggers tell when a loudness is reached and when it falls silent", async ({ player }) => {
  await player.stop();
  await player.get("view-analysis").click();
  await player.get("trigger-lufs").selectOption("-40");
  await player.get("trigger-loudness").check();
  await player.get("trigger-silence").check();
  await player.get("triggers-seconds").selectOption("1");
  await player.playFromStart();
  await expect(player.get("trigger-log")).toContainText(/Short-term loudness of Master reached \u221240\.0 LUFS at [\d:.]+: \u2212[\d.]+ LUFS/);
  await expect(player.get("notices")).toContainText("Short-term loudness of Master reached");
  // Wherever one is.
  await player.get("view-live").click();
  await player.stop();
  await expect(player.get("notices")).toContainText("Master is silent since 1 s");
  await player.get("view-analysis").click();
  await expect(player.get("trigger-log").getByRole("listitem").first()).toContainText("Master is silent since 1 s");
  await player.get("trigger-clip").check();
  await player.get("trigger-loudness").uncheck();
});

test("the flight recorder shows moments of the past; a saved file shows the same", async ({ page, player }) => {
  await playTone(player);
  await expect.poll(reading(player, "loudness", "Short-term")).toBeCloseTo(LUFS, 0);
  await player.get("recorder-load").click();
  const momentary = reading(player, "recorder-moment", "Momentary");
  await expect.poll(momentary).toBeCloseTo(LUFS, 0);
  const slider = player.get("recorder-slider");
  await slider.focus();
  // The start: before the tone.
  await slider.press("Home");
  await expect(player.get("recorder-ago")).not.toHaveText("\u22120:00.000");
  const then = await player.get("recorder-moment").textContent();
  expect(await momentary()).not.toBeCloseTo(LUFS, 0);
  const { name, bytes } = await save(page, "recorder-save");
  expect(name).toBe("The server recording.antiphon");
  await player.get("recorder-file").setInputFiles({ name: "flight", mimeType: "application/octet-stream", buffer: bytes });
  await expect(player.get("recorder-moment")).toContainText("flight");
  await slider.focus();
  await slider.press("Home");
  await expect(player.get("recorder-moment")).toHaveText(then!.replace("The server", "flight"));
  await player.get("recorder-file").setInputFiles({ name: "no flight", mimeType: "text/plain", buffer: Buffer.from("hello") });
  await expect(player.get("notices")).toContainText("The recording of no flight did not open");
});

test("all of it in this browser too, the recorder once it is started", async ({ page, player }) => {
  await player.get("source-browser").click();
  await expect(player.get("status")).toHaveAttribute("data-source", "local");
  await player.playFromStart();
  await player.get("view-analysis").click();
  for (const name of ["Spectrogram, master", "Stereo image, master", "Level of master"]) {
    await expect(page.getByRole("meter", { name })).toHaveAttribute("aria-valuetext", /\d/);
  }
  await player.get("recorder-record").click();
  await expect(player.get("recorder-record")).toHaveAttribute("aria-pressed", "true");
  await player.get("trigger-lufs").selectOption("-40");
  await player.get("trigger-loudness").check();
  await player.get("hold").selectOption("3000");
  await expect(player.get("trigger-log")).toContainText("Short-term loudness of Master reached");
  await player.get("recorder-load").click();
  await expect(player.get("recorder-moment")).toContainText("This browser");
  await expect.poll(reading(player, "recorder-moment", "Momentary")).toBeGreaterThan(-60);
  // Four streams of one tap are all that a worklet carries: none was refused.
  await expect(player.get("notices")).not.toContainText("refused");
});

test("several files make a report of each, as JSON, CSV and a picture", async ({ page, player }) => {
  const tone = (name: string, amplitude: number) =>
    ({ name, type: "audio/wav", bytes: sineWav({ hz: 1000, seconds: 3, amplitude }) });
  await player.dropAll([
    tone("loud.wav", 0.5), tone("quiet.wav", 0.05), { name: "none.wav", type: "audio/wav", bytes: Buffer.from("not audio") },
    { name: "empty.wav", type: "audio/wav", bytes: new Uint8Array() },
  ]);
  const rows = player.get("batch").getByRole("row");
  await expect(rows).toHaveCount(5);
  await expect(rows.nth(1)).toContainText("\u22126.0");
  await expect(rows.nth(2)).toContainText("\u221226.0");
  await expect(rows.nth(3)).toContainText(/audio|format/i);
  await expect(rows.nth(4)).toContainText("the file is empty");

  const csv = await save(page, "batch-csv");
  const [head, loud, quiet, none] = csv.bytes.toString().split("\r\n").map((line) => line.split(","));
  expect(csv.name).toBe("Batch report.csv");
  const column = head!.indexOf("integrated_lufs");
  expect(Number(loud![column])).toBeCloseTo(LUFS, 1);
  expect(Number(quiet![column])).toBeCloseTo(LUFS - 20, 1);
  expect(none![column]).toBe("");

  const json = JSON.parse((await save(page, "batch-json")).bytes.toString()) as { file: string; loudness?: { integrated: number } }[];
  expect(json.map(({ file }) => file)).toEqual(["loud.wav", "quiet.wav", "none.wav", "empty.wav"]);
  expect(json[0]?.loudness?.integrated).toBeCloseTo(Number(loud![column]), 2);

  const png = (await save(page, "batch-png")).bytes;
  expect(png.subarray(1, 4).toString()).toBe("PNG");
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([2400, 2 * (16 + 4 * 96)]);
  await player.get("batch-close").click();
  await expect(player.get("batch")).toHaveCount(0);
  // The dialogue takes several, too.
  const chosen = [tone("a.wav", 0.5), tone("b.wav", 0.5)].map(({ name, type, bytes }) => ({ name, mimeType: type, buffer: Buffer.from(bytes) }));
  await player.get("input-file").setInputFiles(chosen);
  await expect(rows).toHaveCount(3);
  await expect(rows.nth(2)).toContainText("\u22126.0");
});
