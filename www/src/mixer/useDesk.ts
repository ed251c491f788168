import { type Mixer, useMixer } from "antiphon/react";
import { useMemo } from "react";
import { dismissUndo } from "../app/notices";
import { session } from "../app/session";

/** The mixer of the shown source. On the server what is changed there is a step, which an earlier offer would take back. */
export function useDesk(): Mixer {
  const mixer = useMixer();
  const { patchChannel, patchMaster } = mixer;
  const commands = useMemo(() => {
    const step = <A extends unknown[]>(patch: (...args: A) => Promise<void>) => (...args: A) => {
      if (session.getState().mode === "server") dismissUndo();
      return patch(...args);
    };
    return { patchChannel: step(patchChannel), patchMaster: step(patchMaster) };
  }, [patchChannel, patchMaster]);
  return { ...mixer, ...commands };
}
