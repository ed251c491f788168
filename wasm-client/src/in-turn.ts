// Something slow that follows something fast: one at a time, and never too late.

export interface Turns {
  /** What was done so far is out of date. */
  again(): void;
  end(): void;
}

/**
 * Runs `run` for each `again`, one at a time: however often it was called meanwhile, one more comes afterwards.
 * `pauseMs` is the least time from one's begin to the next one's. With `onlySeen` nothing runs while the page is hidden;
 * what was missed comes when it is seen. `run` deals with its own failures.
 */
export function inTurn(run: () => Promise<unknown>, { pauseMs = 0, onlySeen = false } = {}): Turns {
  let isWanted = false;
  let isBusy = false;
  let isEnded = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const page = onlySeen && typeof document !== "undefined" ? document : null;
  const next = () => {
    if (!isWanted || isBusy || isEnded || page?.hidden) return;
    isWanted = false;
    isBusy = true;
    const pause = new Promise((resolve) => (timer = setTimeout(resolve, pauseMs)));
    void Promise.all([run(), pause]).then(() => {
      isBusy = false;
      next();
    });
  };
  page?.addEventListener("visibilitychange", next);
  return {
    again() {
      isWanted = true;
      next();
    },
    end() {
      isEnded = true;
      clearTimeout(timer);
      page?.removeEventListener("visibilitychange", next);
    },
  };
}
