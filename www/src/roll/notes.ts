/** Changes of a clip's notes as pure functions. A note is known by where it is: its start and its pitch. */
import type { Clip, Note } from "antiphon";
import { type Change, changeClip, isAudio } from "../edit/model";

export type NoteKey = string;
export type NoteChange = (notes: readonly Note[]) => Note[];

export const keyOf = ({ start, pitch }: Pick<Note, "start" | "pitch">): NoteKey => `${start}:${pitch}`;

/** Applies a change to the notes of a clip; those that begin outside of it are dropped. */
export const changeNotes = (clipId: string, change: NoteChange): Change =>
  changeClip(clipId, (clip) => (isAudio(clip) ? clip : { ...clip, notes: inside(change(clip.notes), clip) }));

const inside = (notes: readonly Note[], { length }: Clip) => notes.filter(({ start }) => start >= 0 && start < length);

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

const mapSelected = (keys: ReadonlySet<NoteKey>, change: (note: Note) => Note): NoteChange => (notes) =>
  notes.map((note) => (keys.has(keyOf(note)) ? change(note) : note));

/** As far as all of them can go together, so that chords stay chords. */
export function reach(notes: readonly Note[], keys: ReadonlySet<NoteKey>, length: number, ticks: number, semitones: number) {
  const all = notes.filter((note) => keys.has(keyOf(note)));
  if (all.length === 0) return { ticks: 0, semitones: 0 };
  const starts = all.map(({ start }) => start);
  const pitches = all.map(({ pitch }) => pitch);
  return {
    ticks: clamp(Math.round(ticks), -Math.min(...starts), length - 1 - Math.max(...starts)),
    semitones: clamp(semitones, -Math.min(...pitches), 127 - Math.max(...pitches)),
  };
}

export const moveNotes = (keys: ReadonlySet<NoteKey>, ticks: number, semitones: number): NoteChange =>
  mapSelected(keys, (note) => ({
    ...note, start: Math.max(0, note.start + ticks), pitch: clamp(note.pitch + semitones, 0, 127),
  }));

/** The keys of notes after they were moved. */
export function movedKeys(keys: ReadonlySet<NoteKey>, ticks: number, semitones: number): Set<NoteKey> {
  return new Set([...keys].map((key) => {
    const [start, pitch] = key.split(":").map(Number);
    return keyOf({ start: Math.max(0, start! + ticks), pitch: clamp(pitch! + semitones, 0, 127) });
  }));
}

export const lengthenNotes = (keys: ReadonlySet<NoteKey>, ticks: number, shortest: number): NoteChange =>
  mapSelected(keys, (note) => ({ ...note, length: Math.max(Math.min(shortest, note.length), note.length + Math.round(ticks)) }));

export const setVelocity = (keys: ReadonlySet<NoteKey>, velocity: (now: number) => number): NoteChange =>
  mapSelected(keys, (note) => ({ ...note, velocity: clamp(Math.round(velocity(note.velocity)), 1, 127) }));

export const removeNotes = (keys: ReadonlySet<NoteKey>): NoteChange => (notes) => notes.filter((note) => !keys.has(keyOf(note)));

/** A note on top of another of the same pitch and start replaces it. */
export const addNote = (note: Note): NoteChange => (notes) => [...notes.filter((one) => keyOf(one) !== keyOf(note)), note];

/** Copies behind themselves, as far as they reach. */
export function duplicateNotes(keys: ReadonlySet<NoteKey>, ticks: number): NoteChange {
  return (notes) => {
    const copies = notes.filter((note) => keys.has(keyOf(note))).map((note) => ({ ...note, start: note.start + ticks }));
    const taken = new Set(copies.map(keyOf));
    return [...notes.filter((note) => !taken.has(keyOf(note))), ...copies];
  };
}
