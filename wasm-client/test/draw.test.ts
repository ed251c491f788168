// Drawing functions of level, spectrum and waveform, on a context that writes down what it is told.
import { expect, test } from "vitest";
import {
  drawMeter, drawSpectrum, drawSpectrumGrid, drawWaveform, type GridStyle, MeterHold, meterLook, SpectrogramRing,
} from "../src/draw/index.ts";
import { recorder } from "./canvas.ts";
import { spectrum } from "./fake-source.ts";

const SIZE = { width: 300, height: 100 };

test("a spectrum lies on a logarithmic axis, its levels on a linear one", () => {
  const { ctx, named } = recorder();
  drawSpectrum(ctx, spectrum(1, new Float32Array([0, -50, -100, -120])), SIZE);
  const points = [...named("moveTo"), ...named("lineTo").slice(0, 3)];
  for (const [idx, [x, y]] of [[0, 0], [100, 50], [200, 100], [300, 100]].entries()) {
    expect(points[idx]![0]).toBeCloseTo(x!, 3);
    expect(points[idx]![1]).toBeCloseTo(y!, 3);
  }
  expect(named("fill")).toHaveLength(1);
  expect(named("save")).toHaveLength(named("restore").length);
});

test("bands that share a pixel show the loudest", () => {
  const n = 4096;
  const frame = {
    ...spectrum(1, new Float32Array(n).fill(-100)), frequencies: Float32Array.from({ length: n }, (_, k) => (k + 1) * 6),
  };
  frame.magnitudes[3001] = -10;
  const { ctx, named } = recorder();
  drawSpectrum(ctx, frame, SIZE, { fill: null });
  expect(named("lineTo").length).toBeLessThan(SIZE.width + 20);
  expect(Math.min(...named("lineTo").map(([, y]) => y!))).toBeCloseTo(10, 3);
});

test("the second channel is drawn too, and nothing of an empty frame", () => {
  const two = { ...spectrum(1, new Float32Array(8)), channels: 2 };
  const { ctx, named } = recorder();
  drawSpectrum(ctx, two, SIZE);
  expect(named("stroke")).toHaveLength(2);
  const none = recorder();
  drawSpectrum(none.ctx, { ...spectrum(1, new Float32Array(0)), frequencies: new Float32Array(0) }, SIZE);
  expect(none.named("stroke")).toHaveLength(0);
});

test("the grid names frequencies and levels", () => {
  const { ctx, calls } = recorder();
  drawSpectrumGrid(ctx, { width: 600, height: 200 });
  const texts = calls.filter(([name]) => name === "fillText").map(([, text]) => text);
  expect(texts).toEqual(expect.arrayContaining(["100", "1k", "10k", "-20 dB", "-60 dB"]));
});

test("a grid ends, whatever its range: what is none is refused, and lines too close are left out", () => {
  const size = { width: 600, height: 200 };
  const wrong: GridStyle[] = [
    { stepDb: -6 }, { stepDb: 0 }, { stepDb: Number.NaN }, { minDb: -Infinity }, { maxDb: Number.NaN }, { minDb: 0 },
    { maxHz: Infinity }, { minHz: Number.NaN },
  ];
  for (const style of wrong) {
    const invalid = expect.objectContaining({ code: "invalid-option", message: expect.stringContaining(Object.keys(style)[0]!) });
    expect(() => drawSpectrumGrid(recorder().ctx, size, style), JSON.stringify(style)).toThrow(invalid);
  }
  for (const style of [{ minDb: -1e9 }, { stepDb: 1e-9 }, { minDb: -1e300, maxDb: -1e299 }, { maxHz: 1e300 }]) {
    const { ctx, named } = recorder();
    drawSpectrumGrid(ctx, size, style);
    expect(named("stroke").length, JSON.stringify(style)).toBeGreaterThan(10);
    expect(named("stroke").length).toBeLessThan(250);
  }
  expect(() => drawSpectrumGrid(recorder().ctx, { width: 600, height: 0 })).not.toThrow();
});

test("a spectrogram has a width that a canvas can have", () => {
  const wrong: [number, number][] = [[0, 30], [-1, 30], [1e9, 30], [Number.NaN, 30], [10, Infinity], [10, 0]];
  for (const [seconds, fps] of wrong) expect(() => new SpectrogramRing(seconds, fps)).toThrow(/make no picture/);
  for (let seconds = 1; seconds <= 3600; seconds += 1) new SpectrogramRing(seconds, 16_384 / seconds);
});

