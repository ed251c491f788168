/** A sound file that was dropped onto the arrangement: kept as a sample, and placed as a clip. */
import { decodeAudio } from "antiphon";
import { rest } from "../app/connection";
import { isMidi } from "../app/imports";
import { openFile } from "../app/input";
import { library } from "../app/library";
import { notifyError } from "../app/notices";
import { session } from "../app/session";
import { edit, shownComposition } from "../edit/editor";
import { addClip, addTrack, newTrack } from "../edit/model";
import { select } from "../edit/selection";
import { newId } from "../lib/ids";

const nameOf = (file: File) => file.name.replace(/\.[^.]+$/, "").slice(0, 200) || "Recording";

async function keep(file: File): Promise<{ sample: string; seconds: number }> {
  const bytes = await file.arrayBuffer();
  if (session.getState().mode === "server") {
    const { id, seconds } = await rest.samples.add(bytes, nameOf(file));
    return { sample: id, seconds };
  }
  const { channels, sampleRate } = await decodeAudio(bytes);
  const sample = newId();
  await library.addSample(sample, bytes);
  return { sample, seconds: (channels[0]?.length ?? 0) / sampleRate };
}

/** On a track, or on a new one. */
export async function addRecording(file: File, trackId: string | null, start: number): Promise<void> {
  if (isMidi(file)) return openFile(file);
  try {
    const { sample, seconds } = await keep(file);
    const spec = shownComposition();
    if (!spec) return;
    const clip = {
      id: newId(), sample, start, offset_seconds: 0, length_seconds: seconds, gain_db: 0, fade_in_seconds: 0, fade_out_seconds: 0,
    };
    const track = newTrack(spec, nameOf(file));
    const isMade = trackId ? edit(addClip(trackId, clip)) : edit(addTrack({ ...track, audio_clips: [clip] }));
    if (isMade) select({ track: trackId ?? track.id, clip: clip.id });
  } catch (error) {
    notifyError(`${file.name} was not added`, error, "Try WAV, AIFF, FLAC, MP3 or Ogg Vorbis.");
  }
}
