// Playback, mixer and revisions of a local source, with the interfaces of the REST clients.
import type { MixerClient, PlaybackClient, PlaybackState, RevisionsClient } from "./clients.ts";
import { AntiphonError, errorFromWasm } from "./errors.ts";
import type { CompositionSpec, HistoryPage, MixerState } from "./types.gen.ts";
import type { LocalWasm } from "./wasm.ts";

/** Clients that ask `local` and send the worklet what it answers; `checkOpen` throws once there is none. */
export function createLocalClients(
  local: InstanceType<LocalWasm["Local"]>, send: (commands: Uint8Array) => void, checkOpen: () => void,
): { playback: PlaybackClient; mixer: MixerClient; revisions: RevisionsClient } {
  const request = (action: string, body?: unknown, id?: string) => {
    checkOpen();
    try {
      send(local.request(action, body, id));
    } catch (error) {
      throw errorFromWasm(error);
    }
  };
  // `async`, so that what is refused rejects instead of throwing.
  const playback = async (action: string, body?: unknown) => {
    request(action, body);
    return local.playback() as PlaybackState;
  };
  const travel = async (action: string, id: string) => {
    request(action, undefined, id);
    return local.composition() as CompositionSpec;
  };
  return {
    playback: {
      get: async () => local.playback() as PlaybackState,
      play: () => playback("play"),
      stop: () => playback("stop"),
      pause: () => playback("pause"),
      resume: () => playback("resume"),
      seek: (to) => playback("seek", to),
      setTempo: (tempo) => playback("tempo", tempo),
      setLoop: (region) => playback("loop", region),
      setMetronome: ({ enabled }) => playback("metronome", enabled),
    },
    mixer: {
      get: async () => local.mixer() as MixerState,
      async patchChannel(id, patch) {
        request("channel", patch, id);
        const channel = (local.mixer() as MixerState).channels.find((one) => one.id === id);
        if (!channel) throw new AntiphonError("not-found", `${id} is not a track that plays`);
        return channel;
      },
      async patchMaster(patch) {
        request("master", patch);
        return (local.mixer() as MixerState).master;
      },
    },
    revisions: {
      undo: (id) => travel("undo", id),
      redo: (id) => travel("redo", id),
      async history(id, { limit = 50, cursor } = {}) {
        try {
          return local.history(id, cursor, limit) as HistoryPage;
        } catch (error) {
          throw errorFromWasm(error);
        }
      },
    },
  };
}
