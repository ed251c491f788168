import { AnalyticsPanel } from "../analysis/AnalyticsPanel";
import { MasterMeters } from "../analysis/MasterMeters";
import { SpectrumPanel } from "../analysis/SpectrumPanel";
import { WaveformPanel } from "../analysis/WaveformPanel";
import { MixerPanel } from "../mixer/Mixer";

/** All of it at a glance. */
export function LiveView() {
  return (
    <div className="panels">
      <SpectrumPanel />
      <WaveformPanel />
      <MasterMeters />
      <AnalyticsPanel />
      <MixerPanel />
    </div>
  );
}
