/** The flight recorder: the last ten minutes of whichever source is shown, or a file of them. */
import { type FrameOf, openRecording, type Recording } from "antiphon";
import { createStore } from "zustand/vanilla";
import { rest } from "../app/connection";
import { save } from "../app/downloads";
import { notify, notifyError } from "../app/notices";
import { session } from "../app/session";

export interface OpenedRecording {
  recording: Recording;
  /** Where it comes from, for people. */
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** Of the master, in order. */
  meters: FrameOf<"meters">[];
  spectra: FrameOf<"spectrum">[];
}

export interface RecorderState {
  opened: OpenedRecording | null;
  /** Sample position that is looked at. */
  position: number;
  isLoading: boolean;
}

export const recorder = createStore<RecorderState>(() => ({ opened: null, position: 0, isLoading: false }));

const TAP = "master";

/** Takes what the recorder of the source that is shown has. */
export async function loadLast(): Promise<void> {
  const { local } = session.getState();
  await load(local ? "This browser" : "The server", async () => (local ? local.recorder.save() : rest.recorder.save()));
}

export async function openRecordingFile(file: File): Promise<void> {
  await load(file.name, async () => new Uint8Array(await file.arrayBuffer()));
}

async function load(name: string, fetchBytes: () => Promise<Uint8Array<ArrayBuffer>>): Promise<void> {
  recorder.setState({ isLoading: true });
  try {
    const bytes = await fetchBytes();
    const recording = await openRecording(bytes);
    const frames = recording.frames({ tap: TAP });
    const meters = frames.filter((frame) => frame.type === "meters");
    const spectra = frames.filter((frame) => frame.type === "spectrum");
    if (!recording.range) return notify("info", `${name}: nothing is recorded yet`, "Let it run for a second, and look again.");
    recorder.setState({ opened: { recording, name, bytes, meters, spectra }, position: recording.range.to });
  } catch (error) {
    notifyError(`The recording of ${name} did not open`, error, "Start the server without --recorder off.");
  } finally {
    recorder.setState({ isLoading: false });
  }
}

export const saveRecording = ({ name, bytes }: OpenedRecording): void => save(new Blob([bytes]), `${name} recording`, "antiphon");

export const closeRecording = (): void => recorder.setState({ opened: null });

/** What was measured at a position; null where nothing was. */
export function momentAt(
  { meters, spectra }: Pick<OpenedRecording, "meters" | "spectra">, position: number,
): { meters: FrameOf<"meters"> | null; spectrum: FrameOf<"spectrum"> | null } {
  return { meters: firstFrom(meters, position), spectrum: firstFrom(spectra, position) };
}

/** The first frame that ends at the position or later: it measured it. */
function firstFrom<F extends { sample_position: number }>(frames: readonly F[], position: number): F | null {
  let [low, high] = [0, frames.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (frames[middle]!.sample_position < position) low = middle + 1;
    else high = middle;
  }
  return frames[low] ?? null;
}
