// Fills a store from a source: slow state by `setState`, frames in slots that are mutated without it.
import type { AntiphonError } from "./errors.ts";
import type { FrameOf, Source, SourceStatus, TopicName } from "./source.ts";
import type { Hello } from "./types.gen.ts";

/** The newest frame of each topic, master tap, default options. */
export type FrameSlots = { [T in TopicName]: FrameOf<T> | null };

/** What the store holds. */
export interface AntiphonState {
  status: SourceStatus;
  error: AntiphonError | null;
  hello: Hello | null;
  /** At most 5 times a second, or when playing, tempo, loop, metronome, time signature or the composition's revision changed. */
  transport: FrameOf<"transport"> | null;
  analytics: FrameOf<"analytics"> | null;
  /** The same object for ever; its slots change without a notification. Read it from an animation frame. */
  readonly frames: FrameSlots;
}

/** A vanilla Zustand store; written out, so that the types of who has no Zustand do without it too. */
export interface AntiphonStore {
  /** Changes a part of the state. */
  setState(change: Partial<AntiphonState> | ((state: AntiphonState) => Partial<AntiphonState>), replace?: false): void;
  /** Replaces the state. */
  setState(state: AntiphonState | ((state: AntiphonState) => AntiphonState), replace: true): void;
  /** The state as it is. */
  getState(): AntiphonState;
  /** The state as it began. */
  getInitialState(): AntiphonState;
  /** Calls `listener` after each change until the returned function is called. */
  subscribe(listener: (state: AntiphonState, before: AntiphonState) => void): () => void;
}

/** What a store holds before a source fills it. */
export function empty(): Omit<AntiphonState, "frames"> {
  return { status: "loading", error: null, hello: null, transport: null, analytics: null };
}

/** Slots for frames, empty. */
export function noFrames(): FrameSlots {
  return {
    transport: null, meters: null, spectrum: null, waveform: null, analytics: null, stereo: null, music: null, trigger: null, audio: null,
  };
}

const DEFAULT_TOPICS: readonly TopicName[] = ["transport", "meters", "spectrum", "waveform", "analytics"];
const TRANSPORT_MS = 200;

/** Fills a store from a source until the returned function is called. */
export function syncStore(
  store: AntiphonStore, source: Source, topics: readonly TopicName[] = DEFAULT_TOPICS,
): () => void {
  const { frames } = store.getState();
  Object.assign(frames, noFrames());
  const readStatus = () => {
    const { status, error, hello } = source;
    store.setState({ status, error, hello });
  };
  store.setState(empty());
  readStatus();
  let setAt = -Infinity;
  const ends = [source.onStatus(readStatus)];
  const keep = <T extends TopicName>(topic: T, also?: (frame: FrameOf<T>) => void) => {
    const slots: FrameSlots = frames;
    ends.push(source.subscribe(topic, (frame) => {
      (slots as Record<TopicName, unknown>)[topic] = frame;
      also?.(frame);
    }));
  };
  for (const topic of topics) {
    if (topic === "transport") {
      keep("transport", (frame) => {
        const now = performance.now();
        if (now - setAt < TRANSPORT_MS && !isNews(store.getState().transport, frame)) return;
        setAt = now;
        store.setState({ transport: { ...frame } });
      });
    } else if (topic === "analytics") {
      keep("analytics", (frame) => store.setState({ analytics: { ...frame } }));
    } else {
      keep(topic);
    }
  }
  return () => {
    ends.forEach((end) => end());
    // Nobody knows any more.
    store.setState({ status: empty().status, error: null });
  };
}

/** Whether a transport says more than that time went by. */
export function isNews(before: FrameOf<"transport"> | null, now: FrameOf<"transport">): boolean {
  return (
    before === null || now.discontinuity || before.is_playing !== now.is_playing ||
    before.is_paused !== now.is_paused || before.is_recording !== now.is_recording ||
    before.armed_track_id !== now.armed_track_id || before.count_in_beats !== now.count_in_beats || before.tempo !== now.tempo ||
    before.loop_enabled !== now.loop_enabled || before.loop_start !== now.loop_start ||
    before.loop_end !== now.loop_end || before.metronome_enabled !== now.metronome_enabled ||
    before.time_signature_num !== now.time_signature_num || before.time_signature_den !== now.time_signature_den ||
    before.composition_revision !== now.composition_revision
  );
}
