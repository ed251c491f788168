// Drawing of stereo image, spectrogram, overview, bars and axes, against positions worked out by hand.
import { expect, test } from "vitest";
import {
  bandAxis, COLOR_MAPS, colorMap, drawCorrelation, drawGoniometer, drawMeter, drawOverview, drawSpectrum, drawSpectrumGrid,
  logAxis, spectrogramColumn, SpectrogramRing,
} from "../src/draw/index.ts";
import { recorder } from "./canvas.ts";
import { spectrum } from "./fake-source.ts";

test("mono stands upright, the left channel alone on the left diagonal, and nothing leaves the square", () => {
  const { ctx, named } = recorder();
  const points = [[0, 1], [-0.5, 0.5], [0.5, 0.5], [1, 0], [5, -5]].map((point) => Float32Array.from(point));
  drawGoniometer(ctx, { points }, { width: 300, height: 102 }, { line: null, label: null, pointSize: 2 });
  // The square's centre is 150, 51, its half side 50.
  expect(named("fillRect")).toEqual([[149, 0, 2, 2], [124, 25, 2, 2], [174, 25, 2, 2], [199, 50, 2, 2], [199, 100, 2, 2]]);
});

test("quiet music fills the goniometer when its range says so", () => {
  const { ctx, named } = recorder();
  drawGoniometer(ctx, { points: [Float32Array.of(0, 0.25)] }, { width: 102, height: 102 }, { line: null, label: null, pointSize: 2, range: 0.25 });
  expect(named("fillRect")).toEqual([[50, 0, 2, 2]]);
});

test("the needle of correlation", () => {
  const at = (correlation: number) => {
    const { ctx, named } = recorder();
    drawCorrelation(ctx, correlation, { width: 101, height: 8 });
    return named("moveTo")[0]![0];
  };
  expect([-1, 0, 0.5, 1, 7].map(at)).toEqual([0.5, 50.5, 75.5, 100.5, 100.5]);
});

test("a logarithmic axis and its inverse", () => {
  const axis = logAxis(20, 20_000, 300);
  for (const [hz, x] of [[20, 0], [200, 100], [2000, 200], [20_000, 300]] as const) {
    expect(axis.xFromHz(hz)).toBeCloseTo(x, 9);
    expect(axis.hzFromX(x)).toBeCloseTo(hz, 6);
  }
});

test("a band axis gives every band the same room, and undoes itself", () => {
  const axis = bandAxis(Float32Array.of(0, 100, 300, 700), 300);
  for (const [hz, x] of [[0, 0], [50, 50], [100, 100], [200, 150], [300, 200], [500, 250], [700, 300]] as const) {
    expect(axis.xFromHz(hz)).toBeCloseTo(x, 9);
    expect(axis.hzFromX(x)).toBeCloseTo(hz, 6);
  }
  expect(axis.xFromHz(900)).toBeGreaterThan(300);
});

test("a slope tilts the curve about 1 kHz", () => {
  const { ctx, named } = recorder();
  const frame = { ...spectrum(1, Float32Array.of(-50, -50, -50)), frequencies: Float32Array.of(500, 1000, 2000) };
  drawSpectrum(ctx, frame, { width: 300, height: 100 }, { slope: 6, fill: null });
  const ys = [...named("moveTo"), ...named("lineTo")].map(([, y]) => Math.round(y! * 1e6) / 1e6);
  expect(ys).toEqual([56, 50, 44]);
});

test("bars meet halfway between bands", () => {
  const { ctx, named } = recorder();
  const frame = { ...spectrum(1, Float32Array.of(-20, -40, -100)), frequencies: Float32Array.of(100, 200, 300) };
  drawSpectrum(ctx, frame, { width: 200, height: 100 }, { bars: true, axis: bandAxis(frame.frequencies, 200) });
  expect(named("fillRect")).toEqual([[0, 20, 49, 80], [50, 40, 99, 60], [150, 100, 49, 0]]);
});

test("lines of a grid over bands keep their distance", () => {
  const { ctx, named, calls } = recorder();
  const axis = bandAxis(Float32Array.from({ length: 201 }, (_, band) => band * 100), 600);
  drawSpectrumGrid(ctx, { width: 600, height: 100 }, { axis });
  const xs = named("moveTo").map(([x]) => x!).filter((x) => x > 0).sort((a, b) => a - b);
  for (let idx = 1; idx < xs.length; idx += 1) expect(xs[idx]! - xs[idx - 1]!).toBeGreaterThanOrEqual(4);
  const label = calls.find(([name, text]) => name === "fillText" && text === "10k");
  expect(label?.[2]).toBeCloseTo(303.5, 6);
});

test("an overview shows lowest and highest of every column", () => {
  const { ctx, named } = recorder();
  drawOverview(ctx, [-10, 10, -50, 20, 0, 0, -100, 100], { width: 2, height: 200 }, { range: 100 });
  expect(named("fillRect")).toEqual([[0, 80, 1, 70], [1, 0, 1, 200]]);
});

