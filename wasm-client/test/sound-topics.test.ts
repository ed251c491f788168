// Stereo, triggers, audio and the flight recorder, from the worklet and from a server, with the real engine.
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { createLocalSource, type LocalSource } from "../src/local.ts";
import { openRecording } from "../src/recorder.ts";
import { connect } from "../src/server.ts";
import type { FrameOf, Source } from "../src/source.ts";
import { asContext, FakeContext, settle } from "./audio.ts";
import { composition, TestEngine, TRACK_ID, wasm } from "./engine.ts";
import { StreamServer, until } from "./stream-server.ts";

/** A tone of 1.5 kHz that starts anew each quantum, the right channel opposite. */
const LEFT = Float32Array.from({ length: 128 }, (_, idx) => 0.5 * Math.sin((2 * Math.PI * idx) / 32));
const RIGHT = LEFT.map((sample) => -sample);
const CLIPPED = LEFT.map((sample, idx) => (idx >= 40 && idx < 43 ? 1 : sample));

describe("a local source", () => {
  let context: FakeContext;
  let source: LocalSource;
  beforeEach(async () => {
    context = new FakeContext();
    source = await createLocalSource(asContext(context), { wasm });
    await source.resume();
  });
  afterEach(() => source.close());

  test("shows the stereo image of a tap", async () => {
    let points: unknown;
    let last: FrameOf<"stereo"> | null = null;
    source.subscribe("stereo", (frame) => {
      points ??= frame.points;
      last = frame;
    }, { tap: "input", points: 64 });
    await settle(source);
    for (let n = 0; n < 8; n += 1) {
      context.render(50, [LEFT, RIGHT]);
      await settle(source, 2);
    }
    const { type, tap, correlation, balance, width, points: newest } = last!;
    expect([type, tap, newest.length]).toEqual(["stereo", "input", 64]);
    expect(correlation).toBeCloseTo(-1, 3);
    expect([balance, width]).toEqual([expect.closeTo(0, 3), expect.closeTo(1, 2)]);
    const [x, y] = newest[10]!;
    expect([Math.abs(x!) <= 0.51, y]).toEqual([true, 0]);
    expect(newest).toBe(points);
  });

  test("hears the pitch of a tap", async () => {
    source.subscribe("music", () => undefined, { tap: "input" });
    await settle(source);
    context.render(200, [LEFT, LEFT]);
    await settle(source);
    const { type, tap, pitch_hz, pitch_clarity, chroma, key, n_onsets } = source.latest("music", { tap: "input" })!;
    expect([type, tap, chroma.length, key, n_onsets]).toEqual(["music", "input", 12, null, expect.any(Number)]);
    expect([pitch_hz, pitch_clarity]).toEqual([expect.closeTo(1500, 0), expect.closeTo(1, 1)]);
  });

  test("hands out every sample of a tap, in order", async () => {
    const heard: FrameOf<"audio">[] = [];
    source.subscribe("audio", (frame) => heard.push(frame), { tap: "input", fps: 60, format: "f32" });
    await settle(source);
    // More than one frame between two drawings.
    for (let n = 0; n < 4; n += 1) {
      context.render(100, [LEFT, RIGHT]);
      await settle(source, 2);
    }
    expect(heard.length).toBeGreaterThan(50);
    expect(new Set(heard).size).toBe(heard.length);
    let end = heard[0]!.sample_position;
    for (const frame of heard.slice(1)) {
      expect(frame.sample_position - frame.samples_left.length).toBe(end);
      end = frame.sample_position;
      expect([frame.discontinuity, frame.dropped, frame.sample_rate]).toEqual([false, 0, 48_000]);
    }
    const first = heard[0]!.sample_position - heard[0]!.samples_left.length;
    heard.flatMap(({ samples_left: left }) => [...left]).forEach((sample, idx) => {
      if (sample !== LEFT[(first + idx) % 128]) throw new Error(`sample ${idx} is ${sample}`);
    });
  });

  test("tells once when a tap clips, at the exact sample", async () => {
    const told: FrameOf<"trigger">[] = [];
    const silent: FrameOf<"trigger">[] = [];
    source.subscribe("trigger", (frame) => told.push(frame), { tap: "input", kind: "clip" });
    source.subscribe("trigger", (frame) => silent.push(frame), { tap: "input", kind: "silence", seconds: 0.1, once: false });
    await settle(source);
    const before = source.latest("transport")?.sample_position ?? 0;
    expect(before % 128).toBe(0);
    context.render(10, [LEFT, RIGHT]);
    context.render(1, [LEFT, CLIPPED]);
    context.render(600, [LEFT, RIGHT]);
    context.render(1, [LEFT, CLIPPED]);
    context.render(50);
    context.render(1, [LEFT, RIGHT]);
    context.render(50);
    await settle(source);
    expect(told).toEqual([{
      type: "trigger", seq: 1, epoch: expect.any(Number), dropped: 0, tap: "input", sample_position: 10 * 128 + 42,
      kind: "clip", value: 0, ended: true,
    }]);
    const quiet = 612 * 128 + 4799;
    expect(silent.map((frame) => [frame.sample_position, frame.ended, frame.seconds, frame.value])).toEqual([
      [quiet, false, expect.closeTo(0.1, 4), -120], [quiet + 51 * 128, false, expect.closeTo(0.1, 4), -120],
    ]);
    // Over means over; a new subscriber starts a new one.
    const again: FrameOf<"trigger">[] = [];
    source.subscribe("trigger", (frame) => again.push(frame), { tap: "input", kind: "clip" });
    await settle(source);
    context.render(1, [CLIPPED, LEFT]);
    await settle(source);
    expect([told.length, again.length]).toEqual([1, 1]);
  });

  test("tells triggers of three kinds and of many options apart", async () => {
    const kinds = ["clip", "silence", "loudness"] as const;
    const options = { clip: {}, silence: { seconds: 0.1 }, loudness: { above_lufs: -30 } };
    const told: string[] = [];
    const subscribe = (kind: typeof kinds[number], more: object = {}) =>
      source.subscribe("trigger", (frame) => told.push(`${kind} ${frame.kind}`), { tap: "input", kind, ...options[kind], ...more });
    const ends = kinds.map((kind) => subscribe(kind));
    // As many as there are lanes: each lane has one of each kind.
    for (const seconds of [0.2, 0.3, 0.4]) subscribe("silence", { seconds });
    expect(source.error).toBeNull();
    // One that ends takes no other along.
    ends[2]!();
    await settle(source);
    context.render(10, [LEFT, RIGHT]);
    context.render(1, [LEFT, CLIPPED]);
    context.render(200);
    await settle(source);
    expect(told).toEqual(["clip clip", ...Array(4).fill("silence silence")]);
  });

  test("refuses a trigger that waits for nothing", async () => {
    source.subscribe("trigger", () => undefined, { kind: "loudness" });
    expect(source.error).toMatchObject({ code: "invalid-option", message: expect.stringContaining("above_lufs") });
  });

  test("records, finds by position, saves and opens again", async () => {
    await source.load(composition());
    const { recorder } = source;
    expect([recorder.isOn, recorder.range, recorder.frames()]).toEqual([false, null, []]);
    recorder.start();
    await source.playback.play();
    await settle(source);
    for (let n = 0; n < 8; n += 1) {
      context.render(100);
      await settle(source, 1);
    }
    await settle(source);
    recorder.stop();
    const range = recorder.range!;
    expect(recorder.taps.map(({ name }) => name)).toEqual(["master", "Lead", "input"]);
    // 2.1 s: 21 ticks of meters and three spectra.
    expect(recorder.frames().map(({ type }) => type)).toHaveLength(21 * 4);
    const bytes = recorder.save();
    const recording = await openRecording(bytes, { wasm });
    expect([recording.sampleRate, recording.range, recording.taps]).toEqual([48_000, range, recorder.taps]);
    expect(recording.frames()).toEqual(recorder.frames());
    const at = recording.at(60_000)!;
    expect([at > 60_000, at - 60_000 <= 4928, at]).toEqual([true, true, recorder.at(60_000)]);
    const [meters, spectrum] = recording.frames({ from: at, to: at, tap: TRACK_ID });
    expect(meters).toMatchObject({ type: "meters", sample_position: at, tracks: [{ track_id: TRACK_ID }] });
    const { peak_left, lufs_momentary } = (meters as FrameOf<"meters">).tracks[0]!;
    expect([peak_left > -40, lufs_momentary! > -60]).toEqual([true, true]);
    const { magnitudes, frequencies } = spectrum as FrameOf<"spectrum">;
    expect([magnitudes.length, frequencies.length, magnitudes instanceof Float32Array]).toEqual([64, 64, true]);
    expect(() => recording.frames({ tap: "nobody" })).toThrow("nobody");
    const part = await openRecording(recorder.save({ from: at, to: at, tap: "input" }).buffer, { wasm });
    expect(part.frames()).toHaveLength(2);
    bytes[200]! ^= 1;
    await expect(openRecording(bytes, { wasm })).rejects.toMatchObject({ code: "invalid-recording", hint: expect.stringMatching(/./) });
    await expect(openRecording(new ArrayBuffer(3), { wasm })).rejects.toThrow("no Antiphon recording");
  });
});

