/**
 * Pictures that change all the time are recorded on the main thread and drawn by a worker: what is drawn, and the copy
 * for the compositor, would be a third of each frame. Where there is no such worker, they are drawn here.
 */
import { prepareCanvas, type Size } from "antiphon/draw";
import { Recorder, type Recording, replay } from "./record";

/** So long pictures wait for the worker: its file may never come. */
const STARTING_MS = 3000;

/** A picture on its way to the worker; with its canvas the first time. */
export interface Sent extends Recording {
  id: number;
  canvas: OffscreenCanvas | null;
}

/** What the worker is told: new pictures, or that a canvas is gone. */
export type ToWorker = { pictures: Sent[] } | { gone: number };

interface Drawn {
  id: number;
  canvas: HTMLCanvasElement;
  recorder: Recorder;
  isSent: boolean;
}

const drawn = new WeakMap<HTMLCanvasElement, Drawn>();
const changed = new Set<Drawn>();
let nDrawn = 0;
let worker: Worker | null = null;
/** A canvas that was handed over does not come back: until the worker said that it runs, pictures wait. */
let state: "starting" | "ready" | "none" = "none";
let isQueued = false;

const gone = new FinalizationRegistry<number>((id) => tell({ gone: id }));

/** Starts the worker; pictures from now on are drawn there. */
export function drawElsewhere(): void {
  if (typeof Worker === "undefined" || typeof OffscreenCanvas === "undefined" || worker) return;
  if (!("transferControlToOffscreen" in HTMLCanvasElement.prototype)) return;
  try {
    worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  } catch {
    // Content policies and opaque origins forbid it: a page without a worker is one all the same.
    return;
  }
  state = "starting";
  worker.onmessage = () => settle("ready");
  worker.onerror = ({ message }) => {
    if (state === "starting") settle("none");
    else console.error(`the worker that draws: ${message}`);
  };
  setTimeout(() => settle("none"), STARTING_MS);
}

function settle(to: "ready" | "none"): void {
  if (state !== "starting") return;
  state = to;
  // It has no canvas yet, and must not ask for one late.
  if (to === "none") worker?.terminate();
  flush();
}

/** As the package's `prepareCanvas`, but for a picture that may be drawn elsewhere. */
export function prepareElsewhere(canvas: HTMLCanvasElement, size: Size, density = 1): CanvasRenderingContext2D | null {
  let it = drawn.get(canvas);
  if (!it) {
    if (state === "none") return prepareCanvas(canvas, size, density);
    const made: Drawn = { id: nDrawn++, canvas, recorder: new Recorder(() => queue(made)), isSent: false };
    it = made;
    drawn.set(canvas, it);
    gone.register(canvas, it.id);
  }
  const { recorder } = it;
  Object.assign(recorder, { width: Math.round(size.width * density), height: Math.round(size.height * density), density });
  recorder.ctx.clearRect(0, 0, size.width, size.height);
  // What painters call is checked when they are tried: there is nothing behind the rest of a context.
  return recorder.ctx as unknown as CanvasRenderingContext2D;
}

function queue(it: Drawn): void {
  changed.add(it);
  if (isQueued) return;
  isQueued = true;
  // All that one animation frame paints makes one message.
  queueMicrotask(flush);
}

function flush(): void {
  isQueued = false;
  if (state === "starting") return;
  const due = [...changed];
  changed.clear();
  const pictures: Sent[] = [];
  for (const it of due) {
    const { id, canvas, recorder } = it;
    try {
      if (state === "none") {
        replay(canvas, recorder.take());
        continue;
      }
      const given = it.isSent ? null : canvas.transferControlToOffscreen();
      it.isSent = true;
      pictures.push({ id, canvas: given, ...recorder.take() });
    } catch (error) {
      // One picture's; the others are drawn.
      reportError(error);
    }
  }
  if (pictures.length > 0) tell({ pictures }, pictures.flatMap(({ canvas, codes }) => (canvas ? [canvas, codes.buffer] : [codes.buffer])));
}

function tell(message: ToWorker, transfer: Transferable[] = []): void {
  worker?.postMessage(message, transfer);
}
