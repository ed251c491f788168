// The microphone, or any other stream of the browser, as the input of a source of this page. What goes wrong is typed.
import type { AnalysisSource } from "./analysis-source.ts";
import { AntiphonError, messageOf } from "./errors.ts";

/** How a stream is measured. */
export interface CaptureOptions {
  /** Heard through the master too. Off when absent: a microphone would feed back. */
  monitor?: boolean | undefined;
  /** The stream ended by itself: unplugged, no longer shared, or the permission was taken back. */
  onEnd?: ((error: AntiphonError) => void) | undefined;
}

/** Which microphone, and how it is measured. */
export interface MicrophoneOptions extends CaptureOptions {
  /** From `navigator.mediaDevices.enumerateDevices()`; the browser's choice when absent. */
  deviceId?: string | undefined;
  /**
   * What `getUserMedia` takes as `audio`. Echo cancellation, noise suppression and automatic gain, which are meant for
   * calls and would change what is measured, are off unless they are asked for here.
   */
  constraints?: MediaTrackConstraints | undefined;
}

/** What goes into the `input` tap. */
export interface Capture {
  /** What the browser calls it; empty when it does not say. */
  readonly label: string;
  readonly stream: MediaStream;
  /** Lets go of it. */
  close(): void;
}

/**
 * Asks for the microphone and measures it as tap `input`, unheard. Rejects with an AntiphonError that says what to do:
 * `insecure-page`, `microphone-refused`, `microphone-missing`, `microphone-busy`, `microphone-failed`, or `capture-failed`
 * of {@link openCapture}.
 */
export async function openMicrophone(source: AnalysisSource, opts: MicrophoneOptions = {}): Promise<Capture> {
  // TypeScript believes that it is always there; on insecure pages it is not.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (!devices) {
    throw new AntiphonError("insecure-page", "this page may not use the microphone", "open it over https, or from localhost");
  }
  const audio = { ...PLAIN_CAPTURE, ...(opts.deviceId === undefined ? {} : { deviceId: { exact: opts.deviceId } }), ...opts.constraints };
  const stream = await devices.getUserMedia({ audio }).catch((cause: unknown) => {
    throw refusal(cause);
  });
  return route(source, stream, opts, GONE);
}

/** Options under which what is measured is what comes in. */
export const PLAIN_CAPTURE: MediaTrackConstraints = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

const GONE = new AntiphonError("microphone-gone", "the microphone is gone", "plug it in or allow it again, then open it again");

/**
 * Measures a stream that the page has, such as that of a tab, as tap `input`. The stream is the capture's from now on:
 * its tracks end with it. Throws an AntiphonError: `no-sound` or `capture-failed`.
 */
export function openCapture(source: AnalysisSource, stream: MediaStream, opts: CaptureOptions = {}): Capture {
  return route(source, stream, opts, new AntiphonError("capture-ended", "the stream ended", "share it again"));
}

/** Who measures which source. */
const captures = new WeakMap<AnalysisSource, Capture>();

function route(source: AnalysisSource, stream: MediaStream, { monitor = false, onEnd }: CaptureOptions, gone: AntiphonError): Capture {
  const end = () => stream.getTracks().forEach((track) => track.stop());
  const [track] = stream.getAudioTracks();
  let node: AudioNode;
  try {
    if (!track) throw new AntiphonError("no-sound", "what was shared has no sound", "share a tab together with its sound");
    node = nodeOf(source, stream);
    source.setInput(node, { monitor });
  } catch (error) {
    end();
    throw error;
  }
  let isOpen = true;
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    end();
    if (source.input === node) source.setInput(null);
  };
  // No event comes of tracks that are stopped here.
  track.addEventListener("ended", () => {
    close();
    onEnd?.(gone);
  });
  const capture = { label: track.label, stream, close };
  // What nobody hears any more is not to go on listening.
  captures.get(source)?.close();
  captures.set(source, capture);
  return capture;
}

function nodeOf({ status, context }: AnalysisSource, mediaStream: MediaStream): AudioNode {
  if (status === "closed") throw new AntiphonError("closed", "this source was closed", "make another one");
  try {
    return new MediaStreamAudioSourceNode(context, { mediaStream });
  } catch (cause) {
    // Firefox joins no stream of another rate to a context.
    const hint = "set microphone and loudspeaker to the same sample rate in the system's sound settings";
    throw new AntiphonError("capture-failed", `the stream cannot be connected: ${messageOf(cause)}`, hint, cause);
  }
}

/** What `getUserMedia` rejected with. */
function refusal(cause: unknown): AntiphonError {
  const name = cause instanceof DOMException ? cause.name : "";
  const [code, message, hint] = REFUSALS[name] ??
    ["microphone-failed", `the microphone did not open: ${messageOf(cause)}`, "check that it works in another program, then open it again"];
  return new AntiphonError(code, message, hint, cause);
}

type Refusal = readonly [code: string, message: string, hint: string];

const MISSING: Refusal = ["microphone-missing", "no microphone was found", "plug one in, then open it again"];
const REFUSALS: Record<string, Refusal | undefined> = {
  NotAllowedError: ["microphone-refused", "the microphone was refused", "allow it for this site (the icon beside the address), then open it again"],
  SecurityError: ["microphone-refused", "this page may not use the microphone", "the page that embeds it must allow it: <iframe allow=\"microphone\">"],
  NotFoundError: MISSING,
  OverconstrainedError: ["microphone-missing", "no microphone is as it was asked for", "ask for another deviceId, or for none"],
  NotReadableError: ["microphone-busy", "the microphone is used by another program", "close that program, then open it again"],
  AbortError: ["microphone-busy", "the microphone stopped while it was opened", "open it again"],
};
