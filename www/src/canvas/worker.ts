/** Draws what `elsewhere.ts` recorded: the newest picture of each canvas, once an animation frame. */
import type { ToWorker } from "./elsewhere";
import { type Recording, replay } from "./record";

const canvases = new Map<number, OffscreenCanvas>();
const newest = new Map<number, Recording>();

addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  if ("gone" in data) {
    canvases.delete(data.gone);
    newest.delete(data.gone);
    return;
  }
  if (newest.size === 0) requestAnimationFrame(draw);
  for (const { id, canvas, ...recording } of data.pictures) {
    if (canvas) canvases.set(id, canvas);
    newest.set(id, recording);
  }
});

function draw(): void {
  for (const [id, recording] of newest) {
    const canvas = canvases.get(id);
    if (canvas) replay(canvas, recording);
  }
  newest.clear();
}

// An error here has the main thread draw.
if (typeof requestAnimationFrame !== "function") throw new Error("workers have no animation frames");
postMessage("ready");
