/** The piano roll as a picture. */
import type { Clip } from "antiphon";
import { inkOf } from "../canvas/ink";
import type { CanvasTheme } from "../canvas/theme";
import type { Surface } from "../canvas/useCanvas";
import type { Signature } from "../lib/bars";
import { PPQ } from "../lib/bars";
import { barNumber, gridLines } from "../lib/grid";
import { KEYS, RULER, type RollView, VELOCITIES, velocityTop, xOfTick, yOfPitch } from "./layout";
import { keyOf, type NoteKey } from "./notes";

export interface RollPicture {
  clip: Clip;
  view: RollView;
  snap: number;
  color: string;
  selected: ReadonlySet<NoteKey>;
  /** A selection's frame, in pixels. */
  box: { x0: number; y0: number; x1: number; y1: number } | null;
  signatures: readonly Signature[];
  theme: CanvasTheme;
}

const isBlack = (pitch: number) => [1, 3, 6, 8, 10].includes(pitch % 12);

export function paintRoll({ ctx, width, height }: Surface, picture: RollPicture): void {
  const { theme, view } = picture;
  ctx.fillStyle = theme.back;
  ctx.fillRect(0, 0, width, height);
  ctx.save();
  ctx.beginPath();
  ctx.rect(0, RULER, width, velocityTop(view) - RULER);
  ctx.clip();
  paintRows(ctx, width, picture);
  paintGrid(ctx, width, RULER, height, picture);
  for (const note of picture.clip.notes) paintNote(ctx, note, picture);
  if (picture.box) paintBox(ctx, picture.box, theme);
  paintKeys(ctx, picture);
  ctx.restore();
  paintVelocities(ctx, width, picture);
  paintRuler(ctx, width, picture);
}

function paintRows(ctx: CanvasRenderingContext2D, width: number, { view, theme }: RollPicture): void {
  for (let pitch = 0; pitch < 128; pitch += 1) {
    const y = yOfPitch(pitch, view);
    if (y + view.row < RULER || y > view.height) continue;
    if (isBlack(pitch)) {
      ctx.fillStyle = theme.grid;
      ctx.fillRect(KEYS, y, width, view.row);
    }
    if (pitch % 12 === 11) {
      ctx.fillStyle = theme.gridStrong;
      ctx.fillRect(KEYS, Math.round(y), width, 1);
    }
  }
}

/** Lines stand where the composition has them, not where the clip begins. */
function lines(width: number, { clip, view, snap, signatures }: RollPicture) {
  const fromBeat = clip.start / PPQ + view.scrollLeft / view.pixelsPerBeat;
  return gridLines({ fromBeat, pixelsPerBeat: view.pixelsPerBeat, left: KEYS, width: width - KEYS }, signatures, snap);
}

function paintGrid(ctx: CanvasRenderingContext2D, width: number, top: number, bottom: number, picture: RollPicture): void {
  const { clip, view, theme } = picture;
  for (const { x, kind } of lines(width, picture)) {
    ctx.fillStyle = kind === "step" ? theme.grid : theme.gridStrong;
    ctx.fillRect(Math.round(x), top, kind === "bar" ? 2 : 1, bottom - top);
  }
  const end = xOfTick(clip.length, view);
  ctx.globalAlpha = 0.65;
  ctx.fillStyle = theme.surface;
  ctx.fillRect(Math.max(KEYS, end), top, Math.max(0, width - end), bottom - top);
  ctx.globalAlpha = 1;
}

