import type { Clip, CompositionSpec, Track } from "antiphon";
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import { prefs, setPrefs, usePrefs } from "../app/prefs";
import type { Commands } from "../app/useCommands";
import { usePlayhead } from "../app/usePlayhead";
import { strike } from "../app/play";
import { useCanvasTheme } from "../canvas/theme";
import { usePaintedCanvas } from "../canvas/usePaintedCanvas";
import { edit, shownComposition } from "../edit/editor";
import { findClip, isAudio } from "../edit/model";
import { formatBars, PPQ } from "../lib/bars";
import { stepTicks } from "../lib/grid";
import { useThrottled } from "../ui/useThrottled";
import { contentHeight, KEYS, RULER, type RollView, scrollToNote, VELOCITIES } from "./layout";
import {
  addNote, changeNotes, duplicateNotes, keyOf, lengthenNotes, movedKeys, moveNotes, type NoteChange, type NoteKey, reach, removeNotes,
  setVelocity,
} from "./notes";
import { paintRoll, type RollPicture } from "./paint";
import { type RollStage, useNoteGestures } from "./useNoteGestures";

const NAMES = ["C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B"];
const nameOf = (pitch: number) => `${NAMES[pitch % 12]} ${Math.floor(pitch / 12) - 1}`;

interface RollProps {
  spec: CompositionSpec;
  track: Track;
  clip: Clip;
  isDrawing: boolean;
  commands: Commands;
}

