/** Pitch names for frequencies, equal temperament, A4 = 440 Hz. */

const NAMES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"] as const;

/** The nearest note and how far off it the frequency is, in cents (−50 to 50). */
export interface NearestNote {
  /** Such as `A4`. */
  name: string;
  /** MIDI pitch; 60 is C4. */
  pitch: number;
  cents: number;
}

/** `null` for what has no pitch: zero, negative or not a number. */
export function nearestNote(hz: number): NearestNote | null {
  if (!(hz > 0)) return null;
  const exact = 69 + 12 * Math.log2(hz / 440);
  const pitch = Math.round(exact);
  const name = NAMES[((pitch % 12) + 12) % 12]! + String(Math.floor(pitch / 12) - 1);
  return { name, pitch, cents: Math.round((exact - pitch) * 100) };
}

/** `A4 +3`; the cents are left out when they are zero. */
export function formatNote(hz: number): string {
  const note = nearestNote(hz);
  if (!note) return "";
  if (note.cents === 0) return note.name;
  return `${note.name} ${note.cents > 0 ? "+" : "\u2212"}${Math.abs(note.cents)}`;
}
