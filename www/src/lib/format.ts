/** Numbers as people read them on a console. */

/** Level that the engine reports for silence. */
export const FLOOR_DB = -120;
const MINUS = "\u2212";

/** `−12.3`, `0.0`, `+1.4`; `−∞` at the floor. */
export function formatDb(db: number, digits = 1, plus = false): string {
  if (!(db > FLOOR_DB)) return `${MINUS}∞`;
  const text = Math.abs(db).toFixed(digits);
  if (Number(text) === 0) return text;
  return db < 0 ? MINUS + text : plus ? `+${text}` : text;
}

/** `1:02.345`, or with hours `1:00:02.345`. */
export function formatTime(seconds: number): string {
  const ms = Math.max(0, Math.floor(seconds * 1000 + 1e-6));
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(ms / 60_000) % 60;
  const hours = Math.floor(ms / 3_600_000);
  const rest = `${two(Math.floor(ms / 1000) % 60)}.${String(ms % 1000).padStart(3, "0")}`;
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** `440 Hz`, `1.25 kHz`: three figures. */
export function formatHz(hz: number): string {
  return hz < 1000 ? `${hz.toFixed(hz < 100 ? 1 : 0)} Hz` : `${(hz / 1000).toFixed(hz < 10_000 ? 2 : 1)} kHz`;
}

/** `38.1 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KB", "MB", "GB", "TB"];
  let value = bytes / 1024;
  let idx = 0;
  while (value >= 1024 && idx < units.length - 1) {
    value /= 1024;
    idx++;
  }
  return `${value.toFixed(value < 100 ? 1 : 0)} ${units[idx]}`;
}

/** `1,234`, with a thin space instead of the comma: `1 234`. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, "\u2009");
}

/** `C`, `L 30`, `R 100`: pan as consoles label it. */
export function formatPan(pan: number): string {
  const percent = Math.round(Math.abs(pan) * 100);
  return percent === 0 ? "C" : `${pan < 0 ? "L" : "R"} ${percent}`;
}
