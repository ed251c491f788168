// The waveform of a whole file, from the report's or the `.dat` file's pairs.
import type { Size } from "./scale.ts";

/** Colours of a file's overview. */
export interface OverviewStyle {
  color?: string | CanvasGradient | undefined;
  /** Value at the edge; default 32,768, full scale of 16 bits. */
  range?: number | undefined;
}

/** Draws `points` (minimum, maximum, minimum …) over `size`: a line from lowest to highest in every column of pixels. */
export function drawOverview(
  ctx: CanvasRenderingContext2D, points: ArrayLike<number>, { width, height }: Size, style: OverviewStyle = {},
): void {
  const { color = "#7c9cff", range = 32_768 } = style;
  const n_pairs = Math.floor(points.length / 2);
  const y = (value: number) => (1 - value / range) * (height / 2);
  ctx.save();
  ctx.fillStyle = color;
  for (let x = 0; x < width && n_pairs > 0; x += 1) {
    const first = Math.floor((x * n_pairs) / width);
    const end = Math.max(first + 1, Math.floor(((x + 1) * n_pairs) / width));
    let [min, max] = [Infinity, -Infinity];
    for (let idx = first; idx < Math.min(end, n_pairs); idx += 1) {
      min = Math.min(min, points[2 * idx]!);
      max = Math.max(max, points[2 * idx + 1]!);
    }
    ctx.fillRect(x, y(max), 1, Math.max(1, y(min) - y(max)));
  }
  ctx.restore();
}
