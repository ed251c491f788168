/** Loudness over time, as the engine measured it: nothing is computed here but which value is the highest. */
import type { FrameOf } from "antiphon";
import type { CanvasTheme } from "../canvas/theme";
import type { Surface } from "../canvas/useCanvas";

export interface LoudnessPoint {
  /** Of the engine's clock. */
  seconds: number;
  momentary: number;
  shortTerm: number;
}

const FLOOR = -120;
/** So much is kept, and shown. */
const HISTORY_SECONDS = 120;
/** Points that lie further apart have something between them that nobody watched. */
const GAP_SECONDS = 1;

export class LoudnessHistory {
  readonly points: LoudnessPoint[] = [];
  readonly max = { momentary: FLOOR, shortTerm: FLOOR, truePeak: FLOOR };
  /** How long was watched since the reset: of this time are the highest values. */
  seconds = 0;
  #resets = 0;

  push({ sample_position, master, loudness_resets }: FrameOf<"meters">, sampleRate: number): void {
    const seconds = sample_position / sampleRate;
    // A server that was started again counts from 0; and whoever resets does it for everybody.
    const { seconds: before } = this.points.at(-1) ?? { seconds };
    if (seconds < before || loudness_resets !== this.#resets) this.reset();
    else if (seconds - before <= GAP_SECONDS) this.seconds += seconds - before;
    this.#resets = loudness_resets;
    this.points.push({ seconds, momentary: master.lufs_momentary, shortTerm: master.lufs_short_term });
    while (this.points[0]!.seconds < seconds - HISTORY_SECONDS) this.points.shift();
    this.max.momentary = Math.max(this.max.momentary, master.lufs_momentary);
    this.max.shortTerm = Math.max(this.max.shortTerm, master.lufs_short_term);
    this.max.truePeak = Math.max(this.max.truePeak, master.true_peak_left, master.true_peak_right);
  }

  reset(): void {
    this.points.length = 0;
    this.seconds = 0;
    Object.assign(this.max, { momentary: FLOOR, shortTerm: FLOOR, truePeak: FLOOR });
  }
}

/** LU above and below the target. */
const ABOVE = 12;
const BELOW = 30;

/** Where a loudness lies in a picture of `height`. */
export function yFromLufs(lufs: number, target: number, height: number): number {
  return (Math.min(ABOVE + BELOW, Math.max(0, target + ABOVE - lufs)) / (ABOVE + BELOW)) * height;
}

/** Draws momentary loudness as an area, short-term as a line, the target as a stronger one; now is at the right. */
export function drawLoudness(
  { ctx, width, height }: Surface, { points }: Pick<LoudnessHistory, "points">, target: number, theme: CanvasTheme,
): void {
  ctx.clearRect(0, 0, width, height);
  ctx.font = theme.font;
  ctx.textBaseline = "bottom";
  ctx.lineWidth = 1;
  for (let lu = ABOVE - 6; lu > -BELOW; lu -= 6) {
    const y = Math.round(yFromLufs(target + lu, target, height)) + 0.5;
    ctx.strokeStyle = lu === 0 ? theme.meterHigh : theme.grid;
    ctx.beginPath();
    ctx.moveTo(0, y);
    ctx.lineTo(width, y);
    ctx.stroke();
    ctx.fillStyle = theme.text;
    ctx.fillText(String(target + lu).replace("-", "\u2212"), 3, y - 1);
  }
  const end = points.at(-1)?.seconds ?? 0;
  const x = (seconds: number) => width * (1 - (end - seconds) / HISTORY_SECONDS);
  ctx.fillStyle = theme.spectrumFill;
  ctx.strokeStyle = theme.left;
  ctx.lineWidth = 2;
  for (const watched of runsOf(points)) {
    const trace = (value: (point: LoudnessPoint) => number) => {
      ctx.beginPath();
      for (const [idx, point] of watched.entries()) {
        const y = yFromLufs(value(point), target, height);
        if (idx === 0) ctx.moveTo(x(point.seconds), y);
        else ctx.lineTo(x(point.seconds), y);
      }
    };
    trace(({ momentary }) => momentary);
    ctx.lineTo(x(watched.at(-1)!.seconds), height);
    ctx.lineTo(x(watched[0]!.seconds), height);
    ctx.fill();
    trace(({ shortTerm }) => shortTerm);
    ctx.stroke();
  }
}

/** What was watched in one go, from two points on. */
function runsOf(points: readonly LoudnessPoint[]): LoudnessPoint[][] {
  const runs: LoudnessPoint[][] = [];
  for (const point of points) {
    const run = runs.at(-1);
    if (run && point.seconds - run.at(-1)!.seconds <= GAP_SECONDS) run.push(point);
    else runs.push([point]);
  }
  return runs.filter(({ length }) => length > 1);
}
