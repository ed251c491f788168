import { MasterMeters } from "./MasterMeters";
import { SpectrumPanel } from "./SpectrumPanel";
import { WaveformPanel } from "./WaveformPanel";

/** Pictures and numbers, large. */
export function AnalysisView() {
  return (
    <div className="panels panels-analysis">
      <SpectrumPanel />
      <WaveformPanel />
      <MasterMeters />
    </div>
  );
}
