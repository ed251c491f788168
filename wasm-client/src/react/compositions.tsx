// The compositions that a server keeps, as React state.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useMemo } from "react";
import type { CompositionsClient, PlaybackState } from "../clients.ts";
import type { CompositionPage, CompositionSpec, CompositionSummary } from "../types.gen.ts";
import { handled, keyOf, useRefetchOnRevision } from "./clients.ts";

const ClientContext = createContext<CompositionsClient | null>(null);

/** Makes a compositions client the one that `useCompositions` asks. */
export function CompositionsProvider(
  { client, children }: { client: CompositionsClient; children?: ReactNode },
): ReactNode {
  return (
    <ClientContext.Provider value={client}>
      <Follow client={client} />
      {children}
    </ClientContext.Provider>
  );
}

/** All pages of the list, for names and dates: soon is enough. */
const LIST_MS = 1000;

function Follow({ client }: { client: CompositionsClient }): null {
  useRefetchOnRevision(keyOf("compositions", client), { pauseMs: LIST_MS, onlySeen: true });
  return null;
}

/** A server's compositions, and what changes them. */
export interface Compositions {
  /** All of them; `undefined` until the first answer. */
  compositions: CompositionSummary[] | undefined;
  /** All of a composition. */
  get(id: string): Promise<CompositionSpec>;
  /** Stores a Standard MIDI File as a composition. */
  importMidi(bytes: ArrayBuffer | Uint8Array<ArrayBuffer>, name?: string): Promise<CompositionSpec>;
  /** Makes it what plays. */
  load(id: string): Promise<PlaybackState>;
  /** Deletes it. */
  remove(id: string): Promise<void>;
  error: Error | null;
  isPending: boolean;
}

/** The list and what can be done with it. */
export function useCompositions(): Compositions {
  const client = useContext(ClientContext);
  if (!client) throw new Error("useCompositions needs a <CompositionsProvider client={…}> above it");
  const queries = useQueryClient();
  const query = useQuery({ queryKey: keyOf("compositions", client), queryFn: () => all(client) });
  const { mutateAsync, error, isPending } = useMutation({
    networkMode: "always",
    mutationFn: (command: () => Promise<unknown>) => command(),
    onSettled: () => queries.invalidateQueries({ queryKey: keyOf("compositions", client) }),
  });
  const commands = useMemo(() => {
    const send = <R,>(command: () => Promise<R>) => handled(mutateAsync(command) as Promise<R>);
    return {
      get: (id: string) => client.get(id),
      importMidi: (bytes: ArrayBuffer | Uint8Array<ArrayBuffer>, name?: string) =>
        send(() => client.importMidi(bytes, name)),
      load: (id: string) => send(() => client.load(id)),
      remove: (id: string) => send(() => client.remove(id)),
    };
  }, [client, mutateAsync]);
  return { ...commands, compositions: query.data, error: error ?? query.error, isPending };
}

async function all(client: CompositionsClient): Promise<CompositionSummary[]> {
  const items: CompositionSummary[] = [];
  let cursor: string | undefined;
  do {
    const page: CompositionPage = await client.list({ limit: 100, ...(cursor !== undefined && { cursor }) });
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== undefined);
  return items;
}
