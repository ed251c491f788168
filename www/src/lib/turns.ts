/** When something runs that many ask for. */

/**
 * Runs `run` once at a time, and begins again `pauseMs` after an end at the earliest. Who asks while it runs shares the
 * run after it with all who do: one that is under way may have looked before the change. None is dropped, however often
 * it is asked for. `run` must not reject.
 */
export function coalesced(run: () => Promise<void>, pauseMs: number): () => Promise<void> {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  const start = () => {
    const pause = () => new Promise<void>((done) => setTimeout(done, pauseMs));
    const ended = run();
    running = ended.then(pause).then(() => {
      running = null;
    });
    return ended;
  };
  return () => {
    if (!running) return start();
    next ??= running.then(() => {
      next = null;
      return start();
    });
    return next;
  };
}

/** Runs `run` at once, unless it was asked for within the last `quietMs`: then once, after as long a silence. */
export function calmed(run: () => void, quietMs: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isDue = false;
  return () => {
    if (timer === undefined) run();
    else isDue = true;
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = undefined;
      if (isDue) run();
      isDue = false;
    }, quietMs);
  };
}

/** The same, but rejects when it takes longer than `ms`: a connection that broke unnoticed holds its answers back. */
export function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Of several things that were asked for, the last one counts: what takes longer must not take its place. */
export interface Turn {
  /** Begins a turn, and ends the one before. Whether it is still the last is what the result says. */
  take(): () => boolean;
  /** Ends the present one, and begins none. */
  end(): void;
}

export function turn(): Turn {
  let last = 0;
  return {
    take() {
      last += 1;
      const mine = last;
      return () => last === mine;
    },
    end: () => void (last += 1),
  };
}