test("a scope runs over the whole width; what is beyond full scale stays inside", () => {
  const base = { tap: "master", sample_position: 0, sample_rate: 48_000 };
  const { ctx, named } = recorder();
  const samples = new Float32Array([0, 1, -1, 3]);
  drawWaveform(ctx, { ...base, samples_left: samples, samples_right: samples }, SIZE);
  expect(named("stroke")).toHaveLength(2);
  expect(named("lineTo").slice(0, 3)).toEqual([[100, 0], [200, 100], [300, 0]]);
});

test("buckets are bars, and silence is a line", () => {
  const base = { tap: "master", sample_position: 0, sample_rate: 48_000 };
  const { ctx, named } = recorder();
  const half = new Float32Array([0, 0.5]);
  drawWaveform(ctx, { ...base, min_left: half.map((v) => -v), max_left: half, rms_left: half.map((v) => v / 2) }, SIZE);
  expect(named("fillRect")).toEqual([[0, 50, 150, 1], [150, 25, 150, 50], [0, 50, 150, 1], [150, 37.5, 150, 25]]);
});

const levels = (peak: number, clips = 0) => ({
  peak_left: peak, peak_right: peak - 6, rms_left: peak - 10, rms_right: peak - 16, true_peak_left: peak,
  true_peak_right: peak, clips,
});

test("a meter is higher when it is louder, and empty at the floor", () => {
  const covered = (peak: number) => {
    const { ctx, named } = recorder();
    drawMeter(ctx, levels(peak), { width: 40, height: 120 }, { label: null, background: "x" });
    return named("fillRect").reduce((sum, [, , width, height]) => sum + width! * height!, 0);
  };
  expect(covered(-6)).toBeGreaterThan(covered(-30));
  expect(covered(-30)).toBeGreaterThan(covered(-120));
  expect(covered(-120)).toBe(covered(-200));
});

test("a meter of any width has its RMS in its bars", () => {
  for (let width = 4; width <= 60; width += 1) {
    const { ctx, named } = recorder();
    const zones = [{ fromDb: -Infinity, color: "x" }];
    drawMeter(ctx, levels(-6), { width, height: 120 }, { label: null, zones, layer: "moving" });
    const [peak, rms] = named("fillRect");
    expect(rms![2], `RMS of ${width} pixels`).toBeGreaterThan(0);
    expect(rms![0]! + rms![2]! / 2).toBe(peak![0]! + peak![2]! / 2);
  }
});

test("held peaks stay, then fall; clips stay until they are reset", () => {
  const held = new MeterHold(1000, 10);
  held.update(levels(-6, 2), 0);
  held.update(levels(-40), 900);
  expect(held.peaks[0]).toBe(-6);
  held.update(levels(-40), 1900);
  expect(held.peaks[0]).toBeCloseTo(-16, 5);
  held.update(levels(-3), 2000);
  expect([held.peaks[0], held.clips]).toEqual([-3, 2]);
  held.reset();
  expect([held.peaks[0], held.clips]).toEqual([-Infinity, 0]);
});

test("a curve is as thin as a pixel of the screen, and two of them where that is faint", () => {
  const widths = (density: number, lineWidth?: number) => {
    const { ctx, named } = recorder();
    Object.assign(ctx, { getTransform: () => ({ a: density }) });
    const samples = new Float32Array([0, 0.5]);
    drawWaveform(ctx, { samples_left: samples }, SIZE, { lineWidth });
    return [ctx.lineWidth, named("stroke").length];
  };
  expect([widths(1), widths(2), widths(3), widths(2, 2)]).toEqual([[1, 1], [0.5, 2], [1 / 3, 2], [2, 1]]);
});

test("a meter's layers make the meter, and its look changes when a pixel does", () => {
  const size = { width: 44, height: 120 };
  const boxes = (layer?: "still" | "moving") => {
    const { ctx, named } = recorder();
    drawMeter(ctx, levels(-6, 1), size, layer ? { layer } : {});
    return [named("fillRect"), named("fillText")].map((calls) => calls.map((call) => call.join()));
  };
  const [all, still, moving] = [boxes(), boxes("still"), boxes("moving")];
  for (const idx of [0, 1]) expect(new Set([...still[idx]!, ...moving[idx]!])).toEqual(new Set(all[idx]));
  expect(moving[1]).toEqual([]);
  const look = (db: number, density = 1) => meterLook(levels(db), size, {}, density);
  // 113 pixels for 63 dB.
  expect(look(-6)).toBe(look(-6.01));
  expect(look(-6)).not.toBe(look(-7));
  expect(look(-6.2, 3)).not.toBe(look(-6.4, 3));
});
