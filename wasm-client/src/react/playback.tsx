// The transport as React state: REST for commands, the stream for what happens.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useMemo } from "react";
import type { PlaybackClient, PlaybackState } from "../clients.ts";
import type { FrameOf } from "../source.ts";
import { isNews } from "../sync-store.ts";
import type { LoopRequest, MetronomeRequest, SeekRequest, TempoRequest } from "../types.gen.ts";
import { handled, keyOf, useRefetchOnHello } from "./clients.ts";
import { useOptionalSource } from "./source.tsx";

const ClientContext = createContext<PlaybackClient | null>(null);

/** Makes a playback client the one that `usePlayback` commands. */
export function PlaybackProvider({ client, children }: { client: PlaybackClient; children?: ReactNode }): ReactNode {
  return (
    <ClientContext.Provider value={client}>
      <Follow client={client} />
      {children}
    </ClientContext.Provider>
  );
}

/** Keeps the cached state as the stream says it is: others command the transport too. */
function Follow({ client }: { client: PlaybackClient }): null {
  const source = useOptionalSource();
  const queries = useQueryClient();
  useRefetchOnHello(keyOf("playback", client));
  useEffect(() => {
    let before: FrameOf<"transport"> | null = null;
    return source?.subscribe("transport", (frame) => {
      if (!isNews(before, frame)) return;
      before = { ...frame };
      queries.setQueryData(keyOf("playback", client), before);
    });
  }, [source, queries, client]);
  return null;
}

/** The transport's state, and what commands it. */
export interface Playback extends Omit<PlaybackClient, "get"> {
  /** Changes with commands, tempo, loop; for a moving playhead use `useTransportWebsocket`. */
  state: PlaybackState | undefined;
  error: Error | null;
  /** A command is on its way. */
  isPending: boolean;
}

/** State and commands of the transport. Commands may be awaited; what they reject with is also in `error`. */
export function usePlayback(): Playback {
  const client = useContext(ClientContext);
  if (!client) throw new Error("usePlayback needs a <PlaybackProvider client={…}> above it");
  const queries = useQueryClient();
  const queryKey = keyOf("playback", client);
  const query = useQuery({
    queryKey,
    queryFn: async () => {
      const before = queries.getQueryData<PlaybackState>(queryKey);
      const state = await client.get();
      // What a frame said meanwhile is newer than the answer.
      const now = queries.getQueryData<PlaybackState>(queryKey);
      return now === before ? state : (now ?? state);
    },
  });
  const { mutateAsync, error, isPending } = useMutation({
    networkMode: "always",
    mutationFn: (command: (client: PlaybackClient) => Promise<PlaybackState>) => command(client),
    onSuccess: (state) => queries.setQueryData(keyOf("playback", client), state),
  });
  const commands = useMemo(() => {
    const send = (command: (client: PlaybackClient) => Promise<PlaybackState>) => handled(mutateAsync(command));
    return {
      play: () => send((it) => it.play()),
      stop: () => send((it) => it.stop()),
      pause: () => send((it) => it.pause()),
      resume: () => send((it) => it.resume()),
      seek: (to: SeekRequest) => send((it) => it.seek(to)),
      setTempo: (tempo: TempoRequest) => send((it) => it.setTempo(tempo)),
      setLoop: (region: LoopRequest) => send((it) => it.setLoop(region)),
      setMetronome: (metronome: MetronomeRequest) => send((it) => it.setMetronome(metronome)),
    };
  }, [mutateAsync]);
  return { ...commands, state: query.data, error: error ?? query.error, isPending };
}
