/** Where compositions are kept: on the server, or in this browser. The same things can be done with both. */
import type { CompositionSpec, CompositionSummary } from "antiphon";
import { queryClient, rest } from "../app/connection";
import { importFile, isMidi, playOnServer } from "../app/imports";
import { library } from "../app/library";
import { importHere, openKept, session } from "../app/session";
import { edit, settled, shownComposition } from "../edit/editor";
import { newComposition } from "../edit/model";

export interface Shelf {
  list(): Promise<CompositionSummary[]>;
  get(id: string): Promise<CompositionSpec>;
  /** Makes it what plays. */
  open(id: string): Promise<void>;
  create(name: string): Promise<void>;
  rename(id: string, name: string): Promise<void>;
  remove(id: string): Promise<void>;
  /** Puts back what was removed. */
  restore(spec: CompositionSpec): Promise<void>;
  /** A MIDI or audio file as a composition that plays. */
  import(file: File): Promise<void>;
}

const serverShelf: Shelf = {
  async list() {
    const items: CompositionSummary[] = [];
    let cursor: string | undefined;
    do {
      const page = await rest.compositions.list({ limit: 100, ...(cursor !== undefined && { cursor }) });
      items.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor !== undefined);
    return items;
  },
  get: (id) => rest.compositions.get(id),
  open: async (id) => playOnServer(await rest.compositions.get(id)),
  create: async (name) => playOnServer(await rest.compositions.create(newComposition(name))),
  async rename(id, name) {
    await rest.compositions.patch(id, { name });
  },
  remove: (id) => rest.compositions.remove(id),
  async restore(spec) {
    await rest.compositions.create(spec);
  },
  import: (file) => importFile(file),
};

async function kept(id: string): Promise<CompositionSpec> {
  const spec = await library.get(id);
  if (!spec) throw new Error("this browser no longer has it");
  return spec;
}

const browserShelf: Shelf = {
  async list() {
    const playing = session.getState().composition?.id;
    return (await library.list()).map((one) => ({ ...one, loaded: one.id === playing }));
  },
  get: kept,
  open: async (id) => openKept(await kept(id)),
  async create(name) {
    const spec = newComposition(name);
    await library.save(spec);
    await openKept(spec);
  },
  async rename(id, name) {
    // One that plays is changed as it is by now, in the engine too: the next change is made of that.
    if (shownComposition()?.id !== id) return library.save({ ...(await kept(id)), name });
    edit((spec) => ({ ...spec, name }), "The name was not changed");
    await settled();
  },
  remove: (id) => library.remove(id),
  restore: (spec) => library.save(spec),
  import: (file) => importHere(file, isMidi(file)),
};

export const shelfOf = (mode: "server" | "browser"): Shelf => (mode === "server" ? serverShelf : browserShelf);

export const shelfKey = (mode: "server" | "browser") => ["www", "shelf", mode] as const;

/** The list may be another one now. */
export const refreshShelf = (): Promise<void> => queryClient.invalidateQueries({ queryKey: ["www", "shelf"] });
