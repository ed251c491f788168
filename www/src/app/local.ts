/**
 * The engine in this browser, made while the server is still there.
 *
 * A worklet's code is fetched by `addModule` alone and belongs to its context, so neither the HTTP cache nor a blob
 * (which the content policy forbids) can be relied on once the server has gone. Hence the context, with the worklet
 * in it, is made when the page is idle and stays suspended until somebody wants to hear it.
 */
import { createLocalSource, type LocalSource } from "antiphon";

let made: LocalSource | null = null;
let making: Promise<LocalSource> | null = null;

/** The local source, if it is ready: then `resume()` can be called right inside a click. */
export function readyLocal(): LocalSource | null {
  return made?.status === "failed" || made?.status === "closed" ? null : made;
}

/** Makes the local source, once; after a failure the next call tries again. */
export function ensureLocal(): Promise<LocalSource> {
  const ready = readyLocal();
  if (ready) return Promise.resolve(ready);
  making ??= make().finally(() => {
    making = null;
  });
  return making;
}

async function make(): Promise<LocalSource> {
  const context = new AudioContext({ latencyHint: "interactive" });
  try {
    made = await createLocalSource(context);
    return made;
  } catch (error) {
    void context.close();
    throw error;
  }
}

/** Makes the local source when the page is idle. Failures wait until somebody asks for it, and are told then. */
export function warmUp(wanted: () => boolean): void {
  const start = () => {
    ensureLocal()
      .then((local) => (wanted() ? undefined : local.context.suspend()))
      .catch(() => undefined);
  };
  // Safari has no requestIdleCallback.
  if (typeof requestIdleCallback === "function") requestIdleCallback(start, { timeout: 3000 });
  else setTimeout(start, 500);
}
