/** Colours for canvases, read from the style sheet, so that they change with the theme. */
import { useMemo } from "react";
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
  const isWide = useMediaQuery("(min-width: 2000px)");
  return useMemo(() => {
    // Not used, but what the style sheet depends on.
    void isWide;
    const style = getComputedStyle(document.documentElement);
    const colours = Object.entries(NAMES).map(([key, name]) => [key, style.getPropertyValue(name).trim()]);
    const em = Number.parseFloat(style.fontSize) || 14;
    const font = `${Math.round(em * 7.4) / 10}px ${style.fontFamily}`;
    return { ...(Object.fromEntries(colours) as Record<keyof typeof NAMES, string>), font, em, isLight: theme === "light" };
  }, [theme, isWide]);
}
