/** The seek bar's mapping between pixels and quarter notes. */

/** Share of the bar, 0 to 1, at which `beats` lies. */
export function shareFromBeats(beats: number, lengthBeats: number): number {
  return lengthBeats > 0 ? Math.min(1, Math.max(0, beats / lengthBeats)) : 0;
}

/** Quarter notes at `x` pixels from the left of a bar `width` wide; clamped to the composition. */
export function beatsFromX(x: number, width: number, lengthBeats: number): number {
  if (!(width > 0) || !(lengthBeats > 0)) return 0;
  return Math.min(1, Math.max(0, x / width)) * lengthBeats;
}

/** The nearest multiple of `grid` beats, inside the composition. */
export function snapBeats(beats: number, grid: number, lengthBeats: number): number {
  return Math.min(lengthBeats, Math.max(0, Math.round(beats / grid) * grid));
}

/** A sixteenth. */
export const SHORTEST_LOOP = 0.25;

/** A loop region from two beats that a person typed: in order, inside the composition, at least a sixteenth long. */
export function loopRegion(start: number, end: number, lengthBeats: number): { start: number; end: number } {
  const limit = Math.max(SHORTEST_LOOP, lengthBeats);
  const low = Math.min(Math.max(0, Math.min(start, end)), limit - SHORTEST_LOOP);
  const high = Math.min(limit, Math.max(low + SHORTEST_LOOP, Math.max(start, end)));
  return { start: low, end: high };
}
