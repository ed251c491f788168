// Drawing as pure functions of (context, data, size). None of them clears or keeps anything.
export { bandAxis, type HzAxis, logAxis } from "./axis.ts";
export { COLOR_MAPS, colorMap, type ColorMap, type ColorMapName } from "./colormap.ts";
export { computedColors, FORCED_COLORS } from "./forced-colors.ts";
export { type CorrelationStyle, drawCorrelation, drawGoniometer, type GoniometerStyle } from "./goniometer.ts";
export { drawMeter, MeterHold, meterLook, type MeterStyle } from "./meter.ts";
export { drawOverview, type OverviewStyle } from "./overview.ts";
export { prepareCanvas, type Size } from "./scale.ts";
export { spectrogramColumn, SpectrogramRing, type SpectrogramStyle } from "./spectrogram.ts";
export { drawSpectrum, drawSpectrumGrid, type GridStyle, type SpectrumStyle } from "./spectrum.ts";
export { drawWaveform, type WaveformStyle } from "./waveform.ts";
