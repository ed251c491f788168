/** Colours for canvases, read from the style sheet, so that they change with the theme. */
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
  const isForced = useMediaQuery("(forced-colors: active)");
  const size = useSyncExternalStore(onResize, rootFontSize);
  return useMemo(() => {
    const style = getComputedStyle(document.documentElement);
    const colours = Object.entries(NAMES).map(([key, name]) => [key, style.getPropertyValue(name).trim()]);
    const em = Number.parseFloat(size) || 14;
    const font = `${Math.round(em * 7.4) / 10}px ${style.fontFamily}`;
    return {
      ...(Object.fromEntries(colours) as Record<keyof typeof NAMES, string>),
      ...(isForced ? forcedColours() : {}),
      font, em, isLight: theme === "light",
    };
  }, [theme, isForced, size]);
}

/** The person's own colours, which the browser gives the page but not what it draws; a worker would not know them by name. */
function forcedColours() {
  const { color, backgroundColor } = getComputedStyle(document.body);
  return { text: color, strong: color, cursor: color, back: backgroundColor, surface: backgroundColor, raised: backgroundColor };
}

/** It grows with the window. */
function rootFontSize(): string {
  return getComputedStyle(document.documentElement).fontSize;
}

function onResize(changed: () => void): () => void {
  addEventListener("resize", changed);
  return () => removeEventListener("resize", changed);
}
