// The stereo image: points of the goniometer, and the correlation under it.
import type { StereoFrame } from "../types.gen.ts";
import { crisp, densityOf, type Size } from "./scale.ts";

/** Colours of a goniometer. */
export interface GoniometerStyle {
  /** Of the points. */
  point?: string | undefined;
  /** Side of a point, CSS pixels; default 1.5. Points lie on whole pixels of the screen, which are drawn fastest. */
  pointSize?: number | undefined;
  /** Of the frame and the axes; `null` for none. */
  line?: string | null | undefined;
  /** Of the names of the axes; `null` for none. */
  label?: string | null | undefined;
  font?: string | undefined;
  /** Sample value at the edge; default 1, full scale. */
  range?: number | undefined;
}

/** Centre and half the side of the largest square in `size`. */
function squareIn({ width, height }: Size): { x: number; y: number; radius: number } {
  return { x: width / 2, y: height / 2, radius: Math.max(0, Math.min(width, height) / 2 - 1) };
}

/**
 * Draws the points into a cleared area of `size`: mono stands upright, opposite channels lie flat, one channel alone
 * lies on its diagonal. The rhombus is what full scale can reach.
 */
export function drawGoniometer(
  ctx: CanvasRenderingContext2D, { points }: Pick<StereoFrame, "points">, size: Size, style: GoniometerStyle = {},
): void {
  const { point = "#7c9cff", pointSize = 1.5, line = "rgba(255,255,255,0.16)", range = 1 } = style;
  const { label = "rgba(255,255,255,0.55)", font = "10px system-ui, sans-serif" } = style;
  const { x, y, radius } = squareIn(size);
  ctx.save();
  if (line !== null) {
    ctx.strokeStyle = line;
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.moveTo(x, y - radius);
    for (const [dx, dy] of [[1, 0], [0, 1], [-1, 0], [0, -1]] as const) ctx.lineTo(x + dx * radius, y + dy * radius);
    for (const [dx, dy] of [[0, 1], [1, 0], [0.5, 0.5], [-0.5, 0.5]] as const) {
      ctx.moveTo(x - dx * radius, y - dy * radius);
      ctx.lineTo(x + dx * radius, y + dy * radius);
    }
    ctx.stroke();
  }
  if (label !== null) {
    ctx.fillStyle = label;
    ctx.font = font;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.fillText("L", x - radius * 0.6, y - radius * 0.6);
    ctx.fillText("R", x + radius * 0.6, y - radius * 0.6);
  }
  ctx.fillStyle = point;
  const density = densityOf(ctx);
  const side = Math.max(1, Math.round(pointSize * density)) / density;
  const scale = radius / range;
  const [left, top] = [x - side / 2, y - side / 2];
  for (const at of points) {
    const dx = Math.min(radius, Math.max(-radius, at[0]! * scale));
    const dy = Math.min(radius, Math.max(-radius, at[1]! * scale));
    ctx.fillRect(Math.round((left + dx) * density) / density, Math.round((top - dy) * density) / density, side, side);
  }
  ctx.restore();
}

/** Colours of a correlation meter. */
export interface CorrelationStyle {
  /** Behind the needle where the channels agree. */
  good?: string | undefined;
  /** Behind it where they cancel. */
  bad?: string | undefined;
  needle?: string | undefined;
}

/** Draws a lying bar from −1 to +1 with a needle at `correlation` over `size`. */
export function drawCorrelation(
  ctx: CanvasRenderingContext2D, correlation: number, { width, height }: Size, style: CorrelationStyle = {},
): void {
  const { good = "#3fb68b", bad = "#ef5d5d", needle = "#f4f6fb" } = style;
  ctx.save();
  ctx.globalAlpha = 0.4;
  ctx.fillStyle = bad;
  ctx.fillRect(0, 0, width / 2, height);
  ctx.fillStyle = good;
  ctx.fillRect(width / 2, 0, width / 2, height);
  ctx.globalAlpha = 1;
  const x = ((Math.min(1, Math.max(-1, correlation)) + 1) / 2) * (width - 1);
  ctx.strokeStyle = needle;
  ctx.lineWidth = 2;
  ctx.beginPath();
  ctx.moveTo(crisp(x), 0);
  ctx.lineTo(crisp(x), height);
  ctx.stroke();
  ctx.restore();
}
