/** What was asked for and is not confirmed yet. */

/** The stream may be behind an answer for so long. */
export const SETTLING_MS = 1000;

/** The last value that was asked for, and the time that it counts. */
export interface Asked<T> {
  /** Until it is answered, and a little longer; then `null`: what the stream says counts again. */
  now(): T | null;
  /** Passes the answer on. A refusal counts at once. */
  ask<R>(value: T, answer: Promise<R>): Promise<R>;
}

/**
 * A command that is built on what the stream still says would undo the one before it: the second press of Play would
 * play once more, and of two changes of the loop the first would be lost.
 */
export function lastAsked<T>(): Asked<T> {
  let last: { value: T; until: number } | null = null;
  return {
    now: () => (last && performance.now() < last.until ? last.value : null),
    ask(value, answer) {
      const mine = { value, until: Infinity };
      last = mine;
      answer.then(
        () => (mine.until = performance.now() + SETTLING_MS),
        () => (mine.until = 0),
      );
      return answer;
    },
  };
}
