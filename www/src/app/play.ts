/** Notes that are played now, by whatever keys there are, on a track of the shown source. */
import { createStore } from "zustand/vanilla";
import { shownComposition } from "../edit/editor";
import { selection } from "../edit/selection";
import { noteOfMidi, OCTAVES, pitchOfKey } from "../lib/keys";
import { live } from "./hooks";
import { notify } from "./notices";
import { session } from "./session";

/** Whether the computer's keys and MIDI keyboards play, and the octave of the key A. */
export const keys = createStore(() => ({ isOn: false, octave: 4 }));

const STRIKE_MS = 250;
const VELOCITY = 96;

/** The armed track, else the selected one, else the first. */
export function playedTrack(): string | null {
  const armed = live.getState().transport?.armed_track_id;
  return armed ?? selection().track ?? shownComposition()?.tracks[0]?.id ?? null;
}

function send(track: string, pitch: number, velocity: number, on: boolean): void {
  const { source } = session.getState();
  try {
    if (source.status === "live") source.note({ track, pitch, velocity, on });
  } catch {
    // Out of range: such a key has no note.
  }
}

/** A short note, to hear what one does. */
export function strike(track: string, pitch: number): void {
  send(track, pitch, VELOCITY, true);
  setTimeout(() => send(track, pitch, VELOCITY, false), STRIKE_MS);
}

/** Held notes, by what holds them, with the track that they began on. */
const held = new Map<string, { track: string; pitch: number }>();

function press(holder: string, pitch: number, velocity: number): void {
  const track = playedTrack();
  if (!track || held.has(holder)) return;
  held.set(holder, { track, pitch });
  send(track, pitch, velocity, true);
}

function release(holder: string): void {
  const note = held.get(holder);
  if (note && held.delete(holder)) send(note.track, note.pitch, VELOCITY, false);
}

function releaseAll(): void {
  for (const holder of [...held.keys()]) release(holder);
}

const TYPING = "input:not([type=range]), select, textarea, [contenteditable], [role=dialog], [role=menu]";

function onKeyDown(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target instanceof Element && event.target.closest(TYPING)) return;
  const { octave } = keys.getState();
  const step = { KeyZ: -1, KeyX: 1 }[event.code];
  const pitch = pitchOfKey(event.code, octave);
  if (!step && pitch === null) return;
  // Before the page's own keys: S plays D, and solos nothing.
  event.preventDefault();
  event.stopPropagation();
  if (event.repeat) return;
  if (step) keys.setState({ octave: Math.min(OCTAVES.max, Math.max(OCTAVES.min, octave + step)) });
  else if (pitch !== null) press(event.code, pitch, VELOCITY);
}

const onKeyUp = (event: KeyboardEvent) => release(event.code);

let midi: MIDIAccess | null = null;

function onMidi(event: MIDIMessageEvent): void {
  const note = event.data && noteOfMidi(event.data);
  if (!note) return;
  const port = event.target instanceof EventTarget && "id" in event.target ? String(event.target.id) : "";
  const holder = `${port} ${note.pitch}`;
  if (note.on) press(holder, note.pitch, note.velocity);
  else release(holder);
}

/** Listens to the keyboards that are there, and to those that come. */
function listen(): void {
  for (const port of midi?.inputs.values() ?? []) port.onmidimessage = keys.getState().isOn ? onMidi : null;
}

async function openMidi(): Promise<void> {
  // Not in every browser, and on secure pages alone: the computer's keys play all the same.
  if (midi || !("requestMIDIAccess" in navigator)) return listen();
  try {
    midi = await navigator.requestMIDIAccess();
    midi.onstatechange = listen;
    listen();
  } catch {
    notify("info", "MIDI keyboards were refused", "Allow MIDI for this site to play them; the computer's keys play already.");
  }
}

/** Makes the computer's keys (A W S E D …; Z and X for the octave) and MIDI keyboards play, or ends that. */
export function toggleKeys(): void {
  const isOn = !keys.getState().isOn;
  keys.setState({ isOn });
  releaseAll();
  const change = isOn ? addEventListener : removeEventListener;
  change("keydown", onKeyDown as EventListener, true);
  change("keyup", onKeyUp as EventListener, true);
  change("blur", releaseAll);
  if (isOn) void openMidi();
  else listen();
}
