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
    return new AntiphonError(code, message, typeof hint === "string" ? hint : hintOf(code), thrown);
  }
  return new AntiphonError("internal", messageOf(thrown), "please report it", thrown);
}

/** What to do about errors of a kind, as module or server name it; empty for those that are not known. */
export function hintOf(code: string): string {
  return HINTS[code] ?? "";
}

const HINTS: Record<string, string> = {
  "invalid-option": "change the option that is named",
  "invalid-value": "give a value in range",
  "invalid-midi": "use a Standard MIDI File of type 0 or 1",
  "invalid-recording": "open a file that Antiphon's recorder saved",
  "invalid-composition": "change the composition",
  "invalid-audio": "use a WAV, AIFF, FLAC, MP3 or OGG Vorbis file",
  "not-found": "ask for what is there",
  conflict: "look at the history first",
  "missing-sample": "add the sample first",
  "too-large": "use fewer bits, a lower rate or a shorter composition",
  refused: "change what was asked for",
  "sample-rate": "make the AudioContext with a sampleRate from 8000 to 192000",
  exists: "take another id",
  stale: "fetch it again, then change it",
  "in-use": "remove what uses it first",
  unauthorized: "pass { token }",
  forbidden: "start the server with --allow-origin and this page's origin",
  busy: "try again in a second",
  "server-away": "it is reached again by itself: try again in a second",
  storage: "try again when the server's database is back",
  "too-many-connections": "close other pages",
};
