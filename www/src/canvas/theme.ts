/** Colours for canvases, read from the style sheet, so that they change with the theme. */
import { useMemo } from "react";
import { useMediaQuery } from "../app/hooks";

const NAMES = {
  text: "--text-dim",
  grid: "--grid",
  gridStrong: "--grid-strong",
  left: "--left",
  right: "--right",
  spectrum: "--spectrum",
  spectrumFill: "--spectrum-fill",
  cursor: "--text",
  meterLow: "--meter-low",
  meterMid: "--meter-mid",
  meterHigh: "--meter-high",
  meterBack: "--meter-back",
  hold: "--meter-hold",
} as const;

export type CanvasTheme = Record<keyof typeof NAMES, string> & { font: string };

export function useCanvasTheme(): CanvasTheme {
  const isLight = useMediaQuery("(prefers-color-scheme: light)");
  return useMemo(() => {
    void isLight;
    const style = getComputedStyle(document.documentElement);
    const colours = Object.entries(NAMES).map(([key, name]) => [key, style.getPropertyValue(name).trim()]);
    return { ...(Object.fromEntries(colours) as Record<keyof typeof NAMES, string>), font: `10px ${style.fontFamily}` };
  }, [isLight]);
}
