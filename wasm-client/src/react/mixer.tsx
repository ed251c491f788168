// The mixer as React state: changes show at once, and go back if they are refused.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useMemo, useState } from "react";
import type { MixerClient } from "../clients.ts";
import type { ChannelPatch, MasterPatch, MixerState } from "../types.gen.ts";
import { type Changes, handled, keyOf, useRefetchOnRevision } from "./clients.ts";
import { createPatchQueue } from "./patch-queue.ts";

interface Desk {
  client: MixerClient;
  changes: Changes;
}

const DeskContext = createContext<Desk | null>(null);

/** Makes a mixer client the one that `useMixer` commands. */
export function MixerProvider({ client, children }: { client: MixerClient; children?: ReactNode }): ReactNode {
  const desk = useMemo<Desk>(() => ({ client, changes: { nUnderWay: 0, isStale: false } }), [client]);
  return (
    <DeskContext.Provider value={desk}>
      <Follow {...desk} />
      {children}
    </DeskContext.Provider>
  );
}

function Follow({ client, changes }: Desk): null {
  useRefetchOnRevision(keyOf("mixer", client), { changes });
  return null;
}

/** The mixer's state, and what changes it: shown at once, taken back when it is refused. */
export interface Mixer {
  state: MixerState | undefined;
  /** Resolves when the change, or a later one of the same channel, was taken. */
  patchChannel(id: string, patch: ChannelPatch): Promise<void>;
  /** The same for the master. */
  patchMaster(patch: MasterPatch): Promise<void>;
  error: Error | null;
}

/** State and commands of the mixer. A dragged fader sends one request at a time, always the newest value. */
export function useMixer(): Mixer {
  const desk = useContext(DeskContext);
  if (!desk) throw new Error("useMixer needs a <MixerProvider client={…}> above it");
  const { client, changes } = desk;
  const queries = useQueryClient();
  const query = useQuery({ queryKey: keyOf("mixer", client), queryFn: () => client.get() });
  const [error, setError] = useState<Error | null>(null);
  const commands = useMemo(() => {
    const key = keyOf("mixer", client);
    const show = (change: (state: MixerState) => MixerState) => {
      // An answer that is on its way is older than what is shown now; what others did is asked for again afterwards.
      if (queries.isFetching({ queryKey: key }) > 0) changes.isStale = true;
      void queries.cancelQueries({ queryKey: key });
      queries.setQueryData<MixerState>(key, (state) => state && change(state));
    };
    const settled = (failure: Error | null) => {
      setError(failure);
      if (failure) void queries.invalidateQueries({ queryKey: key });
    };
    const followed = (change: Promise<void>) => {
      changes.nUnderWay += 1;
      return handled(change.finally(() => {
        changes.nUnderWay -= 1;
        if (changes.nUnderWay > 0 || !changes.isStale) return;
        changes.isStale = false;
        void queries.invalidateQueries({ queryKey: key });
      }));
    };
    const channels = createPatchQueue<ChannelPatch>((id, patch) => client.patchChannel(id, patch), settled);
    const master = createPatchQueue<MasterPatch>((_, patch) => client.patchMaster(patch), settled);
    return {
      patchChannel(id: string, patch: ChannelPatch) {
        show((state) => ({
          ...state, channels: state.channels.map((one) => (one.id === id ? { ...one, ...patch } : one)),
        }));
        return followed(channels(id, patch));
      },
      patchMaster(patch: MasterPatch) {
        show((state) => ({ ...state, master: { ...state.master, ...patch } }));
        return followed(master("master", patch));
      },
    };
  }, [client, changes, queries]);
  return { ...commands, state: query.data, error: error ?? query.error };
}
