// What every source of frames offers, whether a server or this browser makes the sound.
import type { AntiphonError } from "./errors.ts";
import type {
  AnalyticsFrame, AudioFrame, Hello, LiveNote, MetersFrame, MusicFrame, SpectrumFrame, StereoFrame, StreamOptions, TransportFrame, TriggerFrame,
  WaveformFrame,
} from "./types.gen.ts";

/** What can be subscribed. */
export type TopicName =
  | "transport" | "meters" | "spectrum" | "waveform" | "analytics" | "stereo" | "music" | "trigger" | "audio";

/** What every frame carries besides its values. */
export interface Envelope<T extends TopicName> {
  type: T;
  /** Counts frames of one topic and tap on one connection, strictly increasing. */
  seq: number;
  /** Changes when the server restarts. */
  epoch: number;
  /** Frames that were merged into this one; of `audio` and `trigger`, frames that are missing before it. */
  dropped: number;
}

/** The values of each topic. */
export interface FrameValues {
  transport: TransportFrame;
  meters: MetersFrame;
  spectrum: SpectrumFrame;
  waveform: WaveformFrame;
  analytics: AnalyticsFrame;
  stereo: StereoFrame;
  music: MusicFrame;
  trigger: TriggerFrame;
  audio: AudioFrame;
}

/** The frame of a topic. Its arrays of numbers are reused by the next one: copy what you keep. */
export type FrameOf<T extends TopicName> = T extends TopicName ? FrameValues[T] & Envelope<T> : never;

/**
 * - `loading`: WebAssembly is on its way
 * - `connecting`, `live`, `reconnecting`: the connection's state
 * - `needs-gesture`: the browser lets sound start only from a click; call `resume()` there
 * - `closed`: by `close()`
 * - `failed`: see `error`; nothing more will come
 */
export type SourceStatus =
  | "loading" | "connecting" | "live" | "reconnecting" | "needs-gesture" | "closed" | "failed";

/** Options that may also be given as `undefined`, which TypeScript's `exactOptionalPropertyTypes` tells from absent ones. */
export type OrUndefined<T> = { [K in keyof T]: T[K] | undefined };

/** Which stream, and how it is measured. What is absent keeps the topic's default. */
export interface SubscribeOptions extends OrUndefined<StreamOptions> {
  /** `"master"` (the default), `"input"`, or a track's id. */
  tap?: string | undefined;
  /** Frames per second, a whole number from 1 to 120; default 30. Nobody else's of the same stream is changed by it. */
  fps?: number | undefined;
}

/** Frames from somewhere. */
export interface Source {
  readonly kind: "server" | "local";
  readonly status: SourceStatus;
  /** Why `status` is `failed` or `reconnecting`; else why a stream that somebody wants is not there, or what was last refused. */
  readonly error: AntiphonError | null;
  /** Taps, sample rate, limits. Replaced when another composition is loaded. */
  readonly hello: Hello | null;
  /** `cb` runs when status, error or hello changed. */
  onStatus(cb: () => void): () => void;
  /**
   * Starts a stream; the returned function ends it, and with the last subscriber the work of making it.
   * `cb` is called from `requestAnimationFrame` with the newest frame (merged if several came). The frame
   * object and its arrays are reused: copy what you keep. Of `audio` and `trigger` every frame comes, in order, as
   * an object of its own, as soon as it arrives and also while the page is hidden. A trigger with `once` (the default) ends by itself.
   */
  subscribe<T extends TopicName>(topic: T, cb: (frame: FrameOf<T>) => void, opts?: SubscribeOptions): () => void;
  /** The newest frame of a stream that somebody subscribed with these options. */
  latest<T extends TopicName>(topic: T, opts?: SubscribeOptions): FrameOf<T> | null;
  /**
   * Where the playhead is in what the loudspeaker plays right now: transport frames, carried on by the sample
   * position, the server's clock and the latency of the output. `null` until that is known. The object is reused.
   */
  playhead(): Playhead | null;
  /**
   * Plays a note on a track's instrument, or ends it, whatever the transport does: `active_notes` shows it. A server
   * ends what is held when the connection ends, and drops notes while there is none. Throws an AntiphonError when a
   * value is out of range; what only the server can refuse (a track that is gone) is in `error`.
   */
  note(note: LiveNote): void;
  /**
   * Starts momentary, short-term and integrated loudness and loudness range of a tap anew (`"master"`, `"input"` or a
   * track's id), or of all taps. It is a server's for all of its clients: `loudness_resets` of meters counts, and who
   * keeps greatest values starts them anew too. Rejects when the server cannot be reached, or there is no such tap.
   */
  resetLoudness(tap?: string): Promise<void>;
  /** Ends all streams. */
  close(): void;
}

/** A place in the composition, as it is heard. */
export interface Playhead {
  position_beats: number;
  position_seconds: number;
  /** Engine frames, with fractions. */
  sample_position: number;
  is_playing: boolean;
}
