/** Where things lie in the piano roll, in CSS pixels of its canvas. */
import type { Note } from "antiphon";
import { PPQ } from "../lib/bars";
import { scrollToShow } from "../lib/scroll";

export const KEYS = 54;
export const RULER = 20;
export const VELOCITIES = 58;
const EDGE = 6;
const EDGE_TOUCH = 12;

export interface RollView {
  scrollLeft: number;
  scrollTop: number;
  width: number;
  height: number;
  pixelsPerBeat: number;
  /** Height of a semitone. */
  row: number;
}

export const xOfTick = (tick: number, view: RollView) => KEYS + (tick / PPQ) * view.pixelsPerBeat - view.scrollLeft;
export const tickOfX = (x: number, view: RollView) => ((x - KEYS + view.scrollLeft) / view.pixelsPerBeat) * PPQ;
export const yOfPitch = (pitch: number, view: RollView) => RULER + (127 - pitch) * view.row - view.scrollTop;
export const pitchOfY = (y: number, view: RollView) =>
  Math.min(127, Math.max(0, 127 - Math.floor((y - RULER + view.scrollTop) / view.row)));

/** Where to scroll to so that a note is seen. */
export function scrollToNote({ pitch, start, length }: Note, view: RollView): { left: number; top: number } {
  const [x, y] = [(start / PPQ) * view.pixelsPerBeat, (127 - pitch) * view.row];
  const [width, height] = [view.width - KEYS, view.height - RULER - VELOCITIES];
  return {
    left: scrollToShow(view.scrollLeft, x, x + (length / PPQ) * view.pixelsPerBeat, width, 0),
    top: scrollToShow(view.scrollTop, y, y + view.row, height, view.row / 2),
  };
}

/** Height of all that scrolls. */
export const contentHeight = (row: number) => RULER + 128 * row + VELOCITIES;
export const velocityTop = (view: RollView) => view.height - VELOCITIES;
export const velocityOfY = (y: number, view: RollView) => 127 * (1 - (y - velocityTop(view) - 4) / (VELOCITIES - 8));

export type RollHit =
  | { kind: "keys"; pitch: number }
  | { kind: "ruler" }
  | { kind: "velocity" }
  | { kind: "note"; note: Note; part: "end" | "body" }
  | { kind: "empty" };

export function hitAt(x: number, y: number, notes: readonly Note[], view: RollView, isTouch: boolean): RollHit {
  if (y < RULER) return { kind: "ruler" };
  if (y >= velocityTop(view)) return { kind: "velocity" };
  const pitch = pitchOfY(y, view);
  if (x < KEYS) return { kind: "keys", pitch };
  for (let idx = notes.length - 1; idx >= 0; idx -= 1) {
    const note = notes[idx]!;
    const left = xOfTick(note.start, view);
    const right = Math.max(left + 5, xOfTick(note.start + note.length, view));
    if (note.pitch !== pitch || x < left || x >= right) continue;
    const edge = Math.min(isTouch ? EDGE_TOUCH : EDGE, (right - left) / 3);
    return { kind: "note", note, part: x >= right - edge ? "end" : "body" };
  }
  return { kind: "empty" };
}
