// Where frequencies lie: on a logarithmic axis, or as the frame's own bands are spread.
import { xFromHz } from "./scale.ts";

/** A frequency axis over a width in pixels. */
export interface HzAxis {
  /** Pixel of a frequency. */
  xFromHz(hz: number): number;
  /** Frequency of a pixel. */
  hzFromX(x: number): number;
}

/** The same distance for every octave. */
export function logAxis(minHz: number, maxHz: number, width: number): HzAxis {
  return {
    xFromHz: (hz) => xFromHz(hz, minHz, maxHz, width),
    hzFromX: (x) => minHz * (maxHz / minHz) ** (x / width),
  };
}

/**
 * The same distance for every band, whatever scale (linear, mel, Bark, octave) the engine spread them on: nothing here
 * knows its formula. Between two bands frequencies lie evenly.
 */
export function bandAxis(frequencies: Float32Array, width: number): HzAxis {
  const last = Math.max(1, frequencies.length - 1);
  return {
    xFromHz: (hz) => {
      const below = Math.min(Math.max(0, nearestBelow(frequencies, hz)), last - 1);
      const [low, high] = [frequencies[below] ?? 0, frequencies[below + 1] ?? 1];
      return ((below + (hz - low) / (high - low)) / last) * width;
    },
    hzFromX: (x) => {
      const at = Math.min(1, Math.max(0, x / width)) * last;
      const below = Math.min(Math.floor(at), last - 1);
      const [low, high] = [frequencies[below] ?? 0, frequencies[below + 1] ?? 1];
      return low + (high - low) * (at - below);
    },
  };
}

/** Index of the last band at or below `hz`; −1 when all lie above. */
function nearestBelow(frequencies: Float32Array, hz: number): number {
  let [low, high] = [-1, frequencies.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (frequencies[middle]! <= hz) low = middle;
    else high = middle;
  }
  return low;
}
