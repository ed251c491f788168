/** The spectrum in its plane: the curve or the bars, peaks that stay, the cursor. */
import { drawSpectrum, type HzAxis } from "antiphon/draw";
import type { FrameOf } from "antiphon";
import { MAX_DB, MIN_DB, nearestBand, type Plot, yFromDb } from "../canvas/spectrumGrid";
import type { CanvasTheme } from "../canvas/theme";
import { formatDb, formatHz } from "../lib/format";
import { formatNote } from "../lib/notes";

type Spectrum = FrameOf<"spectrum">;

export function drawCurve(
  ctx: CanvasRenderingContext2D, frame: Spectrum, plot: Plot, axis: HzAxis, slope: number, theme: CanvasTheme,
  isHeld = false,
): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(plot.x, plot.y, plot.width, plot.height);
  ctx.clip();
  ctx.translate(plot.x, plot.y);
  drawSpectrum(ctx, frame, plot, {
    axis,
    slope,
    minDb: MIN_DB,
    maxDb: MAX_DB,
    stroke: isHeld ? theme.hold : theme.spectrum,
    fill: isHeld ? null : theme.spectrumFill,
    bars: frame.scale === "octave" && !isHeld,
  });
  ctx.restore();
}

/** Draws the cursor and returns what stands under it: the level as measured, whatever the slope. */
export function drawCursor(
  ctx: CanvasRenderingContext2D, frame: Spectrum | null, hz: number | null, plot: Plot, axis: HzAxis, slope: number,
  theme: CanvasTheme,
): string {
  if (hz === null) return "";
  const x = Math.round(plot.x + axis.xFromHz(hz)) + 0.5;
  ctx.strokeStyle = theme.cursor;
  ctx.globalAlpha = 0.5;
  ctx.beginPath();
  ctx.moveTo(x, plot.y);
  ctx.lineTo(x, plot.y + plot.height);
  ctx.stroke();
  ctx.globalAlpha = 1;
  const idx = frame ? bandUnder(frame, hz, axis) : -1;
  if (!frame || idx < 0) return `${formatHz(hz)}  ${formatNote(hz)}`;
  const db = frame.magnitudes[idx]!;
  ctx.fillStyle = theme.cursor;
  ctx.beginPath();
  ctx.arc(x, yFromDb(db + slope * Math.log2(frame.frequencies[idx]! / 1000), plot), 3, 0, 2 * Math.PI);
  ctx.fill();
  return `${formatHz(hz)}  ${formatDb(db)} dB  ${formatNote(hz)}`;
}

/** The loudest of the bands within a pixel of a frequency, which is what the curve shows there; else the nearest one. */
function bandUnder({ frequencies, magnitudes }: Spectrum, hz: number, axis: HzAxis): number {
  const nearest = nearestBand(frequencies, hz);
  const x = axis.xFromHz(hz);
  let loudest = nearest;
  for (const step of [-1, 1]) {
    for (let idx = nearest + step; idx in frequencies && Math.abs(axis.xFromHz(frequencies[idx]!) - x) <= 1; idx += step) {
      if (magnitudes[idx]! > magnitudes[loudest]!) loudest = idx;
    }
  }
  return loudest;
}
