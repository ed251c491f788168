/** Which source the page shows, and what the browser plays. Lives outside React: it owns an audio context. */
import type { CompositionSpec, LocalSource, Source } from "antiphon";
import { createStore } from "zustand/vanilla";
import { bundledMidi, cachedServerComposition } from "./compositions";
import { type Continuation, server, serverContinuation } from "./connection";
import { ensureLocal, readyLocal } from "./local";
import { notify, notifyError } from "./notices";
import { anySample } from "./samples";

/** Something that the browser can load. */
export interface Choice {
  id: string;
  label: string;
  data: () => Promise<ArrayBuffer | CompositionSpec>;
}

export interface Session {
  mode: "server" | "browser";
  /** What the panels draw. */
  source: Source;
  /** The same, when it is the browser's. */
  local: LocalSource | null;
  /** The browser's engine is being made or loaded. */
  isSwitching: boolean;
  /** What the browser plays. */
  composition: CompositionSpec | null;
  choiceId: string | null;
  /** MIDI files that were opened here. */
  opened: Choice[];
  /** Where spectrum and waveform listen: `master`, `input` or a track's id. */
  tap: string;
}

export const session = createStore<Session>(() => ({
  mode: "server",
  source: server,
  local: null,
  isSwitching: false,
  composition: null,
  choiceId: null,
  opened: [],
  tap: "master",
}));

const { getState: get, setState: set } = session;

/** All that the browser can load now. */
export function choices(): Choice[] {
  const fromServer = cachedServerComposition();
  return [
    ...(fromServer
      ? [{ id: "server", label: `${fromServer.name} (the server's)`, data: () => Promise.resolve(fromServer) }]
      : []),
    { id: "bundled", label: "Antiphon (bundled)", data: bundledMidi },
    ...get().opened,
  ];
}

export function setTap(tap: string): void {
  set({ tap });
}

/**
 * Shows this browser's engine and, with `goOn`, plays on from where the server is or was. Call it inside a click:
 * browsers let sound start only there.
 */
export async function switchToBrowser({ goOn = true } = {}): Promise<void> {
  if (get().mode === "browser" || get().isSwitching) return;
  void readyLocal()?.resume();
  set({ isSwitching: true });
  try {
    const local = await ensureLocal();
    await local.resume();
    if (!get().composition) await load(local, choices()[0]!);
    // Now, since loading takes its time and the server plays on.
    const continuation = serverContinuation();
    set({ mode: "browser", source: local, local, tap: "master" });
    if (goOn && continuation) await takeOver(local, continuation);
  } catch (error) {
    notifyError("This browser cannot play", error, "Open the page over https or from localhost in a current browser.");
  } finally {
    set({ isSwitching: false });
  }
}

/** Shows the server again; the browser falls silent. */
export function switchToServer(): void {
  const { local, mode } = get();
  if (mode === "server") return;
  set({ mode: "server", source: server, local: null, tap: "master" });
  if (!local) return;
  local.playback
    .pause()
    .catch(() => undefined)
    .then(() => local.context.suspend())
    .catch((error: unknown) => notifyError("The browser's sound did not stop", error, "Reload the page."));
}

async function takeOver(local: LocalSource, from: Continuation): Promise<void> {
  const { playback } = local;
  // The positions mean something only in the composition that they were measured in.
  if (get().choiceId === "server") {
    await playback.seek({ position_beats: from.position_beats });
    if (from.loop_end > from.loop_start) {
      await playback.setLoop({
        enabled: from.loop_enabled,
        start_beats: from.loop_start,
        end_beats: from.loop_end,
      });
    }
    await playback.setTempo({ bpm: from.tempo });
    await playback.setMetronome({ enabled: from.metronome_enabled });
  }
  if (from.is_playing) await playback.play();
}

async function load(local: LocalSource, choice: Choice): Promise<void> {
  const composition = await local.load(await choice.data(), choice.label, { samples: anySample });
  set({ composition, choiceId: choice.id, tap: "master" });
}

/** Loads another composition into the browser's engine. */
export async function choose(choiceId: string): Promise<void> {
  const { local } = get();
  const choice = choices().find((one) => one.id === choiceId);
  if (!local || !choice) return;
  set({ isSwitching: true });
  try {
    const wasPlaying = local.latest("transport")?.is_playing ?? false;
    await load(local, choice);
    if (wasPlaying) await local.playback.play();
  } catch (error) {
    notifyError(`${choice.label} cannot be played`, error, "Choose another composition.");
  } finally {
    set({ isSwitching: false });
  }
}

/** Loads a MIDI file that was opened or dropped, in the browser's engine. */
export async function openMidi(file: File): Promise<void> {
  await switchToBrowser({ goOn: false });
  const { local } = get();
  if (!local) return;
  try {
    const bytes = await file.arrayBuffer();
    const choice: Choice = {
      id: `file:${file.name}:${file.lastModified}`,
      label: file.name.replace(/\.midi?$/i, ""),
      data: () => Promise.resolve(bytes.slice(0)),
    };
    await load(local, choice);
    set({ opened: [...get().opened.filter((one) => one.id !== choice.id), choice] });
    await local.playback.play();
    notify("info", `${file.name} is loaded`);
  } catch (error) {
    notifyError(`${file.name} cannot be played`, error, "Open a Standard MIDI File of type 0 or 1.");
  }
}
