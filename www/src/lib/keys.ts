/** The computer's keys as a piano: the row of letters is white, the row above has the black keys. */

/** Semitones above C, by `KeyboardEvent.code`: where a key lies, whatever is printed on it. */
const SEMITONES: Readonly<Record<string, number>> = {
  KeyA: 0, KeyW: 1, KeyS: 2, KeyE: 3, KeyD: 4, KeyF: 5, KeyT: 6, KeyG: 7, KeyY: 8, KeyH: 9, KeyU: 10, KeyJ: 11, KeyK: 12,
  KeyO: 13, KeyL: 14, KeyP: 15, Semicolon: 16,
};

/** The pitch of a key; `null` for keys that are none, and beyond MIDI's range. */
export function pitchOfKey(code: string, octave: number): number | null {
  const semitones = SEMITONES[code];
  const pitch = semitones === undefined ? -1 : 12 * (octave + 1) + semitones;
  return pitch >= 0 && pitch <= 127 ? pitch : null;
}

/** Octaves that the keys may be moved to. */
export const OCTAVES = { min: 0, max: 8 } as const;

/** What a MIDI message says of a note; `null` for all others. */
export function noteOfMidi(data: Uint8Array): { pitch: number; velocity: number; on: boolean } | null {
  const [status = 0, pitch = 0, velocity = 0] = data;
  const kind = status & 0xf0;
  if (kind !== 0x90 && kind !== 0x80) return null;
  // A struck velocity of 0 is a release, by the standard.
  return { pitch, velocity, on: kind === 0x90 && velocity > 0 };
}
