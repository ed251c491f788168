// Undo, redo and history as React state.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useMemo } from "react";
import { AntiphonError } from "../errors.ts";
import type { RevisionsClient } from "../clients.ts";
import type { CompositionSpec, HistoryPage } from "../types.gen.ts";
import { handled, keyOf, useRefetchOnRevision } from "./clients.ts";

const ClientContext = createContext<RevisionsClient | null>(null);

/** Makes a revisions client (`rest.compositions`, `local.revisions`) the one that `useRevisions` asks. */
export function RevisionsProvider({ client, children }: { client: RevisionsClient; children?: ReactNode }): ReactNode {
  return (
    <ClientContext.Provider value={client}>
      <Follow client={client} />
      {children}
    </ClientContext.Provider>
  );
}

function Follow({ client }: { client: RevisionsClient }): null {
  useRefetchOnRevision(keyOf("revisions", client));
  return null;
}

/** Steps of a composition, back and forth. */
export interface Revisions {
  /** The newest steps; `undefined` until the first answer, and without an id. */
  history: HistoryPage | undefined;
  /** A step back. */
  undo(): Promise<CompositionSpec>;
  /** A step forth again. */
  redo(): Promise<CompositionSpec>;
  /** Asks for the history again: something was changed elsewhere. */
  refresh(): Promise<void>;
  error: Error | null;
  isPending: boolean;
}

const NO_ID = new AntiphonError("no-composition", "no composition is known yet", "give useRevisions the id of one");

/** The history of a composition, and what can be done with it. */
export function useRevisions(id: string | undefined): Revisions {
  const client = useContext(ClientContext);
  if (!client) throw new Error("useRevisions needs a <RevisionsProvider client={…}> above it");
  const queries = useQueryClient();
  const key = [...keyOf("revisions", client), id];
  const query = useQuery({
    queryKey: key, queryFn: () => client.history(id ?? ""), enabled: id !== undefined,
  });
  const { mutateAsync, error, isPending } = useMutation({
    networkMode: "always",
    mutationFn: (command: () => Promise<CompositionSpec>) => command(),
    // Mixer, tempo and list may all be other ones now.
    onSettled: () => queries.invalidateQueries({ queryKey: ["antiphon"] }),
  });
  const hash = JSON.stringify(key);
  const commands = useMemo(() => {
    const send = (command: (id: string) => Promise<CompositionSpec>) => handled(mutateAsync(() => {
      return id === undefined ? Promise.reject(NO_ID) : command(id);
    }));
    return {
      undo: () => send((id) => client.undo(id)),
      redo: () => send((id) => client.redo(id)),
      refresh: () => queries.invalidateQueries({ queryKey: JSON.parse(hash) as unknown[] }),
    };
  }, [client, queries, mutateAsync, id, hash]);
  return { ...commands, history: query.data, error: error ?? query.error, isPending };
}
