/** What is played, as files: rendered and written in this browser, whoever plays it. */
import { type CompositionSpec, exportMidi, renderComposition } from "antiphon";
import { createStore } from "zustand/vanilla";
import { cachedServerComposition, serverComposition } from "./compositions";
import { queryClient, server } from "./connection";
import { notify, notifyError } from "./notices";
import { anySample } from "./samples";
import { session } from "./session";

export type Bits = 16 | 24 | 32;

/** How much of a render is done, 0 to 1; null when none runs. */
export const download = createStore<{ progress: number | null }>(() => ({ progress: null }));

let running: AbortController | null = null;

/** Renders the composition that is shown, at its engine's rate, and saves the WAV file. */
export async function downloadWav(bits: Bits): Promise<void> {
  if (running) return;
  const abort = (running = new AbortController());
  download.setState({ progress: 0 });
  try {
    const composition = await shown();
    const { local } = session.getState();
    const sampleRate = local?.context.sampleRate ?? server.hello?.sample_rate;
    const onProgress = (progress: number) => download.setState({ progress });
    const wav = await renderComposition(composition, {
      bits, sampleRate, samples: anySample, onProgress, signal: abort.signal,
    });
    save(wav, composition.name, "wav");
  } catch (error) {
    if (!abort.signal.aborted) notifyError("The composition was not rendered", error, "Try again.");
  } finally {
    running = null;
    download.setState({ progress: null });
  }
}

/** Ends a render that runs. */
export function cancelDownload(): void {
  running?.abort();
}

/** Saves the composition that is shown as a MIDI file. */
export async function downloadMidi(): Promise<void> {
  try {
    const composition = await shown();
    const file = await exportMidi(composition);
    save(new Blob([file], { type: "audio/midi" }), composition.name, "mid");
    const isLeftOut = composition.tracks.some((track) => (track.audio_clips?.length ?? 0) > 0);
    if (isLeftOut) notify("info", "Audio clips have no place in a MIDI file", "They were left out.");
  } catch (error) {
    notifyError("The MIDI file was not written", error, "Try again.");
  }
}

/** With every change until now; from a server that is gone, as it was last seen. */
async function shown(): Promise<CompositionSpec> {
  const { local } = session.getState();
  const fetched = () =>
    queryClient.fetchQuery({ ...serverComposition, staleTime: 0 }).catch((error: unknown) => {
      const cached = cachedServerComposition();
      if (!cached) throw error;
      return cached;
    });
  const composition = local ? local.composition : await fetched();
  if (!composition) throw new Error("nothing is loaded");
  return composition;
}

/** Saves a file under a name that every system takes. */
export function save(file: Blob, name: string, extension: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = `${name.replace(/[\\/:*?"<>|]/g, "_")}.${extension}`;
  link.click();
  // The download has the file by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
