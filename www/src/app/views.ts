/** The page's views, and which one the address names: `#/arrange`. */
import { useSyncExternalStore } from "react";
import { prefs } from "./prefs";

export const VIEWS = [
  { id: "live", label: "Live", key: "1" },
  { id: "arrange", label: "Arrange", key: "2" },
  { id: "analysis", label: "Analysis", key: "3" },
  { id: "compositions", label: "Compositions", key: "4" },
] as const;

export type ViewId = (typeof VIEWS)[number]["id"];

export const hrefOf = (id: ViewId) => `#/${id}`;

/** The view that is shown: the address's, else the last one. */
export function currentView(): ViewId {
  const named = location.hash.replace(/^#\//, "");
  return VIEWS.find(({ id }) => id === named)?.id ?? prefs.getState().view;
}

export function showView(id: ViewId): void {
  location.hash = hrefOf(id);
}

export function useView(): ViewId {
  return useSyncExternalStore(subscribe, currentView);
}

function subscribe(changed: () => void): () => void {
  const onHash = () => {
    prefs.setState({ view: currentView() });
    changed();
  };
  addEventListener("hashchange", onHash);
  return () => removeEventListener("hashchange", onHash);
}
