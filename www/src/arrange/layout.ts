/** Where things lie in the arrangement, in CSS pixels of its canvas. */
import type { AudioClip, CompositionSpec, Track } from "antiphon";
import { type AnyClip, clipsOf, isAudio, lengthOf } from "../edit/model";
import { PPQ } from "../lib/bars";
import { scrollToShow } from "../lib/scroll";
import { secondsFromTicks, ticksFromSeconds } from "../lib/tempo";

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

/** Where to scroll to in a window of `width` and `height` so that a track's row, and a clip on it, are seen. */
export function scrollToRow(
  row: number, clip: AnyClip | null, spec: CompositionSpec, view: View, width: number, height: number,
): { left: number; top: number } {
  const box = clip && clipBox(clip, row, spec, { ...view, scrollLeft: 0 });
  return {
    left: box ? scrollToShow(view.scrollLeft, box.x, box.x + box.width, width, 0) : view.scrollLeft,
    top: scrollToShow(view.scrollTop, row * ROW, (row + 1) * ROW, height - RULER, ROW / 2),
  };
}

/** Of the handles along a recording's upper edge that its fades are drawn by. */
export const HANDLE = 4;
const HANDLE_HEIGHT = 12;
const HANDLE_HEIGHT_TOUCH = 22;
/** A narrower clip has no room for them. */
const LEAST_WIDTH = 48;

/** Where the fades end, and where their handles stand: in the corners while there is no fade. */
export interface Fades {
  inX: number;
  outX: number;
  inHandle: number;
  outHandle: number;
  hasHandles: boolean;
}

export function fadesOf(clip: AudioClip, box: Box, spec: CompositionSpec, view: View): Fades {
  const from = secondsFromTicks(clip.start, spec.tempo);
  const xOf = (seconds: number) => xOfTick(ticksFromSeconds(from + seconds, spec.tempo), view);
  const inX = clip.fade_in_seconds > 0 ? xOf(clip.fade_in_seconds) : box.x;
  const outX = clip.fade_out_seconds > 0 ? xOf(clip.length_seconds - clip.fade_out_seconds) : box.x + box.width;
  const inside = (x: number) => Math.min(box.x + box.width - 2 * HANDLE, Math.max(box.x + 2 * HANDLE, x));
  return { inX, outX, inHandle: inside(inX), outHandle: inside(outX), hasHandles: box.width >= LEAST_WIDTH };
}

export type Part = "start" | "end" | "body" | "fadeIn" | "fadeOut";

export type Hit =
  | { kind: "ruler"; part: "loop" | "seek" }
  | { kind: "clip"; track: Track; clip: AnyClip; part: Part }
  | { kind: "lane"; track: Track | null };

/** What lies under a point; of clips that overlap the one on top. */
export function hitAt(x: number, y: number, spec: CompositionSpec, view: View, isTouch: boolean): Hit {
  if (y < RULER) return { kind: "ruler", part: y < LOOP_STRIP ? "loop" : "seek" };
  const row = Math.floor((y - RULER + view.scrollTop) / ROW);
  const track = spec.tracks[row] ?? null;
  for (const clip of track ? clipsOf(track).reverse() : []) {
    const box = clipBox(clip, row, spec, view);
    if (!track || x < box.x || x >= box.x + box.width) continue;
    return { kind: "clip", track, clip, part: partAt(x, y, clip, box, spec, view, isTouch) };
  }
  return { kind: "lane", track };
}

function partAt(x: number, y: number, clip: AnyClip, box: Box, spec: CompositionSpec, view: View, isTouch: boolean): Part {
  const reach = isTouch ? EDGE_TOUCH : EDGE;
  if (isAudio(clip) && y < box.y + (isTouch ? HANDLE_HEIGHT_TOUCH : HANDLE_HEIGHT)) {
    const { inHandle, outHandle, hasHandles } = fadesOf(clip, box, spec, view);
    const [toIn, toOut] = [Math.abs(x - inHandle), Math.abs(x - outHandle)];
    if (hasHandles && Math.min(toIn, toOut) <= reach) return toIn <= toOut ? "fadeIn" : "fadeOut";
  }
  const edge = Math.min(reach, box.width / 4);
  return x < box.x + edge ? "start" : x >= box.x + box.width - edge ? "end" : "body";
}
