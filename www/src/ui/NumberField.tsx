import { type KeyboardEvent, useState } from "react";
import { notify } from "../app/notices";
import { SETTLING_MS } from "../lib/asked";

interface NumberFieldProps {
  label: string;
  /** `null` as long as it is not known: then nothing can be typed. */
  value: number | null;
  min: number;
  max: number;
  /** What an arrow key adds; ten times as much with Shift, a tenth with Alt. */
  step: number;
  digits: number;
  unit?: string;
  disabled?: boolean;
  testId?: string;
  /**
   * What it gives is awaited: until then, and a little longer, the field shows what was committed, unless it is `false`:
   * nothing was changed.
   */
  onCommit: (value: number) => unknown;
}

/** A number that is typed and then committed by Enter or by leaving; Escape takes it back. */
export function NumberField({ label, value: known, min, max, step, digits, unit, disabled, testId, onCommit }: NumberFieldProps) {
  const [draft, setDraft] = useState<string | null>(null);
  // Else the next step of an arrow key would begin at a value that is over.
  const [committed, setCommitted] = useState<{ value: number } | null>(null);
  // It has arrived; what comes next is news.
  if (committed && committed.value === known) setCommitted(null);
  const value = committed?.value ?? known;
  const shown = draft ?? format(value, digits);

  const commit = (text: string) => {
    setDraft(null);
    const next = parse(text, min, max);
    if (next === null || next === value) return;
    const mine = { value: next };
    setCommitted(mine);
    const forget = () => setCommitted((now) => (now === mine ? null : now));
    const settle = (answer: unknown) => {
      if (answer === false) forget();
      else setTimeout(forget, SETTLING_MS);
    };
    void Promise.resolve(onCommit(next)).then(settle, forget);
  };
  /** What was typed and is not taken as it is has to be told. */
  const commitTyped = (text: string) => {
    const typed = parse(text, -Infinity, Infinity);
    const range = `${format(min, digits)} to ${format(max, digits)}${unit ? ` ${unit}` : ""}`;
    if (typed === null && text.trim() !== "") {
      notify("info", `${label} stays ${format(value, digits)}: “${text.trim().slice(0, 30)}” is not a number`, `Type one from ${range}.`);
    } else if (typed !== null && (typed < min || typed > max)) {
      notify("info", `${label} is ${format(Math.min(max, Math.max(min, typed)), digits)}: ${typed} is out of its range`, `Possible are ${range}.`);
    }
    commit(text);
  };

  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "Enter") commitTyped(shown);
    else if (event.key === "Escape") setDraft(null);
    else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      event.preventDefault();
      const size = step * (event.shiftKey ? 10 : event.altKey ? 0.1 : 1);
      const from = parse(shown, min, max) ?? value;
      if (from !== null) commit(String(from + (event.key === "ArrowUp" ? size : -size)));
    }
  };

  return (
    <label className="number-field">
      <span className="field-label">{label}</span>
      <input
        type="text"
        inputMode="decimal"
        role="spinbutton"
        aria-label={unit ? `${label}, ${unit}` : label}
        aria-valuenow={value ?? undefined}
        aria-valuemin={min}
        aria-valuemax={max}
        autoComplete="off"
        size={Math.max(4, format(max, digits).length)}
        value={shown}
        disabled={disabled || known === null}
        data-testid={testId}
        onChange={(event) => setDraft(event.target.value)}
        onFocus={(event) => event.target.select()}
        onBlur={() => draft !== null && commitTyped(draft)}
        onKeyDown={onKeyDown}
      />
      {unit && <span className="field-unit">{unit}</span>}
    </label>
  );
}

/** Up to `digits` decimals, without trailing zeros; nothing where nothing is known. */
const format = (value: number | null, digits: number) => (value === null ? "" : String(Number(value.toFixed(digits))));

/** The number in a text, comma or point, either minus, inside the range; `null` where there is none. */
export function parse(text: string, min: number, max: number): number | null {
  const trimmed = text.trim().replace(",", ".").replace("\u2212", "-");
  const number = Number(trimmed);
  if (trimmed === "" || !Number.isFinite(number)) return null;
  return Math.min(max, Math.max(min, Math.round(number * 1e6) / 1e6));
}
