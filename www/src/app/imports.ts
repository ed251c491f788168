/** Files that the server takes: MIDI and recordings become compositions there, and play. */
import type { CompositionSpec } from "antiphon";
import { queryClient, rest } from "./connection";
import { cachedServerComposition, serverComposition } from "./compositions";
import { notify, notifyError } from "./notices";
import { PPQ } from "../lib/bars";

export const isMidi = (file: File) => /\.midi?$/i.test(file.name) || /\bmidi?$/.test(file.type);

/** Makes a composition what the server plays, looped as a whole. */
export async function playOnServer(spec: CompositionSpec): Promise<void> {
  await rest.compositions.load(spec.id);
  // The stream may have said so before, and somebody may have changed it since.
  if (cachedServerComposition()?.id !== spec.id) queryClient.setQueryData(serverComposition.queryKey, spec);
  if (spec.length > 0) {
    await rest.playback.setLoop({ enabled: true, start_beats: 0, end_beats: spec.length / PPQ });
  }
  await queryClient.invalidateQueries({ predicate: ({ queryKey }) => queryKey !== serverComposition.queryKey });
}

/** Stores a file on the server as a composition, and plays that, unless something else is wanted by then. */
export async function importFile(file: File, isWanted = () => true): Promise<void> {
  const name = file.name.replace(/\.[^.]+$/, "").slice(0, 200) || "Untitled";
  try {
    const bytes = await file.arrayBuffer();
    const { compositions, playback } = rest;
    const created = await (isMidi(file) ? compositions.importMidi(bytes, name) : compositions.importAudio(bytes, { name }));
    if (!isWanted()) return notify("info", `${file.name} is among the server's compositions`);
    await playOnServer(created);
    await playback.play();
    notify("info", `${file.name} plays on the server`);
  } catch (error) {
    notifyError(`${file.name} was not imported`, error, "Try WAV, AIFF, FLAC, MP3 or Ogg Vorbis, or a MIDI file.");
  }
}
