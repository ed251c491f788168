/** The spectrum's plane: where frequencies and levels lie, and the grid that says so. */
import { bandAxis, type HzAxis, logAxis } from "antiphon/draw";
import type { FrameOf } from "antiphon";
import type { CanvasTheme } from "./theme";
import type { Surface } from "./useCanvas";

export const MIN_HZ = 20;
export const MAX_HZ = 20_000;
export const MIN_DB = -96;
export const MAX_DB = 0;

/** Room for the labels, in text sizes. */
const MARGIN = { left: 2.1, right: 0.6, top: 0.6, bottom: 1.35 };

/** The plane inside the margins. */
export interface Plot {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** `em` is the text size in pixels. Whole pixels: clipping to fractions of one is slow. */
export function plotOf({ width, height }: { width: number; height: number }, em: number): Plot {
  const x = Math.round(MARGIN.left * em);
  const y = Math.round(MARGIN.top * em);
  return {
    x,
    y,
    width: Math.max(1, Math.round(width - MARGIN.right * em) - x),
    height: Math.max(1, Math.round(height - MARGIN.bottom * em) - y),
  };
}

/** Octaves and logarithmic bands lie on a logarithmic axis, other scales as the engine spread them. */
export function axisOf(frame: Pick<FrameOf<"spectrum">, "scale" | "frequencies"> | null, plot: Plot): HzAxis {
  const isLog = !frame || frame.scale === "log" || frame.scale === "octave" || frame.frequencies.length < 2;
  return isLog ? logAxis(MIN_HZ, MAX_HZ, plot.width) : bandAxis(frame.frequencies, plot.width);
}

/** Frequency under a pixel, kept inside the plane. */
export function hzFromX(x: number, plot: Plot, axis: HzAxis): number {
  return axis.hzFromX(Math.min(plot.width, Math.max(0, x - plot.x)));
}

export const yFromDb = (db: number, plot: Plot) =>
  plot.y + ((MAX_DB - Math.min(MAX_DB, Math.max(MIN_DB, db))) / (MAX_DB - MIN_DB)) * plot.height;

/** Index of the band nearest to `hz` on a logarithmic axis; −1 when there are no bands. */
export function nearestBand(frequencies: ArrayLike<number>, hz: number): number {
  let low = 0;
  let high = frequencies.length - 1;
  if (high < 0) return -1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (frequencies[middle]! <= hz) low = middle;
    else high = middle;
  }
  const [below, above] = [frequencies[low]!, frequencies[high]!];
  return hz * hz > below * above ? high : low;
}

const LABELLED: readonly (readonly [hz: number, label: string])[] = [
  [20_000, "20k"],
  [100, "100"],
  [1000, "1k"],
  [10_000, "10k"],
  [20, "20"],
  [5000, "5k"],
  [15_000, "15k"],
  [2000, "2k"],
  [50, "50"],
  [200, "200"],
  [500, "500"],
];

export function drawGrid({ ctx, width, height }: Surface, plot: Plot, axis: HzAxis, theme: CanvasTheme): void {
  ctx.clearRect(0, 0, width, height);
  ctx.font = theme.font;
  ctx.lineWidth = 1;
  ctx.textBaseline = "middle";
  ctx.textAlign = "right";
  const dbStep = plot.height < 9 * theme.em ? 24 : 12;
  for (let db = MAX_DB; db >= MIN_DB; db -= dbStep) {
    const y = Math.round(yFromDb(db, plot)) + 0.5;
    line(ctx, plot.x, y, plot.x + plot.width, y, db === 0 ? theme.gridStrong : theme.grid);
    ctx.fillStyle = theme.text;
    ctx.fillText(String(db).replace("-", "\u2212"), plot.x - 0.35 * theme.em, y);
  }
  for (let decade = 10; decade < MAX_HZ; decade *= 10) {
    for (let digit = 1; digit < 10; digit++) {
      const x = Math.round(plot.x + axis.xFromHz(decade * digit)) + 0.5;
      if (x < plot.x || x > plot.x + plot.width + 1) continue;
      line(ctx, x, plot.y, x, plot.y + plot.height, digit === 1 ? theme.gridStrong : theme.grid);
    }
  }
  ctx.fillStyle = theme.text;
  // The ends and the decades first: where scales crowd them, the others give way.
  const taken: number[] = [];
  for (const [hz, label] of LABELLED) {
    const isLast = hz === MAX_HZ;
    ctx.textAlign = isLast ? "right" : "center";
    const x = Math.round(plot.x + axis.xFromHz(hz));
    if (x < plot.x - 1 || x > plot.x + plot.width + 1 || taken.some((other) => Math.abs(other - x) < 2.6 * theme.em)) continue;
    taken.push(x);
    ctx.fillText(label, x + (isLast ? MARGIN.right * theme.em : 0), plot.y + plot.height + 0.75 * theme.em);
  }
}

function line(ctx: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number, style: string): void {
  ctx.strokeStyle = style;
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}
