// Drawing as pure functions of (context, data, size). None of them clears or keeps anything.
export { drawMeter, MeterHold, type MeterStyle } from "./meter.ts";
export { prepareCanvas, type Size } from "./scale.ts";
export { drawSpectrum, drawSpectrumGrid, type GridStyle, type SpectrumStyle } from "./spectrum.ts";
export { drawWaveform, type WaveformStyle } from "./waveform.ts";
