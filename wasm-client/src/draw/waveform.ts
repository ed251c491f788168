// The scope and the strip of buckets.
import type { WaveformFrame } from "../types.gen.ts";
import { type Size, strokeCurve } from "./scale.ts";

/** Colours of a waveform. */
export interface WaveformStyle {
  /** Of the left channel. */
  left?: string | CanvasGradient | undefined;
  /** Of the right channel. */
  right?: string | CanvasGradient | undefined;
  /** CSS pixels; by default as thin as is clear: a given width costs much where no graphics card draws. */
  lineWidth?: number | undefined;
  /** `overlay` (default): both channels over one another; `stacked`: left above right. */
  layout?: "overlay" | "stacked" | undefined;
  /** Sample value at the edge; default 1, full scale. */
  range?: number | undefined;
}

/** A band of the picture that one channel is drawn in. */
interface Row {
  top: number;
  height: number;
}

/** Draws a waveform into a cleared area of `size`: curves of samples, or bars of buckets with their RMS. */
export function drawWaveform(
  ctx: CanvasRenderingContext2D, frame: Partial<WaveformFrame>, size: Size, style: WaveformStyle = {},
): void {
  const { left = "#7c9cff", right = "#ff9c7c", lineWidth, layout = "overlay", range = 1 } = style;
  const half = size.height / 2;
  const rows: [Row, Row] = layout === "stacked"
    ? [{ top: 0, height: half }, { top: half, height: half }]
    : [{ top: 0, height: size.height }, { top: 0, height: size.height }];
  ctx.save();
  ctx.lineJoin = "round";
  // Right first: where the channels are equal, left shows.
  const channels = [
    [right, rows[1], frame.samples_right, frame.min_right, frame.max_right, frame.rms_right],
    [left, rows[0], frame.samples_left, frame.min_left, frame.max_left, frame.rms_left],
  ] as const;
  for (const [color, row, samples, min, max, rms] of channels) {
    if (samples) drawScope(ctx, samples, size.width, row, range, color, lineWidth);
    else if (min && max) drawBuckets(ctx, min, max, rms, size.width, row, range, color);
  }
  ctx.restore();
}

function yOf(value: number, row: Row, range: number): number {
  const inRange = Math.max(-range, Math.min(range, value));
  return row.top + ((range - inRange) / (2 * range)) * row.height;
}

function drawScope(
  ctx: CanvasRenderingContext2D, samples: Float32Array, width: number, row: Row, range: number,
  color: string | CanvasGradient, lineWidth: number | undefined,
): void {
  const step = width / Math.max(1, samples.length - 1);
  ctx.strokeStyle = color;
  strokeCurve(ctx, lineWidth, () => {
    ctx.beginPath();
    for (let idx = 0; idx < samples.length; idx += 1) {
      const y = yOf(samples[idx]!, row, range);
      if (idx === 0) ctx.moveTo(0, y);
      else ctx.lineTo(idx * step, y);
    }
  });
}

function drawBuckets(
  ctx: CanvasRenderingContext2D, min: Float32Array, max: Float32Array, rms: Float32Array | undefined, width: number,
  row: Row, range: number, color: string | CanvasGradient,
): void {
  const step = width / Math.max(1, min.length);
  ctx.fillStyle = color;
  const bar = (idx: number, low: number, high: number) => {
    const top = yOf(high, row, range);
    // Silence is a line, not nothing.
    ctx.fillRect(idx * step, top, Math.max(step, 1), Math.max(1, yOf(low, row, range) - top));
  };
  ctx.globalAlpha = 0.45;
  for (let idx = 0; idx < min.length; idx += 1) bar(idx, min[idx]!, max[idx]!);
  ctx.globalAlpha = 1;
  if (!rms) return;
  for (let idx = 0; idx < rms.length; idx += 1) bar(idx, Math.max(min[idx]!, -rms[idx]!), Math.min(max[idx]!, rms[idx]!));
}
