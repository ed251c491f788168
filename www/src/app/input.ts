/** What goes into the browser's `input` tap: an audio file, the microphone, or the sound of a tab. */
import type { LocalSource } from "antiphon";
import { createStore } from "zustand/vanilla";
import { server } from "./connection";
import { importFile, isMidi } from "./imports";
import { notify, notifyError } from "./notices";
import { closeReport, measureFile } from "./report";
import { importHere, session, setTap, switchToBrowser } from "./session";

export type Input =
  | { kind: "none" }
  | { kind: "file"; name: string; seconds: number; isPlaying: boolean }
  | { kind: "microphone" | "tab"; name: string };

export const input = createStore<{ input: Input; isOpening: boolean }>(() => ({
  input: { kind: "none" },
  isOpening: false,
}));

/** What has to be let go of when the input changes. */
let release: () => void = () => undefined;
let buffer: AudioBuffer | null = null;

/** Whether files that are opened now go to the server. */
export const opensOnServer = () => session.getState().mode === "server" && server.status === "live";

/**
 * Opens a file that was selected or dropped. The server makes a composition of it; in this browser a MIDI file becomes
 * the composition, and sound goes into the input.
 */
export async function openFile(file: File): Promise<void> {
  if (isMidi(file) && !opensOnServer()) return importHere(file, true);
  input.setState({ isOpening: true });
  try {
    if (opensOnServer()) return await importFile(file);
    await switchToBrowser({ goOn: false });
    const { local } = session.getState();
    if (!local) return;
    const decoded = await decode(local, file);
    if (!decoded) return;
    closeInput();
    await local.playback.pause();
    buffer = decoded;
    input.setState({ input: { kind: "file", name: file.name, seconds: decoded.duration, isPlaying: false } });
    playFile();
    void measureFile(file, decoded);
  } catch (error) {
    notifyError(`${file.name} could not be opened`, error, "Choose the file again.");
  } finally {
    input.setState({ isOpening: false });
  }
}

async function decode(local: LocalSource, file: File): Promise<AudioBuffer | null> {
  const bytes = await file.arrayBuffer();
  try {
    return await local.context.decodeAudioData(bytes);
  } catch {
    // The browser's own message says neither which file nor what it could read.
    notify("error", `${file.name} is not audio that this browser can decode`, "Try WAV, FLAC, MP3, Ogg or M4A, or a MIDI file.");
    return null;
  }
}

/** Plays the opened file from its start. */
export function playFile(): void {
  const { local } = session.getState();
  const { input: current } = input.getState();
  if (!local || !buffer || current.kind !== "file") return;
  release();
  const node = new AudioBufferSourceNode(local.context, { buffer });
  local.setInput(node, { monitor: true });
  node.onended = () => stopFile();
  node.start();
  release = () => {
    node.onended = null;
    node.stop();
    local.setInput(null);
  };
  input.setState({ input: { ...current, isPlaying: true } });
  setTap("input");
}

/** Stops the file; it stays open. */
export function stopFile(): void {
  const { input: current } = input.getState();
  release();
  release = () => undefined;
  if (current.kind === "file") input.setState({ input: { ...current, isPlaying: false } });
}

type Capture = "microphone" | "tab";

/** Measures the microphone, unheard. */
export const openMicrophone = (): Promise<void> => openCapture("microphone", requestMicrophone);

/** Measures the sound of a tab, or of the whole system where the browser offers it. */
export const openTab = (): Promise<void> => openCapture("tab", requestTab);

async function openCapture(kind: Capture, request: () => Promise<MediaStream | null>): Promise<void> {
  input.setState({ isOpening: true });
  try {
    // A tab must be asked for inside the click; what comes before would use it up.
    const asked = kind === "tab" ? request() : null;
    await switchToBrowser({ goOn: false });
    const { local } = session.getState();
    const stream = await (asked ?? request());
    if (!stream) return;
    const stop = () => stream.getTracks().forEach((one) => one.stop());
    if (!local) return stop();
    closeInput();
    const [track] = stream.getAudioTracks();
    try {
      local.setInput(new MediaStreamAudioSourceNode(local.context, { mediaStream: stream }), { monitor: false });
    } catch (error) {
      stop();
      notifyError(
        `The ${kind} cannot be connected`,
        error,
        "Set microphone and loudspeaker to the same sample rate in the system's sound settings.",
      );
      return;
    }
    release = () => {
      stop();
      local.setInput(null);
    };
    // Unplugged, closed, or the permission was taken back.
    track?.addEventListener("ended", () => {
      closeInput();
      if (kind === "microphone") notify("error", "The microphone is gone", "Plug it in or allow it again, then press Microphone.");
      else notify("info", "The tab is no longer shared");
    });
    input.setState({ input: { kind, name: track?.label || (kind === "tab" ? "Tab" : "Microphone") } });
    setTap("input");
  } finally {
    input.setState({ isOpening: false });
  }
}

// Processing meant for calls would change what is measured.
const PLAIN = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

async function requestTab(): Promise<MediaStream | null> {
  if (!navigator.mediaDevices?.getDisplayMedia) {
    notify("error", "This browser cannot share the sound of a tab", "Use a current Chrome, Edge or Opera on a computer, over https or from localhost.");
    return null;
  }
  try {
    // Browsers give sound only together with a picture.
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: true, audio: PLAIN });
    if (stream.getAudioTracks().length > 0) return stream;
    stream.getTracks().forEach((track) => track.stop());
    notify("error", "What was shared has no sound", "Share a tab, and tick “Also share tab audio”.");
  } catch (error) {
    const isRefusal = error instanceof DOMException && error.name === "NotAllowedError";
    notify("error", isRefusal ? "No tab was shared" : "The tab was not shared", "Press Tab audio again and choose a tab.");
  }
  return null;
}

async function requestMicrophone(): Promise<MediaStream | null> {
  if (!navigator.mediaDevices) {
    notify("error", "This page may not use the microphone", "Open it over https, or from localhost.");
    return null;
  }
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: PLAIN });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    const [title, hint] = MICROPHONE_ERRORS[name] ?? [
      "The microphone did not open",
      "Check that it works in another program, then press Microphone again.",
    ];
    notify("error", title, hint);
    return null;
  }
}

const MICROPHONE_ERRORS: Record<string, readonly [title: string, hint: string]> = {
  NotAllowedError: [
    "The microphone was refused",
    "Allow it for this site (the icon beside the address), then press Microphone again.",
  ],
  NotFoundError: ["There is no microphone", "Plug one in, then press Microphone again."],
  NotReadableError: ["The microphone is busy", "Close the program that uses it, then press Microphone again."],
};

/** Lets the file, the microphone or the tab go; the panels listen to the master again. */
export function closeInput(): void {
  release();
  release = () => undefined;
  buffer = null;
  closeReport();
  input.setState({ input: { kind: "none" } });
  if (session.getState().tap === "input") setTap("master");
}

// The browser's input has nothing to do with the server's panels: going back releases the microphone.
session.subscribe((now, before) => {
  if (now.mode === "server" && before.mode === "browser") closeInput();
});
