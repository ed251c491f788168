/** What each view shows. All but the first are files of their own, fetched after the first paint. */
import { type ComponentType, lazy } from "react";
import { LiveView } from "./LiveView";
import type { Commands } from "./useCommands";
import type { ViewId } from "./views";

type Body = ComponentType<{ commands: Commands }>;

const load = {
  arrange: () => import("../arrange/ArrangeView").then(({ ArrangeView }) => ArrangeView),
  analysis: () => import("../analysis/AnalysisView").then(({ AnalysisView }) => AnalysisView),
  compositions: () => import("../compositions/CompositionsView").then(({ CompositionsView }) => CompositionsView),
} satisfies Partial<Record<ViewId, () => Promise<Body>>>;

export const BODIES: Record<ViewId, Body> = {
  live: LiveView,
  arrange: late(load.arrange),
  analysis: late(load.analysis),
  compositions: late(load.compositions),
};

/** Fetches them all: the server may be gone when they are wanted. */
export function fetchBodies(): void {
  for (const body of Object.values(load)) void body().catch(() => undefined);
}

function late(load: () => Promise<Body>): Body {
  return lazy(() => load().catch((): Body => Missing).then((body) => ({ default: body })));
}

function Missing() {
  return (
    <div className="empty" role="alert">
      <p>This view could not be fetched. Reload the page when the server is there.</p>
      <button type="button" className="button" onClick={() => location.reload()}>
        Reload the page
      </button>
    </div>
  );
}
