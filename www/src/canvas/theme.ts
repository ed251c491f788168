/** Colours for canvases, read from the style sheet, so that they change with the theme. */
import { computedColors, FORCED_COLORS } from "antiphon/draw";
import { useMemo, useSyncExternalStore } from "react";
import { useMediaQuery } from "../app/hooks";
import { useTheme } from "../app/theme";

const NAMES = {
  text: "--text-dim",
  strong: "--text",
  back: "--well",
  surface: "--surface",
  raised: "--surface-2",
  line: "--line",
  accent: "--accent",
  accentSoft: "--accent-soft",
  grid: "--grid",
  gridStrong: "--grid-strong",
  left: "--left",
  right: "--right",
  spectrum: "--spectrum",
  spectrumFill: "--spectrum-fill",
  cursor: "--text",
  meterLow: "--meter-low",
  meterMid: "--meter-mid",
  meterWarm: "--meter-warm",
  meterHigh: "--meter-high",
  meterBack: "--meter-back",
  hold: "--meter-hold",
  mono: "--mono",
} as const;

export type CanvasTheme = Record<keyof typeof NAMES, string> & {
  /** For labels. */
  font: string;
  isLight: boolean;
  /** The page's text size, pixels: what is drawn grows with it. */
  em: number;
};

export function useCanvasTheme(): CanvasTheme {
  const theme = useTheme();
  const isForced = useMediaQuery(FORCED_COLORS);
  const size = useSyncExternalStore(onResize, rootFontSize);
  return useMemo(() => {
    const style = getComputedStyle(document.documentElement);
    const colours = Object.entries(NAMES).map(([key, name]) => [key, style.getPropertyValue(name).trim()]);
    const em = Number.parseFloat(size) || 14;
    const font = `${Math.round(em * 7.4) / 10}px ${style.fontFamily}`;
    return {
      ...(Object.fromEntries(colours) as Record<keyof typeof NAMES, string>),
      font, em, isLight: theme === "light",
      ...(isForced ? forcedColours() : {}),
    };
  }, [theme, isForced, size]);
}

const faint = (color: string) => `color-mix(in srgb, ${color} 30%, transparent)`;

/** A contrast theme's, which the browser gives the page but not what it draws. Tracks keep their own. */
const FORCED = {
  text: "CanvasText", strong: "CanvasText", cursor: "CanvasText", right: "CanvasText", hold: "CanvasText",
  back: "Canvas", surface: "Canvas", raised: "Canvas",
  line: "GrayText", gridStrong: "GrayText", grid: faint("GrayText"), meterBack: faint("GrayText"),
  accent: "Highlight", left: "Highlight", spectrum: "Highlight", accentSoft: faint("Highlight"), spectrumFill: faint("Highlight"),
  meterLow: "Highlight", meterMid: "Highlight", meterWarm: "Highlight", meterHigh: "LinkText",
};

export function forcedColours(): Omit<CanvasTheme, "mono" | "font" | "em"> {
  const colours = computedColors(FORCED, document.body);
  return { ...colours, isLight: isBright(colours.back) };
}

/** By the weights of ITU-R BT.709, near enough for dark or light. */
function isBright(color: string): boolean {
  const [red = 0, green = 0, blue = 0] = (color.match(/[\d.]+/g) ?? []).map(Number);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 127;
}

/** It grows with the window. */
function rootFontSize(): string {
  return getComputedStyle(document.documentElement).fontSize;
}

function onResize(changed: () => void): () => void {
  addEventListener("resize", changed);
  return () => removeEventListener("resize", changed);
}
