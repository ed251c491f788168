// <antiphon-waveform>: a triggered scope, or the last seconds as buckets.
import type { Size } from "../draw/scale.ts";
import { drawWaveform } from "../draw/waveform.ts";
import type { FrameOf } from "../source.ts";
import type { StreamOptions } from "../types.gen.ts";
import { AntiphonElement, type Reading } from "./base.ts";
import { numberSetting, wordSetting } from "./settings.ts";
import { signed } from "./text.ts";
import type { Theme } from "./theme.ts";

type Frame = FrameOf<"waveform">;

const RANGE = numberSetting("range", 1, 0.00001, 1000);
const LAYOUT = wordSetting("layout", ["overlay", "stacked"]);

/** Attributes besides the common ones: `range` (the sample value at the edge), `layout` (`overlay` or `stacked`). */
export class AntiphonWaveform extends AntiphonElement<"waveform"> {
  static override observedAttributes = [...AntiphonElement.observedAttributes, "range", "layout"];
  protected readonly topic = "waveform";
  protected readonly name = "Waveform";
  protected override readonly settings = [RANGE, LAYOUT];

  protected defaults(): StreamOptions {
    return { mode: "scope", samples: 1024 };
  }

  protected override paintBack(ctx: CanvasRenderingContext2D, size: Size, theme: Theme): void {
    ctx.fillStyle = theme["grid-strong"];
    ctx.fillRect(0, Math.round(size.height / 2), size.width, 1);
  }

  protected paint(ctx: CanvasRenderingContext2D, size: Size, theme: Theme): void {
    if (!this.frame) return;
    drawWaveform(ctx, this.frame, size, {
      left: theme.left, right: theme.right, range: this.setting(RANGE), layout: this.setting(LAYOUT),
    });
  }

  protected read(frame: Frame): Reading {
    const [left, right] = [
      furthest(frame.samples_left, frame.min_left, frame.max_left), furthest(frame.samples_right, frame.min_right, frame.max_right),
    ];
    const text = `furthest L ${signed(left, 3)} R ${signed(right, 3)}, full scale 1`;
    return { now: Math.max(Math.abs(left), Math.abs(right)), min: 0, max: 1, text };
  }
}

/** The value furthest from zero. */
function furthest(...values: (Float32Array | undefined)[]): number {
  let found = 0;
  for (const some of values) for (const value of some ?? []) if (Math.abs(value) > Math.abs(found)) found = value;
  return found;
}