/** The notes of a clip. */
export function PianoRoll({ spec, track, clip, isDrawing, commands }: RollProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const head = useRef<HTMLDivElement>(null);
  const draft = useRef<{ change: NoteChange | null; selected: ReadonlySet<NoteKey> | null; box: RollPicture["box"] }>({
    change: null, selected: null, box: null,
  });
  const [selected, setSelected] = useState<ReadonlySet<NoteKey>>(new Set());
  const selectedRef = useRef(selected);
  const theme = useCanvasTheme();
  const zoom = usePrefs((state) => state.rollZoom);
  const row = usePrefs((state) => state.rollRow);
  const snap = usePrefs((state) => state.snap);
  const select = (keys: ReadonlySet<NoteKey>) => {
    selectedRef.current = keys;
    setSelected(keys);
  };

  const { canvas, repaint } = usePaintedCanvas((on) => {
    const { change, selected: drafted, box } = draft.current;
    paintRoll(on, {
      clip: change ? { ...clip, notes: change(clip.notes) } : clip, view: view(), snap, color: track.color,
      selected: drafted ?? selectedRef.current, box, signatures: spec.time_signatures, theme,
    });
  });
  const view = (): RollView => ({
    scrollLeft: scroller.current?.scrollLeft ?? 0, scrollTop: scroller.current?.scrollTop ?? 0,
    width: canvas.current?.clientWidth ?? 0, height: canvas.current?.clientHeight ?? 0, pixelsPerBeat: zoom, row,
  });

  /** The clip with all that was done, also since the last render. */
  const newest = (): Clip | null => {
    const found = findClip(shownComposition(), clip.id)?.clip;
    return found && !isAudio(found) ? found : null;
  };
  const commit = (change: NoteChange, keys?: ReadonlySet<NoteKey>) => {
    edit(changeNotes(clip.id, change));
    if (keys) select(keys);
  };
  const seek = useThrottled((tick: number) => commands.seek({ position_beats: tick / PPQ }));
  const stage: RollStage = {
    clip: newest, view, snap: () => snap, isDrawing: () => isDrawing, selected: () => selectedRef.current, select, commit, seek,
    preview: (change, keys) => {
      draft.current = { ...draft.current, change, selected: keys ?? null };
      repaint();
    },
    box: (box) => {
      draft.current = { ...draft.current, box };
      repaint();
    },
    pan: (dx, dy) => scroller.current?.scrollBy(dx, dy),
    strike: (pitch) => strike(track.id, pitch),
  };
  const gestures = useNoteGestures(stage);

  // Another clip shows its own notes, in the middle.
  useLayoutEffect(() => {
    select(new Set());
    const box = scroller.current;
    if (!box) return;
    const pitches = clip.notes.map(({ pitch }) => pitch);
    const middle = pitches.length > 0 ? (Math.min(...pitches) + Math.max(...pitches)) / 2 : 60;
    box.scrollTop = (127 - middle) * row + RULER - (box.clientHeight - VELOCITIES) / 2;
    const first = Math.min(...clip.notes.map(({ start }) => start), clip.length);
    box.scrollLeft = pitches.length > 0 ? Math.max(0, (first / PPQ - 1) * zoom) : 0;
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [clip.id]);

  const beatsNow = useRef(0);
  usePlayhead(({ position_beats: beats }) => {
    beatsNow.current = beats;
    const inside = beats * PPQ - clip.start;
    if (!head.current) return;
    head.current.hidden = inside < 0 || inside > clip.length;
    head.current.style.transform = `translateX(${KEYS + (inside / PPQ) * prefs.getState().rollZoom}px)`;
  });

  useEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const onWheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const factor = Math.exp(-event.deltaY / 300);
      if (event.altKey) setPrefs({ rollRow: Math.min(28, Math.max(7, prefs.getState().rollRow * factor)) });
      else setPrefs({ rollZoom: Math.min(600, Math.max(8, prefs.getState().rollZoom * factor)) });
    };
    box.addEventListener("wheel", onWheel, { passive: false });
    return () => box.removeEventListener("wheel", onWheel);
  }, []);

  const onKeyDown = (event: KeyboardEvent) => {
    const now = newest();
    if (!now) return;
    const keys = selectedRef.current;
    const isCommand = event.ctrlKey || event.metaKey;
    const isTaken = isCommand ? onCommand(event.key.toLowerCase(), now, keys) : onPlainKey(event, now, keys);
    if (!isTaken) return;
    event.preventDefault();
    reveal();
  };
  /** Keys lead on out of the picture: it follows, unless something of what is selected is seen. */
  const reveal = () => {
    const seen = view();
    const chosen = newest()?.notes.filter((note) => selectedRef.current.has(keyOf(note))) ?? [];
    const places = chosen.map((note) => scrollToNote(note, seen));
    const isSeen = places.some(({ left, top }) => left === seen.scrollLeft && top === seen.scrollTop);
    if (!isSeen && places[0]) scroller.current?.scrollTo(places[0]);
  };
  const onCommand = (key: string, now: Clip, keys: ReadonlySet<NoteKey>): boolean => {
    if (key === "a") select(new Set(now.notes.map(keyOf)));
    else if (key === "d" && keys.size > 0) {
      const chosen = now.notes.filter((note) => keys.has(keyOf(note)));
      const from = Math.min(...chosen.map(({ start }) => start));
      const step = stepTicks(snap);
      const ticks = Math.ceil((Math.max(...chosen.map(({ start, length }) => start + length)) - from) / step) * step;
      commit(duplicateNotes(keys, ticks), movedKeys(keys, ticks, 0));
    } else return false;
    return true;
  };
  const onPlainKey = (event: KeyboardEvent, now: Clip, keys: ReadonlySet<NoteKey>): boolean => {
    const { key, shiftKey, altKey } = event;
    const step = stepTicks(snap);
    const sideways = { ArrowLeft: -1, ArrowRight: 1 }[key];
    const upwards = { ArrowUp: 1, ArrowDown: -1 }[key];
    if (key === "Escape") {
      if (gestures.isDragging()) gestures.cancel();
      else select(new Set());
    } else if (key === "Enter") insert(now, keys);
    else if (key === "," || key === ".") selectNeighbour(now, keys, key === "." ? 1 : -1);
    else if (keys.size === 0) return false;
    else if (key === "Delete" || key === "Backspace") commit(removeNotes(keys), new Set());
    else if (sideways && shiftKey) commit(lengthenNotes(keys, sideways * step, step));
    else if (upwards && altKey) commit(setVelocity(keys, (velocity) => velocity + 5 * upwards));
    else if (sideways || upwards) {
      const { ticks, semitones } = reach(now.notes, keys, now.length, (sideways ?? 0) * step, (upwards ?? 0) * (shiftKey ? 12 : 1));
      commit(moveNotes(keys, ticks, semitones), movedKeys(keys, ticks, semitones));
    } else return false;
    return true;
  };
  /** A note at the playhead, or behind the selected one. */
  const insert = (now: Clip, keys: ReadonlySet<NoteKey>) => {
    const last = now.notes.filter((note) => keys.has(keyOf(note))).sort((a, b) => a.start - b.start).at(-1);
    const atHead = Math.round((beatsNow.current * PPQ - now.start) / stepTicks(snap)) * stepTicks(snap);
    const start = last ? last.start + last.length : atHead;
    const note = { pitch: last?.pitch ?? 60, start: start >= 0 && start < now.length ? start : 0, length: last?.length ?? stepTicks(snap), velocity: last?.velocity ?? 96 };
    strike(track.id, note.pitch);
    commit(addNote(note), new Set([keyOf(note)]));
  };
  const selectNeighbour = (now: Clip, keys: ReadonlySet<NoteKey>, way: number) => {
    const all = [...now.notes].sort((a, b) => a.start - b.start || a.pitch - b.pitch);
    const idx = all.findIndex((note) => keys.has(keyOf(note)));
    const next = all[idx < 0 ? (way > 0 ? 0 : all.length - 1) : (idx + way + all.length) % all.length];
    if (!next) return;
    strike(track.id, next.pitch);
    select(new Set([keyOf(next)]));
  };

  const first = clip.notes.find((note) => selected.has(keyOf(note)));
  const said = !first
    ? `${clip.notes.length} notes, none selected`
    : `${selected.size > 1 ? `${selected.size} notes, the first ` : ""}${nameOf(first.pitch)} at ` +
      `${formatBars((clip.start + first.start) / PPQ, spec.time_signatures)}, ${Number((first.length / PPQ).toFixed(3))} beats long, velocity ${first.velocity}`;

  return (
    <>
      <div ref={scroller} className="roll" onScroll={repaint}>
        <div
          className="roll-inner"
          style={{ width: KEYS + (clip.length / PPQ + 4) * zoom, height: contentHeight(row) }}
        >
          <canvas
            ref={canvas}
            className="roll-canvas"
            data-testid="roll"
            tabIndex={0}
            role="application"
            aria-label={`Piano roll, ${track.name}`}
            aria-describedby="roll-said"
            onPointerDown={gestures.onPointerDown}
            onPointerMove={gestures.onPointerMove}
            onPointerUp={gestures.onPointerUp}
            onPointerCancel={gestures.onPointerCancel}
            onKeyDown={onKeyDown}
          />
          <div ref={head} className="roll-head" aria-hidden="true" hidden />
        </div>
      </div>
      <p id="roll-said" className="roll-said" aria-live="polite" data-testid="roll-said">
        {said}
      </p>
    </>
  );
}
