import { type KeyboardEvent, useState } from "react";
import { notify } from "../app/notices";

interface NumberFieldProps {
  label: string;
  value: number;
  min: number;
  max: number;
  /** What an arrow key adds; ten times as much with Shift, a tenth with Alt. */
  step: number;
  digits: number;
  unit?: string;
  disabled?: boolean;
  testId?: string;
  onCommit: (value: number) => void;
}

/** A number that is typed and then committed by Enter or by leaving; Escape takes it back. */
export function NumberField({ label, value, min, max, step, digits, unit, disabled, testId, onCommit }: NumberFieldProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const shown = draft ?? format(value, digits);

  const commit = (text: string) => {
    setDraft(null);
    const next = parse(text, min, max);
    if (next !== null && next !== value) onCommit(next);
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
      commit(String(from + (event.key === "ArrowUp" ? size : -size)));
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
        aria-valuenow={value}
        aria-valuemin={min}
        aria-valuemax={max}
        autoComplete="off"
        size={Math.max(4, format(max, digits).length)}
        value={shown}
        disabled={disabled}
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

/** Up to `digits` decimals, without trailing zeros. */
const format = (value: number, digits: number) => String(Number(value.toFixed(digits)));

/** The number in a text, comma or point, either minus, inside the range; `null` where there is none. */
export function parse(text: string, min: number, max: number): number | null {
  const trimmed = text.trim().replace(",", ".").replace("\u2212", "-");
  const number = Number(trimmed);
  if (trimmed === "" || !Number.isFinite(number)) return null;
  return Math.min(max, Math.max(min, Math.round(number * 1e6) / 1e6));
}
