import { expect, test } from "vitest";
import type { StoreApi } from "zustand/vanilla";
import { type AntiphonState, type AntiphonStore, createAntiphonStore } from "../src/store.ts";

test("a store is one of Zustand's, and one of Zustand's a store", () => {
  // The compiler tests it: the types name each other nowhere.
  const theirs: StoreApi<AntiphonState> = createAntiphonStore();
  const ours: AntiphonStore = theirs;
  ours.setState(({ status }) => ({ status: status === "loading" ? "live" : status }));
  expect(theirs.getState().status).toBe("live");
});
