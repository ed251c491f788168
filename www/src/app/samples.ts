/** Files of the samples that the server's compositions use, fetched once: they never change, and the server may go. */
import { preloadOffline } from "antiphon";
import type { CompositionSpec } from "antiphon";
import { rest } from "./connection";
import { library } from "./library";

const files = new Map<string, Promise<ArrayBuffer>>();

/** The file of a sample; after a failure the next call tries again. */
export function sampleFile(id: string): Promise<ArrayBuffer> {
  const file = files.get(id) ?? rest.samples.file(id);
  files.set(id, file);
  file.catch(() => files.delete(id));
  return file;
}

/** A sample's file, kept by this browser or fetched. */
export async function anySample(id: string): Promise<ArrayBuffer> {
  // Without a database nothing is kept, and the server is asked.
  return (await library.sample(id).catch(() => null)) ?? sampleFile(id);
}

/** Fetches all that this browser needs to play a composition without the server; lets other samples go. */
export async function keepSamples({ tracks }: CompositionSpec): Promise<void> {
  const clips = tracks.flatMap((track) => track.audio_clips ?? []);
  const zones = tracks.flatMap((track) => track.instrument?.zones ?? []);
  const ids = new Set([...clips, ...zones].map(({ sample }) => sample));
  for (const id of files.keys()) if (!ids.has(id)) files.delete(id);
  if (ids.size > 0) await Promise.all([preloadOffline(), ...[...ids].map(sampleFile)]);
}
