// What the REST providers have in common.
import { type QueryKey, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect } from "react";
import { inTurn } from "../in-turn.ts";
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

/** How a query follows what others change. */
export interface FollowOptions {
  changes?: Changes;
  /** Least time between two fetches. */
  pauseMs?: number;
  /** Not while the page is hidden. */
  onlySeen?: boolean;
}

/**
 * Does so too when the composition that plays has another revision: somebody has changed it. A dragged fader makes 30 a
 * second, so what is fetched is not fetched anew for each: a slow answer would never arrive.
 */
export function useRefetchOnRevision(key: QueryKey, { changes, pauseMs, onlySeen }: FollowOptions = {}): void {
  const source = useOptionalSource();
  const queries = useQueryClient();
  const refetch = useRefetch(key);
  const hash = JSON.stringify(key);
  useEffect(() => {
    if (!source) return;
    const queryKey = JSON.parse(hash) as QueryKey;
    const fetchOnce = async () => {
      if (changes && changes.nUnderWay > 0) changes.isStale = true;
      else await queries.invalidateQueries({ queryKey }, { cancelRefetch: false });
    };
    const turns = inTurn(async () => {
      // One that is under way may have been answered before the change.
      if (queries.isFetching({ queryKey, type: "active" }) > 0) await fetchOnce();
      await fetchOnce();
    }, { pauseMs, onlySeen });
    // No answer says its revision, so the first one is news too: what was fetched may be from before it.
    let revision: number | null = null;
    const ends = [
      onHello(source, refetch),
      source.subscribe("transport", ({ composition_revision: now }) => {
        if (now === revision) return;
        revision = now;
        turns.again();
      }),
      turns.end,
    ];
    return () => ends.forEach((end) => end());
  }, [source, queries, refetch, hash, changes, pauseMs, onlySeen]);
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
