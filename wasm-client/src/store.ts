// A vanilla Zustand store of a source.
import { createStore } from "zustand/vanilla";
import { type AntiphonState, type AntiphonStore, empty, noFrames } from "./sync-store.ts";

export { type AntiphonState, type AntiphonStore, type FrameSlots, syncStore } from "./sync-store.ts";

/** An empty store; `syncStore`, or `<WebSocketSync>` in React, fills it. */
export function createAntiphonStore(): AntiphonStore {
  return createStore<AntiphonState>(() => ({ ...empty(), frames: noFrames() }));
}
