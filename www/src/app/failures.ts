/** Failures of commands. That no server is there is the banner's to say, once, and not each command's. */
import { AntiphonError } from "antiphon";
import { RestError } from "antiphon/rest";
import { server } from "./connection";
import { notifyError } from "./notices";

/** A REST call may find out before the stream does. */
const WAIT_MS = 1500;

export function notifyFailure(title: string, thrown: unknown): void {
  const isLive = () => server.status === "live";
  // A static host answered, or a proxy: neither says what the problem is, as a server does.
  const isOfAnother = thrown instanceof RestError && thrown.status !== 0 && thrown.problem === null;
  if (isOfAnother && !isLive()) return;
  if (!(thrown instanceof AntiphonError && thrown.code === "unreachable")) return notifyError(title, thrown);
  setTimeout(() => {
    if (isLive()) notifyError(title, thrown);
  }, WAIT_MS);
}
