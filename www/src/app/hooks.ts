/** How components read the page's stores. */
import { createAntiphonStore } from "antiphon/store";
import type { Source, SourceStatus } from "antiphon";
import { type RefObject, useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { useStore } from "zustand";
import { notifyError } from "./notices";
import { session, type Session } from "./session";

/** Slow state of the source that is shown; `WebSocketSync` in the app keeps it. */
export const live = createAntiphonStore();

export function useSession<T>(select: (state: Session) => T): T {
  return useStore(session, select);
}

/** A value of the newest transport, rendered only when it changes. */
export function useTransport<T>(select: (transport: NonNullable<ReturnType<typeof live.getState>["transport"]>) => T) {
  return useStore(live, (state) => (state.transport ? select(state.transport) : null));
}

export function useSourceStatus(source: Source): SourceStatus {
  const subscribe = useCallback((changed: () => void) => source.onStatus(changed), [source]);
  return useSyncExternalStore(subscribe, () => source.status);
}

/** Tells what a running source refused; what keeps it from running is the banner's to tell. */
export function useRefusals(source: Source): void {
  useEffect(() => {
    let told: unknown = null;
    const check = () => {
      const { error, status } = source;
      if (status === "live" && error && error !== told) notifyError("A stream was refused", error, "Reload the page.");
      told = error;
    };
    check();
    return source.onStatus(check);
  }, [source]);
}

/** Controls act only where somebody listens. */
export function useIsLive(): boolean {
  return useSourceStatus(useSession((state) => state.source)) === "live";
}

/** Switches act only where it is known how they stand: else Play would pause what plays already. */
export function useIsReady(): boolean {
  const isKnown = useTransport(() => true) ?? false;
  return useIsLive() && isKnown;
}

export function useMediaQuery(query: string): boolean {
  const subscribe = useCallback(
    (changed: () => void) => {
      const list = matchMedia(query);
      list.addEventListener("change", changed);
      return () => list.removeEventListener("change", changed);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => matchMedia(query).matches);
}

/** Frames a second that pictures ask for: fewer for people who asked for less motion. */
export function usePictureFps(): number {
  return useMediaQuery("(prefers-reduced-motion: reduce)") ? 10 : 60;
}

/** Whether an element is on the screen, or within a little of it. Panels out of sight end their streams. */
export function useIsVisible(ref: RefObject<Element | null>): boolean {
  const [isVisible, setVisible] = useState(false);
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const observer = new IntersectionObserver(([entry]) => setVisible(entry?.isIntersecting ?? false), {
      rootMargin: "64px",
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return isVisible;
}
