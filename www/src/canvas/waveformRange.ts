/** The scope's vertical range: the smallest of a few that the signal fits into, so that quiet music is not a line. */
/** Sample values at the edge, each half of the one before: 1 is full scale. */
const RANGES: readonly number[] = [1, 0.5, 0.25, 0.125];
/** A smaller range has to be enough for this long: the picture must not pump. */
const PATIENCE_MS = 2000;
/** How much of the range the signal may fill before the next larger one is taken. */
const FULL = 0.95;

/** What a frame has of a waveform: samples, or buckets. */
interface Scope {
  samples_left?: Float32Array | undefined;
  samples_right?: Float32Array | undefined;
  min_left?: Float32Array | undefined;
  max_left?: Float32Array | undefined;
  min_right?: Float32Array | undefined;
  max_right?: Float32Array | undefined;
}

/** Follows a signal up at once and down with patience. */
export class WaveformRange {
  #idx = 0;
  #neededAt = -Infinity;

  get value(): number {
    return RANGES[this.#idx]!;
  }

  update(frame: Scope, now: number): void {
    const { samples_left, samples_right, min_left, max_left, min_right, max_right } = frame;
    const peak = Math.max(...[samples_left, samples_right, min_left, max_left, min_right, max_right].map(peakOf));
    const fits = (idx: number) => peak <= RANGES[idx]! * FULL;
    while (this.#idx > 0 && !fits(this.#idx)) this.#idx -= 1;
    // Silence needs nothing and says nothing about what comes next.
    if (peak === 0 || this.#idx === RANGES.length - 1 || !fits(this.#idx + 1)) {
      this.#neededAt = now;
    } else if (now - this.#neededAt > PATIENCE_MS) {
      this.#idx += 1;
      this.#neededAt = now;
    }
  }
}

function peakOf(samples: Float32Array | undefined): number {
  let peak = 0;
  if (samples) for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  return peak;
}
