import { drawGoniometer, drawMeter, drawSpectrum, drawWaveform } from "antiphon/draw";
import { describe, expect, it } from "vitest";
import { meterStyle } from "../src/canvas/meter";
import { Recorder, replay } from "../src/canvas/record";
import type { CanvasTheme } from "../src/canvas/theme";

const SIZE = { width: 200, height: 100 };
const theme = { meterBack: "#000", meterLow: "#0f0", meterMid: "#ff0", meterWarm: "#f80", meterHigh: "#f00", hold: "#fff" } as CanvasTheme;
const levels = {
  peak_left: -3, peak_right: -9, rms_left: -12, rms_right: -18, true_peak_left: -3, true_peak_right: -9, clips: 1,
};
const samples = Float32Array.from({ length: 512 }, (_, idx) => Math.sin(idx / 7));
const spectrum = {
  channels: 1, frequencies: samples.map((_, idx) => 20 + 30 * idx), magnitudes: samples.map((value) => 40 * value - 50),
} as unknown as Parameters<typeof drawSpectrum>[1];

const PAINTERS: Record<string, (ctx: CanvasRenderingContext2D) => void> = {
  meter: (ctx) => drawMeter(ctx, levels, SIZE, meterStyle(theme)),
  waveform: (ctx) => drawWaveform(ctx, { samples_left: samples, samples_right: samples }, SIZE, { left: "#fa0", right: "#0af" }),
  spectrum: (ctx) => drawSpectrum(ctx, spectrum, SIZE, { stroke: "#0ff", fill: "#0ff3" }),
  bars: (ctx) => drawSpectrum(ctx, spectrum, SIZE, { stroke: "#0ff", fill: null, bars: true }),
  goniometer: (ctx) => drawGoniometer(ctx, { points: [[0.5, 0.2], [-0.3, 0.9]].map((point) => Float32Array.from(point)) }, SIZE),
};

/** A canvas of this density that writes down what is done to its context, numbers as a Float32Array holds them. */
function canvasOf(density: number) {
  const done: unknown[][] = [];
  const told = (value: unknown) => (typeof value === "number" ? Math.fround(value) : value);
  const state: Record<string, unknown> = { getTransform: () => ({ a: density }) };
  const ctx = new Proxy(state, {
    get: (target, name: string) => target[name] ?? ((...args: unknown[]) => void done.push([name, ...args.map(told)])),
    set: (target, name: string, value) => {
      target[name] = value;
      done.push([name, told(value)]);
      return true;
    },
  }) as unknown as CanvasRenderingContext2D;
  const canvas = { width: 0, height: 0, getContext: () => ctx } as unknown as HTMLCanvasElement;
  return { canvas, ctx, done };
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
    expect(replayed.done).toEqual(direct.done);
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
});
