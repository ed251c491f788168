import { describe, expect, it } from "vitest";
import { MeterMotion, meterShare } from "../src/canvas/meter";
import { WaveformRange } from "../src/canvas/waveformRange";
import { axisOf, hzFromX, nearestBand, plotOf, yFromDb } from "../src/canvas/spectrumGrid";

const levels = (peak: number, clips = 0) => ({
  peak_left: peak,
  peak_right: peak - 6,
  rms_left: peak - 10,
  rms_right: peak - 16,
  true_peak_left: peak,
  true_peak_right: peak - 6,
  clips,
});

describe("meter scale", () => {
  it("runs from −60 to +3 dB, and no further", () => {
    expect(meterShare(-60)).toBe(0);
    expect(meterShare(3)).toBe(1);
    expect(meterShare(-28.5)).toBeCloseTo(0.5, 9);
    expect([meterShare(-120), meterShare(20)]).toEqual([0, 1]);
  });
});

describe("meter motion", () => {
  it("rises at once and falls 20 dB in 1.7 s", () => {
    const motion = new MeterMotion();
    motion.update(levels(-3), 0);
    expect(motion.shown.peak_left).toBe(-3);
    for (let now = 10; now <= 1700; now += 10) motion.update(levels(-120), now);
    expect(motion.shown.peak_left).toBeCloseTo(-23, 6);
    expect(motion.shown.peak_right).toBeCloseTo(-29, 6);
    expect(motion.shown.rms_left).toBeCloseTo(-33, 6);
  });

  it("never falls below the floor, and comes to rest there", () => {
    const motion = new MeterMotion();
    for (let now = 0; now <= 20_000; now += 100) motion.update(levels(-130), now);
    expect(motion.shown.peak_left).toBe(-120);
  });

  it("holds the peak, and the clip light until the reset", () => {
    const motion = new MeterMotion();
    motion.update(levels(-6, 2), 0);
    for (let now = 20; now <= 1400; now += 20) motion.update(levels(-60), now);
    expect(motion.held.peaks[0]).toBe(-6);
    expect(motion.held.clips).toBe(2);
    motion.held.reset();
    expect(motion.held.clips).toBe(0);
  });
});

describe("spectrum plane", () => {
  const plot = plotOf({ width: 830, height: 330 }, 14);

  it("spreads octaves evenly and maps back", () => {
    const axis = axisOf(null, plot);
    const octave = axis.xFromHz(200) - axis.xFromHz(100);
    expect(axis.xFromHz(8000) - axis.xFromHz(4000)).toBeCloseTo(octave, 6);
    expect(hzFromX(plot.x + axis.xFromHz(440), plot, axis)).toBeCloseTo(440, 6);
    expect(hzFromX(-50, plot, axis)).toBeCloseTo(20, 9);
    expect(hzFromX(5000, plot, axis)).toBeCloseTo(20_000, 6);
  });

  it("spreads other scales as their bands are", () => {
    const axis = axisOf({ scale: "linear", frequencies: Float32Array.of(0, 5000, 10_000) }, plot);
    expect(axis.xFromHz(7500)).toBeCloseTo(0.75 * plot.width, 9);
  });

  it("keeps levels inside the plane", () => {
    expect(yFromDb(12, plot)).toBe(plot.y);
    expect(yFromDb(-120, plot)).toBeCloseTo(plot.y + plot.height, 9);
  });

  it("finds the band nearest on a logarithmic axis", () => {
    const bands = [100, 200, 400, 800];
    expect(nearestBand(bands, 141)).toBe(0);
    expect(nearestBand(bands, 142)).toBe(1);
    expect(nearestBand(bands, 5)).toBe(0);
    expect(nearestBand(bands, 20_000)).toBe(3);
    expect(nearestBand([], 100)).toBe(-1);
  });
});

describe("waveform range", () => {
  const frame = (peak: number) => ({
    samples_left: Float32Array.of(0, -peak),
    samples_right: Float32Array.of(peak / 2),
  });
  const run = (range: WaveformRange, peak: number, from: number, to: number) => {
    for (let now = from; now <= to; now += 50) range.update(frame(peak), now);
  };

  it("goes down by halves, with patience, and up at once", () => {
    const range = new WaveformRange();
    range.update(frame(0.9), 0);
    run(range, 0.1, 50, 1900);
    expect(range.value).toBe(1);
    run(range, 0.1, 1950, 8000);
    expect(range.value).toBe(0.125);
    range.update(frame(0.6), 8050);
    expect(range.value).toBe(1);
  });

  it("follows buckets too", () => {
    const range = new WaveformRange();
    run(range, 0.1, 0, 8000);
    range.update({ min_left: Float32Array.of(-0.6), max_left: Float32Array.of(0.1) }, 8050);
    expect(range.value).toBe(1);
  });

  it("stays where it is through silence", () => {
    const range = new WaveformRange();
    range.update(frame(0.9), 0);
    run(range, 0, 50, 9000);
    expect(range.value).toBe(1);
  });
});
