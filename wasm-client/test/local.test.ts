// Local mode with the real engine and the real worklet script.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createLocalSource, type LocalSource } from "../src/local.ts";
import { parseMidi } from "../src/midi.ts";
import type { FrameOf } from "../src/source.ts";
import { asContext, FakeContext, settle } from "./audio.ts";
import { composition, TestEngine, toneFile, TRACK_ID, wasm } from "./engine.ts";

let context: FakeContext;
let source: LocalSource;

beforeEach(async () => {
  context = new FakeContext();
  source = await createLocalSource(asContext(context), { wasm });
});
afterEach(() => source.close());

/** One beat at 500 bpm in one track: a minimal Standard MIDI File. */
const MIDI = new Uint8Array([
  ...[0x4d, 0x54, 0x68, 0x64, 0, 0, 0, 6, 0, 0, 0, 1, 0, 96],
  ...[0x4d, 0x54, 0x72, 0x6b, 0, 0, 0, 12, 0, 0x90, 69, 100, 96, 0x80, 69, 0, 0, 0xff, 0x2f, 0],
]);

describe("a local source", () => {
  test("waits for a gesture, then is live", async () => {
    expect(source.status).toBe("needs-gesture");
    expect(source.hello).toMatchObject({ sample_rate: 48_000, channels: 2 });
    await source.resume();
    expect(source.status).toBe("live");
    await context.close();
    expect(source.status).toBe("failed");
    expect(source.error).toMatchObject({ code: "context-closed" });
  });

  test("plays what it loads, and streams what a server would", async () => {
    await source.resume();
    const loaded = await source.load(composition());
    expect(loaded.id).toBe(composition().id);
    expect(source.hello?.taps.map(({ name }) => name)).toEqual(["master", "Lead", "input"]);
    const meters: number[] = [];
    source.subscribe("meters", (frame) => meters.push(frame.tracks[0]!.peak_left));
    const spectra: FrameOf<"spectrum">[] = [];
    source.subscribe("spectrum", (frame) => spectra.push(frame), { tap: TRACK_ID });
    await settle(source);
    expect(context.render(50)).toBe(0);
    await source.playback.play();
    await settle(source);
    expect(context.render(100)).toBeGreaterThan(0.01);
    await settle(source);
    expect(Math.max(...meters)).toBeGreaterThan(-40);
    expect(spectra.at(-1)).toMatchObject({ type: "spectrum", tap: TRACK_ID, sample_rate: 48_000 });
    const transport = source.latest("transport");
    expect(transport).toMatchObject({ is_playing: true, tempo: 120, loop_enabled: true, loop_end: 4 });
    expect(transport!.position_beats).toBeCloseTo((100 * 128 * 2) / 48_000, 1);
    expect(transport!.active_notes).toEqual([{ track_id: TRACK_ID, pitch: 69, velocity: 110 }]);
  });

  test("plays an audio file, and a composition whose samples it fetches once", async () => {
    await source.resume();
    const loaded = await source.load(toneFile(), "Tone", { bpm: 90 });
    expect(loaded).toMatchObject({ name: "Tone", length: 576, tracks: [{ name: "Tone", audio_clips: [{ start: 0, length_seconds: 0.4 }] }] });
    expect(source.composition).toEqual(loaded);
    await source.playback.play();
    await settle(source);
    // Both channels keep their level in the middle: the louder one is at half of full scale, the other at a quarter.
    const peak = context.render(100);
    expect(peak).toBeGreaterThan(0.3);
    expect(peak).toBeLessThan(0.55);

    const sample = "00000000-0000-4000-8000-000000000020";
    const clip = { ...loaded.tracks[0]!.audio_clips[0]!, sample };
    const spec = { ...composition(), tracks: [{ ...composition().tracks[0]!, clips: [], audio_clips: [clip] }] };
    const asked: string[] = [];
    const samples = async (id: string) => {
      asked.push(id);
      return toneFile("ogg");
    };
    await source.load(spec, "Clip", { samples });
    await source.load(spec, "Clip again", { samples });
    expect(asked).toEqual([sample]);
    await source.playback.play();
    await settle(source);
    expect(context.render(100)).toBeCloseTo(peak, 1);
    // Another composition lets the sample go.
    await source.load(composition());
    await source.load(spec, "Clip", { samples });
    expect(asked).toEqual([sample, sample]);
  });

  test("a composition whose sample is not there is refused, and what plays goes on", async () => {
    await source.load(toneFile(), "Tone");
    await expect(source.load({ ...source.composition!, id: TRACK_ID, tracks: [{
      ...source.composition!.tracks[0]!,
      audio_clips: [{ ...source.composition!.tracks[0]!.audio_clips[0]!, sample: TRACK_ID }],
    }] })).rejects.toMatchObject({ code: "missing-sample", message: expect.stringContaining("tracks[0].audio_clips[0].sample") });
    await expect(source.load(new Uint8Array(100), "Nothing")).rejects.toMatchObject({ code: "invalid-audio" });
    expect(source.composition?.name).toBe("Tone");
    await source.playback.play();
    await settle(source);
    expect(context.render(100)).toBeGreaterThan(0.3);
  });

  test("takes a change while it plays, and plays on", async () => {
    await source.resume();
    await source.load(composition());
    await source.playback.setLoop({ enabled: true, start_beats: 0, end_beats: 2 });
    await source.playback.play();
    let n_starts = 0;
    let last = 0;
    source.subscribe("meters", ({ seq }) => {
      if (seq < last) n_starts += 1;
      last = seq;
    });
    await settle(source);
    const loud = context.render(100);
    const { tracks, ...rest } = composition();
    const changed = await source.update({ ...rest, tracks: [{ ...tracks[0]!, gain_db: -20, name: "Softer" }] });
    expect(changed.tracks[0]!.name).toBe("Softer");
    await settle(source);
    // The next quantum sounds: nothing is cut, and the gain glides.
    expect(context.render(1)).toBeGreaterThan(0.5 * loud);
    context.render(60);
    expect(context.render(30)).toBeLessThan(0.2 * loud);
    await settle(source);
    const state = await source.playback.get();
    expect(state).toMatchObject({ is_playing: true, loop_end: 2 });
    expect(state.position_beats).toBeCloseTo((191 * 128 * 2) / 48_000, 1);
    expect(source.hello?.taps.map(({ name }) => name)).toEqual(["master", "Softer", "input"]);
    expect(n_starts).toBe(0);
    await expect(source.update({ ...composition(), length: 1 })).rejects.toMatchObject({ code: "invalid-composition" });
    expect((await source.playback.get()).is_playing).toBe(true);
  });

  test("of two loads the later one counts", async () => {
    const slow = source.load(toneFile(), "Slow");
    const fast = source.load(composition());
    await expect(slow).rejects.toMatchObject({ code: "superseded" });
    await fast;
    expect(source.composition?.name).toBe("Four beats");
  });

  test("says how it is doing", async () => {
    await source.load(composition());
    const analytics: FrameOf<"analytics">[] = [];
    source.subscribe("analytics", (frame) => analytics.push(frame));
    await settle(source);
    context.render(1200);
    await settle(source);
    const last = analytics.at(-1)!;
    expect(last).toMatchObject({ type: "analytics", sample_rate: 48_000, buffer_size: 128, active_tracks: 1, clients: 1 });
    expect(last.latency_ms).toBeCloseTo(10, 3);
    expect(last.memory_usage).toBeGreaterThan(12 << 20);
    expect(last.cpu_usage).toBeGreaterThan(0);
    expect(last.frames_sent).toBeGreaterThan(1);
    expect(last.sample_position).toBeGreaterThan(0);
  });

  test("answers its clients like REST", async () => {
    await source.load(composition());
    const { playback, mixer } = source;
    expect(await playback.get()).toMatchObject({ is_playing: false, loop_enabled: true, loop_end: 4 });
    expect(await playback.seek({ position_seconds: 1 })).toMatchObject({ position_beats: 2, position_seconds: 1 });
    expect(await playback.setTempo({ bpm: 60 })).toMatchObject({ tempo: 60 });
    expect(await playback.setLoop({ enabled: true, start_beats: 1, end_beats: 3 })).toMatchObject({ loop_start: 1 });
    expect(await playback.setMetronome({ enabled: true })).toMatchObject({ metronome_enabled: true });
    expect(await playback.play()).toMatchObject({ is_playing: true });
    expect(await playback.pause()).toMatchObject({ is_playing: false, is_paused: true });
    expect(await playback.resume()).toMatchObject({ is_playing: true });
    expect(await playback.stop()).toMatchObject({ is_playing: false, is_paused: false, position_beats: 0 });
    expect(await mixer.patchChannel(TRACK_ID, { gain_db: -6, mute: true })).toMatchObject({ gain_db: -6, mute: true, pan: 0 });
    expect(await mixer.patchMaster({ gain_db: -3 })).toEqual({ gain_db: -3 });
    expect(await mixer.get()).toMatchObject({ channels: [{ id: TRACK_ID, name: "Lead", mute: true }], master: { gain_db: -3 } });
  });

  test("refuses like REST, with the field and what is allowed", async () => {
    await source.load(composition());
    const { playback, mixer } = source;
    await expect(playback.setTempo({ bpm: 1000 })).rejects.toMatchObject({ code: "invalid-value", message: expect.stringContaining("bpm: 1000") });
    await expect(playback.seek({ position_beats: -1 })).rejects.toThrow("position_beats");
    await expect(playback.setLoop({ enabled: true, start_beats: 2, end_beats: 2 })).rejects.toThrow("end_beats");
    await expect(mixer.patchChannel(TRACK_ID, { gain_db: 40 })).rejects.toThrow("gain_db");
    await expect(mixer.patchChannel("nobody", {})).rejects.toThrow("track");
    await expect(source.load(MIDI.slice(0, 20))).rejects.toMatchObject({ code: "invalid-midi" });
    await expect(source.load(new Uint8Array([1, 2, 3]))).rejects.toMatchObject({ code: "invalid-audio" });
    await expect(source.load({ ...composition(), length: 1 })).rejects.toThrow("tracks[0].clips[0]");
  });

  test("mutes and fades what it plays", async () => {
    await source.load(composition());
    await source.playback.play();
    await settle(source);
    const loud = context.render(100);
    await source.mixer.patchMaster({ gain_db: -20 });
    await settle(source);
    context.render(50);
    expect(context.render(100)).toBeLessThan(loud * 0.3);
    await source.mixer.patchChannel(TRACK_ID, { mute: true });
    await settle(source);
    context.render(100);
    expect(context.render(50)).toBeLessThan(1e-4);
  });

  test("measures its input, and plays it only when it is monitored", async () => {
    const tone = Float32Array.from({ length: 128 }, (_, idx) => 0.5 * Math.sin((2 * Math.PI * idx) / 32));
    const node = { connect: () => undefined, disconnect: () => undefined } as unknown as AudioNode;
    source.setInput(node);
    const peaks: number[] = [];
    source.subscribe("meters", (frame) => peaks.push(frame.tracks.find((one) => one.track_id === "input")!.peak_left));
    await settle(source);
    expect(context.render(100, [tone, tone])).toBe(0);
    await settle(source);
    expect(Math.max(...peaks)).toBeCloseTo(-6.02, 1);
    source.setInput(node, { monitor: true });
    await settle(source);
    context.render(50, [tone, tone]);
    expect(context.render(50, [tone, tone])).toBeGreaterThan(0.1);
  });

  test("carries different streams of one tap on lanes of their own, and gives lanes back", async () => {
    await source.load(composition());
    await source.playback.play();
    const scales = ["log", "linear", "mel", "octave"] as const;
    for (let round = 0; round < 3; round += 1) {
      const seen = new Set<string>();
      const ends = scales.map((scale) => source.subscribe("spectrum", (frame) => seen.add(frame.scale), { scale }));
      await settle(source);
      context.render(60);
      await settle(source);
      expect([...seen].sort()).toEqual([...scales].sort());
      for (const end of ends) end();
      await new Promise((resolve) => setTimeout(resolve, 550));
    }
    expect(source.error).toBeNull();
  });

  test("hands out no frame of the options before, which were under way", async () => {
    await source.load(composition());
    await source.playback.play();
    const bands = { few: [] as number[], many: [] as number[] };
    const end = source.subscribe("spectrum", (frame) => bands.few.push(frame.magnitudes.length), { bands: 32, fps: 120 });
    await settle(source);
    context.render(60);
    await settle(source);
    expect(new Set(bands.few)).toEqual(new Set([32]));
    // The lane is the next one's at once, while frames of this one are on their way: rendered, and not drawn.
    context.render(60);
    end();
    source.subscribe("spectrum", (frame) => bands.many.push(frame.magnitudes.length), { bands: 64, fps: 120 });
    context.render(60);
    await settle(source);
    for (let n = 0; n < 4; n += 1) {
      context.render(20);
      await settle(source, 2);
    }
    expect(bands.many.length).toBeGreaterThan(1);
    expect(new Set(bands.many)).toEqual(new Set([64]));
  });

  test("starts loudness anew, of one tap or of all", async () => {
    await source.load(composition());
    await source.playback.play();
    let last: FrameOf<"meters"> | null = null;
    source.subscribe("meters", (frame) => (last = structuredClone(frame)), { tap_loudness: true });
    const readings = async (n_quanta: number) => {
      await settle(source);
      context.render(n_quanta);
      await settle(source);
      const { master, tracks, loudness_resets } = last!;
      return { master: master.lufs_integrated, track: tracks[0]!.lufs_integrated!, loudness_resets };
    };
    // A second; integrated loudness needs 0.4 s, and 50 quanta last 0.13 s.
    const before = await readings(375);
    expect(before.master).toBeGreaterThan(-70);
    expect(before.loudness_resets).toBe(0);
    await source.resetLoudness(TRACK_ID.toUpperCase());
    expect(await readings(50)).toMatchObject({ track: -120, master: expect.closeTo(before.master, -1), loudness_resets: 0 });
    await source.resetLoudness();
    expect(await readings(50)).toMatchObject({ track: -120, master: -120, loudness_resets: 1 });
    expect((await readings(375)).master).toBeGreaterThan(-70);
    await expect(source.resetLoudness("nobody")).rejects.toMatchObject({
      name: "AntiphonError", code: "invalid-value", message: expect.stringContaining("nobody"),
    });
  });

  test("says what sample rates there are", async () => {
    for (const sampleRate of [3_000, 384_000]) {
      const other = Object.assign(new FakeContext(), { sampleRate });
      await expect(createLocalSource(asContext(other), { wasm })).rejects.toMatchObject({ code: "sample-rate", hint: expect.stringContaining("192000") });
    }
  });

  test("says what is wrong with a stream", async () => {
    source.subscribe("spectrum", () => undefined, { tap: "nobody" });
    expect(source.error).toMatchObject({ code: "invalid-option", message: expect.stringContaining("nobody") });
    source.subscribe("spectrum", () => undefined, { fft_size: 1000 });
    await settle(source);
    expect(source.error).toMatchObject({ code: "invalid-option", message: expect.stringMatching(/^fft_size: 1000 .*spectrum master/) });
  });

  test.each([
    ["spectrum", { bands: 0 }], ["spectrum", { channels: 3 }], ["spectrum", { hold_ms: -1 }], ["waveform", { samples: 0 }],
    ["spectrum", { fps: -5 }], ["spectrum", { fps: NaN }],
  ] as const)("names what is out of range in %s of %o, while somebody wants it", async (topic, options) => {
    await source.resume();
    let n_frames = 0;
    const end = source.subscribe(topic, () => (n_frames += 1), options);
    const other = source.subscribe(topic, () => undefined, { tap: "input" });
    await settle(source);
    context.render(60);
    await settle(source);
    const [[name, value]] = Object.entries(options) as [[string, number]];
    expect(source.error).toMatchObject({ code: "invalid-option", message: expect.stringMatching(new RegExp(`^${name}: ${value} `)) });
    expect(n_frames).toBe(0);
    end();
    expect(source.error).toBeNull();
    other();
  });

  test("a closed one is silent and sends nothing", async () => {
    await source.load(composition());
    await source.playback.play();
    source.close();
    await settle(source);
    expect(source.status).toBe("closed");
    expect(context.render(10)).toBe(0);
    const closed = { name: "AntiphonError", code: "closed", hint: "make another one" };
    for (const asked of [() => source.playback.play(), () => source.resume(), () => source.resetLoudness(), () => source.mixer.patchMaster({ gain_db: 0 })]) {
      await expect(asked()).rejects.toMatchObject(closed);
    }
    for (const asked of [() => source.setInput(null), () => source.note({ track: TRACK_ID, pitch: 60, velocity: 100, on: true })]) {
      expect(asked).toThrow(expect.objectContaining(closed));
    }
  });
});

