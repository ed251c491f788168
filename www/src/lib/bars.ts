/**
 * Musical positions: bars, beats and hundredths from quarter notes, through the composition's time signatures.
 */

/** Ticks in a quarter note, as in the composition's data. */
export const PPQ = 960;

/** A time signature in force from `tick`. */
export interface Signature {
  tick: number;
  numerator: number;
  denominator: number;
}

/** Bar and beat count from 1; `hundredths` of a beat from 0 to 99. */
export interface BarPosition {
  bar: number;
  beat: number;
  hundredths: number;
}

/** Where `beats` quarter notes from the start lie. Signatures ascend by tick; 4/4 where there are none. */
export function barPosition(beats: number, signatures: readonly Signature[]): BarPosition {
  // A millionth of a beat keeps sums such as 0.1 + 0.2 from falling on the wrong side of a bar line.
  const at = Math.max(0, beats) + 1e-6;
  let bar = 1;
  for (let idx = 0; ; idx++) {
    const { numerator, denominator, tick } = signatures[idx] ?? { tick: 0, numerator: 4, denominator: 4 };
    const start = tick / PPQ;
    const beatLength = 4 / denominator;
    const barLength = beatLength * numerator;
    const next = signatures[idx + 1];
    const end = next ? next.tick / PPQ : Infinity;
    if (at < end) {
      const inside = at - start;
      const wholeBars = Math.floor(inside / barLength);
      const beat = (inside - wholeBars * barLength) / beatLength;
      return { bar: bar + wholeBars, beat: Math.floor(beat) + 1, hundredths: Math.floor((beat % 1) * 100) };
    }
    // A signature may change inside a bar: the bar it cuts short still counts as one.
    bar += Math.ceil((end - start) / barLength - 1e-9);
  }
}

/** `3:2.50`: bar, beat, hundredths; the bar is padded so that the digits do not jump. */
export function formatBars(beats: number, signatures: readonly Signature[]): string {
  const { bar, beat, hundredths } = barPosition(beats, signatures);
  return `${String(bar).padStart(3, "0")}:${beat}.${String(hundredths).padStart(2, "0")}`;
}

/** Starts of bars in quarter notes, up to `endBeats`, at most `limit` of them (evenly thinned). */
export function barLines(endBeats: number, signatures: readonly Signature[], limit: number): number[] {
  const lines: number[] = [];
  const map = signatures.length > 0 ? signatures : [{ tick: 0, numerator: 4, denominator: 4 }];
  map.forEach((signature, idx) => {
    const length = (4 / signature.denominator) * signature.numerator;
    const end = Math.min(endBeats, (map[idx + 1]?.tick ?? Infinity) / PPQ);
    for (let beat = signature.tick / PPQ; beat < end - 1e-9; beat += length) lines.push(beat);
  });
  const step = Math.max(1, 2 ** Math.ceil(Math.log2(lines.length / limit)));
  return lines.filter((_, idx) => idx % step === 0);
}
