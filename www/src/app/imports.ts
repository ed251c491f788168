/** Files that the server takes: MIDI and recordings become compositions there, and play. */
import { queryClient, rest } from "./connection";
import { serverComposition } from "./compositions";
import { notify, notifyError } from "./notices";
import { PPQ } from "../lib/bars";

export const isMidi = (file: File) => /\.midi?$/i.test(file.name) || /\bmidi?$/.test(file.type);

/** Stores a file on the server as a composition, and plays that, looped as a whole. */
export async function importFile(file: File): Promise<void> {
  const name = file.name.replace(/\.[^.]+$/, "").slice(0, 200) || "Untitled";
  try {
    const bytes = await file.arrayBuffer();
    const { compositions, playback } = rest;
    const created = await (isMidi(file) ? compositions.importMidi(bytes, name) : compositions.importAudio(bytes, { name }));
    await compositions.load(created.id);
    if (created.length > 0) {
      await playback.setLoop({ enabled: true, start_beats: 0, end_beats: created.length / PPQ });
    }
    await playback.play();
    queryClient.setQueryData(serverComposition.queryKey, created);
    await queryClient.invalidateQueries({ predicate: ({ queryKey }) => queryKey !== serverComposition.queryKey });
    notify("info", `${file.name} plays on the server`);
  } catch (error) {
    notifyError(`${file.name} was not imported`, error, "Try WAV, AIFF, FLAC, MP3 or Ogg Vorbis, or a MIDI file.");
  }
}
