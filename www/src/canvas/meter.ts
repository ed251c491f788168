/** What a level meter's needle does between frames, and the meter's look. The package draws it. */
import type { MeterLevels } from "antiphon";
import { drawMeter, MeterHold, meterLook, type MeterStyle } from "antiphon/draw";
import type { CanvasTheme } from "./theme";
import type { Surface } from "./useCanvas";

/** Fall of the bars, dB/s: IEC 60268-10 type I falls 20 dB in 1.7 s. */
const FALL = 20 / 1.7;
const FLOOR = -120;
export const METER_MIN_DB = -60;
export const METER_MAX_DB = 3;
/** Room that the package's meter keeps on top for its clip light, CSS pixels. */
export const METER_TOP = 7;

/** Levels that the meter's scale names. */
export const METER_MARKS: readonly number[] = [0, -6, -12, -18, -24, -36, -48, -60];

/** Height, 0 to 1, at which a level in dBFS stands. */
export function meterShare(db: number): number {
  return Math.min(1, Math.max(0, (db - METER_MIN_DB) / (METER_MAX_DB - METER_MIN_DB)));
}

const SILENCE: MeterLevels = {
  peak_left: FLOOR,
  peak_right: FLOOR,
  rms_left: FLOOR,
  rms_right: FLOOR,
  true_peak_left: FLOOR,
  true_peak_right: FLOOR,
  clips: 0,
};

/** Rises at once, falls by the standard; holds peaks, and the clip light until it is reset. */
export class MeterMotion {
  /** What is shown now. */
  readonly shown: MeterLevels = { ...SILENCE };
  readonly held = new MeterHold();
  #at = 0;

  /** Takes a frame's levels. `now` in milliseconds. */
  update(levels: MeterLevels, now: number): void {
    const fall = (FALL * Math.min(1000, Math.max(0, now - this.#at))) / 1000;
    this.#at = now;
    this.held.update(levels, now);
    const { shown } = this;
    const follow = (db: number, before: number) => Math.max(db, before - fall, FLOOR);
    shown.peak_left = follow(levels.peak_left, shown.peak_left);
    shown.peak_right = follow(levels.peak_right, shown.peak_right);
    shown.rms_left = follow(levels.rms_left, shown.rms_left);
    shown.rms_right = follow(levels.rms_right, shown.rms_right);
    shown.clips = levels.clips;
  }
}

/** The meter's colours in a theme. */
export function meterStyle(theme: CanvasTheme): MeterStyle {
  return {
    minDb: METER_MIN_DB,
    maxDb: METER_MAX_DB,
    background: theme.meterBack,
    zones: [
      { fromDb: -Infinity, color: theme.meterLow },
      { fromDb: -18, color: theme.meterMid },
      { fromDb: -6, color: theme.meterWarm },
      { fromDb: -1, color: theme.meterHigh },
    ],
    clip: theme.meterHigh,
    clipOff: theme.meterBack,
    hold: theme.hold,
    label: null,
  };
}

/** Draws the meter upright over the whole surface. */
export function paintMeter(on: Surface, motion: MeterMotion, style: MeterStyle): void {
  on.ctx.clearRect(0, 0, on.width, on.height);
  drawMeter(on.ctx, motion.shown, on, { ...style, held: motion.held });
}

/** What `paintMeter` would show now, as a text. */
export function lookOf(on: Surface, motion: MeterMotion, style: MeterStyle): string {
  return meterLook(motion.shown, on, { ...style, held: motion.held }, devicePixelRatio);
}