test("a meter with ballistics shows needles and their own marks", () => {
  const { ctx, named } = recorder();
  const levels = {
    peak_left: 0, peak_right: 0, rms_left: 0, rms_right: 0, true_peak_left: 0, true_peak_right: 0, clips: 0,
    needle_left: -20, needle_right: -30, hold_left: -10, hold_right: -120,
  };
  drawMeter(ctx, levels, { width: 42, height: 47 }, { label: null, minDb: -40, maxDb: 0, zones: [{ fromDb: -Infinity, color: "x" }] });
  // 40 pixels for 40 dB, below the clip light's 7.
  expect(named("fillRect")).toEqual([
    [0, 7, 20, 40], [0, 27, 20, 20], [5, 27, 10, 20], [0, 17, 20, 1], [0, 0, 20, 5],
    [22, 7, 20, 40], [22, 37, 20, 10], [27, 37, 10, 10], [22, 0, 20, 5],
  ]);
});

test("colour maps have the colours that their authors published", () => {
  const ends = COLOR_MAPS.map((name) => [name, [...colorMap(name).slice(0, 3)], [...colorMap(name).slice(-4)]]);
  // Matplotlib's tables; cividis as d3 approximates it, within two steps of Nuñez, Anderton and Renslow.
  expect(ends).toEqual([
    ["viridis", [68, 1, 84], [253, 231, 37, 255]], ["inferno", [0, 0, 4], [252, 255, 164, 255]],
    ["magma", [0, 0, 4], [252, 253, 191, 255]], ["cividis", [0, 32, 81], [253, 234, 69, 255]],
  ]);
  const none = expect.objectContaining({ code: "invalid-option", hint: expect.stringContaining("viridis, inferno") });
  for (const name of ["nope", "toString", undefined]) expect(() => colorMap(name as "magma")).toThrow(none);
  expect([...colorMap("viridis").slice(128 * 4, 128 * 4 + 3)]).toEqual([33, 145, 140]);
});

const GREYS = Uint8ClampedArray.from({ length: 1024 }, (_, idx) => (idx % 4 === 3 ? 255 : Math.floor(idx / 4)));
const frameAt = (seconds: number, ...magnitudes: number[]) => ({
  ...spectrum(1, Float32Array.from(magnitudes)), frequencies: Float32Array.from(magnitudes, (_, band) => band + 1),
  sample_position: seconds * 48_000,
});

test("a column of a spectrogram has the highest band on top", () => {
  const pixels = new Uint8ClampedArray(12);
  spectrogramColumn(frameAt(0, -100, -60, 20), pixels, { colors: GREYS });
  expect([...pixels]).toEqual([255, 255, 255, 255, 102, 102, 102, 255, 0, 0, 0, 255]);
});

test("columns lie by sample position: gaps are filled, the ring goes round, another run starts anew", () => {
  const { ctx, named } = recorder();
  const written: number[] = [];
  const canvas = {
    height: 2, getContext: () => ({
      createImageData: () => ({ data: new Uint8ClampedArray(8) }), clearRect: () => written.push(-1),
      putImageData: (_: unknown, x: number) => written.push(x),
    }),
  };
  const ring = new SpectrogramRing(1, 4, () => canvas as unknown as OffscreenCanvas);
  const push = (seconds: number) => ring.push(frameAt(seconds, 0, 0), { colors: GREYS });
  [10, 10.25, 10.75, 11].forEach(push);
  // Column 40 is place 0; 42 was lost and gets the colours of 43; 44 is place 0 again.
  expect(written.splice(0)).toEqual([-1, 0, 1, 2, 3, 0]);
  ring.draw(ctx, { width: 100, height: 50 });
  // 41 to 43 are older than 44, which is at the right edge.
  expect(named("drawImage").map(([, ...rest]) => rest)).toEqual([[1, 0, 3, 2, 0, 0, 75, 50], [0, 0, 1, 2, 75, 0, 25, 50]]);
  push(2);
  expect(written).toEqual([-1, 0]);
});

test("where nothing was measured for long, nothing is shown", () => {
  const cleared: number[] = [];
  const filled: number[] = [];
  const canvas = {
    height: 1, getContext: () => ({
      createImageData: () => ({ data: new Uint8ClampedArray(4) }),
      clearRect: (x: number, _y: number, width: number) => width === 1 && cleared.push(x),
      putImageData: (_: unknown, x: number) => filled.push(x),
    }),
  };
  const ring = new SpectrogramRing(2, 10, () => canvas as unknown as OffscreenCanvas);
  ring.push(frameAt(10, 0), { colors: GREYS });
  ring.push(frameAt(11, 0), { colors: GREYS });
  expect(cleared).toEqual([1, 2, 3, 4, 5].map((column) => (100 + column) % 20));
  expect(filled).toEqual([0, 6, 7, 8, 9, 10].map((column) => (100 + column) % 20));
});
