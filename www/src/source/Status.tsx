import type { SourceStatus } from "antiphon";
import { useSession, useSourceStatus } from "../app/hooks";

const WORDS: Record<SourceStatus, string> = {
  loading: "Loading",
  connecting: "Connecting",
  live: "Live",
  reconnecting: "Reconnecting",
  "needs-gesture": "Waiting for a click",
  closed: "Closed",
  failed: "Failed",
};

/** What the source is doing, in a word. */
export function Status() {
  const source = useSession((state) => state.source);
  const status = useSourceStatus(source);
  return (
    <span className="status" role="status" data-testid="status" data-status={status} data-source={source.kind}>
      {WORDS[status]}
    </span>
  );
}
