/** Changes of a composition as pure functions: what they take stays as it is. `null`: there is nothing to change. */
import type { AudioClip, Clip, CompositionSpec, Note, TempoPoint, Track } from "antiphon";
import { PPQ } from "../lib/bars";
import { newId } from "../lib/ids";
import { secondsFromTicks, ticksFromSeconds } from "../lib/tempo";

export type AnyClip = Clip | AudioClip;
export type Change = (spec: CompositionSpec) => CompositionSpec | null;

export const isAudio = (clip: AnyClip): clip is AudioClip => "sample" in clip;

export const clipsOf = (track: Track): AnyClip[] => [...track.clips, ...track.audio_clips];

export function findTrack(spec: CompositionSpec | null, id: string | null): Track | null {
  return spec?.tracks.find((track) => track.id === id) ?? null;
}

export function findClip(spec: CompositionSpec | null, id: string | null): { track: Track; clip: AnyClip } | null {
  for (const track of spec?.tracks ?? []) {
    const clip = clipsOf(track).find((one) => one.id === id);
    if (clip) return { track, clip };
  }
  return null;
}

/** Length of a clip in ticks. */
export function lengthOf(clip: AnyClip, tempo: readonly TempoPoint[]): number {
  if (!isAudio(clip)) return clip.length;
  return ticksFromSeconds(secondsFromTicks(clip.start, tempo) + clip.length_seconds, tempo) - clip.start;
}

/** Makes room: bars of four quarters, so that the end does not creep by a tick. */
function grown(spec: CompositionSpec): CompositionSpec {
  const ends = spec.tracks.flatMap((track) => track.clips.map((clip) => clip.start + clip.length));
  const end = Math.max(0, ...ends, ...spec.tracks.flatMap((track) => track.audio_clips.map((clip) => clip.start + 1)));
  return end <= spec.length ? spec : { ...spec, length: Math.ceil(end / (4 * PPQ)) * 4 * PPQ };
}

export const changeTrack = (id: string, change: (track: Track) => Track): Change => (spec) => {
  if (!findTrack(spec, id)) return null;
  return grown({ ...spec, tracks: spec.tracks.map((track) => (track.id === id ? change(track) : track)) });
};

export const patchTrack = (id: string, patch: Partial<Track>): Change => changeTrack(id, (track) => ({ ...track, ...patch }));

const withClip = (track: Track, clip: AnyClip): Track =>
  isAudio(clip)
    ? { ...track, audio_clips: [...track.audio_clips, clip] }
    : { ...track, clips: [...track.clips, clip] };

const withoutClip = (track: Track, id: string): Track => ({
  ...track,
  clips: track.clips.filter((clip) => clip.id !== id),
  audio_clips: track.audio_clips.filter((clip) => clip.id !== id),
});

export const addClip = (track: string, clip: AnyClip): Change => changeTrack(track, (it) => withClip(it, clip));

export const removeClip = (id: string): Change => (spec) => {
  const found = findClip(spec, id);
  return found && changeTrack(found.track.id, (track) => withoutClip(track, id))(spec);
};

export const changeClip = (id: string, change: (clip: AnyClip) => AnyClip): Change => (spec) => {
  const found = findClip(spec, id);
  if (!found) return null;
  return changeTrack(found.track.id, (track) => ({
    ...track,
    clips: track.clips.map((clip) => (clip.id === id ? (change(clip) as Clip) : clip)),
    audio_clips: track.audio_clips.map((clip) => (clip.id === id ? (change(clip) as AudioClip) : clip)),
  }))(spec);
};

/** To another place, and perhaps another track. */
export const moveClip = (id: string, start: number, toTrack?: string): Change => (spec) => {
  const found = findClip(spec, id);
  if (!found) return null;
  const moved = { ...found.clip, start: Math.max(0, Math.round(start)) };
  if (!toTrack || toTrack === found.track.id) return changeClip(id, () => moved)(spec);
  const without = changeTrack(found.track.id, (track) => withoutClip(track, id))(spec);
  return without && addClip(toTrack, moved)(without);
};

/** The copy stands right behind, or where it is told to. */
export const duplicateClip = (id: string, copyId: string, start?: number, toTrack?: string): Change => (spec) => {
  const found = findClip(spec, id);
  if (!found) return null;
  const at = start ?? found.clip.start + Math.round(lengthOf(found.clip, spec.tempo));
  return addClip(toTrack ?? found.track.id, { ...found.clip, id: copyId, start: Math.max(0, Math.round(at)) })(spec);
};

/** Another start or end; what sounds stays where it is. Notes outside are cut off. */
export const trimClip = (id: string, edge: "start" | "end", tick: number): Change => (spec) =>
  changeClip(id, (clip) => trimmed(clip, edge, Math.round(tick), spec.tempo))(spec);

function trimmed(clip: AnyClip, edge: "start" | "end", tick: number, tempo: readonly TempoPoint[]): AnyClip {
  if (isAudio(clip)) return trimmedAudio(clip, edge, tick, tempo);
  const end = edge === "end" ? Math.max(clip.start + 1, tick) : clip.start + clip.length;
  const start = edge === "start" ? Math.min(Math.max(0, tick), end - 1) : clip.start;
  const length = end - start;
  const shift = clip.start - start;
  const notes = clip.notes.map((note) => ({ ...note, start: note.start + shift }));
  const controls = clip.controls.map((control) => ({ ...control, tick: control.tick + shift }));
  return {
    ...clip,
    start,
    length,
    notes: notes.filter((note) => note.start >= 0 && note.start < length),
    controls: controls.filter((control) => control.tick >= 0 && control.tick < length),
  };
}

/** A recording has nothing before its beginning. */
const SHORTEST_SECONDS = 0.01;

