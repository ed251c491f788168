/** The server that this page came from: its stream, its REST interface, and this browser in its place. */
import { notifyManager, QueryClient } from "@tanstack/react-query";
import { connect, failover } from "antiphon";
import { createRestClient } from "antiphon/rest";
import { makeLocal } from "./local";

// A socket for each topic: a full one holds up no other.
export const server = connect("", { multiplex: false });
export const rest = createRestClient("");

/** When it takes over is said in `standIn.ts`: a page that suddenly plays would be a surprise to some. */
export const player = failover(server, makeLocal, { auto: false, rest });

// A changed fader is rendered before the next key is handled, which steps from what is shown; a timer may come after it.
notifyManager.setScheduler(queueMicrotask);

export const queryClient = new QueryClient({
  // The stream says when the server is gone; REST need not find out by trying again and again.
  defaultOptions: { queries: { retry: 1, staleTime: 5_000, networkMode: "always" }, mutations: { networkMode: "always" } },
});
