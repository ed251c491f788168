/** Pointers on the piano roll: draw, select, move, stretch, delete, velocity; fingers also scroll. */
import type { Clip, Note } from "antiphon";
import { type PointerEvent, useRef } from "react";
import { stepTicks, snapTick } from "../lib/grid";
import { hitAt, pitchOfY, type RollHit, type RollView, tickOfX, velocityOfY, xOfTick, yOfPitch } from "./layout";
import { addNote, keyOf, lengthenNotes, movedKeys, moveNotes, type NoteChange, type NoteKey, reach, setVelocity } from "./notes";

export interface RollStage {
  clip: () => Clip | null;
  view: () => RollView;
  snap: () => number;
  isDrawing: () => boolean;
  selected: () => ReadonlySet<NoteKey>;
  select: (keys: ReadonlySet<NoteKey>) => void;
  /** Draws notes that are not yet made; `null` draws the real ones. */
  preview: (change: NoteChange | null, selected?: ReadonlySet<NoteKey>) => void;
  box: (box: { x0: number; y0: number; x1: number; y1: number } | null) => void;
  commit: (change: NoteChange, selected?: ReadonlySet<NoteKey>) => void;
  seek: (tick: number) => void;
  pan: (dx: number, dy: number) => void;
  /** Somebody wants to hear a pitch. */
  strike: (pitch: number) => void;
}

interface Drag {
  id: number;
  hit: RollHit;
  x: number;
  y: number;
  lastX: number;
  lastY: number;
  isMoved: boolean;
  /** The note that is drawn. */
  note: Note | null;
  change: NoteChange | null;
  keys: ReadonlySet<NoteKey>;
  before: ReadonlySet<NoteKey>;
}

const SLOP = 3;