function trimmedAudio(clip: AudioClip, edge: "start" | "end", tick: number, tempo: readonly TempoPoint[]): AudioClip {
  const at = (one: number) => secondsFromTicks(one, tempo);
  const from = at(clip.start);
  const fit = (length: number): Partial<AudioClip> => {
    const share = Math.min(1, length / Math.max(1e-9, clip.fade_in_seconds + clip.fade_out_seconds));
    return { length_seconds: length, fade_in_seconds: clip.fade_in_seconds * share, fade_out_seconds: clip.fade_out_seconds * share };
  };
  if (edge === "end") return { ...clip, ...fit(Math.max(SHORTEST_SECONDS, at(tick) - from)) };
  const latest = clip.length_seconds - SHORTEST_SECONDS;
  const moved = Math.min(latest, Math.max(-clip.offset_seconds, at(Math.max(0, tick)) - from));
  const start = Math.round(ticksFromSeconds(from + moved, tempo));
  return { ...clip, start, offset_seconds: clip.offset_seconds + moved, ...fit(clip.length_seconds - moved) };
}

/** Two clips of one: the second begins at `tick`. Notes that sound across it end there. */
export const splitClip = (id: string, tick: number, secondId: string): Change => (spec) => {
  const found = findClip(spec, id);
  const at = Math.round(tick);
  if (!found || at <= found.clip.start || at >= found.clip.start + Math.floor(lengthOf(found.clip, spec.tempo))) return null;
  const { track, clip } = found;
  // There is no fade where one goes on as the other.
  const [first, second] = isAudio(clip) ? [{ ...clip, fade_out_seconds: 0 }, { ...clip, fade_in_seconds: 0 }] : [clip, clip];
  const without = changeTrack(track.id, (it) => withoutClip(it, id))(spec);
  const withFirst = without && addClip(track.id, trimmed(first, "end", at, spec.tempo))(without);
  return withFirst && addClip(track.id, { ...trimmed(second, "start", at, spec.tempo), id: secondId })(withFirst);
};

/** Another length of a recording's fade; the two together are not longer than it. */
export const fadeClip = (id: string, end: "in" | "out", seconds: number): Change => (spec) => {
  const clip = findClip(spec, id)?.clip;
  if (!clip || !isAudio(clip)) return null;
  const [name, other] = end === "in" ? ["fade_in_seconds", "fade_out_seconds"] as const : ["fade_out_seconds", "fade_in_seconds"] as const;
  const length = Math.min(clip.length_seconds - clip[other], Math.max(0, seconds));
  return length === clip[name] ? null : changeClip(id, (it) => ({ ...it, [name]: length }))(spec);
};

/** The notes of a clip; those that begin outside are dropped, those that reach out are left to be cut. */
export const setNotes = (id: string, notes: readonly Note[]): Change =>
  changeClip(id, (clip) => {
    if (isAudio(clip)) return clip;
    return { ...clip, notes: notes.filter(({ start }) => start >= 0 && start < clip.length) };
  });

/** Colours that tell tracks apart in both themes. */
export const COLOURS = ["#5b8def", "#e08a3c", "#3fae7a", "#d9607c", "#8f74d8", "#c9a227", "#3ba3c7", "#8fa83a"] as const;

export function newTrack(spec: CompositionSpec, name?: string): Track {
  const number = spec.tracks.length + 1;
  return {
    id: newId(), name: name ?? `Track ${number}`, color: COLOURS[(number - 1) % COLOURS.length]!,
    instrument: { program: 0, drums: false, zones: [] },
    gain_db: 0, pan: 0, mute: false, solo: false, solo_safe: false, effects: [], sends: [], clips: [], audio_clips: [],
  };
}

export const addTrack = (track: Track): Change => (spec) => ({ ...spec, tracks: [...spec.tracks, track] });

export const removeTrack = (id: string): Change => (spec) =>
  findTrack(spec, id) && { ...spec, tracks: spec.tracks.filter((track) => track.id !== id) };

/** Sets or, with `null`, ends a send. */
export const setSend = (track: string, bus: string, gain_db: number | null): Change =>
  changeTrack(track, (it) => {
    const others = it.sends.filter((send) => send.bus !== bus);
    const old = it.sends.find((send) => send.bus === bus);
    if (gain_db === null) return { ...it, sends: others };
    return { ...it, sends: [...others, { bus, pre_fader: old?.pre_fader ?? false, gain_db }] };
  });

/** A bus with a reverb, for sends. */
export const addBus = (id: string): Change => (spec) => ({
  ...spec,
  buses: [...spec.buses, {
    id, name: `Reverb ${spec.buses.length + 1}`, gain_db: 0, pan: 0, mute: false,
    effects: [{ type: "reverb", decay_seconds: 1.8, predelay_ms: 20, damping: 0.5, mix: 1 }],
  }],
});

/** Changes the signature that is in force at a tick. */
export const setSignature = (tick: number, numerator: number, denominator: number): Change => (spec) => {
  const signatures = spec.time_signatures.length > 0 ? spec.time_signatures : [{ tick: 0, numerator: 4, denominator: 4 }];
  const inForce = signatures.filter((one) => one.tick <= tick).length - 1;
  return {
    ...spec,
    time_signatures: signatures.map((one, idx) => (idx === Math.max(0, inForce) ? { ...one, numerator, denominator } : one)),
  };
};

/** An empty composition of eight bars. */
export function newComposition(name: string): CompositionSpec {
  const spec: CompositionSpec = {
    id: newId(), name, tempo: [{ tick: 0, bpm: 120 }], time_signatures: [{ tick: 0, numerator: 4, denominator: 4 }],
    length: 32 * PPQ, tracks: [], buses: [], master: { gain_db: 0, effects: [] },
  };
  return { ...spec, tracks: [newTrack(spec)] };
}
