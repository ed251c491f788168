/** What goes into the browser's `input` tap: an audio file, the microphone, or the sound of a tab. */
import { type AntiphonError, type Capture, type LocalSource, openCapture as capture, openMicrophone as openStream, PLAIN_CAPTURE } from "antiphon";
import { createStore } from "zustand/vanilla";
import { server } from "./connection";
import { importFile, isMidi } from "./imports";
import { notify, notifyError } from "./notices";
import { closeReport, measureFile } from "./report";
import { importHere, opening, session, setTap, switchToBrowser } from "./session";

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
/** The file that was opened last: one that takes longer to decode or to import must not take its place. */
let lastOpened: File | null = null;

/** Whether files that are opened now go to the server. */
export const opensOnServer = () => session.getState().mode === "server" && server.status === "live";

/**
 * Opens a file that was selected or dropped. The server makes a composition of it; in this browser a MIDI file becomes
 * the composition, and sound goes into the input.
 */
export async function openFile(file: File): Promise<void> {
  lastOpened = file;
  const isWanted = opening.take();
  const isLast = () => lastOpened === file && isWanted();
  if (isMidi(file) && !opensOnServer()) {
    input.setState({ isOpening: false });
    return importHere(file, true);
  }
  input.setState({ isOpening: true });
  try {
    if (opensOnServer()) return await importFile(file, isLast);
    await switchToBrowser({ goOn: false });
    const { local } = session.getState();
    if (!local) return;
    const decoded = await decode(local, file);
    if (!decoded || !isLast()) return;
    closeInput();
    await local.playback.pause();
    buffer = decoded;
    input.setState({ input: { kind: "file", name: file.name, seconds: decoded.duration, isPlaying: false } });
    playFile();
    void measureFile(file, decoded);
  } catch (error) {
    notifyError(`${file.name} could not be opened`, error, "Choose the file again.");
  } finally {
    if (lastOpened === file) input.setState({ isOpening: false });
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
    if (local.input === node) local.setInput(null);
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
export const openMicrophone = (): Promise<void> =>
  openCapture("microphone", async (local) => local && openStream(local, { onEnd: gone }));

/** Measures the sound of a tab, or of the whole system where the browser offers it. */
export function openTab(): Promise<void> {
  // A tab must be asked for inside the click; what comes before would use it up.
  const asked = requestTab();
  const onEnd = () => ended("info", "The tab is no longer shared");
  return openCapture("tab", async (local) => {
    const stream = await asked;
    if (stream && local) return capture(local, stream, { onEnd });
    stream?.getTracks().forEach((track) => track.stop());
    return null;
  });
}

const gone = ({ hint }: AntiphonError) => ended("error", "The microphone is gone", hint);

function ended(kind: "error" | "info", title: string, hint = ""): void {
  closeInput();
  notify(kind, title, hint);
}

async function openCapture(kind: "microphone" | "tab", open: (local: LocalSource | null) => Promise<Capture | null>): Promise<void> {
  input.setState({ isOpening: true });
  try {
    await switchToBrowser({ goOn: false });
    const opened = await open(session.getState().local);
    if (!opened) return;
    // It has taken the place of what was open.
    closeInput();
    release = opened.close;
    input.setState({ input: { kind, name: opened.label || (kind === "tab" ? "Tab" : "Microphone") } });
    setTap("input");
  } catch (error) {
    notifyError(`The ${kind} did not open`, error);
  } finally {
    input.setState({ isOpening: false });
  }
}

async function requestTab(): Promise<MediaStream | null> {
  if (!navigator.mediaDevices?.getDisplayMedia) {
    notify("error", "This browser cannot share the sound of a tab", "Use a current Chrome, Edge or Opera on a computer, over https or from localhost.");
    return null;
  }
  try {
    // Browsers give sound only together with a picture.
    return await navigator.mediaDevices.getDisplayMedia({ video: true, audio: PLAIN_CAPTURE });
  } catch (error) {
    const isRefusal = error instanceof DOMException && error.name === "NotAllowedError";
    notify("error", isRefusal ? "No tab was shared" : "The tab was not shared", "Press Tab audio again and choose a tab.");
  }
  return null;
}

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
  if (now.mode !== "server" || before.mode !== "browser") return;
  lastOpened = null;
  closeInput();
  input.setState({ isOpening: false });
});
