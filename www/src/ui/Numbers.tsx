import { type ReactNode, useCallback, useRef } from "react";
import { UNKNOWN, writeText } from "../lib/text";

/** A number's name, unit, and how it is read from `T`. */
export interface NumberRow<T> {
  label: string;
  unit?: string;
  title?: string;
  testId?: string;
  text: (from: T) => string;
  /** Shown as a warning. */
  isOver?: (from: T) => boolean;
}

/**
 * Rows for a `<dl className="numbers">`, and what writes their numbers: past React, and only those that changed. `null`
 * is for when nothing is known.
 */
export function useNumbers<T>(rows: readonly NumberRow<T>[]): [list: ReactNode, write: (from: T | null) => void] {
  const cells = useRef(new Map<string, HTMLElement>());
  const write = useCallback((from: T | null) => {
    for (const { label, text, isOver } of rows) {
      const cell = cells.current.get(label);
      if (!cell) continue;
      writeText(cell, from === null ? UNKNOWN : text(from));
      const over = String((from !== null && isOver?.(from)) ?? false);
      if (cell.dataset.over !== over) cell.dataset.over = over;
    }
  }, [rows]);
  const list = rows.map(({ label, unit, title, testId }) => (
    <div key={label} title={title}>
      <dt>{label}</dt>
      <dd>
        <span
          ref={(cell) => {
            if (cell) cells.current.set(label, cell);
            else cells.current.delete(label);
          }}
          data-testid={testId}
          data-over="false"
        >
          {UNKNOWN}
        </span>
        {unit !== undefined && <small>{unit}</small>}
      </dd>
    </div>
  ));
  return [list, write];
}
