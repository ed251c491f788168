import { useStore } from "zustand";
import { live, useSession } from "../app/hooks";
import { setTap } from "../app/session";

/** Where spectrum and waveform listen. */
export function TapSelect() {
  const tap = useSession((state) => state.tap);
  const taps = useStore(live, (state) => state.hello?.taps) ?? [];
  const options = taps.map(({ name, track_id }) => ({
    value: track_id ?? name,
    label: track_id ? name : name[0]?.toUpperCase() + name.slice(1),
  }));
  if (!options.some(({ value }) => value === tap)) options.unshift({ value: tap, label: tap });
  return (
    <select
      className="select"
      aria-label="Where spectrum and waveform listen"
      data-testid="tap"
      value={tap}
      onChange={(event) => setTap(event.target.value)}
    >
      {options.map(({ value, label }) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </select>
  );
}
