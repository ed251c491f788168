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

/** An error of the wasm modules: `{code, message, hint?, field?}`. */
export function errorFromWasm(thrown: unknown): AntiphonError {
  const { code, message, hint } = (thrown ?? {}) as { code?: unknown; message?: unknown; hint?: unknown };
  if (typeof code === "string" && typeof message === "string") {
    return new AntiphonError(code, message, typeof hint === "string" ? hint : HINTS[code], thrown);
  }
  return new AntiphonError("internal", messageOf(thrown), "please report it", thrown);
}

const HINTS: Record<string, string> = {
  "invalid-option": "change the option that is named",
  "invalid-value": "give a value in range",
  "invalid-midi": "use a Standard MIDI File of type 0 or 1",
  "invalid-recording": "open a file that Antiphon's recorder saved",
  "invalid-composition": "change the composition",
  "invalid-audio": "use a WAV, AIFF, FLAC, MP3 or OGG Vorbis file",
  "not-found": "ask for what plays here",
  conflict: "look at the history first",
  "missing-sample": "add the sample first",
  "too-large": "use fewer bits, a lower rate or a shorter composition",
  refused: "change what was asked for",
};
