// Who gets which frames of a stream that several listen to.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FrameOf, TopicName } from "../src/source.ts";
import { type AnyFrame, type Link, Streams } from "../src/streams.ts";

const HZ = 48_000;

/** A link that sends what a test says. */
class FakeLink implements Link {
  /** Rates that were asked for, of each stream. */
  asked: (number | undefined)[] = [];
  came: AnyFrame[] = [];

  subscribe(_topic: TopicName, _tap: string, fps: number | undefined): void {
    this.asked.push(fps);
  }

  unsubscribe(): void {}
  close(): void {}

  drain(): AnyFrame[] {
    return this.came.splice(0);
  }

  drainQueue(): AnyFrame[] {
    return this.drain();
  }
}

let link: FakeLink;
let streams: Streams;
beforeEach(() => {
  link = new FakeLink();
  streams = new Streams({ open: () => link, onError: () => undefined, sampleRate: () => HZ, maxStreams: () => 32, perTopic: false });
  streams.start(link, null);
});
afterEach(() => streams.close());

/** Seconds of a stream, frame by frame; what a frame says besides may depend on its number. */
function run(type: TopicName, seconds: number, more: (idx: number) => object = () => ({})): void {
  const fps = link.asked.at(-1) ?? 30;
  for (let idx = 0; idx < fps * seconds; idx += 1) {
    const position = Math.round((idx * HZ) / fps / 128) * 128;
    link.came.push({ type, tap: "master", seq: idx, epoch: 1, dropped: 0, sample_position: position, ...more(idx) } as unknown as AnyFrame);
    streams.pump();
  }
}

describe("listeners of one stream", () => {
  test.each([[undefined, 2, 30, 2], [60, 5, 60, 5], [2, undefined, 2, 30], [60, 45, 60, 45]])(
    "that want %s and %s a second get %i and %i", (one, other, _, __) => {
      const got = [0, 0];
      const ends = [one, other].map((fps, idx) => streams.subscribe("spectrum", () => (got[idx]! += 1), { fps }));
      const wanted = [one ?? 30, other ?? 30];
      expect(link.asked.at(-1) ?? 30).toBe(Math.max(...wanted));
      run("spectrum", 4);
      for (const idx of [0, 1]) expect(Math.abs(got[idx]! - 4 * wanted[idx]!)).toBeLessThanOrEqual(1);
      // What the faster one needed goes with it.
      const fast = wanted[0]! > wanted[1]! ? 0 : 1;
      ends[fast]!();
      expect(link.asked.at(-1) ?? 30).toBe(Math.min(...wanted));
    });

  test("go on when the engine begins anew, and after a gap at the same rate", () => {
    let n_slow = 0;
    streams.subscribe("spectrum", () => undefined, { fps: 60 });
    streams.subscribe("spectrum", () => (n_slow += 1), { fps: 10 });
    run("spectrum", 2);
    run("spectrum", 2, (idx) => ({ sample_position: (idx * HZ) / 60 }));
    expect(Math.abs(n_slow - 40)).toBeLessThanOrEqual(1);
    n_slow = 0;
    run("spectrum", 2, (idx) => ({ sample_position: 1e9 + (idx * HZ) / 60 }));
    expect(Math.abs(n_slow - 20)).toBeLessThanOrEqual(1);
  });

  test.each(["transport", "trigger", "audio"] as const)("miss no frame of %s", (topic) => {
    const got = [0, 0];
    const ends = [60, 1].map((fps, idx) => streams.subscribe(topic, () => (got[idx]! += 1), { fps }));
    run(topic, 1);
    expect(got).toEqual([60, 60]);
    // To start it anew would lose what comes meanwhile: a trigger never is, sound only where somebody wants it faster.
    const asked = link.asked.length;
    ends[0]!();
    streams.subscribe(topic, () => undefined, { fps: 90 });
    const n_more = { transport: 2, trigger: 0, audio: 1 }[topic];
    expect(link.asked).toHaveLength(asked + n_more);
  });

  test("get meters of the whole time, whatever they left out", () => {
    const levels = (idx: number) => ({
      peak_left: idx === 3 ? -1 : -40, peak_right: -40, true_peak_left: -40, true_peak_right: idx === 20 ? 0.5 : -40,
      rms_left: idx % 2 === 0 ? -120 : -20, rms_right: -30, clips: idx % 10 === 0 ? 1 : 0,
    });
    const frames: FrameOf<"meters">[] = [];
    let n_clips = 0;
    streams.subscribe("meters", ({ master }) => (n_clips += master.clips), { fps: 60 });
    streams.subscribe("meters", (frame) => frames.push(structuredClone(frame)), { fps: 2 });
    run("meters", 2, (idx) => ({ master: levels(idx), tracks: [{ track_id: "input", name: "input", ...levels(idx) }], loudness_resets: 0 }));
    expect(frames.map(({ sample_position }) => Math.round(sample_position / HZ * 2))).toEqual([0, 1, 2, 3]);
    for (const one of [frames.map(({ master }) => master), frames.map(({ tracks }) => tracks[0]!)]) {
      expect(one.map(({ peak_left }) => peak_left)).toEqual([-40, -1, -40, -40]);
      expect(Math.max(...one.map(({ true_peak_right }) => true_peak_right))).toBe(0.5);
      // Half of the thirty frames are silent: 3 dB less.
      expect(one[1]!.rms_left).toBeCloseTo(-20 - 10 * Math.log10(2), 9);
      expect(one[1]!.rms_right).toBeCloseTo(-30, 9);
      // To the last that it got: the frames at 0, 30, 60 and 90.
      expect(one.reduce((sum, { clips }) => sum + clips, 0)).toBe(10);
    }
    expect(n_clips).toBe(12);
  });
});

test("a link carries no more streams than it may, and another one the rest", () => {
  const links = [link];
  const many = new Streams({
    open: () => links[links.push(new FakeLink()) - 1]!, onError: () => undefined, sampleRate: () => HZ, maxStreams: () => 3, perTopic: false,
  });
  many.start(link, null);
  for (const tap of ["a", "b", "c", "d"]) many.subscribe("waveform", () => undefined, { tap });
  expect(links.map(({ asked }) => asked.length)).toEqual([3, 1]);
  many.close();
});
