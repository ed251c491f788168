/** A batch as one picture: a row of numbers and a waveform for every file. */
import { drawOverview } from "antiphon/draw";
import type { BatchItem } from "./batch";
import { COLUMNS } from "./batchTable";

const WIDTH = 1200;
const ROW = 96;
const PAD = 16;
/** A picture to be printed or sent has no screen whose density it could follow. */
const DENSITY = 2;

/** Sizes the canvas and paints it, dark on white whatever the page's theme. */
export function paintBatch(canvas: HTMLCanvasElement, items: readonly BatchItem[]): void {
  const height = PAD + items.length * ROW;
  canvas.width = WIDTH * DENSITY;
  canvas.height = height * DENSITY;
  const ctx = canvas.getContext("2d");
  if (!ctx) return;
  ctx.scale(DENSITY, DENSITY);
  ctx.fillStyle = "#fff";
  ctx.fillRect(0, 0, WIDTH, height);
  for (const [idx, { name, report, error }] of items.entries()) {
    const y = PAD + idx * ROW;
    ctx.fillStyle = "#161b22";
    ctx.font = "600 14px system-ui, sans-serif";
    ctx.fillText(name, PAD, y + 14, WIDTH - 2 * PAD);
    ctx.font = "12px system-ui, sans-serif";
    const numbers = report
      ? COLUMNS.map(({ label, unit, text }) => `${label} ${text(report)} ${unit}`.trim()).join("   ")
      : (error ?? "not measured");
    ctx.fillText(numbers, PAD, y + 32, WIDTH - 2 * PAD);
    if (!report) continue;
    ctx.save();
    ctx.translate(PAD, y + 40);
    drawOverview(ctx, report.overview.points, { width: WIDTH - 2 * PAD, height: ROW - 52 }, { color: "#087f70" });
    ctx.restore();
  }
}
