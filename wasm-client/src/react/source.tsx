// Sources in React: one for a subtree, or one shared by all who name the same URL.
import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from "react";
import type { ConnectOptions } from "../server.ts";
import { acquire } from "../shared-source.ts";
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
