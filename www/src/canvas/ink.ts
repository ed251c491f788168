/** A track's colour as lines and notes: dark enough on a light page. */
const DARKER = 0.58;

const inks = new Map<string, string>();

export function inkOf(color: string, isLight: boolean): string {
  if (!isLight) return color;
  let ink = inks.get(color);
  if (ink === undefined) {
    const number = Number.parseInt(color.slice(1), 16);
    const part = (shift: number) => Math.round(((number >> shift) & 255) * DARKER);
    ink = `rgb(${part(16)} ${part(8)} ${part(0)})`;
    inks.set(color, ink);
  }
  return ink;
}
