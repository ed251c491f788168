import type { FrameOf, MeterLevels } from "antiphon";
import { useMeterWebsocket } from "antiphon/react";
import { useMemo, useRef, useState } from "react";
import { usePictureFps } from "../app/hooks";
import { formatDb } from "../lib/format";
import { lookOf, METER_MAX_DB, METER_MIN_DB, MeterMotion, meterStyle, paintMeter } from "./meter";
import { useCanvasTheme } from "./theme";
import { useFrameCanvas } from "./useFrameCanvas";

type Meters = FrameOf<"meters">;

interface MeterCanvasProps {
  /** `master`, `input` or a track's id. */
  tap: string;
  label: string;
  testId: string;
  isShown: boolean;
}

/** The levels of a tap; `null` where the frame has none. */
export function levelsOf(frame: Meters, tap: string): MeterLevels | null {
  return tap === "master" ? frame.master : (frame.tracks.find((track) => track.track_id === tap) ?? null);
}

/** Nobody hears numbers that change more often. */
const EVERY_MS = 500;

/** Says what a meter shows to those who do not see it. Past React: nothing else changes. */
function tell(meter: HTMLElement | null, { peak_left, peak_right }: MeterLevels): void {
  const now = Math.min(METER_MAX_DB, Math.max(METER_MIN_DB, peak_left, peak_right));
  meter?.setAttribute("aria-valuenow", String(Number(now.toFixed(1))));
  meter?.setAttribute("aria-valuetext", `L ${formatDb(peak_left)}, R ${formatDb(peak_right)} dBFS`);
}

/** A live meter. All meters share one stream. A click puts the clip light out. */
export function MeterCanvas({ tap, label, testId, isShown }: MeterCanvasProps) {
  const [motion] = useState(() => new MeterMotion());
  const theme = useCanvasTheme();
  const style = useMemo(() => meterStyle(theme), [theme]);
  const { subscribe } = useMeterWebsocket({ fps: usePictureFps(), enabled: isShown });
  const toldAt = useRef(-Infinity);
  const { canvas, repaint } = useFrameCanvas<Meters>(
    subscribe,
    (on) => paintMeter(on, motion, style),
    (frame) => {
      const levels = levelsOf(frame, tap);
      if (!levels) return;
      const now = performance.now();
      motion.update(levels, now);
      if (now - toldAt.current < EVERY_MS) return;
      toldAt.current = now;
      tell(canvas.current, motion.shown);
    },
    (on) => lookOf(on, motion, style),
  );
  const reset = () => {
    motion.held.reset();
    repaint();
  };
  // The canvas lies in a box, so that its own size never pushes the layout that decides its size.
  return (
    <div className="meter">
      <canvas
        ref={canvas}
        data-testid={testId}
        role="meter"
        aria-label={label}
        aria-valuemin={METER_MIN_DB}
        aria-valuemax={METER_MAX_DB}
        aria-valuenow={METER_MIN_DB}
        title="Click to put the clip light out"
        onClick={reset}
      />
    </div>
  );
}
