/** The arrangement as a picture: a pure function of composition, view and theme. */
import type { AudioClip, Clip, CompositionSpec } from "antiphon";
import { inkOf } from "../canvas/ink";
import type { CanvasTheme } from "../canvas/theme";
import type { Surface } from "../canvas/useCanvas";
import { clipsOf, isAudio } from "../edit/model";
import type { Overview } from "../edit/overviews";
import { PPQ, type Signature } from "../lib/bars";
import { barNumber, gridLines } from "../lib/grid";
import { secondsFromTicks } from "../lib/tempo";
import { type Box, clipBox, fadesOf, HANDLE, LOOP_STRIP, ROW, RULER, type View, xOfTick, yOfRow } from "./layout";

export interface Picture {
  spec: CompositionSpec;
  view: View;
  snap: number;
  selectedTrack: string | null;
  selectedClip: string | null;
  loop: { enabled: boolean; start: number; end: number };
  theme: CanvasTheme;
  overview: (sample: string) => Overview | null;
}

export function paintArrangement({ ctx, width, height }: Surface, picture: Picture): void {
  const { spec, view, theme } = picture;
  ctx.fillStyle = theme.back;
  ctx.fillRect(0, 0, width, height);
  paintRows(ctx, width, height, picture);
  spec.tracks.forEach((track, row) => {
    const y = yOfRow(row, view);
    if (y + ROW < RULER || y > height) return;
    for (const clip of clipsOf(track)) {
      const box = clipBox(clip, row, spec, view);
      if (box.x + box.width < 0 || box.x > width) continue;
      paintClip(ctx, box, clip, track.color, track.mute, picture, width);
    }
  });
  paintEnd(ctx, width, height, picture);
  paintRuler(ctx, width, picture);
}

function paintRows(ctx: CanvasRenderingContext2D, width: number, height: number, picture: Picture): void {
  const { spec, view, snap, theme, loop } = picture;
  spec.tracks.forEach((track, row) => {
    const y = yOfRow(row, view);
    if (track.id === picture.selectedTrack) {
      ctx.fillStyle = theme.grid;
      ctx.fillRect(0, y, width, ROW);
    }
    ctx.fillStyle = theme.line;
    ctx.fillRect(0, y + ROW - 1, width, 1);
  });
  for (const { x, kind } of gridLines(gridOf(view, width), signaturesOf(spec), snap)) {
    ctx.fillStyle = kind === "bar" ? theme.gridStrong : theme.grid;
    ctx.fillRect(Math.round(x), RULER, 1, height);
  }
  if (loop.enabled && loop.end > loop.start) {
    const [from, to] = [xOfTick(loop.start * PPQ, view), xOfTick(loop.end * PPQ, view)];
    ctx.fillStyle = theme.accentSoft;
    ctx.fillRect(from, RULER, to - from, height);
  }
}

const gridOf = (view: View, width: number) => ({
  fromBeat: view.scrollLeft / view.pixelsPerBeat, pixelsPerBeat: view.pixelsPerBeat, left: 0, width,
});

const signaturesOf = (spec: CompositionSpec): readonly Signature[] => spec.time_signatures;

function paintClip(
  ctx: CanvasRenderingContext2D, box: Box, clip: Clip | AudioClip, color: string, isMuted: boolean, picture: Picture, width: number,
): void {
  const { theme } = picture;
  const isSelected = clip.id === picture.selectedClip;
  ctx.save();
  ctx.beginPath();
  ctx.roundRect(box.x, box.y, box.width, box.height, 4);
  ctx.fillStyle = theme.raised;
  ctx.fill();
  ctx.globalAlpha = isMuted ? 0.12 : 0.3;
  ctx.fillStyle = color;
  ctx.fill();
  ctx.globalAlpha = 1;
  ctx.lineWidth = isSelected ? 2 : 1;
  const ink = inkOf(color, theme.isLight);
  ctx.strokeStyle = isSelected ? theme.strong : ink;
  ctx.stroke();
  ctx.clip();
  ctx.globalAlpha = isMuted ? 0.4 : 1;
  ctx.fillStyle = ink;
  if (isAudio(clip)) {
    paintWave(ctx, box, clip, picture, width);
    paintFades(ctx, box, clip, picture);
  } else paintNotes(ctx, box, clip, picture);
  ctx.restore();
}

/** What a fade takes away is dimmed; its handle stands on the upper edge. */
function paintFades(ctx: CanvasRenderingContext2D, box: Box, clip: AudioClip, { spec, view, theme }: Picture): void {
  const { inX, outX, inHandle, outHandle, hasHandles } = fadesOf(clip, box, spec, view);
  const [top, bottom] = [box.y, box.y + box.height];
  for (const [edge, x] of [[box.x, inX], [box.x + box.width, outX]] as const) {
    if (Math.abs(x - edge) < 1) continue;
    ctx.beginPath();
    ctx.moveTo(edge, bottom);
    ctx.lineTo(edge, top);
    ctx.lineTo(x, top);
    ctx.closePath();
    ctx.globalAlpha = 0.7;
    ctx.fillStyle = theme.back;
    ctx.fill();
    ctx.globalAlpha = 1;
    ctx.beginPath();
    ctx.moveTo(edge, bottom);
    ctx.lineTo(x, top);
    ctx.strokeStyle = theme.strong;
    ctx.lineWidth = 1;
    ctx.stroke();
  }
  if (!hasHandles) return;
  ctx.fillStyle = theme.strong;
  for (const x of [inHandle, outHandle]) {
    ctx.beginPath();
    ctx.arc(x, top + HANDLE + 2, HANDLE, 0, 2 * Math.PI);
    ctx.fill();
  }
}

