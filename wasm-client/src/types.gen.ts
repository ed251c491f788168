// Generated from engine-core's Rust types. Do not edit.
// Regenerate: UPDATE=1 cargo test -p antiphon-wasm --test types

export type Topic = "transport" | "meters" | "spectrum" | "waveform" | "analytics" | "axis";
export type Window = "hann" | "hamming" | "blackman" | "blackman_harris" | "flat_top" | "rectangular";
export type Scale = "linear" | "log" | "mel" | "bark" | "octave";
export type Weighting = "none" | "a" | "c" | "z";
export type WaveformMode = "scope" | "buckets";
export type StreamOptions = {
  fft_size?: number; window?: Window; scale?: Scale; bands?: number; fraction?: number; weighting?: Weighting;
  channels?: number; min_hz?: number; max_hz?: number; wide?: boolean; mode?: WaveformMode; samples?: number;
};
export type Tap = { id: number; name: string; track_id: string | null };
export type TopicInfo = { id: number; name: string };
export type Limits = { max_fps: number; max_message_bytes: number; max_subscriptions: number };
export type Hello = {
  version: number; epoch: number; sample_rate: number; channels: number; taps: Array<Tap>; topics: Array<TopicInfo>;
  limits: Limits; server_time: number;
};
export type NoteInfo = { track_id: string; pitch: number; velocity: number };
export type TransportFrame = {
  is_playing: boolean; is_paused: boolean; is_recording: boolean; position_beats: number; position_seconds: number;
  sample_position: number; tempo: number; time_signature_num: number; time_signature_den: number;
  loop_enabled: boolean; loop_start: number; loop_end: number; metronome_enabled: boolean;
  active_notes: Array<NoteInfo>; server_time: number; discontinuity: boolean;
};
export type SpectrumFrame = {
  tap: string; sample_position: number; sample_rate: number; fft_size: number; scale: string; channels: number;
  frequencies: Float32Array; magnitudes: Float32Array;
};
export type WaveformFrame = {
  tap: string; sample_position: number; sample_rate: number;
  samples_left?: Float32Array; samples_right?: Float32Array;
  min_left?: Float32Array; max_left?: Float32Array; rms_left?: Float32Array;
  min_right?: Float32Array; max_right?: Float32Array; rms_right?: Float32Array;
};
export type MeterLevels = {
  peak_left: number; peak_right: number; rms_left: number; rms_right: number;
  true_peak_left: number; true_peak_right: number; clips: number;
};
export type TrackMeters = { track_id: string; name: string } & MeterLevels;
export type MasterMeters = MeterLevels & {
  lufs_momentary: number; lufs_short_term: number; lufs_integrated: number; lra: number; correlation: number;
};
export type MetersFrame = { sample_position: number; tracks: Array<TrackMeters>; master: MasterMeters };
export type Analytics = {
  cpu_usage: number; memory_usage: number; active_voices: number; active_tracks: number; sample_rate: number;
  buffer_size: number; latency_ms: number; xruns: number; clients: number; frames_sent: number;
  frames_merged: number; device: string;
};
export type AnalyticsFrame = { sample_position: number } & Analytics;
export type SeekRequest = { position_beats: number } | { position_seconds: number };
export type TempoRequest = { bpm: number };
export type LoopRequest = { enabled: boolean; start_beats: number; end_beats: number };
export type MetronomeRequest = { enabled: boolean };
export type MixerChannel = {
  id: string; name: string; color: string; gain_db: number; pan: number; mute: boolean; solo: boolean;
};
export type MasterStrip = { gain_db: number };
export type MixerState = { channels: Array<MixerChannel>; master: MasterStrip };
export type ChannelPatch = { gain_db?: number; pan?: number; mute?: boolean; solo?: boolean };
export type MasterPatch = { gain_db?: number };
export type CompositionSummary = { id: string; name: string; n_tracks: number; seconds: number; loaded: boolean };
export type CompositionPage = { items: Array<CompositionSummary>; next_cursor?: string };
export type FieldError = { field: string; message: string };
export type Problem = { type: string; title: string; status: number; detail: string; errors?: Array<FieldError> };
export type TempoPoint = { tick: number; bpm: number };
export type TimeSignature = { tick: number; numerator: number; denominator: number };
export type Instrument = { program: number; drums: boolean };
export type Note = { pitch: number; velocity: number; start: number; length: number };
export type Clip = { id: string; start: number; length: number; notes: Array<Note> };
export type Track = {
  id: string; name: string; color: string; instrument: Instrument; gain_db: number; pan: number; mute: boolean;
  solo: boolean; clips: Array<Clip>;
};
export type CompositionSpec = {
  id: string; name: string; tempo: Array<TempoPoint>; time_signatures: Array<TimeSignature>; length: number;
  tracks: Array<Track>;
};
