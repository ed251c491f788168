import { describe, expect, it } from "vitest";
import { deflection, MeterMotion } from "../src/canvas/meter";
import { hzFromX, nearestBand, plotOf, xFromHz, yFromDb } from "../src/canvas/spectrumGrid";

const levels = (peak: number, clips = 0) => ({
  peak_left: peak,
  peak_right: peak - 6,
  rms_left: peak - 10,
  rms_right: peak - 16,
  clips,
});

describe("meter scale", () => {
  it("follows IEC 60268-18 at its corners", () => {
    const corners = [-70, -60, -50, -40, -30, -20, 0].map(deflection);
    [0, 0.025, 0.075, 0.15, 0.3, 0.5, 1].forEach((share, idx) => expect(corners[idx]).toBeCloseTo(share, 9));
    expect(deflection(-120)).toBe(0);
    expect(deflection(6)).toBe(1);
  });
});

describe("meter motion", () => {
  it("rises at once and falls 20 dB in 1.7 s", () => {
    const motion = new MeterMotion();
    motion.update(levels(-3), 0);
    expect(motion.shown[0]).toBe(-3);
    for (let now = 10; now <= 1700; now += 10) motion.update(levels(-120), now);
    expect(motion.shown[0]).toBeCloseTo(-23, 6);
    expect(motion.shown[1]).toBeCloseTo(-29, 6);
  });

  it("holds the peak for a second and a half, then lets it fall", () => {
    const motion = new MeterMotion();
    motion.update(levels(-6), 0);
    for (let now = 20; now <= 1500; now += 20) motion.update(levels(-60), now);
    expect(motion.hold[0]).toBe(-6);
    for (let now = 1520; now <= 2500; now += 20) motion.update(levels(-60), now);
    expect(motion.hold[0]).toBeLessThan(-15);
    motion.update(levels(-2), 2520);
    expect(motion.hold[0]).toBe(-2);
  });

  it("keeps the clip light for two seconds", () => {
    const motion = new MeterMotion();
    motion.update(levels(0, 1), 1000);
    motion.update(levels(-20, 0), 1100);
    expect(motion.isClipped(2900)).toBe(true);
    expect(motion.isClipped(3100)).toBe(false);
  });
});

describe("spectrum plane", () => {
  const plot = plotOf({ width: 830, height: 330 }, 14);

  it("spreads octaves evenly and maps back", () => {
    const octave = xFromHz(200, plot) - xFromHz(100, plot);
    expect(xFromHz(8000, plot) - xFromHz(4000, plot)).toBeCloseTo(octave, 6);
    expect(hzFromX(xFromHz(440, plot), plot)).toBeCloseTo(440, 6);
    expect(hzFromX(-50, plot)).toBe(20);
    expect(hzFromX(5000, plot)).toBeCloseTo(20_000, 6);
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
