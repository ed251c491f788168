import "./elements";
import { useSource } from "antiphon/react";
import { useState } from "react";
import { useSession } from "../app/hooks";
import { Panel } from "../ui/Panel";
import { Choice } from "./Choice";

export function StereoPanel() {
  const source = useSource();
  const tap = useSession((state) => state.tap);
  const [range, setRange] = useState(0.5);
  const actions = (
    <Choice
      label="Magnification of the goniometer"
      value={range}
      options={[[1, "× 1"], [0.5, "× 2"], [0.25, "× 4"], [0.125, "× 8"]]}
      onChange={setRange}
    />
  );
  return (
    <Panel title="Stereo image" className="panel-stereo" actions={actions}>
      {() => (
        <div className="element">
          <antiphon-goniometer source={source} tap={tap} fps={60} range={range} data-testid="goniometer" />
        </div>
      )}
    </Panel>
  );
}
