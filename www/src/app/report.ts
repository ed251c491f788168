/** The report of the file that this browser has opened, made in this browser. */
import { analyzeBuffer, AntiphonError, type Report } from "antiphon";
import { createStore } from "zustand/vanilla";
import { save } from "./downloads";
import { notifyError } from "./notices";

export interface FileReport {
  /** The file that is or was measured; null when there is none. */
  name: string | null;
  /** How much is measured, 0 to 1. */
  progress: number;
  report: Report | null;
}

const NONE: FileReport = { name: null, progress: 0, report: null };

export const fileReport = createStore<FileReport>(() => NONE);

let running: AbortController | null = null;

/** Measures a file as it is; what only the browser can decode, as the browser hears it. */
export async function measureFile(file: File, decoded: AudioBuffer): Promise<void> {
  closeReport();
  const abort = (running = new AbortController());
  fileReport.setState({ ...NONE, name: file.name });
  const opts = {
    partial: true, signal: abort.signal,
    onProgress: (progress: number) => {
      if (!abort.signal.aborted) fileReport.setState({ progress });
    },
  };
  try {
    const report = await analyzeBuffer(await file.arrayBuffer(), opts).catch((error: unknown) => {
      if (error instanceof AntiphonError && error.code === "invalid-audio") return analyzeBuffer(decoded, opts);
      throw error;
    });
    if (!abort.signal.aborted) fileReport.setState({ progress: 1, report });
  } catch (error) {
    if (abort.signal.aborted) return;
    closeReport();
    notifyError(`${file.name} was not measured`, error, "Open the file again.");
  }
}

/** Lets the report go, or ends its making. */
export function closeReport(): void {
  running?.abort();
  running = null;
  fileReport.setState(NONE);
}

/** Saves the report as JSON. */
export function saveReport(): void {
  const { name, report } = fileReport.getState();
  if (!name || !report) return;
  const json = JSON.stringify({ file: name, ...report }, null, 2);
  save(new Blob([json, "\n"], { type: "application/json" }), `${name} report`, "json");
}
