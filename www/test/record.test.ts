import { drawCorrelation, drawGoniometer, drawMeter, drawSpectrum, drawWaveform } from "antiphon/draw";
import { describe, expect, it } from "vitest";
import { drawLoudness } from "../src/analysis/loudnessHistory";
import { drawCurve, drawCursor } from "../src/analysis/spectrumCurve";
import { MeterMotion, meterStyle, paintMeter } from "../src/canvas/meter";
import { Recorder, replay } from "../src/canvas/record";
import { axisOf, plotOf } from "../src/canvas/spectrumGrid";
import type { CanvasTheme } from "../src/canvas/theme";
import { paintPosition } from "../src/transport/Position";
import { canvasOf } from "./fakeCanvas";

const SIZE = { width: 200, height: 100 };
/** Colours are words to a recorder; each is another one. */
const theme = {
  meterBack: "#000", meterLow: "#0f0", meterMid: "#ff0", meterWarm: "#f80", meterHigh: "#f00", hold: "#fff", text: "#aaa",
  strong: "#eee", grid: "#333", left: "#fa0", spectrum: "#0ff", spectrumFill: "#0ff3", cursor: "#eef", mono: "monospace",
  font: "10px sans-serif", em: 14,
} as CanvasTheme;
const levels = {
  peak_left: -3, peak_right: -9, rms_left: -12, rms_right: -18, true_peak_left: -3, true_peak_right: -9, clips: 1,
};
const samples = Float32Array.from({ length: 512 }, (_, idx) => Math.sin(idx / 7));
const spectrum = {
  channels: 1, scale: "log", frequencies: samples.map((_, idx) => 20 + 30 * idx), magnitudes: samples.map((value) => 40 * value - 50),
} as unknown as Parameters<typeof drawCurve>[1];
const octaves = { ...spectrum, scale: "octave", fraction: 3 } as typeof spectrum;
const points = samples.subarray(0, 20).map((value) => 10 * value - 25);
const history = { points: Array.from(points, (lufs, idx) => ({ seconds: idx / 10, momentary: lufs, shortTerm: lufs - 1 })) };
const plot = plotOf(SIZE, theme.em);
const axis = axisOf(spectrum, plot);
const motion = new MeterMotion();
motion.update(levels, 1000);

const PAINTERS: Record<string, (ctx: CanvasRenderingContext2D) => void> = {
  meter: (ctx) => drawMeter(ctx, levels, SIZE, meterStyle(theme)),
  waveform: (ctx) => drawWaveform(ctx, { samples_left: samples, samples_right: samples }, SIZE, { left: "#fa0", right: "#0af" }),
  spectrum: (ctx) => drawSpectrum(ctx, spectrum, SIZE, { stroke: "#0ff", fill: "#0ff3" }),
  bars: (ctx) => drawSpectrum(ctx, spectrum, SIZE, { stroke: "#0ff", fill: null, bars: true }),
  goniometer: (ctx) => drawGoniometer(ctx, { points: [[0.5, 0.2], [-0.3, 0.9]].map((point) => Float32Array.from(point)) }, SIZE),
  correlation: (ctx) => drawCorrelation(ctx, -0.4, SIZE),
  "page's meter": (ctx) => paintMeter({ ctx, ...SIZE }, motion, meterStyle(theme)),
  "page's curve": (ctx) => drawCurve(ctx, spectrum, plot, axis, 3, theme),
  "page's bars": (ctx) => drawCurve(ctx, octaves, plot, axis, 3, theme),
  "page's held curve": (ctx) => drawCurve(ctx, spectrum, plot, axis, 3, theme, true),
  cursor: (ctx) => void drawCursor(ctx, spectrum, 1000, plot, axis, 3, theme),
  "page's scope": (ctx) => drawWaveform(ctx, { samples_left: samples, samples_right: samples }, SIZE, { left: "#fa0", right: "#0af", range: 0.5, layout: "overlay" }),
  loudness: (ctx) => drawLoudness({ ctx, ...SIZE }, history, -23, theme),
  position: (ctx) => paintPosition({ ctx, ...SIZE }, "003:2.50", "0:04.250", theme),
};

/** Without what was cleared away: some painters clear by themselves. */
function shown([scaled, ...steps]: unknown[][]): unknown[][] {
  const begin = steps.map((step) => step.join(" ")).lastIndexOf(`clearRect 0 0 ${SIZE.width} ${SIZE.height}`);
  return [scaled!, ...steps.slice(begin)];
}

describe("a recorded picture", () => {
  it.each(Object.keys(PAINTERS))("is drawn as the painter of the %s would", (name) => {
    const direct = canvasOf(2);
    direct.ctx.setTransform(2, 0, 0, 2, 0, 0);
    direct.ctx.clearRect(0, 0, SIZE.width, SIZE.height);
    PAINTERS[name]!(direct.ctx);

    const recorder = new Recorder(() => undefined);
    Object.assign(recorder, { width: 400, height: 200, density: 2 });
    recorder.ctx.clearRect(0, 0, SIZE.width, SIZE.height);
    PAINTERS[name]!(recorder.ctx as unknown as CanvasRenderingContext2D);
    const replayed = canvasOf(2);
    replay(replayed.canvas, recorder.take());

    expect(replayed.done.length).toBeGreaterThan(5);
    expect(replayed.done).toEqual(shown(direct.done));
    expect(replayed.canvas).toMatchObject({ width: 400, height: 200 });
  });

  it("begins where all is cleared, and goes on where a part is", () => {
    let nChanges = 0;
    const recorder = new Recorder(() => (nChanges += 1));
    Object.assign(recorder, { width: 200, height: 100 });
    recorder.ctx.clearRect(0, 0, 200, 100);
    recorder.ctx.fillText("old", 1, 2);
    recorder.ctx.clearRect(0, 0, 200, 100);
    recorder.ctx.fillText("new", 1, 2);
    recorder.ctx.clearRect(5, 5, 10, 10);
    const { canvas, done } = canvasOf(1);
    replay(canvas, recorder.take());
    expect(done.slice(1)).toEqual([["clearRect", 0, 0, 200, 100], ["fillText", "new", 1, 2], ["clearRect", 5, 5, 10, 10]]);
    expect(nChanges).toBe(3);
  });

  it.each<[string, (ctx: CanvasRenderingContext2D) => void]>([
    ["a property that is not recorded", (ctx) => (ctx.shadowBlur = 3)],
    ["a method that is not recorded", (ctx) => ctx.bezierCurveTo(0, 1, 2, 3, 4, 5)],
    ["a path to fill", (ctx) => ctx.fill({} as Path2D)],
    ["a path to stroke", (ctx) => ctx.stroke({} as Path2D)],
    ["a rule of clipping", (ctx) => ctx.clip("evenodd")],
    ["a direction of an arc", (ctx) => ctx.arc(0, 0, 1, 0, 1, true)],
    ["a text's greatest width", (ctx) => ctx.fillText("wide", 0, 0, 10)],
  ])("refuses %s", (_, paint) => {
    const recorder = new Recorder(() => undefined);
    expect(() => paint(recorder.ctx as unknown as CanvasRenderingContext2D)).toThrow(TypeError);
    expect(recorder.take().codes).toHaveLength(0);
  });
});
