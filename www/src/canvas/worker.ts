/** Draws what `elsewhere.ts` recorded: the newest picture of each canvas, once an animation frame. */
import type { ToWorker } from "./elsewhere";
import { type Recording, replay } from "./record";

const canvases = new Map<number, OffscreenCanvas>();
const newest = new Map<number, Recording>();
let isRequested = false;

addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  if ("gone" in data) {
    canvases.delete(data.gone);
    newest.delete(data.gone);
    return;
  }
  for (const { id, canvas, ...recording } of data.pictures) {
    if (canvas) canvases.set(id, canvas);
    newest.set(id, recording);
  }
  if (isRequested) return;
  isRequested = true;
  requestAnimationFrame(draw);
});

function draw(): void {
  isRequested = false;
  const due = [...newest];
  newest.clear();
  for (const [id, recording] of due) {
    const canvas = canvases.get(id);
    try {
      if (canvas) replay(canvas, recording);
    } catch (error) {
      // One picture's; the others are drawn.
      reportError(error);
    }
  }
}

// An error here has the main thread draw.
if (typeof requestAnimationFrame !== "function") throw new Error("workers have no animation frames");
postMessage("ready");
