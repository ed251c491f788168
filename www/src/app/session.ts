/** Which source the page shows, and what the browser plays. Lives outside React: it owns an audio context. */
import type { CompositionSpec, LocalSource, Source } from "antiphon";
import { createStore } from "zustand/vanilla";
import { turn } from "../lib/turns";
import { bundledMidi, cachedServerComposition } from "./compositions";
import { player, server } from "./connection";
import { library } from "./library";
import { notify, notifyError } from "./notices";
import { prefs } from "./prefs";
import { anySample } from "./samples";

/** Something that the browser can load. */
export interface Choice {
  id: string;
  label: string;
  /** What it is called once it is loaded; its label when absent. */
  name?: string;
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
const switching = turn();
/** What this browser plays or measures: a composition or a file. */
export const opening = turn();
let switched = Promise.resolve();

/** All that the browser can load now. */
export function choices(): Choice[] {
  const fromServer = cachedServerComposition();
  return [
    ...(fromServer
      ? [{ id: "server", label: `${fromServer.name} (the server's)`, data: () => Promise.resolve(fromServer) }]
      : []),
    { id: "bundled", label: "Antiphon (bundled)", name: "Antiphon", data: bundledMidi },
    ...get().opened,
    ...keptChoice(),
  ];
}

/** One of this browser's own that is loaded. */
function keptChoice(): Choice[] {
  const { choiceId, composition } = get();
  if (!composition || choiceId !== keptId(composition)) return [];
  return [{ id: choiceId, label: composition.name, data: () => Promise.resolve(composition) }];
}

const keptId = ({ id }: CompositionSpec) => `kept:${id}`;

export function setTap(tap: string): void {
  set({ tap });
}

/**
 * Shows this browser's engine and, with `goOn`, plays on from where the server is or was. Call it inside a click:
 * browsers let sound start only there.
 */
export function switchToBrowser({ goOn = true } = {}): Promise<void> {
  if (get().mode === "browser") return Promise.resolve();
  if (!get().isSwitching) {
    // Here, since a click counts only now.
    void player.resume();
    switched = makeSwitch(goOn);
  }
  return switched;
}

async function makeSwitch(goOn: boolean): Promise<void> {
  const isWanted = switching.take();
  set({ isSwitching: true });
  try {
    const local = (await player.prepare()) as LocalSource;
    if (isWanted() && !player.composition && !get().composition) await load(local, await firstChoice());
    if (isWanted()) await player.takeOver({ goOn });
    if (!isWanted()) return;
    const { composition } = local;
    const isServers = composition !== null && composition.id === player.composition?.id;
    set({ mode: "browser", source: local, local, tap: "master", ...(isServers && { composition, choiceId: "server" }) });
  } catch (error) {
    if (isWanted()) notifyError("This browser cannot play", error, "Open the page over https or from localhost in a current browser.");
  } finally {
    if (isWanted()) set({ isSwitching: false });
  }
}

/** Shows the server again, or goes on showing it; the browser falls silent. */
export function switchToServer(): void {
  switching.end();
  player.failBack();
  set({ isSwitching: false });
  if (get().mode === "server") return;
  set({ mode: "server", source: server, local: null, tap: "master" });
}

/** The server's composition, else the one that was open here last, else the bundled one. */
async function firstChoice(): Promise<Choice> {
  const { kept } = prefs.getState();
  if (!cachedServerComposition() && kept) {
    const spec = await library.get(kept).catch(() => null);
    if (spec) return { id: keptId(spec), label: spec.name, data: () => Promise.resolve(spec) };
  }
  return choices()[0]!;
}

/** `isWanted`: nothing else was opened meanwhile, which would be heard now. */
async function load(local: LocalSource, choice: Choice, isWanted = () => true): Promise<void> {
  const composition = await local.load(await choice.data(), choice.name ?? choice.label, { samples: anySample });
  set({ composition, choiceId: choice.id, ...(isWanted() && { tap: "master" }) });
}

/** Loads another composition into the browser's engine. */
export async function choose(choiceId: string): Promise<void> {
  const { local } = get();
  const choice = choices().find((one) => one.id === choiceId);
  if (!local || !choice) return;
  const isWanted = opening.take();
  set({ isSwitching: true });
  try {
    const wasPlaying = local.latest("transport")?.is_playing ?? false;
    await load(local, choice, isWanted);
    if (wasPlaying && isWanted()) await local.playback.play();
  } catch (error) {
    notifyError(`${choice.label} cannot be played`, error, "Choose another composition.");
  } finally {
    set({ isSwitching: false });
  }
}

/** Plays a composition that this browser keeps. */
export async function openKept(spec: CompositionSpec): Promise<void> {
  const isWanted = opening.take();
  await switchToBrowser({ goOn: false });
  const { local } = get();
  if (!local || !isWanted()) return;
  const wasPlaying = local.latest("transport")?.is_playing ?? false;
  await load(local, { id: keptId(spec), label: spec.name, data: () => Promise.resolve(spec) }, isWanted);
  prefs.setState({ kept: spec.id });
  if (wasPlaying && isWanted()) await local.playback.play();
}

/** Makes a composition of a MIDI or audio file, keeps it in this browser, and plays it. */
export async function importHere(file: File, isMidi: boolean): Promise<void> {
  const isWanted = opening.take();
  await switchToBrowser({ goOn: false });
  const { local } = get();
  if (!local || !isWanted()) return;
  try {
    const bytes = await file.arrayBuffer();
    // Else it would be told that it is no recording, which nobody thought.
    if (isMidi && !/^(MThd|RIFF)/.test(beginning(bytes))) throw new Error("it is not a Standard MIDI File, which starts with MThd");
    const name = file.name.replace(/\.[^.]+$/, "").slice(0, 200) || "Untitled";
    const choice: Choice = { id: `file:${file.name}:${file.lastModified}`, label: name, data: () => Promise.resolve(bytes.slice(0)) };
    await load(local, choice, isWanted);
    set({ opened: [...get().opened.filter((one) => one.id !== choice.id), choice] });
    if (isWanted()) await local.playback.play();
    await keep(local.composition, isMidi ? null : bytes);
    notify("info", `${file.name} is loaded`);
  } catch (error) {
    const hint = isMidi ? "Open a Standard MIDI File of type 0 or 1." : "Try WAV, AIFF, FLAC, MP3 or Ogg Vorbis.";
    notifyError(`${file.name} cannot be played`, error, hint);
  }
}

const beginning = (bytes: ArrayBuffer) => String.fromCharCode(...new Uint8Array(bytes.slice(0, 4)));

/** Keeps a composition in this browser, with the recording that it was made of. */
async function keep(spec: CompositionSpec | null, recording: ArrayBuffer | null): Promise<void> {
  if (!spec) return;
  const [sample] = spec.tracks.flatMap((track) => track.audio_clips.map((clip) => clip.sample));
  try {
    if (sample && recording) await library.addSample(sample, recording);
    await library.save(spec);
    prefs.setState({ kept: spec.id });
  } catch (error) {
    notifyError("This browser did not keep the composition", error, "It plays until the page is left.");
  }
}
