// One error type for everything that a source can report.

/** An error that says what to do. */
export class AntiphonError extends Error {
  override readonly name: string = "AntiphonError";
  /** Stable name of the kind of error, such as `unreachable` or `no-audio-worklet`. */
  readonly code: string;
  /** What to do about it. */
  readonly hint: string;

  constructor(code: string, message: string, hint = "", cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
  }
}

/** `message` of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
