/** Failures of commands. That no server is there is the banner's to say, once, and not each command's. */
import { AntiphonError } from "antiphon";
import { RestError } from "antiphon/rest";
import { server } from "./connection";
import { notifyError } from "./notices";

/** A REST call may find out before the stream does. */
const WAIT_MS = 1500;

export function notifyFailure(title: string, thrown: unknown): void {
  if (!isOfNobody(thrown)) return notifyError(title, thrown);
  setTimeout(() => {
    if (server.status === "live") notifyError(title, thrown);
  }, WAIT_MS);
}

/** Nobody answered, or somebody else: a static host or a proxy, which says nothing of a problem as a server does. */
const isOfNobody = (thrown: unknown) =>
  thrown instanceof RestError ? thrown.problem === null : thrown instanceof AntiphonError && thrown.code === "unreachable";
