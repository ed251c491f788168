// What the REST providers have in common.
import { type QueryKey, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect } from "react";
import type { Source } from "../source.ts";
import { useOptionalSource } from "./source.tsx";

const numbers = new WeakMap<object, number>();
let lastNumber = 0;

/** A query key that differs for each client, so that another source is another cache entry. */
export function keyOf(name: string, client: object): QueryKey {
  const number = numbers.get(client) ?? ++lastNumber;
  numbers.set(client, number);
  return ["antiphon", name, number];
}

/** Lets whoever wants to await a promise, without an unhandled rejection where nobody does. */
export function handled<R>(promise: Promise<R>): Promise<R> {
  promise.catch(() => undefined);
  return promise;
}

/** Changes of our own that are under way. What is fetched meanwhile is from before them, and would take them back. */
export interface Changes {
  nUnderWay: number;
  /** Something is to be fetched when they are done. */
  isStale: boolean;
}

/** Fetches a query again when the source says hello anew: after a reconnection or with another composition. */
export function useRefetchOnHello(key: QueryKey): void {
  const source = useOptionalSource();
  const refetch = useRefetch(key);
  useEffect(() => (source ? onHello(source, refetch) : undefined), [source, refetch]);
}

/** Does so too when the composition that plays has another revision: somebody has changed it. */
export function useRefetchOnRevision(key: QueryKey, changes?: Changes): void {
  const source = useOptionalSource();
  const refetch = useRefetch(key);
  useEffect(() => {
    if (!source) return;
    let revision: number | null = null;
    const ends = [
      onHello(source, refetch),
      source.subscribe("transport", ({ composition_revision: now }) => {
        const isNews = revision !== null && revision !== now;
        revision = now;
        if (!isNews) return;
        if (changes && changes.nUnderWay > 0) changes.isStale = true;
        else refetch();
      }),
    ];
    return () => ends.forEach((end) => end());
  }, [source, refetch, changes]);
}

function useRefetch(key: QueryKey): () => void {
  const queries = useQueryClient();
  const hash = JSON.stringify(key);
  return useCallback(() => void queries.invalidateQueries({ queryKey: JSON.parse(hash) as QueryKey }), [queries, hash]);
}

function onHello(source: Source, refetch: () => void): () => void {
  let seen = { hello: source.hello, isLive: source.status === "live" };
  return source.onStatus(() => {
    const now = { hello: source.hello, isLive: source.status === "live" };
    const isNews = now.hello !== seen.hello || (now.isLive && !seen.isLive);
    seen = now;
    if (isNews && now.isLive) refetch();
  });
}
