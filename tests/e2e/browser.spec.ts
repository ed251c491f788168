import { expect, test } from "./fixtures.ts";
import { sineWav } from "./wav.ts";

const PICTURES = ["canvas-spectrum", "canvas-waveform", "meter-master", "meter-5"];

test("when the server is killed the page says so, and plays on in the browser", async ({ player, server }) => {
  await player.playFromStart();
  await player.expectLively("canvas-spectrum");
  // By hand this time.
  await player.get("failover").click();
  await player.expectPrepared();
  await server.kill();
  await expect(player.get("server-gone")).toBeVisible();
  await expect(player.get("status")).not.toHaveAttribute("data-status", "live");

  await player.get("source-browser").click();
  await expect(player.get("status")).toHaveAttribute("data-source", "local");
  await expect(player.get("status")).toHaveAttribute("data-status", "live");
  await player.playFromStart();
  for (const canvas of PICTURES) await player.expectLively(canvas);
  await player.expectMoving();
  await expect(player.get("analytics")).toContainText("kHz");

  // The server comes back: the page notices, and returns when asked.
  await server.start();
  await player.get("server-back").getByRole("button").click();
  await expect(player.get("status")).toHaveAttribute("data-source", "server");
  await expect(player.get("status")).toHaveAttribute("data-status", "live");
  await player.playFromStart();
  for (const canvas of PICTURES) await player.expectLively(canvas);
});

test("this browser plays on by itself when the server is gone, from the same place, and gives back", async ({ player, server }) => {
  await player.expectPrepared();
  // Round and round: how long a server's loss takes to be noticed is no matter.
  await server.send("PUT", "/api/playback/loop", { enabled: true, start_beats: 68, end_beats: 76 });
  await player.playFromStart();
  await player.seek(0.5);
  const bar = async () => Number(/^\d+/.exec(await player.positionText())?.[0]);
  await expect.poll(bar).toBeGreaterThanOrEqual(18);
  await server.kill();
  await expect(player.get("status")).toHaveAttribute("data-source", "local");
  await expect(player.get("status")).toHaveAttribute("data-status", "live");
  await expect(player.get("server-gone")).toContainText("this browser plays on");
  await expect(player.get("play")).toHaveAttribute("data-playing", "true");
  expect([18, 19]).toContain(await bar());
  await player.expectMoving();
  for (const canvas of PICTURES.slice(0, 3)) await player.expectLively(canvas);

  await server.start();
  await expect(player.get("status")).toHaveAttribute("data-source", "server");
  await expect(player.get("status")).toHaveAttribute("data-status", "live");
  await expect(player.get("server-gone")).toBeHidden();
});

test("the sound of a tab is measured", async ({ page, player }) => {
  // The choice of a tab is the browser's own window; what it gives is a stream, here of a tone.
  await page.evaluate(() => {
    navigator.mediaDevices.getDisplayMedia = async () => {
      const context = new AudioContext();
      const output = context.createMediaStreamDestination();
      const tone = new OscillatorNode(context, { frequency: 1000 });
      tone.connect(output);
      tone.start();
      return output.stream;
    };
  });
  await player.get("input-tab").click();
  await expect(player.get("input-tab")).toHaveAttribute("aria-pressed", "true");
  await expect(player.get("status")).toHaveAttribute("data-source", "local");
  const isTone = async () => Math.abs((await player.loudestBand()).hz - 1000) < 20;
  await expect.poll(isTone, { timeout: 30_000 }).toBe(true);
  await player.get("input-tab").click();
  await expect(player.get("input-tab")).toHaveAttribute("aria-pressed", "false");
});

test("the browser's own transport and mixer work without a server", async ({ player, server }) => {
  await player.stop();
  await player.get("source-browser").click();
  await expect(player.get("status")).toHaveAttribute("data-source", "local");
  await expect(player.get("status")).toHaveAttribute("data-status", "live");
  await server.kill();
  await player.playFromStart();
  await player.expectMoving();

  await player.get("tempo").fill("150");
  await player.get("tempo").press("Enter");
  await expect(player.get("tempo")).toHaveValue("150");
  // The intro is celesta and pad alone: without both there is silence.
  await player.get("mute-5").click();
  await player.get("mute-6").click();
  await player.expectStill("meter-5");
  await player.get("mute-5").click();
  await player.expectLively("meter-5");
  await player.stop();
  await player.expectStill("meter-5");
  // No longer what was asked for, but what is.
  await expect(player.get("tempo")).toHaveValue("150");
});

test("a dropped audio file is measured: a tone of 1003 Hz reads that", async ({ player }) => {
  await player.get("source-browser").click();
  await expect(player.get("status")).toHaveAttribute("data-source", "local");
  await player.drop("tone.wav", "audio/wav", sineWav({ hz: 1003, seconds: 120, sampleRate: 8000 }));
  await expect(player.get("opened-file")).toContainText("tone.wav");
  await expect(player.get("status")).toHaveAttribute("data-source", "local");
  // Its period is no whole number of samples, so that the triggered waveform does not stand still.
  await player.expectLively("canvas-waveform");
  // Half of full scale.
  await expect.poll(async () => {
    const { hz, db } = await player.loudestBand();
    return hz > 980 && hz < 1020 && db > -7.5 && db < -5;
  }, { timeout: 30_000 }).toBe(true);
});

test("the microphone is measured", async ({ player }) => {
  await player.get("input-mic").click();
  await expect(player.get("input-mic")).toHaveAttribute("aria-pressed", "true");
  await expect(player.get("status")).toHaveAttribute("data-source", "local");
  // Chromium's microphone beeps once a second.
  await player.expectLively("canvas-waveform");
  await player.expectLively("canvas-spectrum");
  await player.get("input-mic").click();
  await expect(player.get("input-mic")).toHaveAttribute("aria-pressed", "false");
});

test("a file that is no audio is refused in words", async ({ player }) => {
  player.refusals = /status of 422/;
  const noSound = Buffer.from("this is no sound");
  await player.drop("notes.wav", "audio/wav", noSound);
  await expect(player.get("notices")).toContainText("notes.wav was not imported");
  await player.get("source-browser").click();
  await expect(player.get("status")).toHaveAttribute("data-source", "local");
  await player.drop("more.wav", "audio/wav", noSound);
  await expect(player.get("notices")).toContainText("more.wav is not audio");
});
