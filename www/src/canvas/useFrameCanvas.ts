import { type RefObject, useCallback, useEffect, useRef } from "react";
import { prepareElsewhere } from "./elsewhere";
import { type Surface, useCanvas } from "./useCanvas";

/**
 * A canvas that shows the newest frame of a stream: `paint` runs for each frame, when the size or the theme changed,
 * and on `repaint`. `take` sees each frame once, before it is painted. A frame whose `look` is that of the one before is
 * not painted. The source reuses its frame object, so `paint`
 * always sees the newest values.
 */
export function useFrameCanvas<F>(
  subscribe: (cb: (frame: F) => void) => () => void,
  paint: (surface: Surface, frame: F | null) => void,
  take?: (frame: F) => void,
  look?: (surface: Surface) => string,
): { canvas: RefObject<HTMLCanvasElement | null>; repaint: () => void } {
  const frame = useRef<F | null>(null);
  const paintRef = useRef(paint);
  const takeRef = useRef(take);
  const lookRef = useRef(look);
  const shown = useRef<string | null>(null);
  useEffect(() => {
    paintRef.current = paint;
    takeRef.current = take;
    lookRef.current = look;
  });
  const { canvas, surface } = useCanvas((on) => paint(on, frame.current), prepareElsewhere);
  const repaint = useCallback(() => {
    // What is painted for another reason than a frame may look like something else than the last one.
    shown.current = null;
    if (surface.current) paintRef.current(surface.current, frame.current);
  }, [surface]);

  useEffect(() => {
    const unsubscribe = subscribe((next) => {
      frame.current = next;
      takeRef.current?.(next);
      const now = (surface.current && lookRef.current?.(surface.current)) ?? null;
      if (now !== null && now === shown.current) return;
      repaint();
      shown.current = now;
    });
    return () => {
      unsubscribe();
      frame.current = null;
    };
  }, [subscribe, repaint, surface]);

  return { canvas, repaint };
}
