// <antiphon-goniometer>: the stereo image, with the correlation under it.
import { drawCorrelation, drawGoniometer } from "../draw/goniometer.ts";
import type { Size } from "../draw/scale.ts";
import type { FrameOf } from "../source.ts";
import type { StreamOptions } from "../types.gen.ts";
import { AntiphonElement, type Reading } from "./base.ts";
import { numberSetting } from "./settings.ts";
import { signed } from "./text.ts";
import type { Theme } from "./theme.ts";

type Frame = FrameOf<"stereo">;

/** Of the correlation's bar, and the room above it, pixels. */
const BAR = 8;
const GAP = 4;
const RANGE = numberSetting("range", 1, 0.00001, 1000);

/** An attribute besides the common ones: `range`, the sample value at the edge. */
export class AntiphonGoniometer extends AntiphonElement<"stereo"> {
  static override observedAttributes = [...AntiphonElement.observedAttributes, "range"];
  protected readonly topic = "stereo";
  protected readonly name = "Stereo image";
  protected override readonly settings = [RANGE];

  protected defaults(): StreamOptions {
    return {};
  }

  protected override paintBack(ctx: CanvasRenderingContext2D, { width, height }: Size, theme: Theme): void {
    const square = { width, height: Math.max(1, height - BAR - GAP) };
    drawGoniometer(ctx, { points: [] }, square, { line: theme["grid-strong"], label: theme.text, font: theme.font });
  }

  protected paint(ctx: CanvasRenderingContext2D, { width, height }: Size, theme: Theme): void {
    const { points, correlation } = this.frame ?? { points: [], correlation: 0 };
    const range = this.setting(RANGE);
    const square = { width, height: Math.max(1, height - BAR - GAP) };
    drawGoniometer(ctx, { points }, square, { point: theme.spectrum, line: null, label: null, range });
    ctx.translate(0, height - BAR);
    drawCorrelation(ctx, correlation, { width, height: BAR }, { good: theme.low, bad: theme.high, needle: theme.hold });
  }

  protected read({ correlation, balance, width }: Frame): Reading {
    const text = `correlation ${signed(correlation, 2)}, balance ${signed(balance, 2)}, width ${signed(width, 2)}`;
    return { now: correlation, min: -1, max: 1, text };
  }
}
