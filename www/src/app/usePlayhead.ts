import type { FrameOf, Playhead } from "antiphon";
import { useSource, useTransportWebsocket } from "antiphon/react";
import { useEffect, useRef } from "react";
import { useMediaQuery } from "./hooks";

const REDUCED_MS = 250;
/** What the engine does is heard a little later: so long the playhead is followed after it stopped. */
const SETTLING_MS = 500;

/**
 * Calls `draw` with the playhead, as it is heard, on each animation frame while it moves, and once when it was moved.
 * Nothing renders: `draw` writes into the elements itself. Frames less than `everyMs` after the last one are left out.
 */
export function usePlayhead(
  draw: (playhead: Pick<Playhead, "position_beats" | "position_seconds">) => void, everyMs = 0,
): void {
  const source = useSource();
  const { subscribe, latest } = useTransportWebsocket();
  const isReduced = useMediaQuery("(prefers-reduced-motion: reduce)");
  const drawRef = useRef(draw);
  useEffect(() => {
    drawRef.current = draw;
  });
  useEffect(() => {
    let newest: FrameOf<"transport"> | null = null;
    let settledAt = 0;
    let request = 0;
    let drawnAt = 0;
    const tick = () => {
      request = 0;
      if (!newest) return;
      const now = performance.now();
      const isMoving = newest.is_playing || now < settledAt;
      if (!isMoving || now - drawnAt >= Math.max(everyMs, isReduced ? REDUCED_MS : 0)) {
        drawnAt = now;
        drawRef.current(source.playhead() ?? newest);
      }
      if (isMoving) request = requestAnimationFrame(tick);
    };
    const take = (frame: FrameOf<"transport">) => {
      newest = { ...frame };
      settledAt = performance.now() + SETTLING_MS;
      if (!request) request = requestAnimationFrame(tick);
    };
    const first = latest();
    if (first) take(first);
    const unsubscribe = subscribe(take);
    return () => {
      unsubscribe();
      cancelAnimationFrame(request);
    };
  }, [source, subscribe, latest, isReduced, everyMs]);
}
