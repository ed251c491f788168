/** Pointers on the arrangement: select, move, trim, copy, loop, seek; fingers also pan and zoom. */
import type { CompositionSpec } from "antiphon";
import { type PointerEvent, useRef } from "react";
import { edit } from "../edit/editor";
import { type AnyClip, type Change, duplicateClip, fadeClip, isAudio, moveClip, trimClip } from "../edit/model";
import { select } from "../edit/selection";
import { PPQ } from "../lib/bars";
import { newId } from "../lib/ids";
import { secondsFromTicks } from "../lib/tempo";
import { snapTick } from "../lib/grid";
import { type Hit, hitAt, tickOfX, type View } from "./layout";

export interface Stage {
  spec: () => CompositionSpec | null;
  view: () => View;
  snap: () => number;
  /** Draws a composition that is not yet made; `null` draws the real one. */
  preview: (spec: CompositionSpec | null) => void;
  pan: (dx: number, dy: number) => void;
  zoomBy: (factor: number, aroundX: number) => void;
  seek: (tick: number) => void;
  setLoop: (from: number, to: number) => void;
}

interface Drag {
  id: number;
  hit: Hit;
  startX: number;
  startY: number;
  startTick: number;
  /** It moved far enough to be no click. */
  isMoved: boolean;
  change: Change | null;
  copyId: string;
}

const SLOP = 4;

export function useClipGestures(stage: Stage) {
  const drag = useRef<Drag | null>(null);
  const fingers = useRef(new Map<number, { x: number; y: number }>());

  const place = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  const drop = () => {
    drag.current = null;
    stage.preview(null);
  };

  const onPointerDown = (event: PointerEvent<HTMLElement>) => {
    const spec = stage.spec();
    if (!spec || event.button !== 0) return;
    const { x, y } = place(event);
    event.currentTarget.setPointerCapture(event.pointerId);
    if (event.pointerType === "touch") fingers.current.set(event.pointerId, { x, y });
    if (fingers.current.size > 1) return drop();
    const hit = hitAt(x, y, spec, stage.view(), event.pointerType === "touch");
    const startTick = tickOfX(x, stage.view());
    drag.current = { id: event.pointerId, hit, startX: x, startY: y, startTick, isMoved: false, change: null, copyId: newId() };
    if (hit.kind === "clip") select({ track: hit.track.id, clip: hit.clip.id });
    else if (hit.kind === "lane" && hit.track) select({ track: hit.track.id, clip: null });
    else if (hit.kind === "ruler" && hit.part === "seek") stage.seek(snapTick(startTick, event.shiftKey ? 0 : stage.snap()));
  };

  const onPointerMove = (event: PointerEvent<HTMLElement>) => {
    const at = place(event);
    const spec = stage.spec();
    if (!spec) return;
    const finger = fingers.current.get(event.pointerId);
    if (finger && fingers.current.size === 2) {
      pinch(event.pointerId, finger, at);
      return;
    }
    const now = drag.current;
    if (!now || now.id !== event.pointerId) {
      event.currentTarget.style.cursor = cursorOf(hitAt(at.x, at.y, spec, stage.view(), false));
      return;
    }
    if (!now.isMoved && Math.hypot(at.x - now.startX, at.y - now.startY) < SLOP) return;
    now.isMoved = true;
    const { hit } = now;
    const tick = tickOfX(at.x, stage.view());
    const snap = event.shiftKey ? 0 : stage.snap();
    if (hit.kind === "ruler" && hit.part === "seek") stage.seek(snapTick(tick, snap));
    else if (hit.kind === "ruler") stage.setLoop(snapTick(Math.min(tick, now.startTick), snap), snapTick(Math.max(tick, now.startTick), snap));
    else if (hit.kind === "clip") {
      now.change = changeOf(now, hit, at, tick, snap, event.altKey || event.ctrlKey || event.metaKey, spec);
      stage.preview(now.change(spec) ?? spec);
    } else if (finger) {
      stage.pan(finger.x - at.x, finger.y - at.y);
      fingers.current.set(event.pointerId, at);
    }
  };

  const changeOf = (
    now: Drag, hit: Hit & { kind: "clip" }, at: { x: number; y: number }, tick: number, snap: number, isCopy: boolean, spec: CompositionSpec,
  ): Change => {
    const { clip, part } = hit;
    // Fades are as long as they sound well: off the grid.
    if (part === "fadeIn" || part === "fadeOut") return fadeTo(clip, part, tick, spec);
    if (part !== "body") return trimClip(clip.id, part, snapTick(tick, snap));
    const start = snapTick(Math.max(0, clip.start + tick - now.startTick), snap);
    const under = hitAt(at.x, at.y, spec, stage.view(), false);
    const track = under.kind === "ruler" ? undefined : under.track?.id;
    return isCopy ? duplicateClip(clip.id, now.copyId, start, track) : moveClip(clip.id, start, track);
  };

  const pinch = (id: number, before: { x: number; y: number }, after: { x: number; y: number }) => {
    const other = [...fingers.current].find(([one]) => one !== id)?.[1];
    if (!other) return;
    const distance = Math.abs(before.x - other.x);
    if (distance > 10) stage.zoomBy(Math.abs(after.x - other.x) / distance, (after.x + other.x) / 2);
    fingers.current.set(id, after);
  };

  const onPointerUp = (event: PointerEvent<HTMLElement>) => {
    fingers.current.delete(event.pointerId);
    const now = drag.current;
    if (!now || now.id !== event.pointerId) return;
    drop();
    if (!now.change || !edit(now.change)) return;
    const hit = now.hit;
    const at = stage.spec();
    // The copy is what is worked on next.
    if (hit.kind === "clip") {
      const owner = at?.tracks.find((track) => [...track.clips, ...track.audio_clips].some(({ id }) => id === now.copyId));
      if (owner) select({ track: owner.id, clip: now.copyId });
    }
  };

  const onPointerCancel = (event: PointerEvent<HTMLElement>) => {
    fingers.current.delete(event.pointerId);
    drop();
  };

  return { onPointerDown, onPointerMove, onPointerUp, onPointerCancel, isDragging: () => drag.current !== null, cancel: drop };
}

/** A fade that ends, or begins, at a tick. */
function fadeTo(clip: AnyClip, part: "fadeIn" | "fadeOut", tick: number, { tempo }: CompositionSpec): Change {
  const seconds = secondsFromTicks(tick, tempo) - secondsFromTicks(clip.start, tempo);
  const length = isAudio(clip) ? clip.length_seconds : 0;
  return part === "fadeIn" ? fadeClip(clip.id, "in", seconds) : fadeClip(clip.id, "out", length - seconds);
}

function cursorOf(hit: Hit): string {
  if (hit.kind === "clip") return hit.part === "body" ? "grab" : "ew-resize";
  return hit.kind === "ruler" ? "pointer" : "default";
}

/** Bars of four quarters. */
export const BAR = 4 * PPQ;