function paintNote(ctx: CanvasRenderingContext2D, note: Clip["notes"][number], { clip, view, color, selected, theme }: RollPicture): void {
  const x = xOfTick(note.start, view);
  const end = xOfTick(Math.min(clip.length, note.start + note.length), view);
  const y = yOfPitch(note.pitch, view);
  if (end < KEYS || x > view.width || y + view.row < RULER || y > view.height) return;
  ctx.beginPath();
  ctx.roundRect(x, y + 0.5, Math.max(4, end - x - 1), view.row - 1, 3);
  ctx.fillStyle = theme.raised;
  ctx.fill();
  ctx.globalAlpha = 0.35 + 0.65 * (note.velocity / 127);
  ctx.fillStyle = color;
  ctx.fill();
  ctx.globalAlpha = 1;
  const isSelected = selected.has(keyOf(note));
  ctx.lineWidth = isSelected ? 2 : 1;
  ctx.strokeStyle = isSelected ? theme.strong : inkOf(color, theme.isLight);
  ctx.stroke();
}

function paintBox(ctx: CanvasRenderingContext2D, { x0, y0, x1, y1 }: NonNullable<RollPicture["box"]>, theme: CanvasTheme): void {
  ctx.fillStyle = theme.accentSoft;
  ctx.fillRect(x0, y0, x1 - x0, y1 - y0);
  ctx.strokeStyle = theme.accent;
  ctx.lineWidth = 1;
  ctx.strokeRect(x0, y0, x1 - x0, y1 - y0);
}

function paintKeys(ctx: CanvasRenderingContext2D, { view, theme }: RollPicture): void {
  // Rows have their height on every screen.
  ctx.font = theme.font.replace(/^[\d.]+/, (size) => String(Math.min(Number(size), view.row - 2)));
  ctx.textBaseline = "middle";
  ctx.textAlign = "right";
  for (let pitch = 0; pitch < 128; pitch += 1) {
    const y = yOfPitch(pitch, view);
    if (y + view.row < RULER || y > view.height) continue;
    ctx.fillStyle = isBlack(pitch) ? "#22262c" : "#f2f3f5";
    ctx.fillRect(0, y, KEYS, view.row);
    ctx.fillStyle = "#8b929c";
    ctx.fillRect(0, Math.round(y + view.row) - 1, KEYS, 1);
    if (pitch % 12 !== 0) continue;
    ctx.fillStyle = "#22262c";
    ctx.fillText(`C${pitch / 12 - 1}`, KEYS - 5, y + view.row / 2);
  }
}

function paintVelocities(ctx: CanvasRenderingContext2D, width: number, picture: RollPicture): void {
  const { clip, view, theme, color, selected } = picture;
  const top = velocityTop(view);
  ctx.fillStyle = theme.back;
  ctx.fillRect(0, top, width, VELOCITIES);
  paintGrid(ctx, width, top, top + VELOCITIES, picture);
  for (const note of clip.notes) {
    const x = xOfTick(note.start, view);
    if (x < KEYS - 4 || x > width) continue;
    const height = (note.velocity / 127) * (VELOCITIES - 8);
    const isSelected = selected.has(keyOf(note));
    ctx.fillStyle = isSelected ? theme.strong : inkOf(color, theme.isLight);
    ctx.fillRect(x, top + VELOCITIES - 4 - height, 3, height);
    ctx.fillRect(x - 1.5, top + VELOCITIES - 4 - height, 6, 3);
  }
  ctx.fillStyle = theme.surface;
  ctx.fillRect(0, top, KEYS, VELOCITIES);
  ctx.fillStyle = theme.text;
  ctx.font = theme.font;
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  ctx.fillText("Vel", KEYS - 6, top + VELOCITIES / 2);
  ctx.fillStyle = theme.line;
  ctx.fillRect(0, top, width, 1);
}

function paintRuler(ctx: CanvasRenderingContext2D, width: number, picture: RollPicture): void {
  const { theme, signatures } = picture;
  ctx.fillStyle = theme.surface;
  ctx.fillRect(0, 0, width, RULER);
  ctx.font = theme.font;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  ctx.fillStyle = theme.text;
  for (const { x, beat, kind } of lines(width, picture)) {
    if (kind === "bar" && x >= KEYS) ctx.fillText(String(barNumber(beat, signatures)), x + 4, RULER / 2);
  }
  ctx.fillStyle = theme.line;
  ctx.fillRect(0, RULER - 1, width, 1);
}
