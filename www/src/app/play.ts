/** Notes that are played now, by whatever keys there are, on a track of the shown source. */
import { session } from "./session";

const STRIKE_MS = 250;

/** Begins or ends a note. */
export function playNote(track: string, pitch: number, velocity: number, on: boolean): void {
  const { source } = session.getState();
  void [source, track, pitch, velocity, on];
}

/** A short note, to hear what one does. */
export function strike(track: string, pitch: number): void {
  playNote(track, pitch, 96, true);
  setTimeout(() => playNote(track, pitch, 0, false), STRIKE_MS);
}