test("a page without AudioWorklet is told why", async () => {
  const insecure = { audioWorklet: undefined } as unknown as AudioContext;
  await expect(createLocalSource(insecure, { wasm })).rejects.toMatchObject({
    code: "no-audio-worklet", hint: expect.stringContaining("https"),
  });
});

test("a MIDI file becomes a composition", async () => {
  const spec = await parseMidi(MIDI, "One note", { wasm });
  expect(spec).toMatchObject({ name: "One note", tracks: [{ clips: [{ notes: [{ pitch: 69, velocity: 100, start: 0, length: 960 }] }] }] });
  expect(spec.tracks[0]!.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]/);
  await expect(parseMidi(MIDI.slice(0, 20), "cut", { wasm })).rejects.toMatchObject({ code: "invalid-midi" });
});

test("the engine's memory does not grow while it plays and streams", async () => {
  const engine = await TestEngine.make();
  const before = engine.memoryBytes;
  for (const topic of ["transport", "meters", "waveform", "analytics"]) engine.subscribe(topic, 60);
  engine.subscribe("spectrum", 60, { fft_size: 32_768, scale: "linear", bands: 8192, channels: 2 });
  expect(engine.render(4000).length).toBeGreaterThan(500);
  expect(engine.memoryBytes).toBe(before);
});
