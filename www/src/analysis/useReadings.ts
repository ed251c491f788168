import type { FrameOf } from "antiphon";
import { useMeterWebsocket, useSource } from "antiphon/react";
import { useEffect, useRef } from "react";
import { usePictureFps } from "../app/hooks";
import { levelsOf } from "../canvas/MeterCanvas";

/** Nobody reads numbers that change thirty times a second. */
const EVERY_MS = 500;

/** Highest values since the reset, and the newest ones. */
export interface Readings {
  peak: number;
  truePeak: number;
  rms: number;
  clips: number;
  meters: FrameOf<"meters">;
}

/** Calls `write` twice a second with the numbers of a tap. The returned function forgets the highest values. */
export function useReadings(tap: string, isShown: boolean, write: (readings: Readings) => void): () => void {
  const source = useSource();
  const { subscribe } = useMeterWebsocket({ fps: usePictureFps(), enabled: isShown });
  const writeRef = useRef(write);
  useEffect(() => {
    writeRef.current = write;
  });
  const most = useRef({ peak: -120, truePeak: -120, clips: 0 });

  useEffect(() => {
    most.current = { peak: -120, truePeak: -120, clips: 0 };
    let writtenAt = -Infinity;
    return subscribe((meters) => {
      const levels = levelsOf(meters, tap) as Readings["meters"]["master"] | null;
      if (!levels) return;
      const now = most.current;
      now.peak = Math.max(now.peak, levels.peak_left, levels.peak_right);
      now.truePeak = Math.max(now.truePeak, levels.true_peak_left, levels.true_peak_right);
      now.clips += levels.clips;
      if (performance.now() - writtenAt < EVERY_MS) return;
      writtenAt = performance.now();
      writeRef.current({ ...now, rms: Math.max(levels.rms_left, levels.rms_right), meters });
    });
    // Another source is another recording: its highest values are its own.
  }, [source, subscribe, tap]);

  return () => {
    most.current = { peak: -120, truePeak: -120, clips: 0 };
  };
}
