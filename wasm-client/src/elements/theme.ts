// Colours of the elements: CSS custom properties, with defaults for dark and for light; or the system's, where it forces them.
import { computedColors, FORCED_COLORS } from "../draw/forced-colors.ts";

/** Name of each colour, after `--antiphon-`: its default in the dark and in the light, and what a contrast theme has for it. */
const COLORS = {
  background: ["#090b0e", "#ffffff", "Canvas"],
  text: ["#97a2b1", "#55606e", "CanvasText"],
  grid: ["#ffffff14", "#00000014", "color-mix(in srgb, GrayText 30%, transparent)"],
  "grid-strong": ["#ffffff33", "#0000003d", "GrayText"],
  spectrum: ["#6fd6c4", "#087f70", "Highlight"],
  left: ["#f0b35a", "#b86800", "Highlight"],
  right: ["#63b8d8", "#14739b", "CanvasText"],
  low: ["#46bf86", "#2b9c68", "Highlight"],
  mid: ["#b9c957", "#93a71b", "Highlight"],
  warm: ["#f0b35a", "#d98a15", "Highlight"],
  high: ["#ff5a50", "#d5342a", "LinkText"],
  hold: ["#f4f7fa", "#161b22", "CanvasText"],
  error: ["#ff8a82", "#b3261e", "CanvasText"],
} as const;

/** After `--antiphon-`. */
export type ColorName = keyof typeof COLORS;

const names = Object.keys(COLORS) as ColorName[];

const forced = Object.fromEntries(names.map((name) => [name, COLORS[name][2]])) as Record<ColorName, string>;

function rules(idx: 0 | 1): string {
  return names.map((name) => `--_${name}: var(--antiphon-${name}, ${COLORS[name][idx]});`).join("");
}

/**
 * The sheet of every element. A box inside lays out what is there, so that a page may give the element any `display`;
 * where that has no height, as of `inline`, the picture brings its own. Pages style `::part(picture)`, `::part(readout)`,
 * `::part(error)` and the properties.
 */
export const STYLE = `
:host { display: flex; flex-direction: column; gap: 2px; box-sizing: border-box; inline-size: 100%; block-size: 10rem;
  min-inline-size: 0; font: 12px/1.35 system-ui, sans-serif; font-variant-numeric: tabular-nums; color: var(--_text);
  ${rules(0)} }
@media (prefers-color-scheme: light) { :host { ${rules(1)} } }
@media ${FORCED_COLORS} { :host { ${names.map((name) => `--_${name}: ${forced[name]};`).join("")} } }
:host([hidden]) { display: none; }
.box { display: flex; flex: auto; flex-direction: column; gap: inherit; block-size: 100%; min-block-size: 0; }
[part=picture] { position: relative; flex: 1 1 8rem; min-block-size: 0; overflow: hidden; background: var(--_background); }
canvas { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; }
[part=readout] { min-block-size: 1.35em; }
[part=error] { margin: 0; color: var(--_error); }
[part=error]:empty { display: none; }
button { font: inherit; color: inherit; background: none; border: 1px solid var(--_grid-strong); border-radius: 3px;
  min-block-size: 24px; padding: 0 4px; cursor: pointer; }
button[data-clipped=true] { background: var(--_high); color: #fff; }
@media ${FORCED_COLORS} { button[data-clipped=true] { forced-color-adjust: none; background: Highlight; color: HighlightText; } }
`;

/** A colour of each name, and the font of what is written into pictures: a little smaller than the element's. */
export type Theme = Record<ColorName | "font", string>;

/** Whether all colours are. */
export function sameTheme(one: Theme, other: Theme): boolean {
  return one.font === other.font && names.every((name) => one[name] === other[name]);
}

/** Colours and font as they are now. */
export function themeOf(element: Element): Theme {
  const style = getComputedStyle(element);
  const font = `${Math.round(0.9 * (Number.parseFloat(style.fontSize) || 12))}px ${style.fontFamily || "sans-serif"}`;
  if (globalThis.matchMedia?.(FORCED_COLORS).matches) return { ...computedColors(forced, element.shadowRoot ?? element), font };
  const colors = names.map((name) => [name, style.getPropertyValue(`--_${name}`).trim() || COLORS[name][0]]);
  return { ...(Object.fromEntries(colors) as Record<ColorName, string>), font };
}
