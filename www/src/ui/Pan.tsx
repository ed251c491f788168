import { Slider } from "radix-ui";
import { useState } from "react";
import { formatPan } from "../lib/format";
import { useThrottled } from "./useThrottled";

interface PanProps {
  label: string;
  pan: number;
  disabled: boolean;
  onChange: (pan: number) => void;
}

/** A pan control, −100 (left) to 100 (right). Double-click gives the centre. */
export function Pan({ label, pan, disabled, onChange }: PanProps) {
  const [held, setHeld] = useState<number | null>(null);
  const shown = held ?? pan;
  const send = useThrottled(onChange);
  return (
    <div className="pan">
      <Slider.Root
        className="slider slider-horizontal"
        min={-100}
        max={100}
        step={1}
        disabled={disabled}
        value={[Math.round(shown * 100)]}
        onDoubleClick={() => !disabled && onChange(0)}
        onValueChange={([percent]) => {
          setHeld(percent! / 100);
          send(percent! / 100);
        }}
        onValueCommit={() => setHeld(null)}
      >
        <Slider.Track className="slider-track pan-track">
          <span
            className="pan-range"
            style={{ left: `${50 + Math.min(0, shown) * 50}%`, width: `${Math.abs(shown) * 50}%` }}
          />
        </Slider.Track>
        <Slider.Thumb className="pan-cap" aria-label={label} aria-valuetext={formatPan(shown)} />
      </Slider.Root>
      <output className="pan-value">{formatPan(shown)}</output>
    </div>
  );
}
