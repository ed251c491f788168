/** Failures of commands. That the server is gone is the banner's to say, once, and not each command's. */
import { AntiphonError } from "antiphon";
import { server } from "./connection";
import { notifyError } from "./notices";

/** A REST call may find out before the stream does. */
const WAIT_MS = 1500;

export function notifyFailure(title: string, thrown: unknown): void {
  if (!(thrown instanceof AntiphonError && thrown.code === "unreachable")) return notifyError(title, thrown);
  setTimeout(() => {
    if (server.status === "live") notifyError(title, thrown);
  }, WAIT_MS);
}
