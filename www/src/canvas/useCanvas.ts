import { prepareCanvas } from "antiphon/draw";
import { type RefObject, useEffect, useRef } from "react";

/** A canvas in CSS pixels, whatever the screen's density. */
export interface Surface {
  ctx: CanvasRenderingContext2D;
  width: number;
  height: number;
}

/**
 * Keeps a canvas as large as its box. `paint` is called when the size changed; `surface.current` is for painting at
 * any other time. A canvas without a box has no surface. `prepare` is the package's, or `prepareElsewhere`, whose
 * pictures begin with clearing all of the surface.
 */
export function useCanvas(paint: (surface: Surface) => void, prepare = prepareCanvas): {
  canvas: RefObject<HTMLCanvasElement | null>;
  surface: RefObject<Surface | null>;
} {
  const canvas = useRef<HTMLCanvasElement>(null);
  const surface = useRef<Surface | null>(null);
  const paintRef = useRef(paint);
  useEffect(() => {
    paintRef.current = paint;
    if (surface.current) paint(surface.current);
  });

  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const resize = () => {
      const { width, height } = element.getBoundingClientRect();
      if (width === 0 || height === 0) {
        surface.current = null;
        return;
      }
      const ctx = prepare(element, { width, height }, devicePixelRatio || 1);
      if (!ctx) return;
      surface.current = { ctx, width, height };
      paintRef.current(surface.current);
    };
    resize();
    const observer = new ResizeObserver(resize);
    observer.observe(element);
    return () => observer.disconnect();
  }, [prepare]);

  return { canvas, surface };
}
