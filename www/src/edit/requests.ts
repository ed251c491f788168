/** The smallest request that makes one version of a composition of another. */
import type { AudioClip, Clip, CompositionSpec, Track } from "antiphon";
import type { RestClient } from "antiphon/rest";
import { type AnyClip, clipsOf } from "./model";

type Send = (rest: Pick<RestClient, "compositions" | "tracks">) => Promise<unknown>;

/** Equal values; what was not touched is the same object, so that this rarely looks inside. */
const same = (a: unknown, b: unknown) => a === b || JSON.stringify(a) === JSON.stringify(b);

/** Members of `after` that differ. */
function difference<T extends object>(before: T, after: T): Partial<T> {
  const changed = (Object.keys(after) as (keyof T)[]).filter((key) => !same(before[key], after[key]));
  return Object.fromEntries(changed.map((key) => [key, after[key]])) as Partial<T>;
}

/** What was added, removed and changed in a list of things with ids. */
function byId<T extends { id: string }>(before: readonly T[], after: readonly T[]) {
  const old = new Map(before.map((one) => [one.id, one]));
  const ids = new Set(after.map(({ id }) => id));
  return {
    added: after.filter(({ id }) => !old.has(id)),
    removed: before.filter(({ id }) => !ids.has(id)),
    changed: after.filter((one) => old.has(one.id) && !same(old.get(one.id), one)),
  };
}

/** `null` when both are the same. */
export function requestBetween(before: CompositionSpec, after: CompositionSpec): Send | null {
  const { id } = before;
  const changes = difference(before, after);
  if (Object.keys(changes).length === 0) return null;
  const whole: Send = ({ compositions }) => compositions.patch(id, changes);
  if (!changes.tracks || Object.keys(changes).length > 1) return whole;
  const { added, removed, changed } = byId(before.tracks, after.tracks);
  if (added.length + removed.length + changed.length !== 1) return whole;
  const [track] = [...added, ...removed, ...changed];
  if (!track) return whole;
  // Where it stands in the list matters only when it is the last.
  if (added.length === 1) return after.tracks.at(-1) === track ? ({ tracks }) => tracks.add(id, track) : whole;
  if (removed.length === 1) return ({ tracks }) => tracks.remove(id, track.id);
  const old = before.tracks.find((one) => one.id === track.id);
  return old ? trackRequest(id, old, track) : whole;
}

function trackRequest(id: string, before: Track, after: Track): Send {
  const change = difference(before, after);
  const whole: Send = ({ tracks }) => tracks.patch(id, after.id, change);
  const members = Object.keys(change);
  if (members.some((member) => member !== "clips" && member !== "audio_clips")) return whole;
  const { added, removed, changed } = byId<AnyClip>(clipsOf(before), clipsOf(after));
  if (added.length + removed.length + changed.length !== 1) return whole;
  const put = (changed[0] ?? added[0]) as Clip | AudioClip | undefined;
  if (changed[0] && put) return ({ tracks }) => tracks.replaceClip(id, after.id, put);
  if (put) return ({ tracks }) => tracks.addClip(id, after.id, put);
  return ({ tracks }) => tracks.removeClip(id, after.id, removed[0]!.id);
}
