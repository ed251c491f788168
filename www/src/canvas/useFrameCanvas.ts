import { type RefObject, useCallback, useEffect, useRef } from "react";
import { type Surface, useCanvas } from "./useCanvas";

/**
 * A canvas that shows the newest frame of a stream: `paint` runs for each frame, when the size or the theme changed,
 * and on `repaint`. `take` sees each frame once, before it is painted. The source reuses its frame object, so `paint`
 * always sees the newest values.
 */
export function useFrameCanvas<F>(
  subscribe: (cb: (frame: F) => void) => () => void,
  paint: (surface: Surface, frame: F | null) => void,
  take?: (frame: F) => void,
): { canvas: RefObject<HTMLCanvasElement | null>; repaint: () => void } {
  const frame = useRef<F | null>(null);
  const paintRef = useRef(paint);
  const takeRef = useRef(take);
  useEffect(() => {
    paintRef.current = paint;
    takeRef.current = take;
  });
  const { canvas, surface } = useCanvas((on) => paint(on, frame.current));
  const repaint = useCallback(() => {
    if (surface.current) paintRef.current(surface.current, frame.current);
  }, [surface]);

  useEffect(() => {
    const unsubscribe = subscribe((next) => {
      frame.current = next;
      takeRef.current?.(next);
      repaint();
    });
    return () => {
      unsubscribe();
      frame.current = null;
    };
  }, [subscribe, repaint]);

  return { canvas, repaint };
}
