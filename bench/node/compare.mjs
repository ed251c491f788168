// Runs two pieces of code in turn and says how many times faster the first is; the twin of bench/src/compare.rs.

import { readFileSync } from "node:fs";

/** Pairs of runs. Odd, so that the median is one of them. */
const RUNS = 9;
/** Milliseconds that one run should take at least. */
const RUN_MS = 50;

/** Rows of one section, printed as they come. */
export class Table {
  constructor(section) {
    this.section = section;
  }

  /**
   * Times `ours` and `peer` in turn; each call does the same work.
   * case: {name, peer (an npm package or any words), atLeast?, atMost?, note?}
   */
  compare(what, ours, peer) {
    const [nOurs, nPeer] = [repeats(ours), repeats(peer)];
    const runs = Array.from({ length: RUNS }, () => {
      const [a, b] = [milliseconds(nOurs, ours), milliseconds(nPeer, peer)];
      return [b / a, a, b];
    });
    const column = (i) => median(runs.map((run) => run[i])) / 1000;
    this.row(what, "×", runs.map(([ratio]) => ratio), [column(1), column(2)]);
  }

  /** A figure that has no peer to be timed against: a share of real time, a size. */
  value(what, unit, values) {
    this.row(what, unit, values, null);
  }

  row({ name, peer = "", atLeast, atMost, note = "" }, unit, values, seconds) {
    const value = median(values);
    const goal = atLeast !== undefined ? `≥ ${atLeast}` : atMost !== undefined ? `≤ ${atMost}` : "";
    const reached =
      atLeast !== undefined ? value >= atLeast : atMost !== undefined ? value <= atMost : null;
    const row = {
      section: this.section, name, peer, version: version(peer), unit, value,
      low: Math.min(...values), high: Math.max(...values), goal, reached, seconds, note,
    };
    console.log(JSON.stringify(row));
  }
}

/** Milliseconds of one call, over `n`. */
export function milliseconds(n, work) {
  const start = performance.now();
  for (let i = 0; i < n; i++) work();
  return (performance.now() - start) / n;
}

export function median(values) {
  return share(values, 0.5);
}

/** The value below which a share of all values lies. */
export function share(values, part) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * part)];
}

/** Calls that fill a run. Warms up, too. */
function repeats(work) {
  for (let n = 1; ; ) {
    const took = milliseconds(n, work) * n;
    if (took >= RUN_MS) return n;
    n = Math.ceil(n * Math.min(100, Math.max(1.5, (1.2 * RUN_MS) / Math.max(took, 1e-3))));
  }
}

/** Version of an installed package; empty if it is none. */
function version(peer) {
  try {
    return JSON.parse(readFileSync(new URL(`node_modules/${peer}/package.json`, import.meta.url))).version;
  } catch {
    return "";
  }
}