export function useNoteGestures(stage: RollStage) {
  const drag = useRef<Drag | null>(null);
  const lastLength = useRef(0);

  const place = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const drop = () => {
    drag.current = null;
    stage.preview(null);
    stage.box(null);
  };

  const onPointerDown = (event: PointerEvent<HTMLElement>) => {
    const clip = stage.clip();
    if (!clip || event.button !== 0 || drag.current) return;
    const { x, y } = place(event);
    const isTouch = event.pointerType === "touch";
    event.currentTarget.setPointerCapture(event.pointerId);
    const hit = hitAt(x, y, clip.notes, stage.view(), isTouch);
    const before = stage.selected();
    let keys = before;
    if (hit.kind === "note") {
      const key = keyOf(hit.note);
      stage.strike(hit.note.pitch);
      if (event.shiftKey) keys = toggled(before, key);
      else if (!before.has(key)) keys = new Set([key]);
    } else if (hit.kind === "empty" && !event.shiftKey && !(isTouch && !stage.isDrawing())) keys = new Set();
    else if (hit.kind === "keys") stage.strike(hit.pitch);
    else if (hit.kind === "ruler") stage.seek(clip.start + Math.max(0, tickOfX(x, stage.view())));
    stage.select(keys);
    const now: Drag = { id: event.pointerId, hit, x, y, lastX: x, lastY: y, isMoved: false, note: null, change: null, keys, before };
    drag.current = now;
    if (hit.kind === "empty" && stage.isDrawing()) begin(now, clip);
    if (hit.kind === "velocity") paintVelocity(now, clip);
  };

  const begin = (now: Drag, clip: Clip) => {
    const view = stage.view();
    const start = snapTick(tickOfX(now.x, view), stage.snap(), true);
    if (start < 0 || start >= clip.length) return;
    const pitch = pitchOfY(now.y, view);
    now.note = { pitch, start, length: lastLength.current || stepTicks(stage.snap()), velocity: 96 };
    stage.strike(pitch);
    showNote(now, now.note);
  };
  const showNote = (now: Drag, note: Note) => {
    now.change = addNote(note);
    now.keys = new Set([keyOf(note)]);
    stage.preview(now.change, now.keys);
  };

  const paintVelocity = (now: Drag, clip: Clip) => {
    const view = stage.view();
    const selected = now.before;
    const near = clip.notes.filter((note) => Math.abs(xOfTick(note.start, view) - now.lastX) < 6);
    const chosen = near.filter((note) => selected.size === 0 || selected.has(keyOf(note)));
    const keys = new Set(chosen.map(keyOf));
    if (keys.size === 0) return;
    const velocity = velocityOfY(now.lastY, view);
    const before = now.change;
    const set = setVelocity(keys, () => velocity);
    now.change = before ? (notes) => set(before(notes)) : set;
    stage.preview(now.change, selected);
  };

  const onPointerMove = (event: PointerEvent<HTMLElement>) => {
    const clip = stage.clip();
    if (!clip) return;
    const at = place(event);
    const now = drag.current;
    if (!now || now.id !== event.pointerId) {
      event.currentTarget.style.cursor = cursorOf(hitAt(at.x, at.y, clip.notes, stage.view(), false), stage.isDrawing());
      return;
    }
    if (!now.isMoved && Math.hypot(at.x - now.x, at.y - now.y) < SLOP) return;
    now.isMoved = true;
    const [fromX, fromY] = [now.lastX, now.lastY];
    [now.lastX, now.lastY] = [at.x, at.y];
    const view = stage.view();
    const snap = event.ctrlKey || event.metaKey ? 0 : stage.snap();
    const ticks = tickOfX(at.x, view) - tickOfX(now.x, view);
    if (now.note) {
      const end = snapTick(tickOfX(at.x, view), snap);
      const length = Math.max(stepTicks(snap) / (snap > 0 ? 1 : 4), end - now.note.start);
      now.note = { ...now.note, length: Math.round(length) };
      showNote(now, now.note);
    } else if (now.hit.kind === "note") {
      dragNotes(now, now.hit, clip, ticks, at.y, snap, event.altKey);
    } else if (now.hit.kind === "velocity") paintVelocity(now, clip);
    else if (now.hit.kind === "ruler") stage.seek(clip.start + Math.max(0, tickOfX(at.x, view)));
    else if (event.pointerType === "touch") stage.pan(fromX - at.x, fromY - at.y);
    else if (now.hit.kind === "empty") selectBox(now, clip, at, event.shiftKey);
  };

  const dragNotes = (now: Drag, hit: RollHit & { kind: "note" }, clip: Clip, ticks: number, y: number, snap: number, isVelocity: boolean) => {
    const { note, part } = hit;
    if (isVelocity) {
      now.change = setVelocity(now.keys, (velocity) => velocity + (now.y - y) / 1.5);
      return stage.preview(now.change, now.keys);
    }
    if (part === "end") {
      const end = snapTick(clip.start + note.start + note.length + ticks, snap) - clip.start - note.start;
      now.change = lengthenNotes(now.keys, end - note.length, stepTicks(snap));
      return stage.preview(now.change, now.keys);
    }
    const view = stage.view();
    const wanted = snapTick(note.start + ticks, snap) - note.start;
    const moved = reach(clip.notes, now.keys, clip.length, wanted, pitchOfY(y, view) - note.pitch);
    now.change = moveNotes(now.keys, moved.ticks, moved.semitones);
    stage.preview(now.change, movedKeys(now.keys, moved.ticks, moved.semitones));
  };

  const selectBox = (now: Drag, clip: Clip, at: { x: number; y: number }, isMore: boolean) => {
    const view = stage.view();
    const [x0, x1] = [Math.min(now.x, at.x), Math.max(now.x, at.x)];
    const [y0, y1] = [Math.min(now.y, at.y), Math.max(now.y, at.y)];
    const caught = clip.notes.filter((note) => {
      const y = yOfPitch(note.pitch, view);
      return xOfTick(note.start + note.length, view) >= x0 && xOfTick(note.start, view) <= x1 && y + view.row >= y0 && y <= y1;
    });
    stage.select(new Set([...(isMore ? now.before : []), ...caught.map(keyOf)]));
    stage.box({ x0, y0, x1, y1 });
  };

  const onPointerUp = (event: PointerEvent<HTMLElement>) => {
    const now = drag.current;
    if (!now || now.id !== event.pointerId) return;
    const clip = stage.clip();
    if (now.note) lastLength.current = now.note.length;
    const change = now.change;
    const keys = keysAfter(now, clip);
    drop();
    if (change) stage.commit(change, keys);
  };

  /** Which notes are selected once the change is made. */
  const keysAfter = (now: Drag, clip: Clip | null): ReadonlySet<NoteKey> => {
    if (!clip || !now.change || now.hit.kind === "velocity") return now.before;
    const wasSelected = clip.notes.map((note) => now.keys.has(keyOf(note)));
    if (now.note) return now.keys;
    return new Set(now.change(clip.notes).filter((_, idx) => wasSelected[idx]).map(keyOf));
  };

  return { onPointerDown, onPointerMove, onPointerUp, onPointerCancel: drop, cancel: drop, isDragging: () => drag.current !== null };
}

function toggled(keys: ReadonlySet<NoteKey>, key: NoteKey): Set<NoteKey> {
  const next = new Set(keys);
  if (!next.delete(key)) next.add(key);
  return next;
}

function cursorOf(hit: RollHit, isDrawing: boolean): string {
  if (hit.kind === "note") return hit.part === "end" ? "ew-resize" : "grab";
  if (hit.kind === "velocity") return "ns-resize";
  if (hit.kind === "empty") return isDrawing ? "crosshair" : "default";
  return "pointer";
}
