/** What goes into the browser's `input` tap: an audio file, or the microphone. */
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
  | { kind: "microphone"; name: string };

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

/** Measures the microphone, unheard. */
export async function openMicrophone(): Promise<void> {
  input.setState({ isOpening: true });
  try {
    await switchToBrowser({ goOn: false });
    const { local } = session.getState();
    if (!local) return;
    const stream = await requestMicrophone();
    if (!stream) return;
    closeInput();
    const [track] = stream.getAudioTracks();
    const stop = () => stream.getTracks().forEach((one) => one.stop());
    try {
      local.setInput(new MediaStreamAudioSourceNode(local.context, { mediaStream: stream }), { monitor: false });
    } catch (error) {
      stop();
      notifyError(
        "The microphone cannot be connected",
        error,
        "Set the microphone and the loudspeaker to the same sample rate in the system's sound settings.",
      );
      return;
    }
    release = () => {
      stop();
      local.setInput(null);
    };
    // Unplugged, or the permission was taken back.
    track?.addEventListener("ended", () => {
      closeInput();
      notify("error", "The microphone is gone", "Plug it in or allow it again, then press Microphone.");
    });
    input.setState({ input: { kind: "microphone", name: track?.label || "Microphone" } });
    setTap("input");
  } finally {
    input.setState({ isOpening: false });
  }
}

async function requestMicrophone(): Promise<MediaStream | null> {
  if (!navigator.mediaDevices) {
    notify("error", "This page may not use the microphone", "Open it over https, or from localhost.");
    return null;
  }
  try {
    // Processing meant for calls would change what is measured.
    const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    return await navigator.mediaDevices.getUserMedia({ audio });
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

/** Lets the file or the microphone go; the panels listen to the master again. */
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
