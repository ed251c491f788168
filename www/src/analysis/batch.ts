/** Reports of several files, measured one after the other in this browser. */
import { analyzeBuffer, type Report } from "antiphon";
import { createStore } from "zustand/vanilla";
import { save } from "../app/downloads";
import { notifyError } from "../app/notices";
import { toCsv } from "./batchTable";
import { paintBatch } from "./batchPicture";

export interface BatchItem {
  name: string;
  /** 0 to 1. */
  progress: number;
  report: Report | null;
  /** Why there is no report. */
  error: string | null;
}

export const batch = createStore<{ items: readonly BatchItem[] }>(() => ({ items: [] }));

let running: AbortController | null = null;

function change(idx: number, to: Partial<BatchItem>): void {
  batch.setState(({ items }) => ({ items: items.map((item, at) => (at === idx ? { ...item, ...to } : item)) }));
}

/** Measures the files; those that cannot be measured say why, and stop no other. */
export async function measureFiles(files: readonly File[]): Promise<void> {
  closeBatch();
  const abort = (running = new AbortController());
  batch.setState({ items: files.map(({ name }) => ({ name, progress: 0, report: null, error: null })) });
  for (const [idx, file] of files.entries()) {
    try {
      if (file.size === 0) throw new Error("the file is empty");
      const report = await analyzeBuffer(await file.arrayBuffer(), {
        partial: true,
        signal: abort.signal,
        onProgress: (progress) => {
          if (!abort.signal.aborted) change(idx, { progress });
        },
      });
      if (abort.signal.aborted) return;
      change(idx, { progress: 1, report });
    } catch (error) {
      if (abort.signal.aborted) return;
      change(idx, { progress: 1, error: error instanceof Error ? error.message : String(error) });
    }
  }
}

/** Lets the reports go, or ends their making. */
export function closeBatch(): void {
  running?.abort();
  running = null;
  batch.setState({ items: [] });
}

const NAME = "Batch report";

export function saveBatchJson(): void {
  const files = batch.getState().items.map(({ name, report, error }) => ({ file: name, ...(report ?? { error }) }));
  save(new Blob([JSON.stringify(files, null, 2), "\n"], { type: "application/json" }), NAME, "json");
}

export function saveBatchCsv(): void {
  save(new Blob([toCsv(batch.getState().items)], { type: "text/csv" }), NAME, "csv");
}

export function saveBatchPng(): void {
  const canvas = document.createElement("canvas");
  paintBatch(canvas, batch.getState().items);
  canvas.toBlob((png) => {
    if (png) save(png, NAME, "png");
    else notifyError("The picture was not made", new Error("it is too large for this browser"), "Measure fewer files at once.");
  }, "image/png");
}
