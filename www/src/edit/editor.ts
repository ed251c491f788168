/**
 * Changes what the shown source plays: shows the change at once, sends it, and says so when it was refused. Requests
 * go out one after the other; each change is made again on the newest version, so that two people who edit at once
 * lose nothing of one another's.
 */
import type { CompositionSpec, LocalSource } from "antiphon";
import { RestError } from "antiphon/rest";
import { createStore } from "zustand/vanilla";
import { serverComposition } from "../app/compositions";
import { player, queryClient, rest, server } from "../app/connection";
import { notifyFailure } from "../app/failures";
import { library } from "../app/library";
import { dismissUndo, notifyError } from "../app/notices";
import { prefs } from "../app/prefs";
import { anySample } from "../app/samples";
import { session } from "../app/session";
import { calmed, coalesced, within } from "../lib/turns";
import type { Change } from "./model";
import { requestBetween } from "./requests";

export interface Steps {
  canUndo: boolean;
  canRedo: boolean;
}

/** Whether there is something to take back, or to make again. */
export const steps = createStore<Steps>(() => ({ canUndo: false, canRedo: false }));

/** What is shown, with changes that are still on their way. */
export function shownComposition(): CompositionSpec | null {
  const { mode, composition } = session.getState();
  return mode === "browser" ? composition : (queryClient.getQueryData(serverComposition.queryKey) ?? null);
}

function show(spec: CompositionSpec): void {
  if (session.getState().mode === "browser") session.setState({ composition: spec });
  else queryClient.setQueryData(serverComposition.queryKey, spec);
}

let last: Promise<unknown> = Promise.resolve();
let nWaiting = 0;
let nAsked = 0;

/** Runs after all that was asked for before. What fails is told, and the newest version shown. */
function enqueue(title: string, run: () => Promise<unknown>): Promise<void> {
  nWaiting += 1;
  nAsked += 1;
  // Steps may lead back to the one that was seen last, while another one is shown.
  seenStep = "";
  const done = last.then(run).then(
    () => undefined,
    (error: unknown) => notifyFailure(title, error),
  ).finally(() => {
    nWaiting -= 1;
  });
  // The next change does not wait until this one is shown.
  last = done;
  return done.then(() => (nWaiting === 0 ? refresh() : undefined));
}

/** Makes a change. `false` when it changes nothing. */
export function edit(change: Change, title = "The change was not made"): boolean {
  const before = shownComposition();
  const after = before && change(before);
  if (!before || !after || after === before) return false;
  show(after);
  dismissUndo();
  steps.setState({ canUndo: true, canRedo: false });
  const { mode, local } = session.getState();
  void enqueue(title, async () => {
    if (mode === "browser") {
      if (local) await changeLocal(local, change);
      return;
    }
    for (let attempt = 1; ; attempt += 1) {
      const newest = await rest.compositions.get(before.id);
      const wanted = change(newest);
      try {
        await (wanted && requestBetween(newest, wanted))?.(rest);
        // Here, since an Undo that was pressed before may have come to an end only now.
        exhausted = null;
        return;
      } catch (error) {
        // Somebody moved it to another track, or removed it, between the two requests.
        if (attempt === ATTEMPTS || !hasStatus(error, 404)) throw error;
      }
    }
  });
  return true;
}

/** When the changes that were asked for by now are made, or refused. */
export const settled = (): Promise<unknown> => last;

const ATTEMPTS = 3;
const hasStatus = (error: unknown, status: number) => error instanceof RestError && error.status === status;

/** The way that has led to its end: presses that were queued before that was known go nowhere. */
let exhausted: "undo" | "redo" | null = null;

export function undo(): void {
  travel("undo");
}

export function redo(): void {
  travel("redo");
}

