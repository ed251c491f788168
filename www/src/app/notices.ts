/** Messages to the person: what went wrong and what to do about it. */
import { AntiphonError } from "antiphon";
import { RestError } from "antiphon/rest";
import { createStore } from "zustand/vanilla";

export interface Notice {
  id: number;
  kind: "error" | "info";
  title: string;
  /** What is the matter, as it was thrown. */
  detail: string;
  /** What to do. */
  hint: string;
  /** A button that does it. */
  action?: Action | undefined;
}

export interface Action {
  label: string;
  run: () => void;
  /** It takes back the last step, whatever that is then: the next step makes it untrue. */
  isUndo?: boolean;
}

/** Newest last. Info goes away by itself; errors stay until dismissed. */
export const notices = createStore<{ list: Notice[] }>(() => ({ list: [] }));

const INFO_MS = 6000;
/** Time to find the button, by keyboard too. */
const ACTION_MS = 20_000;
const MOST = 4;
let lastId = 0;

export function notify(kind: Notice["kind"], title: string, hint = "", action?: Action, detail = ""): void {
  const { list } = notices.getState();
  // The same message again would only push others out: a dragged fader fails many times a second.
  if (!action && list.some((notice) => notice.title === title && notice.detail === detail && notice.hint === hint)) return;
  const id = ++lastId;
  notices.setState({ list: [...list, { id, kind, title, detail, hint, action }].slice(-MOST) });
  if (kind === "info") setTimeout(() => dismiss(id), action ? ACTION_MS : INFO_MS);
}

export function dismiss(id: number): void {
  notices.setState(({ list }) => ({ list: list.filter((notice) => notice.id !== id) }));
}

/** Takes the offers to take back a step away, once another step was made. */
export function dismissUndo(): void {
  const { list } = notices.getState();
  if (list.some(({ action }) => action?.isUndo)) notices.setState({ list: list.filter(({ action }) => !action?.isUndo) });
}

/** Shows whatever was thrown. `hint` serves where the error brings none of its own, or that of any refusal of its kind. */
export function notifyError(title: string, thrown: unknown, hint = ""): void {
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  const own = thrown instanceof AntiphonError ? thrown.hint : "";
  const isGeneral = thrown instanceof RestError && thrown.status !== 0;
  notify("error", title, isGeneral ? hint || own : own || hint, undefined, detail);
}
