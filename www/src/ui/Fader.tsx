import { Slider } from "radix-ui";
import type { KeyboardEvent } from "react";
import { dbFromTravel, FADER_MARKS, MAX_DB, MIN_DB, stepDb, travelFromDb } from "../lib/fader";
import { formatDb } from "../lib/format";

interface FaderProps {
  label: string;
  db: number;
  disabled: boolean;
  onChange: (db: number) => void;
}

/** Positions on the slider's travel. */
const TRAVEL = 1000;

/** A gain fader, −∞ to +12 dB. Double-click gives 0 dB. */
export function Fader({ label, db, disabled, onChange }: FaderProps) {
  const onKeyDown = (event: KeyboardEvent) => {
    const next = keyed(event, db);
    if (next === null || disabled) return;
    event.preventDefault();
    onChange(next);
  };

  return (
    <div className="fader">
      <div className="fader-scale" aria-hidden="true">
        {FADER_MARKS.map((mark) => (
          <span key={mark} style={{ bottom: `${travelFromDb(mark) * 100}%` }} data-zero={mark === 0}>
            {Math.abs(mark)}
          </span>
        ))}
      </div>
      <Slider.Root
        className="slider slider-vertical"
        orientation="vertical"
        min={0}
        max={TRAVEL}
        step={1}
        disabled={disabled}
        value={[Math.round(travelFromDb(db) * TRAVEL)]}
        onKeyDown={onKeyDown}
        onDoubleClick={() => !disabled && onChange(0)}
        onValueChange={([travel]) => onChange(dbFromTravel(travel! / TRAVEL))}
      >
        <Slider.Track className="slider-track">
          <Slider.Range className="slider-range" />
        </Slider.Track>
        <Slider.Thumb
          className="fader-cap"
          aria-label={label}
          aria-valuetext={db <= MIN_DB ? "silent" : `${formatDb(db, 1, true)} decibels`}
        />
      </Slider.Root>
      <output className="fader-value">{formatDb(db, 1, true)}</output>
    </div>
  );
}

/** The gain after a key; `null` for keys that the fader does not know. */
function keyed(event: KeyboardEvent, db: number): number | null {
  const fine = event.shiftKey ? 0.1 : 0.5;
  switch (event.key) {
    case "ArrowUp":
    case "ArrowRight":
      return stepDb(db, fine);
    case "ArrowDown":
    case "ArrowLeft":
      return stepDb(db, -fine);
    case "PageUp":
      return stepDb(db, 3);
    case "PageDown":
      return stepDb(db, -3);
    case "Home":
      return MIN_DB;
    case "End":
      return MAX_DB;
    case "Delete":
      return 0;
    default:
      return null;
  }
}
