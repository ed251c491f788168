/** What was asked for and is not confirmed yet. */
import { within } from "./turns";

/** The stream may be behind an answer for so long. */
export const SETTLING_MS = 1000;
/** What is not answered by then is not waited for any more. */
export const ANSWER_MS = 10_000;

/** The last value that was asked for, and the time that it counts. */
export interface Asked<T> {
  /** Until it is answered, and a little longer; then `null`: what the stream says counts again. */
  now(): T | null;
  /**
   * Sends a command when the one before it is answered: on connections of their own the later one might arrive first.
   * One that others came after in the meantime is not sent. Passes the answer on; a refusal counts at once.
   */
  ask(value: T, send: () => Promise<unknown>): Promise<void>;
}

/**
 * A command that is built on what the stream still says would undo the one before it: the second press of Play would
 * play once more, and of two changes of the loop the first would be lost.
 */
export function lastAsked<T>(): Asked<T> {
  let last: { value: T; until: number } | null = null;
  let before: Promise<void> | null = null;
  return {
    now: () => (last && performance.now() < last.until ? last.value : null),
    ask(value, send) {
      const mine = { value, until: performance.now() + ANSWER_MS };
      last = mine;
      const sendNow = async () => {
        try {
          await send();
          mine.until = performance.now() + SETTLING_MS;
        } catch (error) {
          mine.until = 0;
          throw error;
        }
      };
      const answer = before ? before.then(() => (last === mine ? sendNow() : undefined)) : sendNow();
      const through = within(ANSWER_MS, answer).then(
        () => undefined,
        () => undefined,
      );
      before = through;
      void through.then(() => {
        if (before === through) before = null;
      });
      return answer;
    },
  };
}
