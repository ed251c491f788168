/** The arrangement by keyboard: the same changes that a pointer makes. */
import type { CompositionSpec } from "antiphon";
import type { KeyboardEvent } from "react";
import { edit } from "../edit/editor";
import {
  type AnyClip, clipsOf, duplicateClip, fadeClip, findClip, isAudio, lengthOf, moveClip, removeClip, trimClip,
} from "../edit/model";
import { select, selection } from "../edit/selection";
import { newId } from "../lib/ids";
import { stepTicks } from "../lib/grid";
import { splitAtPlayhead } from "./split";

interface Doing {
  spec: CompositionSpec;
  snap: number;
  /** Makes a clip on the selected track, or opens the one that is selected. */
  onEnter: () => void;
  onEscape: () => void;
}

/** Of a fade, for each press. */
const FADE_STEP_SECONDS = 0.1;

/** All clips, track by track, each by its start. */
const inOrder = (spec: CompositionSpec) =>
  spec.tracks.flatMap((track) => clipsOf(track).sort((a, b) => a.start - b.start).map((clip) => ({ track, clip })));

export function onClipKey(event: KeyboardEvent, { spec, snap, onEnter, onEscape }: Doing): void {
  const found = findClip(spec, selection().clip);
  const isCommand = event.ctrlKey || event.metaKey;
  const done = () => event.preventDefault();
  if (event.key === "Enter") return onEnter(), done();
  if (event.key === "Escape") return onEscape(), done();
  if (event.key === "." || event.key === ",") return selectNext(spec, event.key === "." ? 1 : -1), done();
  if (!found) {
    const row = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (row) selectTrack(spec, row), done();
    return;
  }
  const { track, clip } = found;
  if (event.key === "Delete" || event.key === "Backspace") {
    edit(removeClip(clip.id));
    select({ clip: null });
    return done();
  }
  if (isCommand && event.key.toLowerCase() === "d") {
    const id = newId();
    if (edit(duplicateClip(clip.id, id))) select({ clip: id });
    return done();
  }
  if (isCommand) return;
  const key = event.key.toLowerCase();
  if (key === "b") return splitAtPlayhead(), done();
  if ((key === "i" || key === "o") && isAudio(clip)) {
    const [end, now] = key === "i" ? ["in", clip.fade_in_seconds] as const : ["out", clip.fade_out_seconds] as const;
    edit(fadeClip(clip.id, end, now + (event.shiftKey ? -1 : 1) * FADE_STEP_SECONDS));
    return done();
  }
  const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (way) {
    edit(event.shiftKey ? trimmed(clip, spec, way, snap) : moveClip(clip.id, clip.start + way * stepTicks(snap)));
    return done();
  }
  const row = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const to = row && spec.tracks[spec.tracks.indexOf(track) + row];
  if (row) done();
  if (to && edit(moveClip(clip.id, clip.start, to.id))) select({ track: to.id });
}

const trimmed = (clip: AnyClip, spec: CompositionSpec, way: number, snap: number) =>
  trimClip(clip.id, "end", clip.start + lengthOf(clip, spec.tempo) + way * stepTicks(snap));

function selectNext(spec: CompositionSpec, way: number): void {
  const all = inOrder(spec);
  const idx = all.findIndex(({ clip }) => clip.id === selection().clip);
  const next = all[idx < 0 ? (way > 0 ? 0 : all.length - 1) : (idx + way + all.length) % all.length];
  if (next) select({ track: next.track.id, clip: next.clip.id });
}

function selectTrack(spec: CompositionSpec, way: number): void {
  const idx = spec.tracks.findIndex(({ id }) => id === selection().track);
  const next = spec.tracks[Math.min(spec.tracks.length - 1, Math.max(0, idx + way))];
  if (next) select({ track: next.id, clip: null });
}
