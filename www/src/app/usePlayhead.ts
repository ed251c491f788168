import { useTransportWebsocket } from "antiphon/react";
import { useEffect, useRef } from "react";
import { extrapolate, type Playhead, type TransportPoint } from "../lib/playhead";
import { useMediaQuery } from "./hooks";

const REDUCED_MS = 250;

/**
 * Calls `draw` with the playhead on each animation frame while it moves, and once when it was moved. Nothing renders:
 * `draw` writes into the elements itself.
 */
export function usePlayhead(draw: (playhead: Playhead) => void): void {
  const { subscribe, latest } = useTransportWebsocket();
  const isReduced = useMediaQuery("(prefers-reduced-motion: reduce)");
  const drawRef = useRef(draw);
  useEffect(() => {
    drawRef.current = draw;
  });
  useEffect(() => {
    const out: Playhead = { beats: 0, seconds: 0 };
    let point: TransportPoint | null = null;
    let at = 0;
    let request = 0;
    let drawnAt = 0;
    const tick = () => {
      request = 0;
      const now = performance.now();
      if (!point) return;
      if (!isReduced || !point.is_playing || now - drawnAt >= REDUCED_MS) {
        drawnAt = now;
        drawRef.current(extrapolate(point, now - at, out));
      }
      if (point.is_playing) request = requestAnimationFrame(tick);
    };
    const take = (frame: TransportPoint) => {
      point = { ...frame };
      at = performance.now();
      drawnAt = 0;
      if (!request) request = requestAnimationFrame(tick);
    };
    const first = latest();
    if (first) take(first);
    const unsubscribe = subscribe(take);
    return () => {
      unsubscribe();
      cancelAnimationFrame(request);
    };
  }, [subscribe, latest, isReduced]);
}