function travel(way: "undo" | "redo"): void {
  const id = shownComposition()?.id;
  if (!id || !steps.getState()[way === "undo" ? "canUndo" : "canRedo"]) return;
  dismissUndo();
  // At once: the next press need not wait for the answer.
  steps.setState(way === "undo" ? { canRedo: true } : { canUndo: true });
  const { mode, local } = session.getState();
  void enqueue(`The ${way} was not made`, async () => {
    if (mode === "browser") {
      if (local) await travelLocal(local, way);
      return;
    }
    if (exhausted === way) return;
    try {
      const spec = await rest.compositions[way](id);
      exhausted = null;
      if (nWaiting === 1) show(spec);
    } catch (error) {
      if (!hasStatus(error, 409)) throw error;
      // There is no such step, or its samples were deleted; only the second is worth telling.
      const { can_undo, can_redo } = await rest.compositions.history(id, { limit: 1 });
      if (way === "undo" ? can_undo : can_redo) throw error;
      exhausted = way;
    }
  });
}

/** The step that was last seen; another one is somebody else's. */
let seenStep = "";

/** At most so often is looked while somebody drags a fader. */
const PAUSE_MS = 100;
/** What would play on when the server is gone is loaded anew for each change: not while they come one upon another. */
const QUIET_MS = 1000;
const RETRY_MS = 3000;
const PATIENCE_MS = 20_000;

const refreshPlayer = calmed(() => void player.refresh().catch(() => undefined), QUIET_MS);

/** Shows the newest version when somebody else has changed it. The mixer follows the stream by itself. */
export async function refresh(): Promise<void> {
  if (session.getState().mode === "browser") setLocalSteps();
  else await refreshShown();
}

const refreshShown = coalesced(async () => {
  const id = shownComposition()?.id;
  if (!id || nWaiting > 0 || session.getState().mode !== "server" || server.status !== "live") return;
  const asked = nAsked;
  // A change that was made meanwhile shows already, and its own refresh follows.
  const isWanted = () => nAsked === asked && session.getState().mode === "server" && shownComposition()?.id === id;
  exhausted = null;
  try {
    const { items, can_undo, can_redo } = await within(PATIENCE_MS, rest.compositions.history(id, { limit: 100 }));
    if (!isWanted()) return;
    if (steps.getState().canUndo !== can_undo || steps.getState().canRedo !== can_redo) {
      steps.setState({ canUndo: can_undo, canRedo: can_redo });
    }
    const current = items.find((item) => item.current);
    const step = `${id} ${current?.step} ${current?.changed_at}`;
    if (step === seenStep) return;
    // "Undo" in a message would take back what was done since.
    if (seenStep !== "") dismissUndo();
    refreshPlayer();
    const spec = await within(PATIENCE_MS, rest.compositions.get(id));
    if (!isWanted()) return;
    seenStep = step;
    show(spec);
  } catch (error) {
    // When the server is gone the stream says so, and when it is back. One that was deleted is not asked for again.
    if (!hasStatus(error, 404)) retry();
  }
}, PAUSE_MS);

let retrying: ReturnType<typeof setTimeout> | undefined;

function retry(): void {
  clearTimeout(retrying);
  retrying = setTimeout(look, RETRY_MS);
}

function look(): void {
  // After a change of our own comes a refresh anyway.
  if (document.visibilityState === "visible" && nWaiting === 0) void refresh();
}

/** Shows what somebody else changes, as soon as the stream says so; a page that was hidden, when it is seen again. */
export function watchEdits(): () => void {
  let revision = -1;
  let isLive = server.status === "live";
  let id = shownComposition()?.id;
  const ends = [
    queryClient.getQueryCache().subscribe(() => {
      const now = shownComposition()?.id;
      if (now === id) return;
      id = now;
      look();
    }),
    server.subscribe("transport", ({ composition_revision: now }) => {
      if (now === revision) return;
      revision = now;
      look();
    }),
    library.onSavedElsewhere(followTab),
    server.onStatus(() => {
      const wasLive = isLive;
      isLive = server.status === "live";
      if (isLive && !wasLive) look();
    }),
  ];
  document.addEventListener("visibilitychange", look);
  look();
  return () => {
    ends.forEach((end) => end());
    document.removeEventListener("visibilitychange", look);
    clearTimeout(retrying);
  };
}

interface Step {
  before: CompositionSpec;
  after: CompositionSpec;
}

/** Changes of what the browser plays. */
let undos: Step[] = [];
let redos: Step[] = [];
const MOST_STEPS = 100;

function setLocalSteps(): void {
  steps.setState({ canUndo: undos.length > 0, canRedo: redos.length > 0 });
}

