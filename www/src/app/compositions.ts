/** What this browser can play: the server's composition, the bundled file, and files that were opened. */
import { queryOptions } from "@tanstack/react-query";
import type { CompositionSpec } from "antiphon";
import { player, queryClient, rest, server } from "./connection";

/** The composition that the server plays. Kept for as long as the page lives: it is needed when the server is gone. */
export const serverComposition = queryOptions({
  queryKey: ["www", "server-composition"],
  // Not what `player` fetches for itself: that waits until the browser could play it.
  queryFn: fetchLoaded,
  staleTime: Infinity,
  gcTime: Infinity,
});

async function fetchLoaded(): Promise<CompositionSpec | null> {
  const before = cachedServerComposition();
  let cursor: string | undefined;
  do {
    const page = await rest.compositions.list(cursor === undefined ? { limit: 100 } : { limit: 100, cursor });
    const loaded = page.items.find((item) => item.loaded);
    if (loaded) {
      const spec = await rest.compositions.get(loaded.id);
      // What was changed here meanwhile is newer than the answer, and is fetched anew when the change was sent.
      const now = cachedServerComposition();
      return now !== before && now?.id === spec.id ? now : spec;
    }
    cursor = page.next_cursor;
  } while (cursor !== undefined);
  return null;
}

/** The server's composition as it was last fetched. */
export function cachedServerComposition(): CompositionSpec | null {
  return queryClient.getQueryData(serverComposition.queryKey) ?? null;
}

let bundled: Promise<ArrayBuffer> | null = null;

/** The bundled MIDI file, fetched once and then held. */
export function bundledMidi(): Promise<ArrayBuffer> {
  bundled ??= fetch(new URL("antiphon.mid", document.baseURI))
    .then((response) => {
      if (!response.ok) throw new Error(`antiphon.mid: ${response.status} ${response.statusText}`);
      return response.arrayBuffer();
    })
    .catch((error: unknown) => {
      bundled = null;
      throw error;
    });
  // Each caller gets its own copy, since the buffer may be handed to another thread.
  return bundled.then((bytes) => bytes.slice(0));
}

/** Fetches the server's composition whenever it may be another: with a new `hello`, and when the server is back. */
export function watchServer(): () => void {
  let seen: { hello: unknown; isLive: boolean } = { hello: null, isLive: false };
  const check = () => {
    const now = { hello: server.hello, isLive: server.status === "live" };
    const isNews = now.isLive && (!seen.isLive || now.hello !== seen.hello);
    seen = now;
    // A failure shows elsewhere, and what was fetched before stays.
    if (isNews) {
      // A fetch that is under way may have asked before the change.
      queryClient
        .cancelQueries({ queryKey: serverComposition.queryKey })
        .then(() => queryClient.fetchQuery({ ...serverComposition, staleTime: 0 }))
        .catch(() => undefined);
    }
  };
  check();
  return server.onStatus(check);
}

/** Makes the browser's engine. Failures wait until somebody asks for it, and are told then. */
export function warmUp(): void {
  void player.prepare().catch(() => undefined);
}
