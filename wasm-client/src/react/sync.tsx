// A store that follows a source, for as long as a component is mounted.
import { useEffect } from "react";
import type { Source, TopicName } from "../source.ts";
import { type AntiphonStore, syncStore } from "../sync-store.ts";
import { useChosenSource } from "./source.tsx";

/** Which store is filled from which source. */
export interface WebSocketSyncProps {
  store: AntiphonStore;
  /** Of a server; shared by all who name it. */
  url?: string | undefined;
  /** With `url`: for servers that listen beyond this machine. */
  token?: string | undefined;
  /** Instead of `url` or the SourceProvider's. */
  source?: Source | undefined;
  /** Transport, meters, spectrum, waveform and analytics when absent. */
  topics?: readonly TopicName[] | undefined;
}

/** Renders nothing. */
export function WebSocketSync(props: WebSocketSyncProps): null {
  const { store, topics } = props;
  const { source, missing } = useChosenSource(props);
  const key = topics?.join(" ");
  useEffect(() => {
    // A server component has no store to give; types say that others must.
    if (missing) (store as AntiphonStore | undefined)?.setState({ error: missing });
    if (!source) return;
    return syncStore(store, source, key === undefined ? undefined : (key.split(" ") as TopicName[]));
  }, [store, source, missing, key]);
  return null;
}
