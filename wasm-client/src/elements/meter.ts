// <antiphon-meter>: peak and RMS, or a needle's ballistics, of one tap.
import { drawMeter, MeterHold, meterLook, type MeterStyle } from "../draw/meter.ts";
import type { Size } from "../draw/scale.ts";
import type { FrameOf } from "../source.ts";
import type { MasterMeters, MeterLevels, StreamOptions, TrackMeters } from "../types.gen.ts";
import { AntiphonElement, type Reading } from "./base.ts";
import { levelsSetting } from "./settings.ts";
import { dbText } from "./text.ts";
import type { Theme } from "./theme.ts";

type Frame = FrameOf<"meters">;

const SILENCE: MeterLevels = {
  peak_left: -120, peak_right: -120, rms_left: -120, rms_right: -120, true_peak_left: -120, true_peak_right: -120, clips: 0,
};

const LEVELS = levelsSetting({ minDb: -60, maxDb: 3 });

/** Attributes besides the common ones: `min-db`, `max-db`. The button below counts clips, and forgets them. */
export class AntiphonMeter extends AntiphonElement<"meters"> {
  static override observedAttributes = [...AntiphonElement.observedAttributes, "min-db", "max-db"];
  protected readonly topic = "meters";
  protected readonly name = "Level";
  protected override readonly settings = [LEVELS];
  readonly #held = new MeterHold();
  #clips: HTMLButtonElement | null = null;
  /** Highest since the last reading: what fell between two of them counts. */
  #highest: [number, number] = [-120, -120];

  protected defaults(): StreamOptions {
    return {};
  }

  protected override streamTap(): string {
    return "master";
  }

  /** Puts the clip light out and lets go of held peaks. */
  reset(): void {
    this.#held.reset();
    this.#count();
    this.repaint();
  }

  protected override forget(): void {
    this.reset();
  }

  protected override controls(): HTMLElement[] {
    this.#clips = document.createElement("button");
    this.#clips.type = "button";
    this.#clips.setAttribute("part", "clips");
    this.#clips.title = "Forget clips and held peaks";
    this.#clips.addEventListener("click", () => this.reset());
    this.#count();
    return [this.#clips];
  }

  protected override take(frame: Frame): void {
    const levels = this.#levels(frame);
    if (!levels) return;
    const clips = this.#held.clips;
    this.#held.update(levels, performance.now());
    if (this.#held.clips !== clips) this.#count();
    const [left, right] = this.#highest;
    this.#highest = [Math.max(left, levels.needle_left ?? levels.peak_left), Math.max(right, levels.needle_right ?? levels.peak_right)];
  }

  protected override paintBack(ctx: CanvasRenderingContext2D, size: Size, theme: Theme): void {
    drawMeter(ctx, SILENCE, size, { ...this.#style(theme), layer: "still" });
  }

  protected override look(size: Size, density: number): string | null {
    const levels = this.frame && this.#levels(this.frame);
    return levels ? meterLook(levels, size, { ...this.setting(LEVELS), held: this.#held }, density) : "";
  }

  protected paint(ctx: CanvasRenderingContext2D, size: Size, theme: Theme): void {
    const levels = this.frame && this.#levels(this.frame);
    if (levels) drawMeter(ctx, levels, size, { ...this.#style(theme), layer: "moving" });
  }

  #style(theme: Theme): MeterStyle {
    return {
      ...this.setting(LEVELS),
      zones: [
        { fromDb: -Infinity, color: theme.low }, { fromDb: -18, color: theme.mid },
        { fromDb: -6, color: theme.warm }, { fromDb: -1, color: theme.high },
      ],
      background: theme.grid, clip: theme.high, clipOff: theme.grid, hold: theme.hold, label: theme.text,
      font: theme.font, held: this.#held,
    };
  }

  protected read(frame: Frame): Reading | null {
    const levels = this.#levels(frame);
    if (!levels) return null;
    const [left, right] = this.#highest;
    this.#highest = [-120, -120];
    const unit = frame.ballistics?.startsWith("k") ? "dB" : "dBFS";
    const loudness = levels.lufs_momentary === undefined ? "" : ` · ${dbText(levels.lufs_momentary)} LUFS`;
    const { minDb: min, maxDb: max } = this.setting(LEVELS);
    return { now: Math.max(left, right), min, max, text: `L ${dbText(left)} R ${dbText(right)} ${unit}${loudness}` };
  }

  #levels(frame: Frame): (MeterLevels & Partial<Pick<MasterMeters & TrackMeters, "lufs_momentary">>) | null {
    return this.tap === "master" ? frame.master : (frame.tracks.find(({ track_id }) => track_id === this.tap) ?? null);
  }

  #count(): void {
    if (!this.#clips) return;
    const { clips } = this.#held;
    this.#clips.textContent = `${clips} ${clips === 1 ? "clip" : "clips"}`;
    this.#clips.dataset.clipped = String(clips > 0);
  }
}
