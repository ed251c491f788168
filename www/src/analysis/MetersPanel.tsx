import "./elements";
import type { Ballistics } from "antiphon";
import { useSource } from "antiphon/react";
import { useStore } from "zustand";
import { live } from "../app/hooks";
import { Panel } from "../ui/Panel";
import { Choice } from "./Choice";
import { setAnalysis, useAnalysis } from "./settings";

const BALLISTICS: readonly (readonly [Ballistics, string])[] = [
  ["peak", "Digital peak"],
  ["ppm1", "PPM type I"],
  ["ppm2", "PPM type II"],
  ["vu", "VU"],
  ["k12", "K-12"],
  ["k14", "K-14"],
  ["k20", "K-20"],
];

/** Names of what is not a track. */
const BUSES: Record<string, string> = { master: "Master", input: "Input" };

/** Decibels above 0 that a scale has room for: a K-System meter's zero lies so far below full scale. */
const HEADROOM: Partial<Record<Ballistics, number>> = { k12: 12, k14: 14, k20: 20 };

export function MetersPanel() {
  const source = useSource();
  const ballistics = useAnalysis((state) => state.ballistics);
  const taps = useStore(live, (state) => state.hello?.taps) ?? [];
  const actions = (
    <Choice
      label="Movement of the meters"
      testId="ballistics"
      value={ballistics}
      options={BALLISTICS}
      onChange={(ballistics) => setAnalysis({ ballistics })}
    />
  );
  return (
    <Panel title="Meters" className="panel-meters" actions={actions}>
      {() => (
        <div className="meter-row" data-testid="meters" tabIndex={0} role="group" aria-label="Meters of all taps">
          {taps.map(({ name, track_id }) => (
            <div key={track_id ?? name} className="meter-cell">
              <span title={name}>{track_id ? name : BUSES[name] ?? name}</span>
              <antiphon-meter
                source={source}
                tap={track_id ?? name}
                fps={60}
                options={{ ballistics }}
                max-db={HEADROOM[ballistics] ?? 3}
                min-db={-48}
                label={`Level of ${track_id ? name : BUSES[name] ?? name}`}
              />
            </div>
          ))}
        </div>
      )}
    </Panel>
  );
}
