/** What a person set up and finds again after a reload. Only this browser knows it. */
import { useStore } from "zustand";
import { createJSONStorage, persist } from "zustand/middleware";
import { createStore } from "zustand/vanilla";
import type { ViewId } from "./views";

export type ThemeChoice = "system" | "dark" | "light";

export interface Prefs {
  theme: ThemeChoice;
  /** The view that was shown last; an address that names one wins. */
  view: ViewId;
  /** Panels that are folded, by their class. */
  folded: Readonly<Record<string, boolean>>;
  /** Arrangement: pixels of a quarter note. */
  arrangeZoom: number;
  /** Piano roll: pixels of a quarter note, and of a semitone. */
  rollZoom: number;
  rollRow: number;
  /** Grid in quarter notes; 0 is free. */
  snap: number;
  /** Under the arrangement. */
  dock: "roll" | "mixer" | "none";
  /** This browser plays on when the server is gone. */
  failover: boolean;
  /** Bars of clicks before a recording. */
  countIn: number;
  /** The composition of this browser's that was open last. */
  kept: string | null;
  /** By composition: the track and the clip that were selected. */
  selected: Readonly<Record<string, { track: string | null; clip: string | null }>>;
}

export const prefs = createStore<Prefs>()(
  persist(
    (): Prefs => ({
      theme: "system",
      view: "live",
      folded: {},
      arrangeZoom: 24,
      rollZoom: 64,
      rollRow: 12,
      snap: 0.25,
      dock: "roll",
      failover: true,
      countIn: 1,
      kept: null,
      selected: {},
    }),
    // A private window may have no storage: then nothing is kept, and nothing fails.
    { name: "antiphon", version: 1, storage: createJSONStorage(() => localStorage) },
  ),
);

export function usePrefs<T>(select: (state: Prefs) => T): T {
  return useStore(prefs, select);
}

export const setPrefs = (change: Partial<Prefs>): void => {
  prefs.setState(change);
};
