// Spectra over time: each frame is one column of a ring outside the page, so that scrolling redraws nothing.
import { AntiphonError } from "../errors.ts";
import type { SpectrumFrame } from "../types.gen.ts";
import type { ColorMap } from "./colormap.ts";
import type { Size } from "./scale.ts";

/** Range and colours of a spectrogram. */
export interface SpectrogramStyle {
  colors: ColorMap;
  /** The map's first colour; default −100 dBFS. */
  minDb?: number | undefined;
  /** The map's last colour; default 0 dBFS. */
  maxDb?: number | undefined;
}

/** Writes the colours of a frame's first channel into `pixels`, four bytes for each band, the highest band first. */
export function spectrogramColumn(
  { frequencies, magnitudes }: Pick<SpectrumFrame, "frequencies" | "magnitudes">, pixels: Uint8ClampedArray,
  { colors, minDb = -100, maxDb = 0 }: SpectrogramStyle,
): void {
  const n_bands = frequencies.length;
  for (let band = 0; band < n_bands; band += 1) {
    const share = (magnitudes[band]! - minDb) / (maxDb - minDb);
    const idx = 4 * Math.round(255 * Math.min(1, Math.max(0, share)));
    const to = 4 * (n_bands - 1 - band);
    for (let byte = 0; byte < 4; byte += 1) pixels[to + byte] = colors[idx + byte]!;
  }
}

/** What one frame may stand for: frames come late, and merged, but a gap is a gap. */
const FILLED_SECONDS = 0.5;

/** As wide as a canvas may be in every browser. */
export const MAX_COLUMNS = 16_384;

type Canvas = HTMLCanvasElement | OffscreenCanvas;

/** The columns of the last seconds. They lie by sample position: lost frames leave no false tempo. */
export class SpectrogramRing {
  readonly #n_columns: number;
  readonly #columnsPerSecond: number;
  readonly #make: (width: number, height: number) => Canvas;
  #canvas: Canvas | null = null;
  #column: ImageData | null = null;
  /** Of the newest column, counted from sample position 0; null when there is none. */
  #newest: number | null = null;

  /**
   * `make` gives a canvas; by default one of the page, or an OffscreenCanvas where there is no page. Throws an
   * AntiphonError above 16,384 columns.
   */
  constructor(seconds: number, columnsPerSecond: number, make = makeCanvas) {
    const n_columns = Math.round(seconds * columnsPerSecond);
    if (!(seconds > 0 && columnsPerSecond > 0 && n_columns <= MAX_COLUMNS)) {
      const hint = `give more than 0 of both, and at most ${MAX_COLUMNS} columns together`;
      throw new AntiphonError("invalid-option", `seconds: ${seconds} of ${columnsPerSecond} columns each make no picture`, hint);
    }
    this.#n_columns = Math.max(1, n_columns);
    this.#columnsPerSecond = columnsPerSecond;
    this.#make = make;
  }

  /** Adds a frame. A few columns that had none before it get its colours; more of them stay empty. */
  push(frame: SpectrumFrame, style: SpectrogramStyle): void {
    const ctx = this.#prepare(frame.frequencies.length);
    if (!ctx || !this.#column) return;
    const at = Math.floor((frame.sample_position / frame.sample_rate) * this.#columnsPerSecond);
    // Another run of the server starts from 0.
    const isNew = this.#newest === null || at < this.#newest || at - this.#newest >= this.#n_columns;
    if (isNew) this.clear();
    spectrogramColumn(frame, this.#column.data, style);
    for (let column = isNew ? at : Math.min(at, this.#newest! + 1); column <= at; column += 1) {
      const x = column % this.#n_columns;
      if (at - column < FILLED_SECONDS * this.#columnsPerSecond) ctx.putImageData(this.#column, x, 0);
      else ctx.clearRect(x, 0, 1, frame.frequencies.length);
    }
    this.#newest = at;
  }

  /** Draws all columns over an area of `size`, the newest at the right edge. */
  draw(ctx: CanvasRenderingContext2D, { width, height }: Size): void {
    if (!this.#canvas || this.#newest === null) return;
    const n = this.#n_columns;
    const split = (this.#newest % n) + 1;
    const seam = Math.round((width * (n - split)) / n);
    const rows = this.#canvas.height;
    ctx.save();
    // Smoothing would mix the newest column into the oldest, its neighbour in the ring.
    ctx.imageSmoothingEnabled = false;
    // The ring's end is older than its start.
    if (split < n) ctx.drawImage(this.#canvas, split, 0, n - split, rows, 0, 0, seam, height);
    ctx.drawImage(this.#canvas, 0, 0, split, rows, seam, 0, width - seam, height);
    ctx.restore();
  }

  /** Forgets all columns. */
  clear(): void {
    this.#newest = null;
    if (this.#canvas) context(this.#canvas)?.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  #prepare(n_bands: number): CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | null {
    if (n_bands === 0) return null;
    if (this.#canvas?.height !== n_bands) {
      this.#canvas = this.#make(this.#n_columns, n_bands);
      this.#newest = null;
      this.#column = context(this.#canvas)?.createImageData(1, n_bands) ?? null;
    }
    return context(this.#canvas);
  }
}

function context(canvas: Canvas): CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | null {
  return canvas.getContext("2d") as CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | null;
}

function makeCanvas(width: number, height: number): Canvas {
  if (typeof OffscreenCanvas === "function") return new OffscreenCanvas(width, height);
  return Object.assign(document.createElement("canvas"), { width, height });
}
