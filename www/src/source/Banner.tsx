import { useEffect, useState } from "react";
import { useStore } from "zustand";
import { player, server } from "../app/connection";
import { useSession, useSourceStatus } from "../app/hooks";
import { notifyError } from "../app/notices";
import { switchToBrowser, switchToServer } from "../app/session";
import { standIn, stay } from "../app/standIn";

/** A first connection takes a moment; saying that it failed before that would be a false alarm. */
const PATIENCE_MS = 1500;

/** Says what keeps the shown source from being live, and offers the way out. Never in the way of anything. */
export function Banner() {
  const mode = useSession((state) => state.mode);
  return mode === "server" ? <ServerBanner /> : <BrowserBanner />;
}

function ServerBanner() {
  const status = useSourceStatus(server);
  const isSwitching = useSession((state) => state.isSwitching);
  const isFresh = useIsFresh(PATIENCE_MS, status);
  const isGone = status === "reconnecting" || status === "failed" || status === "closed";
  const wasLive = server.hello !== null;
  if (!isGone && (status !== "connecting" || isFresh)) return null;
  return (
    <div className="banner" role="alert" data-testid="server-gone">
      <p>
        <strong>{wasLive ? "The server is gone." : "No server answers."}</strong>{" "}
        {status === "reconnecting" || status === "connecting"
          ? "This page reconnects by itself as soon as it is back."
          : `${server.error?.message ?? "The connection is closed"}.`}{" "}
        {status === "failed" && server.error?.hint}
      </p>
      <button
        type="button"
        className="button primary"
        data-testid="continue-in-browser"
        disabled={isSwitching}
        onClick={() => void switchToBrowser()}
      >
        Continue in this browser
      </button>
    </div>
  );
}

function BrowserBanner() {
  const source = useSession((state) => state.source);
  const status = useSourceStatus(source);
  const isStandIn = useStore(standIn, (state) => state.isActive);
  const serverIsLive = useSourceStatus(server) === "live";
  // Only a server that was away is news when it is there.
  const [wasAway, setWasAway] = useState(false);
  useEffect(() => {
    if (!serverIsLive) setWasAway(true);
  }, [serverIsLive]);

  if (status === "needs-gesture") {
    const resume = () => player.resume().catch((error: unknown) => notifyError("The sound did not start", error));
    return (
      <div className="banner" role="alert">
        <p>
          <strong>The browser has suspended the sound.</strong> It may go on only after a click.
        </p>
        <button type="button" className="button primary" data-testid="resume" onClick={() => void resume()}>
          Resume
        </button>
      </div>
    );
  }
  if (status === "failed" || status === "closed") {
    return (
      <div className="banner" role="alert">
        <p>
          <strong>The browser’s engine has stopped.</strong> {source.error?.message} {source.error?.hint}
        </p>
        <button type="button" className="button primary" onClick={() => location.reload()}>
          Reload the page
        </button>
      </div>
    );
  }
  if (isStandIn && !serverIsLive) {
    return (
      <div className="banner" role="status" data-testid="server-gone">
        <p>
          <strong>The server is gone; this browser plays on.</strong> It goes back by itself as soon as the server is there.
        </p>
        <button type="button" className="button" data-testid="continue-in-browser" onClick={stay}>
          Stay in this browser
        </button>
      </div>
    );
  }
  if (wasAway && serverIsLive) {
    return (
      <div className="banner calm" role="status" data-testid="server-back">
        <p>
          <strong>The server is back.</strong>
        </p>
        <button type="button" className="button" onClick={switchToServer}>
          Return to it
        </button>
      </div>
    );
  }
  return null;
}

/** True for the first `ms` after `key` changed. */
function useIsFresh(ms: number, key: string): boolean {
  const [staleKey, setStaleKey] = useState<string | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setStaleKey(key), ms);
    return () => clearTimeout(timer);
  }, [ms, key]);
  return staleKey !== key;
}
