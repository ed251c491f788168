// A stereo level meter: peak over RMS, held peaks, clip light, scale.
import type { MeterLevels } from "../types.gen.ts";
import { crisp, densityOf, type Size, yFromDb } from "./scale.ts";

/** Range, colours and marks of a meter. */
export interface MeterStyle {
  /** Bottom; default −60 dBFS. */
  minDb?: number | undefined;
  /** Top; default +3 dB, room to see overs. */
  maxDb?: number | undefined;
  background?: string | undefined;
  /** Of the bars, from the bottom; the last one that starts below a level colours it. */
  zones?: readonly { fromDb: number; color: string }[] | undefined;
  clip?: string | undefined;
  clipOff?: string | undefined;
  hold?: string | undefined;
  /** Of the scale between the bars; `null` for none. */
  label?: string | null | undefined;
  font?: string | undefined;
  /** Levels that the scale names. */
  marks?: readonly number[] | undefined;
  /** Held peaks and the clip light; see {@link MeterHold}. A meter with ballistics brings its own marks. */
  held?: MeterHold | undefined;
  /**
   * Only what stays (plates, unlit clip lights, the scale) or only what moves: of two canvases, one over the other, the
   * lower one is drawn once.
   */
  layer?: "still" | "moving" | undefined;
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
/** Of the scale between the bars, where there is room for it. */
const LABEL_WIDTH = 22;
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

/** Draws a vertical meter into a cleared area of `size`. Bars end on whole pixels of the screen. */
export function drawMeter(
  ctx: CanvasRenderingContext2D, levels: MeterLevels, size: Size, style: MeterStyle = {},
): void {
  const { background = "rgba(255,255,255,0.06)", zones = ZONES, layer } = style;
  const { clip = "#ff3b3b", clipOff = "rgba(255,59,59,0.18)", hold = "#f4f6fb" } = style;
  const { labelWidth, barWidth, top, height, yOf } = planOf(size, style, densityOf(ctx));
  // Rounded down: of a bar of two pixels, one on each side would leave nothing.
  const inset = Math.floor(barWidth / 4);
  ctx.save();
  for (const [channel, { peak, rms, held, isClipped }] of channelsOf(levels, style).entries()) {
    const x = channel * (barWidth + GAP + labelWidth);
    if (layer !== "moving") {
      ctx.fillStyle = background;
      ctx.fillRect(x, top, barWidth, height);
    }
    if (layer !== "still") {
      bar(ctx, x, barWidth, yOf, peak, zones, 0.45);
      bar(ctx, x + inset, barWidth - 2 * inset, yOf, rms, zones, 1);
      if (held !== null) {
        ctx.fillStyle = hold;
        ctx.fillRect(x, Math.round(yOf(held)), barWidth, 1);
      }
    }
    const isLit = isClipped && layer !== "still";
    if (!isLit && layer === "moving") continue;
    ctx.fillStyle = isLit ? clip : clipOff;
    ctx.fillRect(x, 0, barWidth, CLIP_HEIGHT);
  }
  if (labelWidth > 0 && layer !== "moving") drawMarks(ctx, size, style, barWidth + labelWidth / 2 + 1, yOf);
  ctx.restore();
}

/** What the levels make `drawMeter` move, as a text: where it is the same, so is the picture, on a screen of that density. */
export function meterLook(levels: MeterLevels, size: Size, style: MeterStyle = {}, density = 1): string {
  const { yOf } = planOf(size, style, density);
  return channelsOf(levels, style)
    .map(({ peak, rms, held, isClipped }) => `${yOf(peak)} ${yOf(rms)} ${held === null ? "" : Math.round(yOf(held))} ${isClipped}`)
    .join();
}

/** Where things lie. */
function planOf(size: Size, { minDb = -60, maxDb = 3, label }: MeterStyle, density: number) {
  const labelWidth = label !== null && size.width >= 40 ? LABEL_WIDTH : 0;
  const barWidth = Math.max(1, Math.floor((size.width - labelWidth - GAP) / 2));
  const top = CLIP_HEIGHT + GAP;
  const height = Math.max(1, size.height - top);
  const yOf = (db: number) => {
    const y = top + Math.min(height, Math.max(0, yFromDb(db, minDb, maxDb, height)));
    return Math.round(y * density) / density;
  };
  return { labelWidth, barWidth, top, height, yOf };
}

/** Left and right. A needle stands for the whole movement: the RMS, which is not on its scale, has no place beside it. */
function channelsOf(levels: MeterLevels, { held, minDb = -60 }: MeterStyle) {
  const isClipped = (held?.clips ?? levels.clips) > 0;
  const heldOf = (own: number | undefined, idx: 0 | 1) => {
    const db = own ?? held?.peaks[idx] ?? -Infinity;
    return db > minDb ? db : null;
  };
  const { needle_left, needle_right } = levels;
  return [
    { peak: needle_left ?? levels.peak_left, rms: needle_left ?? levels.rms_left, held: heldOf(levels.hold_left, 0), isClipped },
    { peak: needle_right ?? levels.peak_right, rms: needle_right ?? levels.rms_right, held: heldOf(levels.hold_right, 1), isClipped },
  ];
}

/** The scale's names between the bars. */
function drawMarks(
  ctx: CanvasRenderingContext2D, size: Size, style: MeterStyle, x: number, yOf: (db: number) => number,
): void {
  const { minDb = -60, maxDb = 3, label = "rgba(255,255,255,0.5)", font = "9px system-ui, sans-serif", marks = SCALE_DB } = style;
  if (label === null) return;
  ctx.fillStyle = label;
  ctx.font = font;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  for (const db of marks) {
    // The lowest one stands above the edge, not half below it.
    const y = Math.min(crisp(yOf(db)), size.height - LABEL_HALF);
    if (db >= minDb && db <= maxDb) ctx.fillText(String(Math.abs(db)), x, y);
  }
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
