/** This browser plays on by itself when the server is gone, and gives back when the server is there again. */
import { createStore } from "zustand/vanilla";
import { steps } from "../edit/editor";
import { player, server } from "./connection";
import { notify } from "./notices";
import { prefs } from "./prefs";
import { session, switchToBrowser, switchToServer } from "./session";

/** Whether the browser plays only for as long as the server is gone. */
export const standIn = createStore<{ isActive: boolean }>(() => ({ isActive: false }));

/** A connection that was lost for less than this was no failure. */
const PATIENCE_MS = 1500;

/** Plays on here, whatever the server does. */
export function stay(): void {
  standIn.setState({ isActive: false });
}

export function watchServerLoss(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const check = () => {
    if (server.status === "live") {
      clearTimeout(timer);
      timer = undefined;
      giveBack();
    } else if (server.hello && server.status !== "closed" && timer === undefined) {
      const mine = setTimeout(() => void takeOver(() => timer === mine), PATIENCE_MS);
      timer = mine;
    }
  };
  server.onStatus(check);
  session.subscribe((now) => {
    if (now.mode === "server") stay();
  });
}

/** `isGone` is whether the server has been gone all the time since. */
async function takeOver(isGone: () => boolean): Promise<void> {
  if (!isWanted()) return;
  // Its engine may just be being made. Without it nothing can be taken over: the banner offers to try.
  const isReady = await player.prepare().then(() => true, () => false);
  if (!isReady || !isGone() || !isWanted()) return;
  await switchToBrowser();
  if (session.getState().mode === "browser" && isGone()) standIn.setState({ isActive: true });
}

function isWanted(): boolean {
  const { mode, isSwitching } = session.getState();
  return prefs.getState().failover && mode === "server" && !isSwitching;
}

function giveBack(): void {
  if (!standIn.getState().isActive) return;
  // What was edited meanwhile is only here, and must not vanish from sight.
  if (steps.getState().canUndo) return stay();
  switchToServer();
  notify("info", "The server is back, and plays again");
}
