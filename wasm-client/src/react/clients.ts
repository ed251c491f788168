// What the REST providers have in common.
import { type QueryKey, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
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

/** Fetches a query again when the source says hello anew: after a reconnection or with another composition. */
export function useRefetchOnHello(key: QueryKey): void {
  const source = useOptionalSource();
  const queries = useQueryClient();
  const hash = JSON.stringify(key);
  useEffect(() => {
    if (!source) return;
    let seen = { hello: source.hello, isLive: source.status === "live" };
    return source.onStatus(() => {
      const now = { hello: source.hello, isLive: source.status === "live" };
      const isNews = now.hello !== seen.hello || (now.isLive && !seen.isLive);
      seen = now;
      if (isNews && now.isLive) void queries.invalidateQueries({ queryKey: JSON.parse(hash) as QueryKey });
    });
  }, [source, queries, hash]);
}
