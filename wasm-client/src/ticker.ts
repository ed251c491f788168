// One animation-frame loop for everything on the page that draws.

const ticks = new Set<() => void>();
let isScheduled = false;

/** Calls `tick` on every animation frame until the returned function is called. */
export function onFrame(tick: () => void): () => void {
  ticks.add(tick);
  schedule();
  return () => {
    ticks.delete(tick);
  };
}

function schedule(): void {
  if (isScheduled || ticks.size === 0) return;
  isScheduled = true;
  // Outside browsers (tests, server-side use) there is no screen to wait for.
  if (typeof requestAnimationFrame === "function") requestAnimationFrame(run);
  else setTimeout(run, 16);
}

function run(): void {
  isScheduled = false;
  for (const tick of [...ticks]) tick();
  schedule();
}

/** Runs a subscriber's callback; what it throws is reported like any uncaught error, and stops nobody else. */
export function guarded(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    if (typeof reportError === "function") reportError(error);
    else console.error(error);
  }
}
