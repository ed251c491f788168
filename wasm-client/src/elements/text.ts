// Numbers as the elements write them.

/** `−12.3`, or `−∞` at the floor of −120. */
export function dbText(db: number): string {
  return db > -120 ? signed(db, 1) : "−∞";
}

/** With a real minus sign, and no −0. */
export function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** `440 Hz`, `1.25 kHz`. */
export function hzText(hz: number): string {
  return hz < 1000 ? `${Math.round(hz)} Hz` : `${(hz / 1000).toFixed(2)} kHz`;
}

/** The same words, broken into lines neither between a name and its number nor between a number and its unit. */
export function unbroken(text: string): string {
  return text.replace(/ (?=[−\d]|dB|LUFS|k?Hz)/g, "\u00a0");
}
