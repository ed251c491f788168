// Pictures as web components. Importing this file defines them; on a server, where there are none, it does nothing.
import { AntiphonGoniometer } from "./goniometer.ts";
import { AntiphonMeter } from "./meter.ts";
import { AntiphonSpectrogram, AntiphonSpectrum } from "./spectrum.ts";
import { AntiphonWaveform } from "./waveform.ts";

export { AntiphonElement, type Reading } from "./base.ts";
export type { Levels, Setting } from "./settings.ts";
export type { ColorName, Theme } from "./theme.ts";
export { AntiphonGoniometer, AntiphonMeter, AntiphonSpectrogram, AntiphonSpectrum, AntiphonWaveform };

declare global {
  interface HTMLElementTagNameMap {
    "antiphon-goniometer": AntiphonGoniometer;
    "antiphon-meter": AntiphonMeter;
    "antiphon-spectrogram": AntiphonSpectrogram;
    "antiphon-spectrum": AntiphonSpectrum;
    "antiphon-waveform": AntiphonWaveform;
  }
}

const elements = {
  "antiphon-goniometer": AntiphonGoniometer,
  "antiphon-meter": AntiphonMeter,
  "antiphon-spectrogram": AntiphonSpectrogram,
  "antiphon-spectrum": AntiphonSpectrum,
  "antiphon-waveform": AntiphonWaveform,
};

for (const [name, element] of Object.entries(elements)) {
  // Two copies of the package on a page: the first one's elements serve both.
  if (globalThis.customElements && !customElements.get(name)) customElements.define(name, element);
}
