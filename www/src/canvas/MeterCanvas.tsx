import type { FrameOf } from "antiphon";
import { useMeterWebsocket } from "antiphon/react";
import { useRef } from "react";
import { usePictureFps } from "../app/hooks";
import { drawMeter, type Levels, MeterMotion } from "./meter";
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
export function levelsOf(frame: Meters, tap: string): Levels | null {
  return tap === "master" ? frame.master : (frame.tracks.find((track) => track.track_id === tap) ?? null);
}

/** A live meter. All meters share one stream. */
export function MeterCanvas({ tap, label, testId, isShown }: MeterCanvasProps) {
  const motion = useRef<MeterMotion | null>(null);
  const theme = useCanvasTheme();
  const { subscribe } = useMeterWebsocket({ fps: usePictureFps(), enabled: isShown });
  const { canvas } = useFrameCanvas<Meters>(subscribe, (on, frame) => {
    const now = performance.now();
    motion.current ??= new MeterMotion();
    const levels = frame && levelsOf(frame, tap);
    if (levels) motion.current.update(levels, now);
    drawMeter(on, motion.current, now, theme);
  });
  // The canvas lies in a box, so that its own size never pushes the layout that decides its size.
  return (
    <div className="meter">
      <canvas ref={canvas} data-testid={testId} role="img" aria-label={label} />
    </div>
  );
}
