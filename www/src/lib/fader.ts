/**
 * The fader's law: travel from 0 (bottom) to 1 (top) against gain in dB. Straight lines between points that give
 * the range around 0 dB most of the travel, as on a console; the lowest end is −120 dB, which is silence.
 */

export const MIN_DB = -120;
export const MAX_DB = 12;

const POINTS: readonly (readonly [db: number, travel: number])[] = [
  [MIN_DB, 0],
  [-60, 0.05],
  [-40, 0.15],
  [-30, 0.25],
  [-20, 0.4],
  [-10, 0.58],
  [0, 0.78],
  [MAX_DB, 1],
];

/** Levels that a fader's scale names. */
export const FADER_MARKS: readonly number[] = [12, 6, 0, -5, -10, -20, -30, -40, -60];

const between = (value: number, from: number, to: number, a: number, b: number) =>
  a + ((value - from) / (to - from)) * (b - a);

/** Travel, 0 to 1, at which the fader stands for `db`. */
export function travelFromDb(db: number): number {
  const value = Math.min(MAX_DB, Math.max(MIN_DB, db));
  const above = Math.max(1, POINTS.findIndex(([point]) => point >= value));
  const [[lowDb, low], [highDb, high]] = [POINTS[above - 1]!, POINTS[above]!];
  return between(value, lowDb, highDb, low, high);
}

/** Gain in dB at `travel`, in tenths. */
export function dbFromTravel(travel: number): number {
  const value = Math.min(1, Math.max(0, travel));
  const above = Math.max(1, POINTS.findIndex(([, point]) => point >= value));
  const [[lowDb, low], [highDb, high]] = [POINTS[above - 1]!, POINTS[above]!];
  const tenths = Math.round(between(value, low, high, lowDb, highDb) * 10) / 10;
  return tenths === 0 ? 0 : tenths;
}

/** Gain after a key step of `delta` dB. Below −60 dB the next step down is silence, and back. */
export function stepDb(db: number, delta: number): number {
  if (delta < 0 && db + delta < -60) return MIN_DB;
  if (delta > 0 && db < -60) return -60;
  return Math.min(MAX_DB, Math.max(MIN_DB, Math.round((db + delta) * 10) / 10));
}
