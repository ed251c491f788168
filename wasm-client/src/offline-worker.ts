// The script of a worker that does one job and is then ended.
import { AntiphonError, messageOf } from "./errors.ts";
import { type FromOfflineWorker, runJob, type ToOfflineWorker } from "./offline-job.ts";

/** The part of a worker's scope that is used; the types know pages only. */
interface Scope {
  onmessage: ((event: MessageEvent<ToOfflineWorker>) => void) | null;
  postMessage(message: FromOfflineWorker, transfer?: Transferable[]): void;
}
const scope = globalThis as unknown as Scope;

/** Progress a few times a second is all that a person sees. */
const PROGRESS_MS = 100;

scope.onmessage = ({ data: { module, job } }) => {
  const onProgress = (progress: number) => scope.postMessage({ type: "progress", progress });
  // Nobody waits for this thread, so it does not pause.
  runJob(module, job, { onProgress, breathe: () => Promise.resolve(), sliceMs: PROGRESS_MS }).then(
    (result) => {
      const buffers = "isDamaged" in result ? result.channels.map((channel) => channel.buffer) : [];
      scope.postMessage({ type: "done", result }, buffers);
    },
    (error: unknown) => {
      const code = error instanceof AntiphonError ? error.code : "internal";
      scope.postMessage({ type: "failed", error: { code, message: messageOf(error) } });
    },
  );
};

scope.postMessage({ type: "ready" });
