/** A stereo level meter: RMS as the body, peak as the bright end, a line that holds the peak, a clip light on top. */
import type { CanvasTheme } from "./theme";
import type { Surface } from "./useCanvas";

export interface Levels {
  peak_left: number;
  peak_right: number;
  rms_left: number;
  rms_right: number;
  clips: number;
}

/** Fall of the bars, dB/s: IEC 60268-10 type I falls 20 dB in 1.7 s. */
const FALL = 20 / 1.7;
const HOLD_MS = 1500;
const CLIP_MS = 2000;
const FLOOR = -120;

/** Levels that the meter's scale names. */
export const METER_MARKS: readonly number[] = [0, -5, -10, -20, -30, -40, -60];

/** Deflection, 0 to 1, of a level in dBFS: the straight lines of IEC 60268-18. */
export function deflection(db: number): number {
  if (db < -70) return 0;
  if (db < -60) return (db + 70) * 0.0025;
  if (db < -50) return (db + 60) * 0.005 + 0.025;
  if (db < -40) return (db + 50) * 0.0075 + 0.075;
  if (db < -30) return (db + 40) * 0.015 + 0.15;
  if (db < -20) return (db + 30) * 0.02 + 0.3;
  return db < 0 ? (db + 20) * 0.025 + 0.5 : 1;
}

/** What the needle does between frames. */
export class MeterMotion {
  readonly shown = new Float64Array(2).fill(FLOOR);
  readonly rms = new Float64Array(2).fill(FLOOR);
  readonly hold = new Float64Array(2).fill(FLOOR);
  private readonly heldAt = new Float64Array(2);
  private clippedAt = -Infinity;
  private at = 0;

  /** Rises at once, falls by the standard. `now` in milliseconds. */
  update(levels: Levels, now: number): void {
    const fall = (FALL * Math.min(1000, Math.max(0, now - this.at))) / 1000;
    this.at = now;
    if (levels.clips > 0) this.clippedAt = now;
    for (let channel = 0; channel < 2; channel++) {
      const peak = channel === 0 ? levels.peak_left : levels.peak_right;
      const rms = channel === 0 ? levels.rms_left : levels.rms_right;
      this.shown[channel] = Math.max(peak, this.shown[channel]! - fall, FLOOR);
      this.rms[channel] = Math.max(rms, this.rms[channel]! - fall, FLOOR);
      if (peak >= this.hold[channel]! || now - this.heldAt[channel]! > HOLD_MS) {
        this.hold[channel] = Math.max(peak, this.hold[channel]! - (peak >= this.hold[channel]! ? 0 : fall));
        if (peak >= this.hold[channel]!) this.heldAt[channel] = now;
      }
    }
  }

  isClipped(now: number): boolean {
    return now - this.clippedAt < CLIP_MS;
  }
}

const LIGHT = 5;
const GAP = 2;

/** Draws the meter upright over the whole surface. */
export function drawMeter({ ctx, width, height }: Surface, motion: MeterMotion, now: number, theme: CanvasTheme): void {
  ctx.clearRect(0, 0, width, height);
  const bar = Math.max(2, (width - GAP) / 2);
  const top = LIGHT + GAP;
  const room = height - top;
  ctx.fillStyle = motion.isClipped(now) ? theme.meterHigh : theme.meterBack;
  ctx.fillRect(0, 0, width, LIGHT);
  const fill = ctx.createLinearGradient(0, height, 0, top);
  fill.addColorStop(0, theme.meterLow);
  fill.addColorStop(deflection(-18), theme.meterLow);
  fill.addColorStop(deflection(-9), theme.meterMid);
  fill.addColorStop(deflection(-3), theme.meterHigh);
  fill.addColorStop(1, theme.meterHigh);
  for (let channel = 0; channel < 2; channel++) {
    const x = channel * (bar + GAP);
    ctx.fillStyle = theme.meterBack;
    ctx.fillRect(x, top, bar, room);
    ctx.fillStyle = fill;
    const peak = deflection(motion.shown[channel]!) * room;
    const rms = Math.min(peak, deflection(motion.rms[channel]!) * room);
    ctx.globalAlpha = 0.5;
    ctx.fillRect(x, height - peak, bar, peak - rms);
    ctx.globalAlpha = 1;
    ctx.fillRect(x, height - rms, bar, rms);
    const hold = deflection(motion.hold[channel]!) * room;
    if (hold > 1) {
      ctx.fillStyle = theme.hold;
      ctx.fillRect(x, Math.round(height - hold), bar, 1.5);
    }
  }
}
