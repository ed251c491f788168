import { type RefObject, useCallback, useEffect, useRef } from "react";
import { type Surface, useCanvas } from "./useCanvas";

/**
 * A canvas that shows the newest frame of a stream: `paint` runs for each frame, when the size or the theme changed,
 * and on `repaint`. The source reuses its frame object, so `paint` always sees the newest values.
 */
export function useFrameCanvas<F>(
  subscribe: (cb: (frame: F) => void) => () => void,
  paint: (surface: Surface, frame: F | null) => void,
): { canvas: RefObject<HTMLCanvasElement | null>; repaint: () => void } {
  const frame = useRef<F | null>(null);
  const paintRef = useRef(paint);
  useEffect(() => {
    paintRef.current = paint;
  });
  const { canvas, surface } = useCanvas((on) => paint(on, frame.current));
  const repaint = useCallback(() => {
    if (surface.current) paintRef.current(surface.current, frame.current);
  }, [surface]);

  useEffect(() => {
    const unsubscribe = subscribe((next) => {
      frame.current = next;
      repaint();
    });
    return () => {
      unsubscribe();
      frame.current = null;
    };
  }, [subscribe, repaint]);

  return { canvas, repaint };
}
