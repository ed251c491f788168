// Sources in React: one for a subtree, or one shared by all who name the same URL.
import { createContext, type ReactNode, useCallback, useContext, useEffect, useState, useSyncExternalStore } from "react";
import { AntiphonError } from "../errors.ts";
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

/** A server's source, its status, and why that is `failed` or `reconnecting`, or what was last refused. */
export function useWebSocket(url: string, opts: ConnectOptions = {}): {
  status: SourceStatus;
  error: AntiphonError | null;
  source: Source | null;
} {
  const source = useSharedSource(url, opts);
  return { ...useSourceState(source), source };
}

const NO_SOURCE = new AntiphonError(
  "no-source", "no source is named", "give a url or a source, or put a <SourceProvider source={…}> above");

/** Which source: one that is named but `undefined` is still to come. */
interface Choice {
  source?: Source | undefined;
  url?: string | undefined;
  token?: string | undefined;
}

/** The source that was given, that of the URL, or the SourceProvider's; and what is wrong where none of them is named. */
export function useChosenSource(choice: Choice): { source: Source | null; missing: AntiphonError | null } {
  const provided = useOptionalSource();
  const named = useSharedSource(choice.source ? undefined : choice.url, { token: choice.token });
  const isNamed = provided !== null || "source" in choice || "url" in choice;
  return {
    source: choice.source ?? (choice.url === undefined ? provided : named), missing: isNamed ? null : NO_SOURCE,
  };
}

/** Renders when a source's status or error changes. `loading` without a source. */
export function useSourceState(source: Source | null): { status: SourceStatus; error: AntiphonError | null } {
  const subscribe = useCallback((changed: () => void) => source?.onStatus(changed) ?? (() => undefined), [source]);
  const status = useSyncExternalStore(subscribe, () => source?.status ?? "loading", () => "loading" as const);
  // A live source has one too, when it refused something.
  const error = useSyncExternalStore(subscribe, () => source?.error ?? null, () => null);
  return { status, error };
}
