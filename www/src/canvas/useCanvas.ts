import { type RefObject, useEffect, useRef } from "react";

/** A canvas in CSS pixels, whatever the screen's density. */
export interface Surface {
  ctx: CanvasRenderingContext2D;
  width: number;
  height: number;
}

/**
 * Keeps a canvas as large as its box. `paint` is called when the size changed; `surface.current` is for painting at
 * any other time. A canvas without a box has no surface.
 */
export function useCanvas(paint: (surface: Surface) => void): {
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
    const ctx = element?.getContext("2d");
    if (!element || !ctx) return;
    const resize = () => {
      const { width, height } = element.getBoundingClientRect();
      if (width === 0 || height === 0) {
        surface.current = null;
        return;
      }
      const density = devicePixelRatio || 1;
      element.width = Math.round(width * density);
      element.height = Math.round(height * density);
      ctx.setTransform(density, 0, 0, density, 0, 0);
      surface.current = { ctx, width, height };
      paintRef.current(surface.current);
    };
    resize();
    const observer = new ResizeObserver(resize);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  return { canvas, surface };
}
