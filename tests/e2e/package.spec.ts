/** The package's sources in a browser: what holds for a server holds for this browser's engine, and one hears the other. */
import type { Page } from "@playwright/test";
import type * as Antiphon from "antiphon";
import type * as Rest from "antiphon/rest";
import { expect } from "./fixtures.ts";
import { test } from "./package.ts";

type Modules = typeof Antiphon & typeof Rest;

/** What a case learned of a source, as JSON. */
type Findings = Record<string, unknown>;

/** Runs the same calls against a server and against the page's own engine. */
async function examine(page: Page, host: string, server: string | null): Promise<Findings> {
  await page.goto(host);
  return page.evaluate(async ({ host, server }) => {
    const { connect, createLocalSource, createRestClient } = {
      ...(await import(`${host}/index.js`)), ...(await import(`${host}/rest.js`)),
    } as Modules;
    // One beat of A4 at 120 bpm in one track: a minimal Standard MIDI File.
    const midi = new Uint8Array([
      ...[0x4d, 0x54, 0x68, 0x64, 0, 0, 0, 6, 0, 0, 0, 1, 0, 96],
      ...[0x4d, 0x54, 0x72, 0x6b, 0, 0, 0, 12, 0, 0x90, 69, 100, 96, 0x80, 69, 0, 0, 0xff, 0x2f, 0],
    ]);
    const local = server === null ? await createLocalSource(new AudioContext({ sampleRate: 48_000 })) : null;
    const rest = server === null ? null : createRestClient(server);
    const source = local ?? connect(server ?? "");
    await local?.resume();
    const until = async (holds: () => boolean) => {
      while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    await until(() => source.status === "live");

    const loaded = local ? await local.load(midi, "One beat") : await rest!.compositions.importMidi(midi, "One beat");
    await rest?.compositions.load(loaded.id);
    const { playback, mixer } = (local ?? rest)!;
    const revisions = local ? local.revisions : rest!.compositions;
    const found: Record<string, unknown> = {};
    const names = (value: object) => Object.keys(value).sort();
    const refused = (call: Promise<unknown>) => call.then(
      () => "not refused",
      (error: Antiphon.AntiphonError) => ({ code: error.code, hasMessage: error.message.length > 5, isError: error instanceof Error }),
    );

    await playback.setLoop({ enabled: true, start_beats: 0, end_beats: 1 });
    const states = [
      await playback.play(), await playback.pause(), await playback.resume(), await playback.stop(),
      await playback.seek({ position_beats: 0.5 }), await playback.setTempo({ bpm: 90 }), await playback.setMetronome({ enabled: true }),
      await playback.setMetronome({ enabled: false }), await playback.get(),
    ];
    found["states"] = states.map(({ is_playing, is_paused, tempo, loop_enabled, loop_start, loop_end, metronome_enabled }) => (
      { is_playing, is_paused, tempo, loop_enabled, loop_start, loop_end, metronome_enabled }));
    found["seek"] = states.at(-1)!.position_beats;
    found["state"] = names(states[0]!);

    const [channel] = (await mixer.get()).channels;
    found["channel"] = names(channel!);
    const { id, gain_db, pan, mute } = await mixer.patchChannel(channel!.id, { gain_db: -6, pan: 0.5 });
    found["patched"] = { isIt: id === channel!.id, gain_db, pan, mute };
    found["muted"] = (await mixer.patchChannel(channel!.id, { mute: true })).mute;
    found["master"] = await mixer.patchMaster({ gain_db: -3 });

    const history = await revisions.history(loaded.id, { limit: 3 });
    found["history"] = {
      labels: history.items.map(({ label }) => label), current: history.items.map(({ current }) => current),
      can_undo: history.can_undo, can_redo: history.can_redo, hasMore: history.next_cursor !== undefined, step: names(history.items[0]!),
    };
    const undone = await revisions.undo(loaded.id);
    found["undone"] = [undone.master.gain_db, (await mixer.get()).master.gain_db];
    await revisions.undo(loaded.id);
    found["unmuted"] = (await mixer.get()).channels[0]!.mute;
    const redone = await revisions.redo(loaded.id);
    found["redone"] = [redone.tracks[0]!.mute, (await mixer.get()).channels[0]!.mute, (await revisions.history(loaded.id)).can_redo];
    await mixer.patchChannel(channel!.id, { mute: false });

    const nobody = "11111111-2222-4333-8444-555555555555";
    found["refusals"] = [
      await refused(playback.setTempo({ bpm: 1000 })), await refused(playback.seek({ position_beats: -1 })),
      await refused(playback.setLoop({ enabled: true, start_beats: 1, end_beats: 1 })),
      await refused(mixer.patchChannel(channel!.id, { gain_db: 40 })), await refused(mixer.patchMaster({ gain_db: 13 })),
      await refused(mixer.patchChannel(nobody, { mute: true })), await refused(revisions.undo(nobody)),
      await refused(revisions.redo(loaded.id)),
    ];

    await playback.play();
    const topics = ["transport", "meters", "spectrum", "waveform", "analytics", "stereo", "music", "audio"] as const;
    const streams: Record<string, unknown> = {};
    for (const topic of topics) {
      const frames: { seq: number; names: string[] }[] = [];
      const end = source.subscribe(topic, (frame) => frames.push({ seq: frame.seq, names: names(frame) }), { fps: 60 });
      await until(() => frames.length >= 3);
      end();
      const isRising = frames.every(({ seq }, at) => at === 0 || seq > frames[at - 1]!.seq);
      // Which device plays is a server's to say.
      streams[topic] = { isRising, names: frames.at(-1)!.names.filter((name) => name !== "device") };
    }
    found["streams"] = streams;
    // The first frame of each is of the options that were asked for.
    const firstBands: number[] = [];
    for (const bands of [16, 48, 16]) {
      const end = source.subscribe("spectrum", ({ magnitudes }) => firstBands.push(magnitudes.length), { bands, fps: 60 });
      const n_before = firstBands.length;
      await until(() => firstBands.length > n_before);
      end();
      firstBands.length = n_before + 1;
    }
    found["firstBands"] = firstBands;

    const meters = { momentary: 0, integrated: -120, track: -120, resets: 0 };
    source.subscribe("meters", ({ master, tracks, loudness_resets }) => {
      const { lufs_momentary: momentary, lufs_integrated: integrated } = master;
      Object.assign(meters, { momentary, integrated, track: tracks[0]!.lufs_integrated, resets: loudness_resets });
    }, { tap_loudness: true });
    await until(() => meters.integrated > -70 && meters.track > -70);
    await playback.pause();
    await until(() => meters.momentary < -100);
    await source.resetLoudness(channel!.id);
    await until(() => meters.track === -120);
    found["resets"] = [meters.integrated > -70, meters.resets];
    await source.resetLoudness();
    await until(() => meters.integrated === -120);
    found["resets"] = [found["resets"], meters.resets, (await refused(source.resetLoudness(nobody)))];
    await playback.play();

    await until(() => source.playhead()?.is_playing === true);
    const before = { ...source.playhead()! };
    await until(() => source.playhead()!.sample_position > before.sample_position + 4800);
    found["playhead"] = { names: names(before), is_playing: before.is_playing, isInLoop: before.position_beats >= 0 && before.position_beats <= 1 };
    source.subscribe("spectrum", () => undefined, { fps: 1000 });
    found["option"] = source.error?.code;
    source.close();
    found["closed"] = source.status;
    return found;
  }, { host, server });
}

test("a server and this browser's engine keep the same contract", async ({ page, host, server }) => {
  const remote = await examine(page, host, server.url);
  const here = await examine(page, host, null);
  expect(here).toEqual(remote);
  // And it is the contract.
  expect(remote).toMatchObject({
    seek: 0.5, patched: { isIt: true, gain_db: -6, pan: 0.5, mute: false }, muted: true, master: { gain_db: -3 },
    undone: [0, 0], unmuted: false, redone: [true, true, true], option: "invalid-option", closed: "closed",
    history: { labels: ["gain_db of the master", expect.stringMatching(/^mute of /), expect.stringMatching(/^gain_db, pan of /)] },
  });
  expect(remote).toMatchObject({ firstBands: [16, 48, 16], resets: [[true, 0], 1, { code: "invalid-value" }] });
  expect((remote["refusals"] as { code: string }[]).map(({ code }) => code)).toEqual([
    ...Array(5).fill("invalid-value"), "not-found", "not-found", "conflict",
  ]);
});

test("a page hears the tone that a server plays", async ({ page, host, tone }) => {
  await page.goto(host);
  const heard = await page.evaluate(async ({ host, server }) => {
    const { connect, listen } = (await import(`${host}/index.js`)) as Modules;
    const ctx = new AudioContext({ sampleRate: 48_000 });
    const source = connect(server);
    const listening = await listen(source, ctx);
    await listening.resume();
    const analyser = new AnalyserNode(ctx, { fftSize: 16_384, smoothingTimeConstant: 0 });
    listening.node.connect(analyser);
    const bins = new Float32Array(analyser.frequencyBinCount);
    const wait = () => new Promise((resolve) => setTimeout(resolve, 100));
    let hz = 0;
    let db = -Infinity;
    for (let n = 0; n < 200 && !(db > -22 && (listening.stats?.position ?? 0) > 0); n += 1) {
      await wait();
      analyser.getFloatFrequencyData(bins);
      const at = bins.indexOf(Math.max(...bins));
      [hz, db] = [(at * 48_000) / 16_384, bins[at]!];
    }
    const { status, stats } = listening;
    listening.close();
    source.close();
    return { hz, db, status, stats };
  }, { host, server: tone.url });
  expect(heard.status).toBe("live");
  expect(Math.abs(heard.hz - 1000)).toBeLessThan(5);
  // −6 dBFS, of which Web Audio's window and scaling show −19.6 dB at a bin's centre and a decibel less beside it.
  expect(heard.db).toBeGreaterThan(-22);
  expect(heard.db).toBeLessThan(-19);
  expect(heard.stats).toMatchObject({ type: "stats" });
  expect(heard.stats!.depthMs).toBeGreaterThan(0);
  expect(heard.stats!.position).toBeGreaterThan(0);
});
