/**
 * The engine in this browser, made while the server is still there.
 *
 * A worklet's code is fetched by `addModule` alone and belongs to its context, so neither the HTTP cache nor a blob
 * (which the content policy forbids) can be relied on once the server has gone. Hence the context, with the worklet
 * in it, is made when the page is idle and stays suspended until somebody wants to hear it.
 */
import { createLocalSource, type Handover, type LocalSource } from "antiphon";

/** At the server's rate, where that is known. */
export async function makeLocal({ sampleRate }: Handover): Promise<LocalSource> {
  const context = new AudioContext({ latencyHint: "interactive", ...(sampleRate !== undefined && { sampleRate }) });
  try {
    return await createLocalSource(context);
  } catch (error) {
    void context.close();
    throw error;
  }
}
