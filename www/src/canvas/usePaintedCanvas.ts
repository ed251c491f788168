import { type RefObject, useCallback, useEffect, useRef } from "react";
import { type Surface, useCanvas } from "./useCanvas";

/** A canvas that is painted when it renders, when its size changed, and, once a frame, after `repaint`. */
export function usePaintedCanvas(paint: (surface: Surface) => void): {
  canvas: RefObject<HTMLCanvasElement | null>;
  repaint: () => void;
} {
  const paintRef = useRef(paint);
  useEffect(() => {
    paintRef.current = paint;
  });
  const { canvas, surface } = useCanvas(paint);
  const request = useRef(0);
  const repaint = useCallback(() => {
    request.current ||= requestAnimationFrame(() => {
      request.current = 0;
      if (surface.current) paintRef.current(surface.current);
    });
  }, [surface]);
  useEffect(() => () => cancelAnimationFrame(request.current), []);
  return { canvas, repaint };
}
