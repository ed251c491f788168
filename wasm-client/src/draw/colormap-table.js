// Colour maps of d3-scale-chromatic, 256 colours each. The build runs this and bundles the table, not the library.
import { interpolateCividis, interpolateInferno, interpolateMagma, interpolateViridis } from "d3-scale-chromatic";

const maps = {
  viridis: interpolateViridis, inferno: interpolateInferno, magma: interpolateMagma, cividis: interpolateCividis,
};

/** Of `#rrggbb` or `rgb(r, g, b)`, which are what the library writes. */
const hex = (color) => color.startsWith("#")
  ? color.slice(1)
  : color.match(/\d+/g).map((digits) => Number(digits).toString(16).padStart(2, "0")).join("");

export const TABLES = Object.fromEntries(Object.entries(maps).map(([name, map]) => [
  name, Array.from({ length: 256 }, (_, idx) => hex(map(idx / 255))).join(""),
]));
