// One source for everything on a page that names the same server.
import { connect, type ConnectOptions } from "./server.ts";
import type { Source } from "./source.ts";
import { streamBase } from "./stream-base.ts";

interface Shared {
  source: Source;
  n_users: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

const shared = new Map<string, Shared>();
/** StrictMode, navigation and moved elements let go and take hold again at once. */
const LINGER_MS = 500;

/** Takes hold of the one source for this URL and these options. */
export function acquire(url: string, opts: ConnectOptions): { source: Source; release: () => void } {
  const key = `${nameOf(url)} ${opts.encoding ?? "binary"} ${opts.multiplex ?? true} ${opts.token ?? ""}`;
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

/** The same for all spellings of a server's URL. What is none gets a source that says so. */
function nameOf(url: string): string {
  try {
    return streamBase(url);
  } catch {
    return url;
  }
}
