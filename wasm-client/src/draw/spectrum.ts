// Magnitude spectra over frequency.
import { AntiphonError } from "../errors.ts";
import type { SpectrumFrame } from "../types.gen.ts";
import { type HzAxis, logAxis } from "./axis.ts";
import { checkRange, crisp, type Size, strokeCurve, yFromDb } from "./scale.ts";

/** Range and colours of a spectrum. */
export interface SpectrumStyle {
  /** Left edge; default 20 Hz. */
  minHz?: number | undefined;
  /** Right edge; default 20 kHz. */
  maxHz?: number | undefined;
  /** Bottom; default −100 dBFS. */
  minDb?: number | undefined;
  /** Top; default 0 dBFS. */
  maxDb?: number | undefined;
  /** Where frequencies lie; logarithmic from `minHz` to `maxHz` when absent. */
  axis?: HzAxis | undefined;
  /** Tilts the picture about 1 kHz: 4.5 shows music that falls so much an octave as level. In dB per octave; default 0. */
  slope?: number | undefined;
  /** A bar for each band instead of a curve. */
  bars?: boolean | undefined;
  /** Of the curve. */
  stroke?: string | CanvasGradient | undefined;
  /** Under the curve; `null` for none. */
  fill?: string | CanvasGradient | null | undefined;
  /** Opacity of `fill`, 0 to 1; default 1. */
  fillAlpha?: number | undefined;
  /** Of the second channel's curve. */
  strokeRight?: string | CanvasGradient | undefined;
  /** CSS pixels; by default as thin as is clear: a given width costs much where no graphics card draws. */
  lineWidth?: number | undefined;
}

/** Range, lines and labels of the grid behind a spectrum. */
export interface GridStyle {
  minHz?: number | undefined;
  maxHz?: number | undefined;
  minDb?: number | undefined;
  maxDb?: number | undefined;
  /** Where frequencies lie; logarithmic from `minHz` to `maxHz` when absent. */
  axis?: HzAxis | undefined;
  line?: string | undefined;
  /** Of the decades and of 0 dB. */
  strongLine?: string | undefined;
  /** Of the labels; `null` for none. */
  label?: string | null | undefined;
  font?: string | undefined;
  /** Decibels between two lines, more than 0; default 20. Where they would lie too close, some are left out. */
  stepDb?: number | undefined;
  /** Frequencies stand in 14 pixels below the area instead of inside, where bars would hide them. */
  labelsBelow?: boolean | undefined;
}

/** Draws a spectrum's curve into a cleared area of `size`. Where several bands share a pixel the loudest shows. */
export function drawSpectrum(
  ctx: CanvasRenderingContext2D, frame: SpectrumFrame, size: Size, style: SpectrumStyle = {},
): void {
  const { stroke = "#7c9cff", fill = fade(ctx, size, "#7c9cff"), strokeRight = "#ff9c7c" } = style;
  const { lineWidth, fillAlpha = 1 } = style;
  const { minHz = 20, maxHz = 20_000 } = style;
  const axis = style.axis ?? logAxis(minHz, maxHz, size.width);
  const n_bands = frame.frequencies.length;
  ctx.save();
  ctx.lineJoin = "round";
  for (let channel = Math.max(1, frame.channels) - 1; channel >= 0; channel -= 1) {
    const levels = frame.magnitudes.subarray(channel * n_bands, (channel + 1) * n_bands);
    ctx.strokeStyle = channel === 0 ? stroke : strokeRight;
    if (style.bars) {
      ctx.fillStyle = ctx.strokeStyle;
      drawBars(ctx, frame.frequencies, levels, size, axis, style);
      continue;
    }
    if (frame.frequencies.length === 0) continue;
    const ends = strokeCurve(ctx, lineWidth, () => trace(ctx, frame.frequencies, levels, size, axis, style));
    if (!ends || channel > 0 || fill === null) continue;
    ctx.lineTo(ends.right, size.height);
    ctx.lineTo(ends.left, size.height);
    ctx.closePath();
    ctx.fillStyle = fill;
    ctx.globalAlpha = fillAlpha;
    ctx.fill();
  }
  ctx.restore();
}

/** Makes the curve the context's path and says where it starts and ends. */
function trace(
  ctx: CanvasRenderingContext2D, frequencies: Float32Array, levels: Float32Array, { width, height }: Size,
  axis: HzAxis, style: SpectrumStyle,
): { left: number; right: number } | null {
  let left: number | null = null;
  let right = 0;
  let highest = height;
  ctx.beginPath();
  for (let band = 0; band < levels.length; band += 1) {
    const hz = frequencies[band]!;
    if (hz <= 0) continue;
    const x = axis.xFromHz(hz);
    const next = band + 1 < levels.length ? axis.xFromHz(frequencies[band + 1]!) : Infinity;
    // One band beyond each edge, so that the curve reaches it.
    if (next < 0) continue;
    highest = Math.min(highest, yOf(levels[band]!, hz, height, style));
    if (Math.floor(next) === Math.floor(x)) continue;
    if (left === null) {
      left = x;
      ctx.moveTo(x, highest);
    } else {
      ctx.lineTo(x, highest);
    }
    highest = height;
    right = x;
    if (x > width) break;
  }
  return left === null ? null : { left, right };
}

