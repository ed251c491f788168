/** The beat grid: snapping, and its lines on a canvas. */
import { barLines, formatBars, PPQ, type Signature } from "./bars";

/** Grids in quarter notes that can be chosen. */
export const SNAPS: readonly (readonly [beats: number, label: string])[] = [
  [0, "Free"],
  [4, "4 beats"],
  [2, "1/2"],
  [1, "1/4"],
  [0.5, "1/8"],
  [1 / 3, "1/8 triplet"],
  [0.25, "1/16"],
  [0.125, "1/32"],
];

/** The nearest tick of the grid; `down` gives the one before. */
export function snapTick(tick: number, snap: number, down = false): number {
  if (snap <= 0) return Math.round(tick);
  const step = snap * PPQ;
  return Math.round((down ? Math.floor(tick / step + 1e-9) : Math.round(tick / step)) * step);
}

/** A step of the grid in ticks; a sixteenth when it is free. */
export const stepTicks = (snap: number) => Math.round((snap > 0 ? snap : 0.25) * PPQ);

export interface GridView {
  /** Left edge, in quarter notes. */
  fromBeat: number;
  pixelsPerBeat: number;
  left: number;
  width: number;
}

export interface GridLine {
  x: number;
  beat: number;
  kind: "bar" | "beat" | "step";
}

/** Lines nearer than this would be a grey area. */
const NEAREST_PX = 9;

/** The lines that are seen, from left to right. */
export function gridLines(view: GridView, signatures: readonly Signature[], snap: number): GridLine[] {
  const { fromBeat, pixelsPerBeat, left, width } = view;
  const toBeat = fromBeat + width / pixelsPerBeat;
  const lines: GridLine[] = [];
  const x = (beat: number) => left + (beat - fromBeat) * pixelsPerBeat;
  const bars = barLines(toBeat + 1e-6, signatures, Math.max(2, (toBeat * pixelsPerBeat) / NEAREST_PX));
  for (const beat of bars) if (beat >= fromBeat - 1e-6) lines.push({ x: x(beat), beat, kind: "bar" });
  const isBar = new Set(bars.map((beat) => Math.round(beat * PPQ)));
  const add = (step: number, kind: "beat" | "step") => {
    if (step <= 0 || step * pixelsPerBeat < NEAREST_PX) return;
    for (let idx = Math.ceil(fromBeat / step); idx * step < toBeat; idx += 1) {
      const beat = idx * step;
      if (!isBar.has(Math.round(beat * PPQ))) lines.push({ x: x(beat), beat, kind });
    }
  };
  if (snap < 1) add(snap, "step");
  add(1, "beat");
  return lines;
}

/** The number of the bar that begins at a beat. */
export const barNumber = (beat: number, signatures: readonly Signature[]) => Number(formatBars(beat, signatures).split(":")[0]);
