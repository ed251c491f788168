/** The server that this page came from: its stream, its REST interface, and what it was last seen doing. */
import { QueryClient } from "@tanstack/react-query";
import { connect } from "antiphon";
import { createRestClient } from "antiphon/rest";
import { extrapolate, type TransportPoint } from "../lib/playhead";

export const server = connect("");
export const rest = createRestClient("");

export const queryClient = new QueryClient({
  // The stream says when the server is gone; REST need not find out by trying again and again.
  defaultOptions: { queries: { retry: 1, staleTime: 5_000, networkMode: "always" }, mutations: { networkMode: "always" } },
});

/** A transport as another source can take it over. */
export interface Continuation extends TransportPoint {
  metronome_enabled: boolean;
}

let lastSeen: { transport: Continuation; at: number } | null = null;

// Held for the page's whole life: it keeps the server's status known while the browser plays, and remembers where
// the server was when it died.
server.subscribe("transport", (frame) => {
  lastSeen = { transport: { ...frame }, at: performance.now() };
});

/** Where the server's transport is now, or was when it was last heard of. */
export function serverContinuation(): Continuation | null {
  if (!lastSeen) return null;
  const { transport, at } = lastSeen;
  const now = extrapolate(transport, performance.now() - at, { beats: 0, seconds: 0 });
  return { ...transport, position_beats: now.beats, position_seconds: now.seconds };
}
