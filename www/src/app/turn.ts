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

/** What this browser plays or measures: a composition or a file. */
export const opening = turn();
