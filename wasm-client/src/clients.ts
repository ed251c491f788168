// What can be asked of a server through REST, and of a local source through its worklet: the same interfaces.
import type {
  AnyClip, AudioClipInput, ChannelPatch, ClipInput, CompositionPage, CompositionSpec, CompositionSpecInput, HistoryPage,
  LoopRequest, MasterPatch, MasterStrip, MetronomeRequest, MixerChannel, MixerState, RecordRequest, SampleInfo, SamplePage,
  SeekRequest, TakeReport, TempoRequest, Track, TrackInput, TransportFrame,
} from "./types.gen.ts";

/** Where the transport stands. */
export type PlaybackState = TransportFrame;

/** The transport. Every call resolves to the state after it. */
export interface PlaybackClient {
  /** The state as it is. */
  get(): Promise<PlaybackState>;
  /** Plays on from the playhead. */
  play(): Promise<PlaybackState>;
  /** Stops and goes back to the start. */
  stop(): Promise<PlaybackState>;
  /** Stands still where it is. */
  pause(): Promise<PlaybackState>;
  /** Plays on after a pause. */
  resume(): Promise<PlaybackState>;
  /** Moves the playhead to beats or to seconds. */
  seek(to: SeekRequest): Promise<PlaybackState>;
  /** 20 to 400 bpm, for the part of the composition where the playhead stands. */
  setTempo(tempo: TempoRequest): Promise<PlaybackState>;
  /** The loop region, half-open, in beats. */
  setLoop(region: LoopRequest): Promise<PlaybackState>;
  /** Whether beats are heard. */
  setMetronome(metronome: MetronomeRequest): Promise<PlaybackState>;
}

/** Recording, which a server does: what is played live, or comes in, becomes a clip of the armed track. */
export interface RecordingClient {
  /** Chooses the track that is recorded to, and that MIDI keyboards play; null for none. */
  arm(trackId: string | null): Promise<PlaybackState>;
  /** Records until the playhead stops or is moved; a loop's passes lie over one another. */
  record(opts?: RecordRequest): Promise<PlaybackState>;
  /** What came of the last recording. */
  take(): Promise<TakeReport>;
}

/** The mixer. A channel's id is its track's id. */
export interface MixerClient {
  /** All channels and the master. */
  get(): Promise<MixerState>;
  /** What the patch does not name stays. */
  patchChannel(id: string, patch: ChannelPatch): Promise<MixerChannel>;
  /** The same for the master. */
  patchMaster(patch: MasterPatch): Promise<MasterStrip>;
}

/** Loudness, which is measured all the time. */
export interface LoudnessClient {
  /** Starts loudness and loudness range of a tap anew (`"master"`, `"input"` or a track's id), or of all. */
  reset(tap?: string): Promise<void>;
}

/** Undo and redo. A composition's changes are those of its mixer and tempo too; a fader that is dragged makes one. */
export interface RevisionsClient {
  /** Takes the last change of a composition back. Rejects (`conflict`) when there is none. */
  undo(id: string): Promise<CompositionSpec>;
  /** Makes a change again that was taken back, until another change is made. */
  redo(id: string): Promise<CompositionSpec>;
  /** What was changed, the newest first. */
  history(id: string, opts?: { limit?: number | undefined; cursor?: string | undefined }): Promise<HistoryPage>;
}

/** The compositions that a server keeps. */
export interface CompositionsClient extends RevisionsClient {
  /** A page of summaries; its cursor leads to the next one. */
  list(opts?: { limit?: number | undefined; cursor?: string | undefined }): Promise<CompositionPage>;
  /** All of a composition. */
  get(id: string): Promise<CompositionSpec>;
  /** Stores a composition; one without an id gets one. */
  create(composition: CompositionSpecInput): Promise<CompositionSpec>;
  /** Replaces the members that the change names. */
  patch(id: string, change: Partial<CompositionSpecInput>): Promise<CompositionSpec>;
  /** Stores a Standard MIDI File as a composition. */
  importMidi(bytes: ArrayBuffer | Uint8Array<ArrayBuffer>, name?: string): Promise<CompositionSpec>;
  /** Stores an audio file (WAV, AIFF, FLAC, MP3, OGG Vorbis) as a sample and a composition that plays it. */
  importAudio(file: FileBody, opts?: { name?: string | undefined; bpm?: number | undefined }): Promise<CompositionSpec>;
  /** Makes it what plays. */
  load(id: string): Promise<PlaybackState>;
  /** Deletes it. */
  remove(id: string): Promise<void>;
}

/** Tracks and clips of the compositions that a server keeps. Each call is a step of the composition's history. */
export interface TracksClient {
  /** Adds a track at the end. */
  add(composition: string, track: TrackInput): Promise<Track>;
  /** Replaces the members that the change names. */
  patch(composition: string, track: string, change: Partial<TrackInput>): Promise<Track>;
  /** Deletes a track. */
  remove(composition: string, track: string): Promise<void>;
  /** Adds a clip to a track. */
  addClip(composition: string, track: string, clip: ClipInput | AudioClipInput): Promise<AnyClip>;
  /** Puts another clip in the place of one. */
  replaceClip(composition: string, track: string, clip: (ClipInput | AudioClipInput) & { id: string }): Promise<AnyClip>;
  /** Deletes a clip. */
  removeClip(composition: string, track: string, clip: string): Promise<void>;
}

/** The bytes of a file. */
export type FileBody = ArrayBuffer | Uint8Array<ArrayBuffer> | Blob;

/** The recordings that a server keeps for its compositions. */
export interface SamplesClient {
  /** A page of samples; its cursor leads to the next one. */
  list(opts?: { limit?: number | undefined; cursor?: string | undefined }): Promise<SamplePage>;
  /** What is known of a sample besides its file. */
  get(id: string): Promise<SampleInfo>;
  /** The file, as it was sent: what `LocalSource.load` and `renderComposition` take as `samples`. */
  file(id: string): Promise<ArrayBuffer>;
  /** Stores an audio file (WAV, AIFF, FLAC, MP3, OGG Vorbis). */
  add(file: FileBody, name?: string): Promise<SampleInfo>;
  /** Refused while a composition uses it. */
  remove(id: string): Promise<void>;
}
