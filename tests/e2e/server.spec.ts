import { expect, test } from "./fixtures.ts";

interface Playback {
  is_playing: boolean;
  is_paused: boolean;
  position_beats: number;
  tempo: number;
  loop_enabled: boolean;
  loop_start: number;
  loop_end: number;
  metronome_enabled: boolean;
}
interface Channel {
  id: string;
  gain_db: number;
  pan: number;
  mute: boolean;
  solo: boolean;
}
interface Mixer {
  channels: Channel[];
  master: { gain_db: number };
}

/** Of the bundled composition. */
const N_TRACKS = 8;
const N_BEATS = 136;
/** Beats of the tutti, in which every track sounds. */
const TUTTI = { start_beats: 96, end_beats: 128 };

test("plays: spectrum, waveform and every meter move, and rest when it stops", async ({ player, server }) => {
  await player.stop();
  for (const canvas of ["canvas-spectrum", "canvas-waveform", "meter-master"]) await player.expectStill(canvas);
  await server.send("PUT", "/api/playback/loop", { enabled: true, ...TUTTI });
  await player.get("play").click();
  await player.seek((TUTTI.start_beats + 2) / N_BEATS);
  for (const canvas of ["canvas-spectrum", "canvas-waveform", "meter-master"]) await player.expectLively(canvas);
  for (let idx = 0; idx < N_TRACKS; idx += 1) await player.expectLively(`meter-${idx}`);
  await player.expectMoving();
  await expect(player.get("analytics")).toContainText("48 kHz");
});

test.describe("without the worker", () => {
  // It would have the file.
  test.use({ serviceWorkers: "block" });

  test("whose file does not come, pictures are drawn all the same", async ({ page, player }) => {
    player.refusals = /ERR_FAILED/;
    await page.route(/\/assets\/worker-[^/]*\.js$/, (route) => route.abort());
    const refused = page.waitForEvent("requestfailed", (request) => /\/worker-/.test(request.url()));
    await page.reload();
    await refused;
    await player.playFromStart();
    for (const canvas of ["canvas-spectrum", "position-drawn"]) await player.expectLively(canvas);
    // A canvas of a worker has no context here.
    const isDrawnHere = player.get("canvas-spectrum").evaluate((canvas) => (canvas as HTMLCanvasElement).getContext("2d") !== null);
    expect(await isDrawnHere).toBe(true);
  });
});

test("one socket to each of the five endpoints, each delivering", async ({ page, server }) => {
  const received = new Map<string, number>();
  page.on("websocket", (socket) => {
    const { pathname } = new URL(socket.url());
    socket.on("framereceived", ({ payload }) => {
      // Control messages are text; frames are binary.
      if (typeof payload !== "string") received.set(pathname, (received.get(pathname) ?? 0) + 1);
    });
  });
  await page.goto(server.url);
  for (const topic of ["transport", "spectrum", "waveform", "meters", "analytics"]) {
    await expect.poll(() => received.get(`/api/ws/${topic}`) ?? 0, { message: topic }).toBeGreaterThan(2);
  }
});

test("transport commands reach the server", async ({ player, server }) => {
  const playback = () => server.get<Playback>("/api/playback");
  await player.playFromStart();
  await expect.poll(async () => (await playback()).position_beats).toBeGreaterThan(0.5);

  await player.get("play").click();
  await expect.poll(async () => (await playback()).is_playing).toBe(false);
  await player.stop();
  await expect.poll(async () => (await playback()).position_beats).toBe(0);

  await player.seek(0.5);
  await expect.poll(async () => (await playback()).position_beats).toBeGreaterThan(N_BEATS / 2 - 3);
  expect((await playback()).position_beats).toBeLessThan(N_BEATS / 2 + 3);

  await player.get("tempo").fill("137");
  await player.get("tempo").press("Enter");
  await expect.poll(async () => (await playback()).tempo).toBeCloseTo(137, 3);

  await player.get("loop-end").fill("16");
  await player.get("loop-end").press("Enter");
  await player.get("loop-start").fill("8");
  await player.get("loop-start").press("Enter");
  if ((await player.get("loop").getAttribute("aria-pressed")) !== "true") await player.get("loop").click();
  await expect
    .poll(async () => {
      const { loop_enabled, loop_start, loop_end } = await playback();
      return { loop_enabled, loop_start, loop_end };
    })
    .toEqual({ loop_enabled: true, loop_start: 8, loop_end: 16 });

  await player.get("metronome").click();
  await expect.poll(async () => (await playback()).metronome_enabled).toBe(true);
});

