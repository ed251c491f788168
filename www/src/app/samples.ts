/** Files of samples, from wherever they are. */
import { player } from "./connection";
import { library } from "./library";

/** A sample's file, kept by this browser or fetched. */
export async function anySample(id: string): Promise<ArrayBuffer> {
  // Without a database nothing is kept, and the server is asked.
  return (await library.sample(id).catch(() => null)) ?? player.samples(id);
}
