import { useCallback, useEffect, useRef } from "react";

const INTERVAL_MS = 50;

/**
 * Calls `send` with the newest value, at most twenty times a second, and always with the last one. A dragged
 * playhead moves far more often than a server needs to hear of it.
 */
export function useThrottled<T>(send: (value: T) => void): (value: T) => void {
  const sendRef = useRef(send);
  useEffect(() => {
    sendRef.current = send;
  });
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const waiting = useRef<{ value: T } | null>(null);

  const flush = useCallback(() => {
    timer.current = null;
    if (!waiting.current) return;
    const { value } = waiting.current;
    waiting.current = null;
    timer.current = setTimeout(flush, INTERVAL_MS);
    sendRef.current(value);
  }, []);

  useEffect(
    () => () => {
      if (timer.current) clearTimeout(timer.current);
      timer.current = null;
      if (waiting.current) sendRef.current(waiting.current.value);
      waiting.current = null;
    },
    [],
  );

  return useCallback(
    (value: T) => {
      waiting.current = { value };
      if (!timer.current) flush();
    },
    [flush],
  );
}
