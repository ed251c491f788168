import type { ReactNode } from "react";
import { AnalyticsPanel } from "./AnalyticsPanel";
import { LoudnessPanel } from "./LoudnessPanel";
import { MetersPanel } from "./MetersPanel";
import { MusicPanel } from "./MusicPanel";
import { RecorderPanel } from "./RecorderPanel";
import { PANELS, type PanelId, togglePanel, useAnalysis } from "./settings";
import { SpectrogramPanel } from "./SpectrogramPanel";
import { SpectrumPanel } from "./SpectrumPanel";
import { StereoPanel } from "./StereoPanel";
import { TapSelect } from "./TapSelect";
import { TriggersPanel } from "./TriggersPanel";
import { WaveformPanel } from "./WaveformPanel";

const BODIES: Record<PanelId, () => ReactNode> = {
  spectrum: () => <SpectrumPanel isFull />,
  spectrogram: () => <SpectrogramPanel />,
  waveform: () => <WaveformPanel isFull />,
  meters: () => <MetersPanel />,
  loudness: () => <LoudnessPanel />,
  stereo: () => <StereoPanel />,
  music: () => <MusicPanel />,
  triggers: () => <TriggersPanel />,
  recorder: () => <RecorderPanel />,
  engine: () => <AnalyticsPanel />,
};

/** Every measurement as a panel that can be shown or hidden; hidden ones are not measured. */
export function AnalysisView() {
  const hidden = useAnalysis((state) => state.hidden);
  const shown = PANELS.filter(({ id }) => !hidden[id]);
  return (
    <div className="analysis">
      <div className="analysis-bar">
        <TapSelect />
        <div className="analysis-choice" role="group" aria-label="Panels">
          {PANELS.map(({ id, label }) => (
            <button
              key={id}
              type="button"
              className="button small toggle"
              data-state={hidden[id] ? "off" : "on"}
              aria-pressed={!hidden[id]}
              data-testid={`panel-${id}`}
              onClick={() => togglePanel(id)}
            >
              {label}
            </button>
          ))}
        </div>
      </div>
      <div className="analysis-grid">
        {shown.map(({ id }) => (
          <div key={id} className="analysis-cell" data-panel={id}>
            {BODIES[id]()}
          </div>
        ))}
        {shown.length === 0 && <p className="analysis-empty">All panels are hidden. Choose one above.</p>}
      </div>
    </div>
  );
}
