/** Pictures of recordings: pairs of minimum and maximum, measured once for each sample. */
import { analyzeBuffer } from "antiphon";
import { anySample } from "../app/samples";

export interface Overview {
  /** Minimum, maximum, alternating, ±32768. */
  points: readonly number[];
  secondsPerPair: number;
}

/** After a failure, since it may have been the network's; twice as long after each more. */
const RETRY_MS = 15_000;

const known = new Map<string, Overview | null>();

const retries = new Map<string, number>();

/** The overview, or `null` while it is made; `ready` is called then. */
export function overviewOf(sample: string, ready: () => void): Overview | null {
  const overview = known.get(sample);
  if (overview !== undefined) return overview;
  known.set(sample, null);
  anySample(sample)
    .then((file) => analyzeBuffer(file, { partial: true }))
    .then(({ overview: { points, samples_per_pixel }, sample_rate }) => {
      known.set(sample, { points, secondsPerPair: samples_per_pixel / sample_rate });
      ready();
    })
    // Without a picture the clip is a plain box; playing says what is wrong with the file.
    .catch(() => {
      const n = retries.get(sample) ?? 0;
      retries.set(sample, n + 1);
      setTimeout(() => {
        known.delete(sample);
        ready();
      }, RETRY_MS * 2 ** n);
    });
  return null;
}
