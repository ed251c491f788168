// Sources in React: one for a subtree, or one shared by all who name the same URL.
import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from "react";
import { connect, type ConnectOptions } from "../server.ts";
import type { Source, SourceStatus } from "../source.ts";

const SourceContext = createContext<Source | null>(null);

/** Makes a source the one that hooks below use. */
export function SourceProvider({ source, children }: { source: Source; children?: ReactNode }): ReactNode {
  return <SourceContext.Provider value={source}>{children}</SourceContext.Provider>;
}

/** The source of the nearest SourceProvider. */
export function useSource(): Source {
  const source = useContext(SourceContext);
  if (!source) throw new Error("useSource needs a <SourceProvider source={…}> above it");
  return source;
}

/** The source of the nearest SourceProvider, if there is one. */
export function useOptionalSource(): Source | null {
  return useContext(SourceContext);
}

interface Shared {
  source: Source;
  n_users: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

const shared = new Map<string, Shared>();
/** StrictMode, and navigation, let go and take hold again at once. */
const LINGER_MS = 500;

/** Takes hold of the one source for this URL and these options. */
function acquire(url: string, opts: ConnectOptions): { source: Source; release: () => void } {
  const key = `${url} ${opts.encoding ?? "binary"} ${opts.multiplex ?? false} ${opts.token ?? ""}`;
  const entry: Shared = shared.get(key) ?? { source: connect(url, opts), n_users: 0, timer: undefined };
  shared.set(key, entry);
  entry.n_users += 1;
  clearTimeout(entry.timer);
  let isHeld = true;
  const release = () => {
    if (!isHeld) return;
    isHeld = false;
    entry.n_users -= 1;
    if (entry.n_users > 0) return;
    entry.timer = setTimeout(() => {
      shared.delete(key);
      entry.source.close();
    }, LINGER_MS);
  };
  return { source: entry.source, release };
}

/**
 * A server's source, shared by all components that name the same URL, and closed when none is left. `null` until
 * the component is mounted, and without a URL.
 */
export function useSharedSource(url: string | undefined, opts: ConnectOptions = {}): Source | null {
  const [source, setSource] = useState<Source | null>(null);
  const { encoding, multiplex, token, wasm } = opts;
  useEffect(() => {
    if (url === undefined) return;
    const { source: held, release } = acquire(url, { encoding, multiplex, token, wasm });
    setSource(held);
    return () => {
      setSource(null);
      release();
    };
    // `wasm` says where files are: it does not make another source.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [url, encoding, multiplex, token]);
  return source;
}

/** A server's source and its status. */
export function useWebSocket(url: string, opts: ConnectOptions = {}): { status: SourceStatus; source: Source | null } {
  const source = useSharedSource(url, opts);
  return { status: useSourceStatus(source), source };
}

/** Renders when a source's status changes. `loading` without a source. */
export function useSourceStatus(source: Source | null): SourceStatus {
  return useSyncExternalStore(
    (changed) => source?.onStatus(changed) ?? (() => undefined),
    () => source?.status ?? "loading",
    () => "loading",
  );
}