function paintNotes(ctx: CanvasRenderingContext2D, box: Box, clip: Clip, { view }: Picture): void {
  if (clip.notes.length === 0) return;
  let low = 127;
  let high = 0;
  for (const { pitch } of clip.notes) [low, high] = [Math.min(low, pitch), Math.max(high, pitch)];
  // A melody of few pitches is not stretched over the whole clip.
  const span = Math.max(12, high - low + 1);
  const rowHeight = (box.height - 10) / span;
  const top = box.y + 5 + ((span - (high - low + 1)) / 2) * rowHeight;
  const scale = view.pixelsPerBeat / PPQ;
  for (const { pitch, start, length } of clip.notes) {
    const cut = Math.min(length, clip.length - start);
    ctx.fillRect(box.x + start * scale, top + (high - pitch) * rowHeight, Math.max(1.5, cut * scale - 0.5), Math.max(1.5, rowHeight - 0.5));
  }
}

function paintWave(ctx: CanvasRenderingContext2D, box: Box, clip: AudioClip, picture: Picture, width: number): void {
  const { spec, view } = picture;
  const overview = picture.overview(clip.sample);
  if (!overview) return;
  const middle = box.y + box.height / 2;
  const half = box.height / 2 - 4;
  const from = secondsFromTicks(clip.start, spec.tempo);
  const left = Math.max(0, Math.floor(box.x));
  const right = Math.min(width, Math.ceil(box.x + box.width));
  const secondsAt = (x: number) =>
    secondsFromTicks(((x + view.scrollLeft) / view.pixelsPerBeat) * PPQ, spec.tempo) - from + clip.offset_seconds;
  const nPairs = overview.points.length / 2;
  for (let x = left; x < right; x += 1) {
    const first = Math.max(0, Math.floor(secondsAt(x) / overview.secondsPerPair));
    const end = Math.min(nPairs, Math.max(first + 1, Math.ceil(secondsAt(x + 1) / overview.secondsPerPair)));
    let [low, high] = [0, 0];
    for (let pair = first; pair < end; pair += 1) {
      low = Math.min(low, overview.points[2 * pair]!);
      high = Math.max(high, overview.points[2 * pair + 1]!);
    }
    ctx.fillRect(x, middle - (high / 32768) * half, 1, Math.max(1, ((high - low) / 32768) * half));
  }
}

/** What lies after the composition's end does not play. */
function paintEnd(ctx: CanvasRenderingContext2D, width: number, height: number, { spec, view, theme }: Picture): void {
  const end = xOfTick(spec.length, view);
  if (end >= width) return;
  ctx.globalAlpha = 0.6;
  ctx.fillStyle = theme.surface;
  ctx.fillRect(Math.max(0, end), RULER, width, height);
  ctx.globalAlpha = 1;
  ctx.fillStyle = theme.text;
  ctx.fillRect(Math.round(end), RULER, 1, height);
}

function paintRuler(ctx: CanvasRenderingContext2D, width: number, picture: Picture): void {
  const { spec, view, theme, loop } = picture;
  ctx.fillStyle = theme.surface;
  ctx.fillRect(0, 0, width, RULER);
  if (loop.end > loop.start) {
    const [from, to] = [xOfTick(loop.start * PPQ, view), xOfTick(loop.end * PPQ, view)];
    ctx.fillStyle = loop.enabled ? theme.accent : theme.text;
    ctx.globalAlpha = loop.enabled ? 0.9 : 0.4;
    ctx.beginPath();
    ctx.roundRect(from, 3, to - from, LOOP_STRIP - 6, 3);
    ctx.fill();
    ctx.globalAlpha = 1;
  }
  ctx.font = theme.font;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  let free = -Infinity;
  for (const { x, beat, kind } of gridLines(gridOf(view, width), signaturesOf(spec), 0)) {
    if (kind !== "bar") continue;
    ctx.fillStyle = theme.line;
    ctx.fillRect(Math.round(x), LOOP_STRIP, 1, RULER - LOOP_STRIP);
    if (x < free) continue;
    ctx.fillStyle = theme.text;
    ctx.fillText(String(barNumber(beat, signaturesOf(spec))), x + 4, LOOP_STRIP + (RULER - LOOP_STRIP) / 2);
    free = x + 2.6 * theme.em;
  }
  ctx.fillStyle = theme.line;
  ctx.fillRect(0, RULER - 1, width, 1);
}