describe("a server", () => {
  class BrowserSocket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      this.on("error", () => undefined);
    }
  }
  beforeAll(() => {
    vi.stubGlobal("WebSocket", BrowserSocket);
  });
  const open: (Source | StreamServer)[] = [];
  afterEach(async () => {
    for (const one of open.splice(0)) await (one instanceof StreamServer ? one.kill() : one.close());
  });

  test.each([true, false])("tells triggers of two kinds apart on one socket, multiplexed: %s", async (multiplex) => {
    const server = await new StreamServer().start();
    const source = connect(`http://127.0.0.1:${server.port}`, { wasm, encoding: "json", multiplex });
    open.unshift(source, server);
    const told: string[] = [];
    const subscribe = (kind: "clip" | "silence") =>
      source.subscribe("trigger", (frame) => told.push(`${kind} ${frame.kind} ${frame.seq}`), { kind, once: false });
    const fire = (kind: string, seq: number) => server.send(/trigger/, JSON.stringify({
      type: "trigger", seq, epoch: 1, dropped: 0, tap: "master", sample_position: 48 * seq, kind, value: 0, ended: false,
    }));
    const ofTriggers = () => server.said(/^trigger$/).map(({ type, options, kind }) => [type, (options as { kind?: string })?.kind ?? kind]);
    await until(() => source.status === "live");
    const ends = [subscribe("clip"), subscribe("silence")];
    await until(() => ofTriggers().filter(([type]) => type === "subscribe").length === 2);
    expect(server.n_opened).toBe(multiplex ? 1 : 2);
    // After the last subscription nothing ends one of them.
    expect(ofTriggers().slice(-2)).toEqual([["subscribe", "clip"], ["subscribe", "silence"]]);
    for (const [idx, kind] of ["silence", "clip", "silence"].entries()) fire(kind, idx + 1);
    await until(() => told.length === 3);
    expect(told).toEqual(["silence silence 1", "clip clip 2", "silence silence 3"]);
    expect(source.latest("trigger", { kind: "clip", once: false })).toMatchObject({ seq: 2, kind: "clip" });
    ends[0]!();
    await until(() => ofTriggers().at(-1)![0] === "unsubscribe");
    expect(ofTriggers().at(-1)).toEqual(["unsubscribe", "clip"]);
    for (const [idx, kind] of ["clip", "silence"].entries()) fire(kind, idx + 4);
    await until(() => told.length === 4);
    expect(told.at(-1)).toBe("silence silence 5");
    // The last one ends as on servers that know no kinds.
    ends[1]!();
    await until(() => ofTriggers().filter(([type, kind]) => type === "unsubscribe" && kind === undefined).length > (multiplex ? 0 : 2));
  });

  test("sends audio, stereo and triggers, in both encodings", async () => {
    const server = await new StreamServer().start();
    const engine = await TestEngine.make(1);
    for (const topic of ["stereo", "audio"]) engine.subscribe(topic, 60);
    engine.subscribe("trigger", 30, { kind: "loudness", above_lufs: -60 });
    const messages = engine.render(300);
    for (const encoding of ["binary", "json"] as const) {
      const source = connect(`http://127.0.0.1:${server.port}`, { wasm, encoding, multiplex: true });
      open.unshift(source);
      const heard: FrameOf<"audio">[] = [];
      const told: FrameOf<"trigger">[] = [];
      source.subscribe("audio", (frame) => heard.push(frame));
      source.subscribe("stereo", () => undefined);
      source.subscribe("trigger", (frame) => told.push(frame), { kind: "loudness", above_lufs: -60 });
      await until(() => server.said(/stream/).filter(({ type }) => type === "subscribe").length === 3);
      if (encoding === "binary") {
        for (const message of messages) server.send(/stream/, message);
      } else {
        const numbers = { seq: 1, epoch: 1, dropped: 0, tap: "master" };
        const sound = { samples_left: [0.25, 0.5], samples_right: [-0.25, 0], sample_rate: 48_000, discontinuity: true };
        for (const frame of [
          { type: "audio", ...numbers, sample_position: 2, ...sound }, { type: "audio", ...numbers, seq: 2, sample_position: 4, ...sound },
          { type: "stereo", ...numbers, sample_position: 4, correlation: 0.5, balance: 0, width: 0.25, points: [[0, 1], [-1, 0]] },
          { type: "trigger", ...numbers, sample_position: 3, kind: "loudness", measure: "momentary", above_lufs: -60, value: -59, ended: true },
        ]) server.send(/stream/, JSON.stringify(frame));
      }
      await until(() => told.length === 1 && source.latest("stereo") !== null);
      expect(told[0]).toMatchObject({ type: "trigger", tap: "master", kind: "loudness", measure: "momentary", above_lufs: -60, ended: true });
      expect(source.latest("stereo")!.points[1]).toHaveLength(2);
      if (encoding === "json") {
        expect(heard.map((frame) => [frame.seq, ...frame.samples_left])).toEqual([[1, 0.25, 0.5], [2, 0.25, 0.5]]);
        expect(heard[0]!.discontinuity).toBe(true);
        expect([...source.latest("stereo")!.points[1]!]).toEqual([-1, 0]);
      } else {
        expect(heard.reduce((sum, { samples_left: left }) => sum + left.length, 0)).toBe(heard.at(-1)!.sample_position);
        expect(Math.max(...heard.flatMap(({ samples_left: left }) => [...left]))).toBeGreaterThan(0.01);
      }
      // A trigger that is over is not asked for again.
      await until(() => server.said(/stream/).some(({ type, topic }) => type === "unsubscribe" && topic === "trigger"));
      source.close();
      await until(() => server.clients.length === 0);
    }
    await server.kill();
  });
});
