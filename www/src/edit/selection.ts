/** Which track and clip are selected, of each composition; found again after a reload. */
import { prefs, usePrefs } from "../app/prefs";
import { shownComposition } from "./editor";

const NOTHING = { track: null, clip: null } as const;

type Selection = { track: string | null; clip: string | null };

export function selection(): Selection {
  const id = shownComposition()?.id;
  return (id && prefs.getState().selected[id]) || NOTHING;
}

export function select(change: Partial<Selection>): void {
  const id = shownComposition()?.id;
  if (!id) return;
  const next = { ...selection(), ...change };
  const now = selection();
  if (next.track === now.track && next.clip === now.clip) return;
  prefs.setState(({ selected }) => ({ selected: { ...selected, [id]: next } }));
}

export function useSelection(compositionId: string | undefined): Selection {
  return usePrefs((state) => (compositionId && state.selected[compositionId]) || NOTHING);
}
