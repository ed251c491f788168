// Colour maps that are even to the eye.
import { AntiphonError } from "../errors.ts";
import { TABLES } from "./colormap-table.js";

/** Each goes from dark to bright. */
export type ColorMapName = "viridis" | "inferno" | "magma" | "cividis";

/** Names that `colorMap` knows. */
export const COLOR_MAPS = Object.keys(TABLES) as readonly ColorMapName[];

/** 256 colours from quiet to loud, as the bytes red, green, blue, alpha. */
export type ColorMap = Uint8ClampedArray;

const made = new Map<ColorMapName, ColorMap>();

/** The colours of a map, made once. Throws an AntiphonError for a name that is none. */
export function colorMap(name: ColorMapName): ColorMap {
  const known = made.get(name);
  if (known) return known;
  if (!COLOR_MAPS.includes(name)) {
    throw new AntiphonError("invalid-option", `${JSON.stringify(name)} is no colour map`, `use one of ${COLOR_MAPS.join(", ")}`);
  }
  const bytes = new Uint8ClampedArray(256 * 4).fill(255);
  for (let idx = 0; idx < 256 * 3; idx += 1) {
    bytes[Math.floor(idx / 3) * 4 + (idx % 3)] = Number.parseInt(TABLES[name].slice(2 * idx, 2 * idx + 2), 16);
  }
  made.set(name, bytes);
  return bytes;
}
