// Magnitude spectra over logarithmic frequency.
import type { SpectrumFrame } from "../types.gen.ts";
import { crisp, type Size, xFromHz, yFromDb } from "./scale.ts";

export interface SpectrumStyle {
  /** Left edge; default 20 Hz. */
  minHz?: number;
  /** Right edge; default 20 kHz. */
  maxHz?: number;
  /** Bottom; default −100 dBFS. */
  minDb?: number;
  /** Top; default 0 dBFS. */
  maxDb?: number;
  /** Of the curve. */
  stroke?: string | CanvasGradient;
  /** Under the curve; `null` for none. */
  fill?: string | CanvasGradient | null;
  /** Of the second channel's curve. */
  strokeRight?: string | CanvasGradient;
  lineWidth?: number;
}

export interface GridStyle {
  minHz?: number;
  maxHz?: number;
  minDb?: number;
  maxDb?: number;
  line?: string;
  /** Of the decades and of 0 dB. */
  strongLine?: string;
  /** Of the labels; `null` for none. */
  label?: string | null;
  font?: string;
  /** Decibels between two lines. */
  stepDb?: number;
}

/** Draws a spectrum's curve into a cleared area of `size`. Where several bands share a pixel the loudest shows. */
export function drawSpectrum(
  ctx: CanvasRenderingContext2D, frame: SpectrumFrame, size: Size, style: SpectrumStyle = {},
): void {
  const { stroke = "#7c9cff", fill = fade(ctx, size, "#7c9cff"), strokeRight = "#ff9c7c", lineWidth = 1.5 } = style;
  const n_bands = frame.frequencies.length;
  ctx.save();
  ctx.lineWidth = lineWidth;
  ctx.lineJoin = "round";
  for (let channel = Math.max(1, frame.channels) - 1; channel >= 0; channel -= 1) {
    const levels = frame.magnitudes.subarray(channel * n_bands, (channel + 1) * n_bands);
    const ends = trace(ctx, frame.frequencies, levels, size, style);
    if (!ends) continue;
    ctx.strokeStyle = channel === 0 ? stroke : strokeRight;
    ctx.stroke();
    if (channel > 0 || fill === null) continue;
    ctx.lineTo(ends.right, size.height);
    ctx.lineTo(ends.left, size.height);
    ctx.closePath();
    ctx.fillStyle = fill;
    ctx.fill();
  }
  ctx.restore();
}

/** Makes the curve the context's path and says where it starts and ends. */
function trace(
  ctx: CanvasRenderingContext2D, frequencies: Float32Array, levels: Float32Array, { width, height }: Size,
  { minHz = 20, maxHz = 20_000, minDb = -100, maxDb = 0 }: SpectrumStyle,
): { left: number; right: number } | null {
  let left: number | null = null;
  let right = 0;
  let loudest = -Infinity;
  ctx.beginPath();
  for (let band = 0; band < levels.length; band += 1) {
    const hz = frequencies[band]!;
    if (hz <= 0) continue;
    const x = xFromHz(hz, minHz, maxHz, width);
    const next = band + 1 < levels.length ? xFromHz(frequencies[band + 1]!, minHz, maxHz, width) : Infinity;
    // One band beyond each edge, so that the curve reaches it.
    if (next < 0) continue;
    loudest = Math.max(loudest, levels[band]!);
    if (Math.floor(next) === Math.floor(x)) continue;
    const y = Math.min(height, Math.max(0, yFromDb(loudest, minDb, maxDb, height)));
    loudest = -Infinity;
    if (left === null) {
      left = x;
      ctx.moveTo(x, y);
    } else {
      ctx.lineTo(x, y);
    }
    right = x;
    if (x > width) break;
  }
  return left === null ? null : { left, right };
}

/** Draws frequency and level lines with labels; below the curve, so before it. */
export function drawSpectrumGrid(ctx: CanvasRenderingContext2D, size: Size, style: GridStyle = {}): void {
  const { minHz = 20, maxHz = 20_000, minDb = -100, maxDb = 0, stepDb = 20 } = style;
  const { line = "rgba(255,255,255,0.07)", strongLine = "rgba(255,255,255,0.16)" } = style;
  const { label = "rgba(255,255,255,0.55)", font = "10px system-ui, sans-serif" } = style;
  ctx.save();
  ctx.lineWidth = 1;
  ctx.font = font;
  ctx.textBaseline = "bottom";
  if (label !== null) ctx.fillStyle = label;
  for (let decade = 10 ** Math.floor(Math.log10(minHz)); decade <= maxHz; decade *= 10) {
    for (let digit = 1; digit < 10; digit += 1) {
      const hz = decade * digit;
      if (hz < minHz || hz > maxHz) continue;
      const x = crisp(xFromHz(hz, minHz, maxHz, size.width));
      segment(ctx, x, 0, x, size.height, digit === 1 ? strongLine : line);
      const isLabelled = digit === 1 || digit === 2 || digit === 5;
      if (label !== null && isLabelled && x < size.width - 24) ctx.fillText(hzText(hz), x + 3, size.height - 2);
    }
  }
  for (let db = Math.ceil(minDb / stepDb) * stepDb; db <= maxDb; db += stepDb) {
    const y = crisp(yFromDb(db, minDb, maxDb, size.height));
    segment(ctx, 0, y, size.width, y, db === 0 ? strongLine : line);
    if (label !== null && y > 12 && y < size.height - 14) ctx.fillText(`${db} dB`, 3, y - 1);
  }
  ctx.restore();
}

function hzText(hz: number): string {
  return hz >= 1000 ? `${hz / 1000}k` : String(hz);
}

function segment(
  ctx: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number, stroke: string,
): void {
  ctx.strokeStyle = stroke;
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}

function fade(ctx: CanvasRenderingContext2D, { height }: Size, color: string): CanvasGradient {
  const gradient = ctx.createLinearGradient(0, 0, 0, height);
  gradient.addColorStop(0, `${color}99`);
  gradient.addColorStop(1, `${color}0d`);
  return gradient;
}
