/** The compositions that this browser keeps, with their recordings: an IndexedDB, there without any server, for all tabs. */
import type { CompositionSpec, CompositionSummary } from "antiphon";
import { secondsFromTicks } from "../lib/tempo";

interface Kept {
  spec: CompositionSpec;
  changedAt: number;
}

let opened: Promise<IDBDatabase> | null = null;

function database(): Promise<IDBDatabase> {
  opened ??= new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open("antiphon", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("compositions", { keyPath: "spec.id" });
      request.result.createObjectStore("samples");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB did not open"));
    request.onblocked = () => reject(new Error("another tab holds an older version of this page; close it"));
  }).catch((error: unknown) => {
    opened = null;
    throw error;
  });
  return opened;
}

async function run<T>(store: "compositions" | "samples", mode: IDBTransactionMode, ask: (on: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const transaction = (await database()).transaction(store, mode);
  const request = ask(transaction.objectStore(store));
  return new Promise((resolve, reject) => {
    // A change is kept when the transaction is through, not when the request is.
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = transaction.onabort = () =>
      reject(transaction.error ?? request.error ?? new Error("this browser kept nothing; free some of its storage"));
  });
}

let channel: BroadcastChannel | null = null;

/** What a tab says in it, it does not hear itself. */
const otherTabs = () => (channel ??= new BroadcastChannel("antiphon-library"));

export const library = {
  async list(): Promise<CompositionSummary[]> {
    const all = (await run("compositions", "readonly", (on) => on.getAll())) as Kept[];
    return all
      .sort((a, b) => b.changedAt - a.changedAt)
      .map(({ spec }) => ({
        id: spec.id, name: spec.name, n_tracks: spec.tracks.length, loaded: false,
        seconds: secondsFromTicks(spec.length, spec.tempo),
      }));
  },
  async get(id: string): Promise<CompositionSpec | null> {
    const kept = (await run("compositions", "readonly", (on) => on.get(id))) as Kept | undefined;
    return kept?.spec ?? null;
  },
  async save(spec: CompositionSpec): Promise<void> {
    await run("compositions", "readwrite", (on) => on.put({ spec, changedAt: Date.now() } satisfies Kept));
    otherTabs().postMessage(spec.id);
  },
  /** Calls back with the id of each composition that another tab has saved, until the returned function is called. */
  onSavedElsewhere(saved: (id: string) => void): () => void {
    const listen = ({ data }: MessageEvent<unknown>) => {
      if (typeof data === "string") saved(data);
    };
    otherTabs().addEventListener("message", listen);
    return () => otherTabs().removeEventListener("message", listen);
  },
  async remove(id: string): Promise<void> {
    await run("compositions", "readwrite", (on) => on.delete(id));
  },
  async sample(id: string): Promise<ArrayBuffer | null> {
    return ((await run("samples", "readonly", (on) => on.get(id))) as ArrayBuffer | undefined) ?? null;
  },
  async addSample(id: string, file: ArrayBuffer): Promise<void> {
    await run("samples", "readwrite", (on) => on.put(file, id));
  },
};
