// <antiphon-spectrum> and <antiphon-spectrogram>.
import { bandAxis } from "../draw/axis.ts";
import { COLOR_MAPS, colorMap } from "../draw/colormap.ts";
import { prepareCanvas, type Size } from "../draw/scale.ts";
import { MAX_COLUMNS, SpectrogramRing } from "../draw/spectrogram.ts";
import { drawSpectrum, drawSpectrumGrid, type SpectrumStyle } from "../draw/spectrum.ts";
import type { FrameOf } from "../source.ts";
import type { StreamOptions } from "../types.gen.ts";
import { AntiphonElement, type Reading } from "./base.ts";
import { levelsSetting, numberSetting, wordSetting } from "./settings.ts";
import { dbText, hzText } from "./text.ts";
import type { Theme } from "./theme.ts";

type Frame = FrameOf<"spectrum">;

/** Room for the names of frequencies, pixels. */
const LABELS = 14;

const LEVELS = levelsSetting({ minDb: -100, maxDb: 0 });
const SLOPE = numberSetting("slope", 0, -100, 100);
const SECONDS = numberSetting("seconds", 10, 0.1, 3600);
const COLORS = wordSetting("colors", COLOR_MAPS);

/** The loudest band of the first channel. */
function loudest({ frequencies, magnitudes }: Frame): Reading {
  let band = 0;
  for (let idx = 1; idx < frequencies.length; idx += 1) if (magnitudes[idx]! > magnitudes[band]!) band = idx;
  const db = magnitudes[band] ?? -120;
  const text = db > -120 ? `loudest ${hzText(frequencies[band]!)}, ${dbText(db)} dBFS` : "silence";
  return { now: db, min: -120, max: 0, text };
}

/** A curve over frequency, or bars of octave bands. Attributes besides the common ones: `min-db`, `max-db`, `slope`. */
export class AntiphonSpectrum extends AntiphonElement<"spectrum"> {
  static override observedAttributes = [...AntiphonElement.observedAttributes, "min-db", "max-db", "slope"];
  protected readonly topic = "spectrum";
  protected readonly name = "Spectrum";
  protected override readonly settings = [LEVELS, SLOPE];

  protected defaults(): StreamOptions {
    return { scale: "log", fft_size: 8192, ...(this.options.scale === "octave" ? {} : { bands: 256 }) };
  }

  protected override backLook(): string {
    const { frame } = this;
    return frame ? `${frame.scale} ${frame.frequencies.length} ${frame.frequencies.at(-1)}` : "";
  }

  protected override paintBack(ctx: CanvasRenderingContext2D, size: Size, theme: Theme): void {
    const plane = this.#plane(size);
    drawSpectrumGrid(ctx, plane.size, {
      ...plane.style, line: theme.grid, strongLine: theme["grid-strong"], label: theme.text, font: theme.font,
      labelsBelow: true,
    });
  }

  /** The room above the names of frequencies, and its axes. */
  #plane({ width, height }: Size): { size: Size; style: SpectrumStyle } {
    const { frame } = this;
    const isLog = !frame || frame.scale === "log";
    const { min_hz: minHz = 20, max_hz: maxHz = 20_000 } = this.options;
    const axis = isLog ? undefined : bandAxis(frame.frequencies, width);
    const style = { minHz, maxHz, ...this.setting(LEVELS), axis };
    return { size: { width, height: Math.max(1, height - LABELS) }, style };
  }

  protected paint(ctx: CanvasRenderingContext2D, canvasSize: Size, theme: Theme): void {
    const { frame } = this;
    if (!frame) return;
    const { size, style } = this.#plane(canvasSize);
    drawSpectrum(ctx, frame, size, {
      ...style, stroke: theme.spectrum, strokeRight: theme.right, fill: theme.spectrum, fillAlpha: 0.2,
      slope: this.setting(SLOPE), bars: frame.scale === "octave",
    });
  }

  protected read(frame: Frame): Reading {
    return loudest(frame);
  }
}

/** Spectra over time. Attributes besides the common ones: `seconds`, `min-db`, `max-db`, `colors`. */
export class AntiphonSpectrogram extends AntiphonElement<"spectrum"> {
  /** Its columns lie on a canvas of the main thread: what draws all elements elsewhere does not reach it. */
  static override prepare = prepareCanvas;
  static override observedAttributes = [...AntiphonElement.observedAttributes, "seconds", "min-db", "max-db", "colors"];
  protected readonly topic = "spectrum";
  protected readonly name = "Spectrogram";
  protected override readonly settings = [SECONDS, LEVELS, COLORS];
  #ring: SpectrogramRing | null = null;
  #seconds = 0;

  protected defaults(): StreamOptions {
    return { scale: "log", fft_size: 4096, ...(this.options.scale === "octave" ? {} : { bands: 256 }) };
  }

  protected override forget(): void {
    this.#ring = null;
  }

  protected override take(frame: Frame): void {
    const seconds = this.setting(SECONDS);
    if (!this.#ring || seconds !== this.#seconds) {
      this.#ring = new SpectrogramRing(seconds, Math.min(this.fps, MAX_COLUMNS / seconds));
    }
    this.#seconds = seconds;
    this.#ring.push(frame, { colors: colorMap(this.setting(COLORS)), ...this.setting(LEVELS) });
  }

  protected paint(ctx: CanvasRenderingContext2D, size: Size): void {
    this.#ring?.draw(ctx, size);
  }

  protected read(frame: Frame): Reading {
    return loudest(frame);
  }
}
