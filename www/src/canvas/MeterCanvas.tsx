import type { FrameOf, MeterLevels } from "antiphon";
import { useMeterWebsocket } from "antiphon/react";
import { useMemo, useState } from "react";
import { usePictureFps } from "../app/hooks";
import { lookOf, MeterMotion, meterStyle, paintMeter } from "./meter";
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

/** A live meter. All meters share one stream. A click puts the clip light out. */
export function MeterCanvas({ tap, label, testId, isShown }: MeterCanvasProps) {
  const [motion] = useState(() => new MeterMotion());
  const theme = useCanvasTheme();
  const style = useMemo(() => meterStyle(theme), [theme]);
  const { subscribe } = useMeterWebsocket({ fps: usePictureFps(), enabled: isShown });
  const { canvas, repaint } = useFrameCanvas<Meters>(
    subscribe,
    (on) => paintMeter(on, motion, style),
    (frame) => {
      const levels = levelsOf(frame, tap);
      if (levels) motion.update(levels, performance.now());
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
        role="img"
        aria-label={label}
        title="Click to put the clip light out"
        onClick={reset}
      />
    </div>
  );
}
