/** Ticks and seconds through a tempo map: where a recording's clip ends on the beat grid. */
import type { TempoPoint } from "antiphon";
import { PPQ } from "./bars";

const DEFAULT: TempoPoint = { tick: 0, bpm: 120 };

/** Calls `visit` for each stretch of one tempo, until it says that it is done. */
function walk(map: readonly TempoPoint[], visit: (from: number, to: number, secondsPerTick: number) => boolean): void {
  const points = map.length > 0 ? map : [DEFAULT];
  for (let idx = 0; idx < points.length; idx += 1) {
    const { tick, bpm } = points[idx]!;
    const to = points[idx + 1]?.tick ?? Infinity;
    if (visit(idx === 0 ? 0 : tick, to, 60 / bpm / PPQ)) return;
  }
}

export function secondsFromTicks(tick: number, map: readonly TempoPoint[]): number {
  let seconds = 0;
  walk(map, (from, to, rate) => {
    seconds += (Math.min(tick, to) - from) * rate;
    return tick <= to;
  });
  return seconds;
}

export function ticksFromSeconds(seconds: number, map: readonly TempoPoint[]): number {
  let left = seconds;
  let tick = 0;
  walk(map, (from, to, rate) => {
    const length = (to - from) * rate;
    tick = from + Math.min(left, length) / rate;
    left -= length;
    return left <= 0;
  });
  return tick;
}
