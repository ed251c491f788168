import "./elements";
import { COLOR_MAPS } from "antiphon/draw";
import { useSource } from "antiphon/react";
import { useSession } from "../app/hooks";
import { Panel } from "../ui/Panel";
import { Choice } from "./Choice";
import { setAnalysis, useAnalysis } from "./settings";

const OPTIONS = { scale: "log", fft_size: 4096, bands: 320, min_hz: 20, max_hz: 20_000 } as const;
const FPS = 30;

export function SpectrogramPanel() {
  const source = useSource();
  const tap = useSession((state) => state.tap);
  const colors = useAnalysis((state) => state.colors);
  const seconds = useAnalysis((state) => state.spectrogramSeconds);
  const actions = (
    <span className="panel-actions">
      <Choice
        label="Length of the spectrogram"
        value={seconds}
        options={[[5, "5 s"], [15, "15 s"], [60, "60 s"]]}
        onChange={(spectrogramSeconds) => setAnalysis({ spectrogramSeconds })}
      />
      <Choice
        label="Colours of the spectrogram"
        testId="colors"
        value={colors}
        options={COLOR_MAPS.map((name) => [name, name] as const)}
        onChange={(colors) => setAnalysis({ colors })}
      />
    </span>
  );
  return (
    <Panel title="Spectrogram" className="panel-spectrogram" actions={actions}>
      {() => (
        <div className="element">
          <div className="hz-scale" aria-hidden="true">
            {["20k", "2k", "200", "20"].map((hz) => <span key={hz}>{hz}</span>)}
          </div>
          <antiphon-spectrogram
            source={source}
            tap={tap}
            fps={FPS}
            options={OPTIONS}
            seconds={seconds}
            colors={colors}
            min-db={-96}
            data-testid="spectrogram"
          />
        </div>
      )}
    </Panel>
  );
}
