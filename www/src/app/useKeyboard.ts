import { useEffect, useRef } from "react";

export interface Shortcuts {
  /** By `KeyboardEvent.key`, letters in lower case; with Ctrl (or ⌘) as `ctrl+z`, `ctrl+shift+z`. */
  [key: string]: () => void;
}

/** Elements that a key press belongs to before it belongs to the page. */
const TYPING = "input:not([type=range]), select, textarea, [contenteditable], [role=dialog], [role=menu], [role=listbox]";
const ARROWS = "input[type=range], [role=slider], [role=radio], [role=tab], canvas[tabindex]";
const PRESSED_BY_SPACE = "button, a[href], summary, [role=switch], [role=radio], label";

/**
 * Whether a press of `key` belongs to `target`. Space on a button belongs to the button for those who came to it by
 * keyboard; after a click it belongs to the page, so that clicking Mute does not turn Space into a second Mute.
 */
export function belongsToTarget(key: string, target: Element, isReachedByKey: boolean): boolean {
  if (target.closest(TYPING)) return true;
  if (key === " ") return isReachedByKey && target.closest(PRESSED_BY_SPACE) !== null;
  if (key === "Home" || key === "End" || key.startsWith("Arrow")) return target.closest(ARROWS) !== null;
  return false;
}

function nameOf(event: KeyboardEvent): string {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (!event.ctrlKey && !event.metaKey) return key;
  return `ctrl+${event.shiftKey ? "shift+" : ""}${key}`;
}

/** The page's keys, as long as nothing that has the focus wants them. */
export function useKeyboard(shortcuts: Shortcuts): void {
  const ref = useRef(shortcuts);
  useEffect(() => {
    ref.current = shortcuts;
  });
  useEffect(() => {
    const taken = new Set<string>();
    // `:focus-visible` cannot tell: the very key press makes it match.
    let isReachedByKey = true;
    const onPointerDown = () => {
      isReachedByKey = false;
    };
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === "Tab") isReachedByKey = true;
      if (event.defaultPrevented || event.altKey) return;
      const key = nameOf(event);
      const action = ref.current[key];
      const target = event.target instanceof Element ? event.target : document.body;
      if (!action || belongsToTarget(key, target, isReachedByKey)) return;
      event.preventDefault();
      taken.add(key);
      if (!event.repeat) action();
    };
    // Firefox presses a focused button on keyup: a key that the page took must not get that far.
    const onKeyUp = (event: KeyboardEvent) => {
      const key = nameOf(event);
      if (taken.delete(key)) event.preventDefault();
    };
    addEventListener("pointerdown", onPointerDown, true);
    addEventListener("keydown", onKeyDown);
    addEventListener("keyup", onKeyUp);
    return () => {
      removeEventListener("pointerdown", onPointerDown, true);
      removeEventListener("keydown", onKeyDown);
      removeEventListener("keyup", onKeyUp);
    };
  }, []);
}
