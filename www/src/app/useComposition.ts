import { useQuery } from "@tanstack/react-query";
import type { CompositionSpec } from "antiphon";
import { PPQ } from "../lib/bars";
import { serverComposition } from "./compositions";
import { useSession } from "./hooks";

/** The composition that the shown source plays, as far as it is known. */
export function useComposition(): CompositionSpec | null {
  const { data } = useQuery({ ...serverComposition, enabled: false });
  const local = useSession((state) => (state.mode === "browser" ? state.composition : null));
  const mode = useSession((state) => state.mode);
  return (mode === "browser" ? local : data) ?? null;
}

export const NOTHING_LOADED =
  "Nothing is loaded. Choose or make a composition under Compositions, or drop a MIDI or audio file here.";

/** Length in quarter notes; 0 when nothing is loaded. */
export const lengthBeats = (composition: CompositionSpec | null) => (composition ? composition.length / PPQ : 0);
