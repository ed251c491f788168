/** Where things lie in the arrangement, in CSS pixels of its canvas. */
import type { CompositionSpec, Track } from "antiphon";
import { type AnyClip, clipsOf, lengthOf } from "../edit/model";
import { PPQ } from "../lib/bars";

export const RULER = 30;
/** The upper part of the ruler holds the loop region. */
export const LOOP_STRIP = 14;
export const ROW = 60;
/** How near to a clip's edge a pointer takes the edge. */
const EDGE = 7;
const EDGE_TOUCH = 14;

/** What of the arrangement the canvas shows. */
export interface View {
  scrollLeft: number;
  scrollTop: number;
  pixelsPerBeat: number;
}

export const xOfTick = (tick: number, view: View) => (tick / PPQ) * view.pixelsPerBeat - view.scrollLeft;
export const tickOfX = (x: number, view: View) => Math.max(0, ((x + view.scrollLeft) / view.pixelsPerBeat) * PPQ);
export const yOfRow = (idx: number, view: View) => RULER + idx * ROW - view.scrollTop;

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export function clipBox(clip: AnyClip, row: number, spec: CompositionSpec, view: View): Box {
  const x = xOfTick(clip.start, view);
  const width = Math.max(3, (lengthOf(clip, spec.tempo) / PPQ) * view.pixelsPerBeat);
  return { x, y: yOfRow(row, view) + 2, width, height: ROW - 4 };
}

export type Hit =
  | { kind: "ruler"; part: "loop" | "seek" }
  | { kind: "clip"; track: Track; clip: AnyClip; part: "start" | "end" | "body" }
  | { kind: "lane"; track: Track | null };

/** What lies under a point; of clips that overlap the one on top. */
export function hitAt(x: number, y: number, spec: CompositionSpec, view: View, isTouch: boolean): Hit {
  if (y < RULER) return { kind: "ruler", part: y < LOOP_STRIP ? "loop" : "seek" };
  const row = Math.floor((y - RULER + view.scrollTop) / ROW);
  const track = spec.tracks[row] ?? null;
  for (const clip of track ? clipsOf(track).reverse() : []) {
    const box = clipBox(clip, row, spec, view);
    if (!track || x < box.x || x >= box.x + box.width) continue;
    const edge = Math.min(isTouch ? EDGE_TOUCH : EDGE, box.width / 4);
    const part = x < box.x + edge ? "start" : x >= box.x + box.width - edge ? "end" : "body";
    return { kind: "clip", track, clip, part };
  }
  return { kind: "lane", track };
}