test("the tempo loses no step of a key on a slow connection", async ({ page, player, server }) => {
  await page.route("**/api/playback/tempo", async (route) => {
    await new Promise((done) => setTimeout(done, 300));
    await route.continue();
  });
  const tempo = player.get("tempo");
  for (const bpm of ["93", "94", "95"]) {
    await tempo.press("ArrowUp");
    await expect(tempo).toHaveValue(bpm);
  }
  await expect.poll(async () => (await server.get<Playback>("/api/playback")).tempo).toBeCloseTo(95, 3);
});

test("a loop is played round", async ({ player, server }) => {
  await player.stop();
  await server.send("PUT", "/api/playback/loop", { enabled: true, start_beats: 4, end_beats: 5 });
  await player.seek(4 / N_BEATS);
  await player.get("play").click();
  let before = -1;
  let nWraps = 0;
  await expect
    .poll(
      async () => {
        const { position_beats } = await server.get<Playback>("/api/playback");
        expect(position_beats).toBeLessThan(5);
        if (position_beats < before) nWraps += 1;
        before = position_beats;
        return nWraps;
      },
      { intervals: [100] },
    )
    .toBeGreaterThan(2);
});

test("mixer commands reach the server, and are heard", async ({ page, player, server }) => {
  const mixer = () => server.get<Mixer>("/api/mixer");
  const channel = async (idx: number) => (await mixer()).channels[idx];
  const before = await mixer();
  expect(before.channels).toHaveLength(N_TRACKS);

  await player.get("mute-1").click();
  await expect.poll(async () => (await channel(1))?.mute).toBe(true);
  await player.get("solo-4").click();
  await expect.poll(async () => (await channel(4))?.solo).toBe(true);

  const gain = page.getByRole("slider", { name: "Left choir gain" });
  await gain.focus();
  await gain.press("PageDown");
  await expect.poll(async () => (await channel(0))?.gain_db).toBeCloseTo((before.channels[0]?.gain_db ?? 0) - 3, 1);
  const pan = page.getByRole("slider", { name: "Bass pan" });
  await pan.focus();
  await pan.press("Home");
  await expect.poll(async () => (await channel(4))?.pan).toBeCloseTo(-1, 2);
  const master = page.getByRole("slider", { name: "Master gain" });
  await master.focus();
  await master.press("PageDown");
  await expect.poll(async () => (await mixer()).master.gain_db).toBeCloseTo(-3, 1);

  // Only the bass is left, on the left: the other strips' meters rest while its own moves.
  await server.send("PUT", "/api/playback/loop", { enabled: true, ...TUTTI });
  await player.playFromStart();
  await player.seek((TUTTI.start_beats + 2) / N_BEATS);
  await player.expectLively("meter-4");
  await player.expectStill("meter-1");
  await player.get("solo-4").click();
  await player.get("mute-1").click();
  await player.expectLively("meter-1");
});

test("what another client changes is shown", async ({ page, player, server }) => {
  await player.playFromStart();
  await server.send("PUT", "/api/playback/tempo", { bpm: 66 });
  await expect(player.get("tempo")).toHaveValue("66");
  await server.send("POST", "/api/playback/stop");
  await expect(player.get("play")).toHaveAttribute("data-playing", "false");
  await expect(page.getByTestId("status")).toHaveAttribute("data-status", "live");
});
