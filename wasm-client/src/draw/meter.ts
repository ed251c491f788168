// A stereo level meter: peak over RMS, held peaks, clip light, scale.
import type { MeterLevels } from "../types.gen.ts";
import { crisp, type Size, yFromDb } from "./scale.ts";

/** Range, colours and marks of a meter. */
export interface MeterStyle {
  /** Bottom; default −60 dBFS. */
  minDb?: number;
  /** Top; default +3 dB, room to see overs. */
  maxDb?: number;
  background?: string;
  /** Of the bars, from the bottom; the last one that starts below a level colours it. */
  zones?: readonly { fromDb: number; color: string }[];
  clip?: string;
  clipOff?: string;
  hold?: string;
  /** Of the scale between the bars; `null` for none. */
  label?: string | null;
  font?: string;
  /** Levels that the scale names. */
  marks?: readonly number[];
  /** Held peaks and the clip light; see {@link MeterHold}. A meter with ballistics brings its own marks. */
  held?: MeterHold;
}

const ZONES = [
  { fromDb: -Infinity, color: "#3fb68b" },
  { fromDb: -18, color: "#a5c95a" },
  { fromDb: -6, color: "#f2b84b" },
  { fromDb: -1, color: "#ef5d5d" },
];
const SCALE_DB = [0, -6, -12, -18, -24, -36, -48, -60];
const CLIP_HEIGHT = 5;
const GAP = 2;
/** Half a label's height. */
const LABEL_HALF = 5;

/** What a meter remembers between frames. */
export class MeterHold {
  /** Held peaks, left and right, dBFS. */
  readonly peaks: [number, number] = [-Infinity, -Infinity];
  /** Clips since `reset`. */
  clips = 0;
  #untilMs: [number, number] = [0, 0];
  #lastMs: number | null = null;
  readonly #holdMs: number;
  readonly #fallDbPerSecond: number;

  /** Peaks stay for `holdMs`, then fall. */
  constructor(holdMs = 1500, fallDbPerSecond = 20) {
    this.#holdMs = holdMs;
    this.#fallDbPerSecond = fallDbPerSecond;
  }

  /** Takes a frame's levels at a time in milliseconds. */
  update(levels: MeterLevels, nowMs: number): void {
    const elapsed = nowMs - (this.#lastMs ?? nowMs);
    this.#lastMs = nowMs;
    this.clips += levels.clips;
    for (const channel of [0, 1] as const) {
      const peak = channel === 0 ? levels.peak_left : levels.peak_right;
      const falling = nowMs > this.#untilMs[channel];
      if (falling) this.peaks[channel] -= (this.#fallDbPerSecond * elapsed) / 1000;
      if (peak < this.peaks[channel]) continue;
      this.peaks[channel] = peak;
      this.#untilMs[channel] = nowMs + this.#holdMs;
    }
  }

  /** Puts the clip light out and lets go of the peaks. */
  reset(): void {
    this.clips = 0;
    this.peaks.fill(-Infinity);
  }
}

/** Draws a vertical meter into a cleared area of `size`. */
export function drawMeter(
  ctx: CanvasRenderingContext2D, levels: MeterLevels, size: Size, style: MeterStyle = {},
): void {
  const { minDb = -60, maxDb = 3, background = "rgba(255,255,255,0.06)", zones = ZONES, held } = style;
  const { clip = "#ff3b3b", clipOff = "rgba(255,59,59,0.18)", hold = "#f4f6fb" } = style;
  const { label = "rgba(255,255,255,0.5)", font = "9px system-ui, sans-serif", marks = SCALE_DB } = style;
  const labelWidth = label !== null && size.width >= 40 ? 22 : 0;
  const barWidth = Math.max(1, (size.width - labelWidth - GAP) / 2);
  const top = CLIP_HEIGHT + GAP;
  const height = Math.max(1, size.height - top);
  const yOf = (db: number) => top + Math.min(height, Math.max(0, yFromDb(db, minDb, maxDb, height)));
  // A needle stands for the whole movement: the RMS, which is not on its scale, has no place beside it.
  const channels = [
    { x: 0, peak: levels.needle_left ?? levels.peak_left, rms: levels.needle_left ?? levels.rms_left, hold: levels.hold_left },
    {
      x: barWidth + GAP + labelWidth, peak: levels.needle_right ?? levels.peak_right,
      rms: levels.needle_right ?? levels.rms_right, hold: levels.hold_right,
    },
  ];
  ctx.save();
  for (const [channel, { x, peak, rms, hold: ownHold }] of channels.entries()) {
    ctx.fillStyle = background;
    ctx.fillRect(x, top, barWidth, height);
    bar(ctx, x, barWidth, yOf, peak, zones, 0.45);
    bar(ctx, x + barWidth / 4, barWidth / 2, yOf, rms, zones, 1);
    const heldDb = ownHold ?? held?.peaks[channel] ?? -Infinity;
    if (heldDb > minDb) {
      ctx.fillStyle = hold;
      ctx.fillRect(x, Math.round(yOf(heldDb)), barWidth, 1);
    }
    ctx.fillStyle = (held?.clips ?? levels.clips) > 0 ? clip : clipOff;
    ctx.fillRect(x, 0, barWidth, CLIP_HEIGHT);
  }
  if (labelWidth > 0 && label !== null) {
    ctx.fillStyle = label;
    ctx.font = font;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    for (const db of marks) {
      // The lowest one stands above the edge, not half below it.
      const y = Math.min(crisp(yOf(db)), size.height - LABEL_HALF);
      if (db >= minDb && db <= maxDb) ctx.fillText(String(Math.abs(db)), barWidth + labelWidth / 2 + 1, y);
    }
  }
  ctx.restore();
}

/** One bar in the colours of its zones. */
function bar(
  ctx: CanvasRenderingContext2D, x: number, width: number, yOf: (db: number) => number, db: number,
  zones: readonly { fromDb: number; color: string }[], alpha: number,
): void {
  ctx.globalAlpha = alpha;
  for (const [idx, { fromDb, color }] of zones.entries()) {
    if (db <= fromDb) break;
    const upper = yOf(Math.min(db, zones[idx + 1]?.fromDb ?? Infinity));
    const height = yOf(fromDb) - upper;
    ctx.fillStyle = color;
    if (height > 0) ctx.fillRect(x, upper, width, height);
  }
  ctx.globalAlpha = 1;
}
