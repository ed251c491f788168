// What an AudioContext refuses, typed.
import { AntiphonError, messageOf } from "./errors.ts";

/** Of a context that nothing can start again. */
export function contextClosed(cause?: unknown): AntiphonError {
  return new AntiphonError("context-closed", "the audio context was closed", "make another context, and start over with that", cause);
}

/** Starts a context. Before a click it waits for that one. Rejects with an AntiphonError. */
export async function resumeContext(context: AudioContext): Promise<void> {
  try {
    await context.resume();
  } catch (cause) {
    if (context.state === "closed") throw contextClosed(cause);
    // Where there is no loudspeaker, or another program has it for itself.
    const hint = "check that an output works in another program, then try again";
    throw new AntiphonError("no-output", `the sound does not start: ${messageOf(cause)}`, hint, cause);
  }
}