/** Bars from the middle between two bands to the middle of the next two, a pixel apart where there is room. */
function drawBars(
  ctx: CanvasRenderingContext2D, frequencies: Float32Array, levels: Float32Array, { width, height }: Size,
  axis: HzAxis, style: SpectrumStyle,
): void {
  const xOf = (band: number) => axis.xFromHz(frequencies[band]!);
  for (let band = 0; band < levels.length; band += 1) {
    if (frequencies[band]! <= 0) continue;
    const x = xOf(band);
    const before = band > 0 && frequencies[band - 1]! > 0 ? (x - xOf(band - 1)) / 2 : 0;
    const after = band + 1 < levels.length ? (xOf(band + 1) - x) / 2 : before;
    const [left, right] = [Math.max(0, x - (before || after)), Math.min(width, x + after)];
    if (right <= left) continue;
    const y = yOf(levels[band]!, frequencies[band]!, height, style);
    ctx.fillRect(left, y, Math.max(1, right - left - 1), height - y);
  }
}

function yOf(
  db: number, hz: number, height: number, { minDb = -100, maxDb = 0, slope = 0 }: SpectrumStyle,
): number {
  const tilted = slope === 0 ? db : db + slope * Math.log2(hz / 1000);
  return Math.min(height, Math.max(0, yFromDb(tilted, minDb, maxDb, height)));
}

/** Pixels between two lines, at least. */
const LINE_GAP = 4;

/**
 * Draws frequency and level lines with labels; below the curve, so before it. Throws an AntiphonError when a bound is
 * not a number, or a lower one not below the upper one.
 */
export function drawSpectrumGrid(ctx: CanvasRenderingContext2D, size: Size, style: GridStyle = {}): void {
  const { minHz = 20, maxHz = 20_000, minDb = -100, maxDb = 0, stepDb = 20 } = style;
  const { line = "rgba(255,255,255,0.07)", strongLine = "rgba(255,255,255,0.16)" } = style;
  const { label = "rgba(255,255,255,0.55)", font = "10px system-ui, sans-serif" } = style;
  checkRange("minHz", minHz, "maxHz", maxHz);
  checkRange("minDb", minDb, "maxDb", maxDb);
  if (!(stepDb > 0 && stepDb < Infinity)) {
    throw new AntiphonError("invalid-option", `stepDb: ${stepDb} is not more than 0`, "give finite decibels above 0");
  }
  ctx.save();
  ctx.lineWidth = 1;
  ctx.font = font;
  ctx.textBaseline = "bottom";
  if (label !== null) ctx.fillStyle = label;
  const axis = style.axis ?? logAxis(minHz, maxHz, size.width);
  const lines: number[] = [];
  const labels: number[] = [];
  for (const { hz, isDecade, isLabelled } of gridHz(minHz, maxHz)) {
    const x = crisp(axis.xFromHz(hz));
    // On axes that are not logarithmic the lines of a decade may lie too close.
    if (x < 0 || x > size.width || lines.some((other) => Math.abs(other - x) < LINE_GAP)) continue;
    lines.push(x);
    segment(ctx, x, 0, x, size.height, isDecade ? strongLine : line);
    if (label === null || !(isLabelled || style.axis) || x > size.width - 24) continue;
    if (labels.some((other) => Math.abs(other - x) < 32)) continue;
    labels.push(x);
    ctx.fillText(hzText(hz), x + 3, size.height + (style.labelsBelow ? 13 : -2));
  }
  for (const db of gridDb(minDb, maxDb, stepDb, size.height)) {
    const y = crisp(yFromDb(db, minDb, maxDb, size.height));
    segment(ctx, 0, y, size.width, y, db === 0 ? strongLine : line);
    if (label !== null && y > 12 && y < size.height - 14) ctx.fillText(`${db} dB`, 3, y - 1);
  }
  ctx.restore();
}

/** Frequencies that deserve a line, the most important ones first. */
function gridHz(minHz: number, maxHz: number): { hz: number; isDecade: boolean; isLabelled: boolean }[] {
  const all = [];
  for (let decade = 10 ** Math.floor(Math.log10(Math.max(1, minHz))); decade <= maxHz; decade *= 10) {
    for (let digit = 1; digit < 10; digit += 1) {
      const hz = decade * digit;
      const rank = digit === 1 ? 0 : digit === 2 || digit === 5 ? 1 : 2;
      if (hz >= minHz && hz <= maxHz) all.push({ hz, rank, isDecade: rank === 0, isLabelled: rank < 2 });
    }
  }
  return all.sort((a, b) => a.rank - b.rank);
}

/** Levels that deserve a line: multiples of a step. There are no more than the height has room for, whatever the range. */
function gridDb(minDb: number, maxDb: number, stepDb: number, height: number): number[] {
  const pixels = (stepDb / (maxDb - minDb)) * height;
  const step = stepDb * Math.max(1, Math.ceil(LINE_GAP / pixels));
  const first = Math.ceil(minDb / step);
  const n = Math.max(0, Math.floor(maxDb / step) - first + 1);
  return Number.isFinite(step) ? Array.from({ length: n }, (_, idx) => (first + idx) * step) : [];
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
