import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/layout.css";
import "./styles/panels.css";
import "./styles/mixer.css";
import "./styles/studio.css";
import "./styles/contrast.css";
import "./analysis/analysis.css";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { fetchBodies } from "./app/bodies";
import { bundledMidi, warmUp, watchServer } from "./app/compositions";
import { queryClient } from "./app/connection";
import { keepOffline } from "./app/install";
import { watchServerLoss } from "./app/standIn";
import { watchTheme } from "./app/theme";
import { drawElsewhere } from "./canvas/elsewhere";

watchTheme();
drawElsewhere();
keepOffline();

watchServer();
watchServerLoss();

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
);

// All that is needed later is fetched once the page stands: the server may be gone when it is wanted.
whenIdle(() => {
  fetchBodies();
  void bundledMidi().catch(() => undefined);
  warmUp();
});

function whenIdle(start: () => void): void {
  // Safari has no requestIdleCallback.
  if (typeof requestIdleCallback === "function") requestIdleCallback(start, { timeout: 3000 });
  else setTimeout(start, 500);
}
