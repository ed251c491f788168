import { Slider } from "radix-ui";
import { formatPan } from "../lib/format";

interface PanProps {
  label: string;
  pan: number;
  disabled: boolean;
  onChange: (pan: number) => void;
}

/** A pan control, −100 (left) to 100 (right). Double-click gives the centre. */
export function Pan({ label, pan, disabled, onChange }: PanProps) {
  return (
    <div className="pan">
      <Slider.Root
        className="slider slider-horizontal"
        min={-100}
        max={100}
        step={1}
        disabled={disabled}
        value={[Math.round(pan * 100)]}
        onDoubleClick={() => !disabled && onChange(0)}
        onValueChange={([percent]) => onChange(percent! / 100)}
      >
        <Slider.Track className="slider-track pan-track">
          <span
            className="pan-range"
            style={{ left: `${50 + Math.min(0, pan) * 50}%`, width: `${Math.abs(pan) * 50}%` }}
          />
        </Slider.Track>
        <Slider.Thumb className="pan-cap" aria-label={label} aria-valuetext={formatPan(pan)} />
      </Slider.Root>
      <output className="pan-value">{formatPan(pan)}</output>
    </div>
  );
}