async function changeLocal(local: LocalSource, change: Change): Promise<void> {
  const before = local.composition;
  const after = before && change(before);
  if (!after) return;
  await replaceLocal(local, after);
  undos = [...undos, { before, after }].slice(-MOST_STEPS);
  redos = [];
}

async function travelLocal(local: LocalSource, way: "undo" | "redo"): Promise<void> {
  const [from, to] = way === "undo" ? [undos, redos] : [redos, undos];
  const step = from.pop();
  const now = local.composition;
  if (!step || !now) return;
  to.push(step);
  const [left, wanted] = way === "undo" ? [step.after, step.before] : [step.before, step.after];
  await replaceLocal(local, keepStrips(now, left, wanted));
}

/** Faders that were moved since are no part of the step, and stay. */
function keepStrips(now: CompositionSpec, left: CompositionSpec, wanted: CompositionSpec): CompositionSpec {
  return {
    ...wanted,
    tracks: wanted.tracks.map((track) => {
      const [current, then] = [now, left].map((spec) => spec.tracks.find(({ id }) => id === track.id));
      if (!current || !then) return track;
      const { gain_db, pan, mute, solo } = current;
      const isMoved = gain_db !== then.gain_db || pan !== then.pan || mute !== then.mute || solo !== then.solo;
      return isMoved ? { ...track, gain_db, pan, mute, solo } : track;
    }),
  };
}

/** The engine takes the new version, and plays on. */
async function replaceLocal(local: LocalSource, spec: CompositionSpec): Promise<void> {
  await takeLocal(local, spec);
  await keepPlayed(local);
}

async function takeLocal(local: LocalSource, spec: CompositionSpec): Promise<void> {
  const loaded = await local.update(spec, { samples: anySample });
  if (nWaiting === 1) show(loaded);
  await markMixers("active");
}

/** As it is by now: a fader may have been moved while the engine took it. */
async function keepPlayed(local: LocalSource): Promise<void> {
  const { composition } = local;
  if (!composition) return;
  prefs.setState({ kept: composition.id });
  await library.save(composition).catch((error: unknown) => notifyError("This browser did not keep the change", error));
}

const KEEP_MS = 300;
/** The composition that was changed so: another one that was opened since is not kept. */
let moved: string | undefined;

const keepMoved = calmed(() => {
  const { local } = session.getState();
  if (local && local.composition?.id === moved) void keepPlayed(local);
}, KEEP_MS);

/** Commands of this browser's engine. Those that change what it plays go past this file; it is kept all the same. */
export function keptClients({ playback, mixer }: LocalSource): Pick<LocalSource, "playback" | "mixer"> {
  const kept = <A extends unknown[], T>(command: (...args: A) => Promise<T>) => async (...args: A) => {
    const answer = await command(...args);
    moved = session.getState().local?.composition?.id;
    keepMoved();
    return answer;
  };
  return {
    playback: { ...playback, setTempo: kept(playback.setTempo) },
    mixer: { ...mixer, patchChannel: kept(mixer.patchChannel), patchMaster: kept(mixer.patchMaster) },
  };
}

/** Another tab has changed what plays here, too: who changed the older version would undo it. */
function followTab(id: string): void {
  const { local } = session.getState();
  if (local?.composition?.id !== id) return;
  void enqueue("What another tab changed is not shown", async () => {
    const spec = await library.get(id);
    if (!spec || local.composition?.id !== id) return;
    // Steps of this tab would take back the other's as well.
    [undos, redos] = [[], []];
    dismissUndo();
    await takeLocal(local, spec);
  });
}

/** Mixers that are shown are fetched anew, or each when it is shown again. */
const markMixers = (refetchType: "active" | "none") =>
  queryClient.invalidateQueries({ predicate: ({ queryKey: [page, name] }) => page === "antiphon" && name === "mixer", refetchType });

// Steps belong to a composition: another one has its own.
session.subscribe((now, before) => {
  if (now.mode === before.mode && now.composition?.id === before.composition?.id) return;
  if (now.composition?.id !== before.composition?.id) [undos, redos] = [[], []];
  // Nobody followed the mixer that was not shown.
  if (now.mode !== before.mode) void markMixers("none");
  dismissUndo();
  seenStep = "";
  void refresh();
});
