// What a browser needs to play on without the server: its composition and the samples of that, fetched in time.
import type { CompositionsClient, SamplesClient } from "./clients.ts";
import { inTurn } from "./in-turn.ts";
import { preloadOffline, sampleUses } from "./offline.ts";
import type { Source } from "./source.ts";
import type { CompositionSpec } from "./types.gen.ts";
import type { WasmLocation } from "./wasm.ts";

/** Where it is fetched from; a RestClient has both. */
export interface PrefetchClients {
  compositions: Pick<CompositionsClient, "list" | "get">;
  samples: Pick<SamplesClient, "file">;
}

/** While somebody drags a fader: each change makes the fallback load the composition. */
const FOLLOW_MS = 5000;
/** After a failure, since the next change may be long in coming. */
const RETRY_MS = 15_000;

/** Keeps the composition that a server plays, and its samples' files. */
export class Prefetch {
  composition: CompositionSpec | null = null;
  readonly #clients: PrefetchClients;
  readonly #wasm: WasmLocation | undefined;
  readonly #files = new Map<string, Promise<ArrayBuffer>>();
  #running: Promise<CompositionSpec | null> | null = null;
  #next: Promise<CompositionSpec | null> | null = null;

  constructor(clients: PrefetchClients, wasm: WasmLocation | undefined) {
    this.#clients = clients;
    this.#wasm = wasm;
  }

  /** The file of a sample, fetched once; after a failure the next call tries again. */
  readonly samples = (id: string): Promise<ArrayBuffer> => {
    const file = this.#files.get(id) ?? this.#clients.samples.file(id);
    this.#files.set(id, file);
    file.catch(() => this.#files.delete(id));
    return file;
  };

  /** Fetches what plays now; rejects when the server does not answer, and what was fetched before stays. */
  refresh(): Promise<CompositionSpec | null> {
    if (!this.#running) return (this.#running = this.#fetch().finally(() => (this.#running = null)));
    // One that is under way may have asked before the change.
    this.#next ??= this.#running.catch(() => null).then(() => {
      this.#next = null;
      return this.refresh();
    });
    return this.#next;
  }

  /**
   * Calls `refresh` whenever the server may play something else: with a new hello, when it is back, and when the
   * composition has another revision, since others move faders. What fails is tried again while the server is there.
   */
  watch(source: Source, refresh: () => Promise<unknown>): () => void {
    let retry: ReturnType<typeof setTimeout> | undefined;
    let isWatching = true;
    const stale = () => refresh().then(() => clearTimeout(retry), () => {
      clearTimeout(retry);
      if (isWatching) retry = setTimeout(() => seen.isLive && turns.again(), RETRY_MS);
    });
    const turns = inTurn(stale, { pauseMs: FOLLOW_MS });
    let seen: { hello: unknown; isLive: boolean } = { hello: null, isLive: false };
    const check = () => {
      const now = { hello: source.hello, isLive: source.status === "live" };
      const isNews = now.isLive && (!seen.isLive || now.hello !== seen.hello);
      seen = now;
      if (isNews) void stale();
    };
    check();
    // The first one is news too: what was fetched at hello may be from before it.
    let revision: number | null = null;
    const ends = [
      source.onStatus(check),
      source.subscribe("transport", ({ composition_revision: now }) => {
        if (now === revision) return;
        revision = now;
        turns.again();
      }),
      turns.end,
    ];
    return () => {
      isWatching = false;
      ends.forEach((end) => end());
      clearTimeout(retry);
    };
  }

  async #fetch(): Promise<CompositionSpec | null> {
    const { compositions } = this.#clients;
    let cursor: string | undefined;
    let composition: CompositionSpec | null = null;
    do {
      const page = await compositions.list({ limit: 100, ...(cursor !== undefined && { cursor }) });
      const loaded = page.items.find((item) => item.loaded);
      if (loaded) composition = await compositions.get(loaded.id);
      cursor = loaded ? undefined : page.next_cursor;
    } while (cursor !== undefined);
    // One that says the same keeps its identity, so that nobody loads it again.
    if (JSON.stringify(composition) !== JSON.stringify(this.composition)) this.composition = composition;
    const ids = new Set(composition ? sampleUses(composition).map(({ id }) => id) : []);
    for (const id of this.#files.keys()) if (!ids.has(id)) this.#files.delete(id);
    if (ids.size > 0) await Promise.all([preloadOffline({ wasm: this.#wasm }), ...[...ids].map(this.samples)]);
    return this.composition;
  }
}
