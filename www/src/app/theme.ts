/** Dark or light: what the person chose, else what the system says. */
import { useSyncExternalStore } from "react";
import { prefs } from "./prefs";

export type Theme = "dark" | "light";

const SYSTEM_LIGHT = "(prefers-color-scheme: light)";
const listeners = new Set<() => void>();

function wanted(): Theme {
  const { theme } = prefs.getState();
  if (theme !== "system") return theme;
  return matchMedia(SYSTEM_LIGHT).matches ? "light" : "dark";
}

function apply(): void {
  const { dataset } = document.documentElement;
  const theme = wanted();
  if (dataset.theme === theme) return;
  dataset.theme = theme;
  const background = getComputedStyle(document.documentElement).getPropertyValue("--bg").trim();
  document.querySelector("meta[name=theme-color]")?.setAttribute("content", background);
  listeners.forEach((listener) => listener());
}

/** Puts the theme on the document, now and whenever the choice or the system's changes. */
export function watchTheme(): void {
  apply();
  matchMedia(SYSTEM_LIGHT).addEventListener("change", apply);
  prefs.subscribe(apply);
}

/** The theme that is on the document. */
export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, () => (document.documentElement.dataset.theme === "light" ? "light" : "dark"));
}

function subscribe(changed: () => void): () => void {
  listeners.add(changed);
  return () => listeners.delete(changed);
}
