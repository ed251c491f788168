// Generated from engine-core's types; do not edit.
// Regenerate: UPDATE=1 cargo test -p antiphon-wasm --test types

/**
 * How the host is doing.
 */
export type AnalyticsFrame = {
/**
 * Engine frames when it was read.
 */
sample_position: number,
/**
 * Share of one core that the process uses, 0 to the number of cores.
 */
cpu_usage: number,
/**
 * Resident memory (in a browser: wasm memory), bytes.
 */
memory_usage: number,
/**
 * Voices that sound.
 */
active_voices: number,
/**
 * Tracks of the composition that plays.
 */
active_tracks: number,
/**
 * Frames per second.
 */
sample_rate: number,
/**
 * Frames in one call of the sound card.
 */
buffer_size: number,
/**
 * From the engine to the loudspeaker, ms.
 */
latency_ms: number,
/**
 * Callbacks that came too late, and blocks that analysis missed.
 */
xruns: number,
/**
 * Stream connections.
 */
clients: number,
/**
 * Frames sent since the start.
 */
frames_sent: number,
/**
 * Frames merged into a newer one because a client was slow.
 */
frames_merged: number,
/**
 * Name of the device that plays.
 */
device?: string, };

/**
 * A clip of either kind: with a `sample` it is an audio clip, else a note clip.
 */
export type AnyClip = AudioClip | Clip;

/**
 * Body of `PUT /api/playback/armed`.
 */
export type ArmRequest = {
/**
 * The track that is recorded to; null for none.
 */
track_id: string | null, };

/**
 * A stretch of a sample on a track. It plays at its own speed, whatever the tempo.
 */
export type AudioClip = {
/**
 * Identity; nil (or none) asks for a new one.
 */
id: string,
/**
 * Id of the sample.
 */
sample: string,
/**
 * Where it starts in the composition, in ticks.
 */
start: number,
/**
 * Where in the sample it starts, in seconds, at least 0.
 */
offset_seconds: number,
/**
 * How long it sounds, in seconds, more than 0; it ends with the sample or the composition at the latest.
 */
length_seconds: number,
/**
 * −120 (silence) to +12 dB.
 */
gain_db: number,
/**
 * Length of a linear fade at the start, in seconds.
 */
fade_in_seconds: number,
/**
 * Length of a linear fade at the end, in seconds. The two fades together are not longer than the clip.
 */
fade_out_seconds: number, };

/**
 * How the samples of an audio frame are sent.
 */
export type AudioFormat = "i16" | "f32";

/**
 * A stretch of a tap's sound. It ends at `sample_position`; the next one begins there, unless it is marked.
 */
export type AudioFrame = {
/**
 * `master`, `input` or a track's id.
 */
tap: string,
/**
 * Engine frames at the end of the stretch.
 */
sample_position: number,
/**
 * Frames per second.
 */
sample_rate: number,
/**
 * Sound is missing before this one, or the playhead jumped in it.
 */
discontinuity: boolean,
/**
 * Linear samples, full scale ±1.
 */
samples_left: Float32Array,
/**
 * Linear samples; those of the left channel again where there is one channel only.
 */
samples_right: Float32Array, };

/**
 * A kind of meter.
 */
export type Ballistics = "peak" | "ppm1" | "ppm2" | "vu" | "k12" | "k14" | "k20";

/**
 * The shape of an equaliser band.
 */
export type BandShape = "bell" | "low_shelf" | "high_shelf" | "high_pass" | "low_pass";

/**
 * A strip that sums sends, usually with an effect. Its sound goes to the master.
 */
export type Bus = {
/**
 * Identity; nil (or none) asks for a new one.
 */
id: string,
/**
 * What a person calls it, 1 to 200 characters.
 */
name: string,
/**
 * Fader, −120 (silence) to +12 dB.
 */
gain_db: number,
/**
 * −1 (left) to 1 (right).
 */
pan: number,
/**
 * Silenced. Solo does not: buses are solo-safe.
 */
mute: boolean,
/**
 * Applied in order, before the fader; at most 8.
 */
effects: Array<Effect>, };

/**
 * Body of `PATCH /api/mixer/channels/{id}`; what is absent stays.
 */
export type ChannelPatch = {
/**
 * −120 to +12 dB.
 */
gain_db?: number,
/**
 * −1 to 1.
 */
pan?: number,
/**
 * Silenced.
 */
mute?: boolean,
/**
 * Heard alone.
 */
solo?: boolean,
/**
 * Heard even while others are soloed.
 */
solo_safe?: boolean, };

/**
 * Levels of one channel.
 */
export type ChannelReport = {
/**
 * Greatest sample, dBFS.
 */
peak: number,
/**
 * Sample position of the first sample as great as that.
 */
peak_position: number,
/**
 * Greatest true peak, dBTP.
 */
true_peak: number,
/**
 * RMS of the whole, dBFS; a full-scale sine reads −3.01.
 */
rms: number,
/**
 * Peak over RMS, dB; 0 in silence.
 */
crest: number,
/**
 * Mean of the samples, linear.
 */
dc_offset: number,
/**
 * Runs of at least three samples at or above full scale.
 */
clips: number, };

/**
 * A message from a client.
 */
export type ClientMessage = { "type": "subscribe",
/**
 * What.
 */
topic: Topic,
/**
 * Where: `master` (the default), `input` or a track's id.
 */
tap?: string,
/**
 * Frames per second, 1 to 120; 30 when absent.
 */
fps?: number,
/**
 * Options of the topic.
 */
options: StreamOptions, } | { "type": "unsubscribe",
/**
 * What.
 */
topic: Topic,
/**
 * Where; all taps of the topic when absent.
 */
tap?: string,
/**
 * Of triggers: which; all kinds when absent.
 */
kind?: TriggerKind, } | { "type": "ping",
/**
 * The client's clock, Unix milliseconds.
 */
t0: number, } | { "type": "resume",
/**
 * Epoch of the connection that was lost.
 */
epoch: number,
/**
 * Last `seq` of each topic, by name.
 */
topics: { [key in string]: number }, } | { "type": "note",
/**
 * The track's id.
 */
track: string,
/**
 * MIDI pitch, 0 to 127.
 */
pitch: number,
/**
 * 1 to 127; when `on` is false 0 to 255, and of no meaning.
 */
velocity: number,
/**
 * Strikes or releases.
 */
on: boolean, };

/**
 * A group of notes that moves as one.
 */
export type Clip = {
/**
 * Identity; nil (or none) asks for a new one.
 */
id: string,
/**
 * Where it starts in the composition, in ticks.
 */
start: number,
/**
 * How long it is, in ticks, at least 1. Notes are cut at its end.
 */
length: number,
/**
 * In any order; each starts inside the clip.
 */
notes: Array<Note>,
/**
 * In any order; each lies inside the clip.
 */
controls: Array<Control>, };

/**
 * Answer of `GET /api/compositions/{id}/tracks/{track}/clips`.
 */
export type ClipPage = {
/**
 * At most `limit` of them: first the note clips, then the audio clips.
 */
items: Array<AnyClip>,
/**
 * Pass it as `cursor` for the next page; absent on the last.
 */
next_cursor?: string, };

/**
 * Answer of `GET /api/compositions`.
 */
export type CompositionPage = {
/**
 * At most `limit` of them.
 */
items: Array<CompositionSummary>,
/**
 * Pass it as `cursor` for the next page; absent on the last.
 */
next_cursor?: string, };

/**
 * A composition as it comes from outside: any values. See [`Composition::new`].
 */
export type CompositionSpec = {
/**
 * Identity; the nil UUID (or none) asks the service for a new one.
 */
id: string,
/**
 * What a person calls it, 1 to 200 characters.
 */
name: string,
/**
 * Tempo from tick 0 onwards.
 */
tempo: Array<TempoPoint>,
/**
 * Time signatures from tick 0 onwards.
 */
time_signatures: Array<TimeSignature>,
/**
 * Where playback ends, in ticks; no clip ends after it.
 */
length: number,
/**
 * At most [`MAX_TRACKS`](crate::units::MAX_TRACKS).
 */
tracks: Array<Track>,
/**
 * Where sends go; at most [`MAX_BUSES`](crate::units::MAX_BUSES).
 */
buses: Array<Bus>,
/**
 * The sum of tracks and buses.
 */
master: Master, };

/**
 * A composition in a list.
 */
export type CompositionSummary = {
/**
 * Identity.
 */
id: string,
/**
 * What a person calls it.
 */
name: string,
/**
 * Number of tracks.
 */
n_tracks: number,
/**
 * Length in seconds.
 */
seconds: number,
/**
 * It is what plays.
 */
loaded: boolean, };

/**
 * Settings of a compressor; both channels get the same gain.
 */
export type Compressor = {
/**
 * Level above which it works, −60 to 0 dBFS.
 */
threshold_db: number,
/**
 * Input dB for one output dB above the threshold, 1 to 20.
 */
ratio: number,
/**
 * 0.1 to 200 ms.
 */
attack_ms: number,
/**
 * 5 to 2,000 ms.
 */
release_ms: number,
/**
 * Width of the soft transition around the threshold, 0 to 24 dB.
 */
knee_db: number,
/**
 * Gain afterwards, 0 to 24 dB.
 */
makeup_db: number, };

/**
 * A change of a continuous controller. It holds until the next of its kind on the track.
 */
export type Control = {
/**
 * When, in ticks from the clip's start.
 */
tick: number,
/**
 * Which controller.
 */
kind: ControlKind,
/**
 * In the range of its kind.
 */
value: number, };

/**
 * Controllers of a track, and the range of their values.
 */
export type ControlKind = "program" | "volume" | "expression" | "pan" | "pitch_bend" | "modulation" | "sustain";

/**
 * Settings of a stereo delay.
 */
export type Delay = {
/**
 * Time between echoes, 1 to 2,000 ms.
 */
time_ms: number,
/**
 * Level of each echo against the one before, 0 to 0.95.
 */
feedback: number,
/**
 * Echoes move from side to side: the sum of both channels enters on the left.
 */
ping_pong: boolean,
/**
 * Low-pass in the loop (6 dB per octave), 200 to 20,000 Hz: every echo is darker than the one before.
 */
tone_hz: number,
/**
 * 0 dry to 1 wet only (for buses): output = dry·(1 − mix) + wet·mix.
 */
mix: number, };

/**
 * An effect. A strip's effects are applied in order, before its fader.
 */
export type Effect = { "type": "equaliser",
/**
 * Up to 8 bands, applied in order.
 */
bands: Array<EqualiserBand>, } | { "type": "compressor" } & Compressor | { "type": "delay" } & Delay | { "type": "reverb" } & Reverb;

/**
 * One band of an equaliser.
 */
export type EqualiserBand = {
/**
 * What it does.
 */
shape: BandShape,
/**
 * Centre or corner, 20 to 20,000 Hz.
 */
hz: number,
/**
 * −24 to +24 dB.
 */
gain_db: number,
/**
 * Width, 0.1 to 10; 0.7071 is a Butterworth shelf or pass.
 */
q: number, };

/**
 * A field that was wrong.
 */
export type FieldError = {
/**
 * Path of the field.
 */
field: string,
/**
 * What it was and what is allowed.
 */
message: string, };

/**
 * First message on every stream socket, sent again when the taps change.
 */
export type Hello = {
/**
 * Version of the protocol.
 */
version: number,
/**
 * Changes when the server restarts.
 */
epoch: number,
/**
 * Frames per second of the engine.
 */
sample_rate: number,
/**
 * Channels of each tap.
 */
channels: number,
/**
 * Where one can listen.
 */
taps: Array<Tap>,
/**
 * What one can subscribe.
 */
topics: Array<TopicInfo>,
/**
 * What the server allows.
 */
limits: Limits,
/**
 * Unix milliseconds.
 */
server_time: number, };

/**
 * Answer of `GET /api/compositions/{id}/history`.
 */
export type HistoryPage = {
/**
 * At most `limit` steps, the newest first.
 */
items: Array<HistoryStep>,
/**
 * Whether `undo` has somewhere to go.
 */
can_undo: boolean,
/**
 * Whether `redo` has somewhere to go.
 */
can_redo: boolean,
/**
 * Pass it as `cursor` for the next page; absent on the last.
 */
next_cursor?: string, };

/**
 * A state that a composition was in.
 */
export type HistoryStep = {
/**
 * Grows from one step to the next.
 */
step: number,
/**
 * What was done, for people.
 */
label: string,
/**
 * When, in Unix milliseconds.
 */
changed_at: number,
/**
 * It is the state that the composition is in.
 */
current: boolean, };

/**
 * The sound of a track: a General MIDI number, or samples of one's own.
 */
export type Instrument = {
/**
 * General MIDI programme, 0 to 127; the nearest built-in sound plays it.
 */
program: number,
/**
 * A drum kit: pitches choose instruments (General MIDI percussion map).
 */
drums: boolean,
/**
 * Samples by pitch; where there are any, they play instead of the programme. At most 128.
 */
zones: Array<Zone>, };

/**
 * A key.
 */
export type Key = {
/**
 * Pitch class of the tonic, 0 (C) to 11 (B).
 */
tonic: number,
/**
 * Major or minor.
 */
mode: KeyMode, };

/**
 * Major or minor.
 */
export type KeyMode = "major" | "minor";

/**
 * What a stream socket allows.
 */
export type Limits = {
/**
 * Highest `fps`.
 */
max_fps: number,
/**
 * Longest message from a client, bytes.
 */
max_message_bytes: number,
/**
 * Streams on one socket.
 */
max_subscriptions: number,
/**
 * Messages from a client in a second, in the long run; more close the socket with 4429.
 */
max_messages_per_second: number,
/**
 * Messages that may come at once after it was quiet.
 */
max_message_burst: number,
/**
 * Answers that may wait for a client that does not read; more close the socket with 1008.
 */
max_unread_answers: number,
/**
 * Triggers of a tap that wait for a slow client; later ones are only counted.
 */
max_waiting_triggers: number,
/**
 * Milliseconds of a tap's audio that wait for a slow client; the oldest are dropped, and counted.
 */
max_waiting_audio_ms: number,
/**
 * Notes that a transport frame lists.
 */
max_active_notes: number, };

/**
 * A note that is played live: the fields of the stream message `note`.
 */
export type LiveNote = {
/**
 * Id of a track of what plays.
 */
track: string,
/**
 * 0 to 127.
 */
pitch: number,
/**
 * 1 to 127; when `on` is false 0 to 255, and of no meaning.
 */
velocity: number,
/**
 * It starts; else it ends.
 */
on: boolean, };

/**
 * Body of `PUT /api/playback/loop`.
 */
export type LoopRequest = {
/**
 * Whether the region is in force.
 */
enabled: boolean,
/**
 * First beat of the region.
 */
start_beats: number,
/**
 * Beat after the region; greater than `start_beats`.
 */
end_beats: number, };

/**
 * A loudness of EBU R 128.
 */
export type LoudnessMeasure = "momentary" | "short_term" | "integrated";

/**
 * Loudness of a file.
 */
export type LoudnessReport = {
/**
 * Gated loudness of all of it, LUFS.
 */
integrated: number,
/**
 * Loudness range, LU.
 */
range: number,
/**
 * Greatest loudness over 400 ms, LUFS.
 */
max_momentary: number,
/**
 * Greatest loudness over 3 s, LUFS.
 */
max_short_term: number,
/**
 * Greatest true peak of all channels, dBTP.
 */
true_peak: number,
/**
 * Short-term loudness at the end of every second, LUFS.
 */
history: Array<number>, };

/**
 * The last strip. A limiter follows it.
 */
export type Master = {
/**
 * Fader, −120 (silence) to +12 dB.
 */
gain_db: number,
/**
 * Applied in order, before the fader; at most 8.
 */
effects: Array<Effect>, };

/**
 * Meters of the master, with loudness and correlation.
 */
export type MasterMeters = {
/**
 * Over 400 ms, LUFS.
 */
lufs_momentary: number,
/**
 * Over 3 s, LUFS.
 */
lufs_short_term: number,
/**
 * Gated, since the start, LUFS.
 */
lufs_integrated: number,
/**
 * Loudness range, LU.
 */
lra: number,
/**
 * −1 (out of phase) to 1 (mono).
 */
correlation: number,
/**
 * Highest sample, dBFS.
 */
peak_left: number,
/**
 * Highest sample, dBFS.
 */
peak_right: number,
/**
 * Root mean square, dBFS; a full-scale sine reads −3.01.
 */
rms_left: number,
/**
 * Root mean square, dBFS.
 */
rms_right: number,
/**
 * True peak, dBTP.
 */
true_peak_left: number,
/**
 * True peak, dBTP.
 */
true_peak_right: number,
/**
 * Runs of clipped samples, both channels.
 */
clips: number,
/**
 * With ballistics: highest position of the needle, dB on the meter's scale.
 */
needle_left?: number,
/**
 * With ballistics: the needle's.
 */
needle_right?: number,
/**
 * With ballistics: a mark that stays at sample peaks for 1.5 s and then falls, on the same scale.
 */
hold_left?: number,
/**
 * With ballistics: the mark's.
 */
hold_right?: number, };

/**
 * Body of `PATCH /api/mixer/master`.
 */
export type MasterPatch = {
/**
 * −120 to +12 dB.
 */
gain_db?: number, };

/**
 * The master strip.
 */
export type MasterStrip = {
/**
 * Fader, −120 (silence) to +12 dB.
 */
gain_db: number, };

/**
 * Meters of one tap over the time since the frame before.
 */
export type MeterLevels = {
/**
 * Highest sample, dBFS.
 */
peak_left: number,
/**
 * Highest sample, dBFS.
 */
peak_right: number,
/**
 * Root mean square, dBFS; a full-scale sine reads −3.01.
 */
rms_left: number,
/**
 * Root mean square, dBFS.
 */
rms_right: number,
/**
 * True peak, dBTP.
 */
true_peak_left: number,
/**
 * True peak, dBTP.
 */
true_peak_right: number,
/**
 * Runs of clipped samples, both channels.
 */
clips: number,
/**
 * With ballistics: highest position of the needle, dB on the meter's scale.
 */
needle_left?: number,
/**
 * With ballistics: the needle's.
 */
needle_right?: number,
/**
 * With ballistics: a mark that stays at sample peaks for 1.5 s and then falls, on the same scale.
 */
hold_left?: number,
/**
 * With ballistics: the mark's.
 */
hold_right?: number, };

/**
 * Meters of every tap.
 */
export type MetersFrame = {
/**
 * Engine frames at the end of what was measured.
 */
sample_position: number,
/**
 * Tracks in order, then the input.
 */
tracks: Array<TrackMeters>,
/**
 * The sum.
 */
master: MasterMeters,
/**
 * Times that the master's loudness was started anew; wraps at 65,536. Whoever keeps greatest values starts them
 * anew when it changes.
 */
loudness_resets: number,
/**
 * The kind of meter that was asked for, whose needles the levels then have.
 */
ballistics?: Ballistics, };

/**
 * Body of `PUT /api/playback/metronome`.
 */
export type MetronomeRequest = {
/**
 * Whether the click sounds on each beat.
 */
enabled: boolean, };

/**
 * A channel of the mixer. Its id is its track's id.
 */
export type MixerChannel = {
/**
 * The track's id.
 */
id: string,
/**
 * The track's name.
 */
name: string,
/**
 * The track's colour, `#rrggbb`.
 */
color: string,
/**
 * Fader, −120 (silence) to +12 dB.
 */
gain_db: number,
/**
 * −1 (left) to 1 (right).
 */
pan: number,
/**
 * Silenced.
 */
mute: boolean,
/**
 * Heard alone.
 */
solo: boolean,
/**
 * Heard even while others are soloed.
 */
solo_safe: boolean, };

/**
 * Answer of `GET /api/mixer`.
 */
export type MixerState = {
/**
 * In the order of the tracks.
 */
channels: Array<MixerChannel>,
/**
 * The sum.
 */
master: MasterStrip, };

/**
 * What is played on a tap. Positions of onsets are engine frames.
 */
export type MusicFrame = {
/**
 * `master`, `input` or a track's id.
 */
tap: string,
/**
 * Engine frames at the end of what was measured.
 */
sample_position: number,
/**
 * The key's name, such as "D minor"; empty without a key.
 */
key_name: string,
/**
 * Pitch of the newest 64 to 128 ms (48 kHz: 85 ms), Hz, 40 to 4000 and at most an eighth of the sample rate,
 * if they are one note: within 5 cents for a steady tone. `None` for noise, silence and most chords; a major
 * triad in root position may read as its root two octaves below, whose partials its notes are.
 */
pitch_hz: number | null,
/**
 * How periodic those milliseconds are, 0 to 1; from 0.8 there is a pitch.
 */
pitch_clarity: number,
/**
 * Strength of the pitch classes C, C♯ … B in the newest third of a second; the greatest is 1, in silence
 * all are 0.
 */
chroma: [number, number, number, number, number, number, number, number, number, number, number, number],
/**
 * How far the tuning is above A4 = 440 Hz, cents, −50 to 50. `chroma` and `key` are relative to it.
 */
tuning_cents: number,
/**
 * Key of the last seconds (exponential, 8 s), or of the whole. `None` before one second of sound.
 */
key: Key | null,
/**
 * Correlation of the key's profile with what was heard, −1 to 1.
 */
key_strength: number,
/**
 * Tempo of the last seconds (windows of 10 s, exponential 4 s), or the most frequent one of the whole, beats a
 * minute, 40 to 240. `None` before three seconds and where nothing repeats.
 */
bpm: number | null,
/**
 * How exactly onsets repeat at that tempo, 0 to 1.
 */
bpm_strength: number,
/**
 * Onsets since the start of the stream.
 */
n_onsets: number,
/**
 * The last of them; told 15 ms after its position.
 */
last_onset: Onset | null, };

/**
 * Music of a file.
 */
export type MusicReport = {
/**
 * Beats a minute; `null` where nothing repeats.
 */
bpm: number | null,
/**
 * How exactly onsets repeat at that tempo, 0 to 1.
 */
bpm_strength: number,
/**
 * Key; `null` before one second of sound.
 */
key: Key | null,
/**
 * The key's name, such as "D minor"; empty without a key.
 */
key_name: string,
/**
 * Correlation with the key's profile, −1 to 1.
 */
key_strength: number,
/**
 * How far the tuning is above A4 = 440 Hz, cents.
 */
tuning_cents: number,
/**
 * Where sounds begin, oldest first.
 */
onsets: Array<Onset>, };

/**
 * One note of a clip.
 */
export type Note = {
/**
 * MIDI pitch, 0 to 127 (60 is middle C).
 */
pitch: number,
/**
 * How hard it is struck, 1 to 127.
 */
velocity: number,
/**
 * Where it starts, in ticks from the clip's start.
 */
start: number,
/**
 * How long it sounds, in ticks, at least 1.
 */
length: number, };

/**
 * `active_notes` of a transport frame.
 */
export type NoteInfo = {
/**
 * The track's id.
 */
track_id: string,
/**
 * MIDI pitch.
 */
pitch: number,
/**
 * 1 to 127.
 */
velocity: number, };

/**
 * One onset.
 */
export type Onset = {
/**
 * Sample position: frames of the stream before it. Up to 10 ms late for a sound that starts at once, 30 ms
 * for one that fades in over 20 ms.
 */
position: number,
/**
 * Rise over 10 ms, dB, mean of the bands: 1 for a note of a legato line, 20 for a click in silence.
 */
strength: number, };

/**
 * Minima and maxima of a file, mixed to one channel as audiowaveform does.
 */
export type OverviewReport = {
/**
 * Frames that a pair covers.
 */
samples_per_pixel: number,
/**
 * Minimum, maximum of each span, −32768 to 32767; at most 2048 pairs.
 */
points: Array<number>, };

/**
 * An error, RFC 9457 (`application/problem+json`).
 */
export type Problem = {
/**
 * A stable name of the kind of problem, as a relative URI.
 */
type: string,
/**
 * The kind of problem, for people.
 */
title: string,
/**
 * HTTP status.
 */
status: number,
/**
 * What was wrong this time and what is allowed.
 */
detail: string,
/**
 * The fields that were wrong.
 */
errors: Array<FieldError>, };

/**
 * Body of `POST /api/playback/record`; none means the defaults.
 */
export type RecordRequest = {
/**
 * Bars of clicks before the playhead moves, 0 to 16; 1 when absent. None while it moves already.
 */
count_in_bars?: number,
/**
 * `notes` when absent.
 */
source?: RecordSource, };

/**
 * What is recorded.
 */
export type RecordSource = "notes" | "input";

/**
 * A report. Levels are not below −120.
 */
export type Report = {
/**
 * Frames per second.
 */
sample_rate: number,
/**
 * Frames.
 */
frames: number,
/**
 * Frames over sample rate.
 */
duration_seconds: number,
/**
 * Samples of all channels that were NaN, infinite, or beyond 240 dBFS; they count as silence.
 */
bad_samples: number,
/**
 * Parts of the file that could not be decoded; silence stands in for them. 0 for samples that came as such.
 */
damaged_packets: number,
/**
 * The file ends before it says, or the sizes in its header disagree; what is there was measured.
 */
is_cut_short: boolean,
/**
 * Each channel.
 */
channels: Array<ChannelReport>,
/**
 * Loudness of all channels together (EBU R 128, BS.1770-5).
 */
loudness: LoudnessReport,
/**
 * Image of the file mixed down to two channels.
 */
stereo: StereoReport,
/**
 * Mean and greatest spectrum, mixed down to two channels.
 */
spectrum: SpectrumReport,
/**
 * What there is to draw.
 */
overview: OverviewReport,
/**
 * Tempo, key, onsets, mixed down to two channels.
 */
music: MusicReport, };

/**
 * What a client may ask of a report. What is absent keeps its default.
 */
export type ReportOptions = {
/**
 * FFT size, a power of two from 256 to 32768.
 */
fft_size?: number,
/**
 * Window function.
 */
window?: Window,
/**
 * How bands of the spectrum are spread.
 */
scale?: Scale,
/**
 * Number of bands, 1 to 8192 (not for octave, where it follows from the fraction).
 */
bands?: number,
/**
 * Bands in an octave, 1 to 24, for scale octave.
 */
fraction?: number,
/**
 * Frequency weighting of the spectrum.
 */
weighting?: Weighting,
/**
 * Lowest frequency, Hz.
 */
min_hz?: number,
/**
 * Highest frequency, Hz.
 */
max_hz?: number,
/**
 * Measures what is there of a file that ends before it says, which is an error otherwise.
 */
partial?: boolean, };

/**
 * Settings of a reverb.
 */
export type Reverb = {
/**
 * Time in which it falls by 60 dB at middle frequencies (RT60), 0.1 to 20 s.
 */
decay_seconds: number,
/**
 * Before the first reflection, 0 to 200 ms.
 */
predelay_ms: number,
/**
 * How much faster high frequencies fall, 0 to 1.
 */
damping: number,
/**
 * 0 dry to 1 wet only (for buses): output = dry·(1 − mix) + wet·mix.
 */
mix: number, };

/**
 * A sample: a recording that compositions use by its id. It never changes.
 */
export type SampleInfo = {
/**
 * Identity.
 */
id: string,
/**
 * What a person calls it, 1 to 200 characters.
 */
name: string,
/**
 * Media type of the file, such as `audio/wav`.
 */
media_type: string,
/**
 * Length of the file.
 */
bytes: number,
/**
 * Frames of the recording, at its own rate.
 */
frames: number,
/**
 * Frames per second of the recording; it is played at the engine's.
 */
sample_rate: number,
/**
 * 1 or 2; files with more are mixed down.
 */
channels: number,
/**
 * Length of the recording.
 */
seconds: number,
/**
 * The file ends before it says, or parts of it could not be decoded and are silent.
 */
is_damaged: boolean, };

/**
 * Answer of `GET /api/samples`.
 */
export type SamplePage = {
/**
 * At most `limit` of them.
 */
items: Array<SampleInfo>,
/**
 * Pass it as `cursor` for the next page; absent on the last.
 */
next_cursor?: string, };

/**
 * How bands are spread over frequency.
 */
export type Scale = "linear" | "log" | "mel" | "bark" | "octave";

/**
 * Body of `POST /api/playback/seek`: one of the two.
 */
export type SeekRequest = {
/**
 * At least 0; after the end means the end.
 */
position_beats: number, } | {
/**
 * At least 0; after the end means the end.
 */
position_seconds: number, };

/**
 * Where a part of a track's sound goes besides the master.
 */
export type Send = {
/**
 * Id of a bus of this composition.
 */
bus: string,
/**
 * −120 (silence) to +12 dB.
 */
gain_db: number,
/**
 * Taken before the track's fader and pan (mute still silences it), not after.
 */
pre_fader: boolean, };

/**
 * A control message from the server: text in both encodings.
 */
export type ServerMessage = { "type": "hello" } & Hello | { "type": "pong",
/**
 * As the client sent it.
 */
t0: number,
/**
 * When the ping arrived.
 */
t1: number,
/**
 * When the pong left.
 */
t2: number, } | { "type": "error",
/**
 * Stable name of the kind of error.
 */
code: string,
/**
 * What was wrong and what is allowed.
 */
message: string,
/**
 * The stream that was refused: its topic. Absent where it was about no stream.
 */
topic?: Topic,
/**
 * And its tap, as the message named it; `master` where it named none. Absent where it was about all taps.
 */
tap?: string, };

/**
 * A magnitude spectrum.
 */
export type SpectrumFrame = {
/**
 * `master`, `input` or a track's id.
 */
tap: string,
/**
 * Engine frames at the end of what was measured.
 */
sample_position: number,
/**
 * Frames per second.
 */
sample_rate: number,
/**
 * Samples in one FFT.
 */
fft_size: number,
/**
 * How bands are spread: linear, log, mel, bark, octave.
 */
scale: string,
/**
 * Channels in `magnitudes`, one after the other.
 */
channels: number,
/**
 * Centre of each band, Hz.
 */
frequencies: Float32Array,
/**
 * Level of each band, dBFS, floor −120.
 */
magnitudes: Float32Array, };

/**
 * Spectrum of a file.
 */
export type SpectrumReport = {
/**
 * Frames of one transform; they overlap by half.
 */
fft_size: number,
/**
 * Centre of each band, Hz.
 */
frequencies: Array<number>,
/**
 * Mean power of each band, dBFS.
 */
mean: Array<number>,
/**
 * Greatest level of each band, dBFS.
 */
max: Array<number>, };

/**
 * The stereo image of a tap.
 */
export type StereoFrame = {
/**
 * `master`, `input` or a track's id.
 */
tap: string,
/**
 * Engine frames at the end of what was measured.
 */
sample_position: number,
/**
 * Correlation of the channels over the last third of a second, −1 (opposite) to 1 (equal).
 */
correlation: number,
/**
 * −1 (left only) to 1 (right only).
 */
balance: number,
/**
 * 0 (mono) to 1 (opposite channels).
 */
width: number,
/**
 * Goniometer: the newest points [x, y], oldest first, −1 to 1. x = (R − L)/2, y = (L + R)/2: mono is upright.
 */
points: Array<Float32Array>, };

/**
 * Stereo image of a file.
 */
export type StereoReport = {
/**
 * Correlation over the whole, −1 to 1; 0 when a channel is silent.
 */
correlation: number,
/**
 * (R − L)/(R + L) of the RMS values, −1 (left only) to 1.
 */
balance: number, };

/**
 * Options of a subscription: query parameters of an endpoint, or `options` of a `subscribe` message.
 * What is absent keeps the topic's default; what the topic does not have is refused.
 */
export type StreamOptions = {
/**
 * Spectrum: FFT size, a power of two from 256 to 32768.
 */
fft_size?: number,
/**
 * Spectrum: window function.
 */
window?: Window,
/**
 * Spectrum: how bands are spread.
 */
scale?: Scale,
/**
 * Spectrum: number of bands (not for octave, where it follows from the fraction).
 */
bands?: number,
/**
 * Spectrum: bands in an octave, for scale octave.
 */
fraction?: number,
/**
 * Spectrum: frequency weighting.
 */
weighting?: Weighting,
/**
 * Spectrum: 1 for the power mean of both channels, 2 for each.
 */
channels?: number,
/**
 * Spectrum: lowest frequency, Hz.
 */
min_hz?: number,
/**
 * Spectrum: highest frequency, Hz.
 */
max_hz?: number,
/**
 * Spectrum: time constant of a rising level, ms, 0 (at once) to 60000.
 */
attack_ms?: number,
/**
 * Spectrum: time constant of a falling level, ms, 0 (at once) to 60000.
 */
release_ms?: number,
/**
 * Spectrum: how long a band stays at its peak, ms, 0 (not at all) to 3600000.
 */
hold_ms?: number,
/**
 * Spectrum: long transforms for low bands, short ones for high bands.
 */
multi_resolution?: boolean,
/**
 * Spectrum, binary: 0.01 dB steps instead of 0.5 dB.
 */
wide?: boolean,
/**
 * Waveform: samples after a trigger, or buckets.
 */
mode?: WaveformMode,
/**
 * Waveform: points a channel.
 */
samples?: number,
/**
 * Waveform, buckets: milliseconds that all of them cover together.
 */
window_ms?: number,
/**
 * Meters: adds the needles of such a meter, and marks that stay at peaks.
 */
ballistics?: Ballistics,
/**
 * Meters: the loudness of every tap, not only the master's.
 */
tap_loudness?: boolean,
/**
 * Stereo: points of the goniometer, the newest, 0 to 1024; 512 when absent.
 */
points?: number,
/**
 * Trigger: what it waits for. Has no default.
 */
kind?: TriggerKind,
/**
 * Trigger, silence: how long, 0.1 to 3600; 5 when absent.
 */
seconds?: number,
/**
 * Trigger, silence: no sample above this level, −120 to 0 dBFS; −60 when absent.
 */
below_db?: number,
/**
 * Trigger, loudness: momentary when absent.
 */
measure?: LoudnessMeasure,
/**
 * Trigger, loudness: fires at or above, −100 to 20 LUFS.
 */
above_lufs?: number,
/**
 * Trigger, loudness: fires below, −100 to 20 LUFS. One of the two must be there.
 */
below_lufs?: number,
/**
 * Trigger: `true` (when absent) fires once and is over; `false` arms itself again: after a clip when one
 * second passed without a sample at full scale, after a silence when a sample exceeds the level by 3 dB,
 * after a loudness when that is back on the other side by 1 LU.
 */
once?: boolean,
/**
 * Audio, binary: how samples are sent; i16 when absent.
 */
format?: AudioFormat, };

/**
 * Answer of `GET /api/playback/take`.
 */
export type TakeReport = {
/**
 * What became of it.
 */
state: TakeState,
/**
 * The track that it went to.
 */
track_id: string | null,
/**
 * The clips that it became: one, or for sound one for each pass of a loop.
 */
clip_ids: Array<string>,
/**
 * Why it is lost.
 */
detail: string | null, };

/**
 * What became of a recording.
 */
export type TakeState = "none" | "recording" | "kept" | "empty" | "failed";

/**
 * A tap as clients see it.
 */
export type Tap = {
/**
 * Its number in binary frames.
 */
id: number,
/**
 * `master`, `input`, or the track's name.
 */
name: string,
/**
 * The track's id, where it is one; also what `tap` in messages takes.
 */
track_id: string | null, };

/**
 * A tempo in force from `tick` until the next point.
 */
export type TempoPoint = {
/**
 * Where the tempo starts, in ticks.
 */
tick: number,
/**
 * Beats per minute, 20 to 400.
 */
bpm: number, };

/**
 * Body of `PUT /api/playback/tempo`.
 */
export type TempoRequest = {
/**
 * Beats per minute, 20 to 400; replaces the tempo in force at the playhead.
 */
bpm: number, };

/**
 * A time signature in force from `tick` until the next one.
 */
export type TimeSignature = {
/**
 * Where the signature starts, in ticks.
 */
tick: number,
/**
 * Beats in a bar, 1 to 32, in units of the denominator.
 */
numerator: number,
/**
 * Note value of a beat: 1, 2, 4, 8, 16 or 32.
 */
denominator: number, };

/**
 * A kind of stream, with its number on the wire.
 */
export type Topic = "transport" | "meters" | "spectrum" | "waveform" | "analytics" | "stereo" | "music" | "trigger" | "audio" | "axis";

/**
 * A topic's number and name.
 */
export type TopicInfo = {
/**
 * Its number in binary frames.
 */
id: number,
/**
 * Its name in messages and paths.
 */
name: string, };

/**
 * One instrument's part, and its channel strip in the mixer.
 */
export type Track = {
/**
 * Identity, also of the mixer channel; nil (or none) asks for a new one.
 */
id: string,
/**
 * What a person calls it, 1 to 200 characters.
 */
name: string,
/**
 * Colour for displays, `#rrggbb`.
 */
color: string,
/**
 * What plays the notes.
 */
instrument: Instrument,
/**
 * Fader, −120 (silence) to +12 dB.
 */
gain_db: number,
/**
 * −1 (left) to 1 (right).
 */
pan: number,
/**
 * Silenced.
 */
mute: boolean,
/**
 * While any track is soloed, the others are silent.
 */
solo: boolean,
/**
 * Heard even while others are soloed.
 */
solo_safe: boolean,
/**
 * Applied in order, before the fader; at most 8.
 */
effects: Array<Effect>,
/**
 * At most one for each bus.
 */
sends: Array<Send>,
/**
 * Note clips, in any order; they may overlap.
 */
clips: Array<Clip>,
/**
 * Audio clips, in any order; they may overlap.
 */
audio_clips: Array<AudioClip>, };

/**
 * Meters of one track's strip, or of the input.
 */
export type TrackMeters = {
/**
 * The track's id, or `input`.
 */
track_id: string,
/**
 * The track's name.
 */
name: string,
/**
 * With `tap_loudness`: over 400 ms, LUFS.
 */
lufs_momentary?: number,
/**
 * With `tap_loudness`: over 3 s, LUFS.
 */
lufs_short_term?: number,
/**
 * With `tap_loudness`: gated, since it was asked for, LUFS.
 */
lufs_integrated?: number,
/**
 * With `tap_loudness`: loudness range, LU.
 */
lra?: number,
/**
 * Highest sample, dBFS.
 */
peak_left: number,
/**
 * Highest sample, dBFS.
 */
peak_right: number,
/**
 * Root mean square, dBFS; a full-scale sine reads −3.01.
 */
rms_left: number,
/**
 * Root mean square, dBFS.
 */
rms_right: number,
/**
 * True peak, dBTP.
 */
true_peak_left: number,
/**
 * True peak, dBTP.
 */
true_peak_right: number,
/**
 * Runs of clipped samples, both channels.
 */
clips: number,
/**
 * With ballistics: highest position of the needle, dB on the meter's scale.
 */
needle_left?: number,
/**
 * With ballistics: the needle's.
 */
needle_right?: number,
/**
 * With ballistics: a mark that stays at sample peaks for 1.5 s and then falls, on the same scale.
 */
hold_left?: number,
/**
 * With ballistics: the mark's.
 */
hold_right?: number, };

/**
 * Answer of `GET /api/compositions/{id}/tracks`.
 */
export type TrackPage = {
/**
 * At most `limit` of them, in the composition's order.
 */
items: Array<Track>,
/**
 * Pass it as `cursor` for the next page; absent on the last.
 */
next_cursor?: string, };

/**
 * Where the transport stands.
 */
export type TransportFrame = {
/**
 * The playhead moves.
 */
is_playing: boolean,
/**
 * At rest where it was paused.
 */
is_paused: boolean,
/**
 * The armed track is recorded to, or will be after the count-in.
 */
is_recording: boolean,
/**
 * Playhead in quarter notes.
 */
position_beats: number,
/**
 * Playhead in seconds.
 */
position_seconds: number,
/**
 * Engine frames since it started; never jumps.
 */
sample_position: number,
/**
 * Beats per minute at the playhead.
 */
tempo: number,
/**
 * Numerator of the time signature at the playhead.
 */
time_signature_num: number,
/**
 * Denominator of it.
 */
time_signature_den: number,
/**
 * The loop region is in force.
 */
loop_enabled: boolean,
/**
 * Its start in beats.
 */
loop_start: number,
/**
 * Its end in beats.
 */
loop_end: number,
/**
 * The click sounds.
 */
metronome_enabled: boolean,
/**
 * Id of the track that recording goes to.
 */
armed_track_id: string | null,
/**
 * Beats of a count-in until the playhead moves, the present one included; 0 when there is none.
 */
count_in_beats: number,
/**
 * Notes that are held.
 */
active_notes: Array<NoteInfo>,
/**
 * When the server saw this, Unix milliseconds.
 */
server_time: number,
/**
 * Revision of the composition that plays, the last part of its ETag: it rises with each change, undo and redo
 * among them. 0 when nothing plays, and from a source that does not count.
 */
composition_revision: number,
/**
 * The playhead jumped since the frame before.
 */
discontinuity: boolean, };

/**
 * A trigger that fired. The options are those that it was subscribed with.
 */
export type TriggerFrame = {
/**
 * `master`, `input` or a track's id.
 */
tap: string,
/**
 * The frame that decided, counted from the engine's start: the third of a clip, the last of a silence, the end
 * of the hundredth of a second in which the loudness crossed.
 */
sample_position: number,
/**
 * What it waited for.
 */
kind: TriggerKind,
/**
 * Of a silence.
 */
seconds?: number,
/**
 * Of a silence, dBFS.
 */
below_db?: number,
/**
 * Of a loudness.
 */
measure?: LoudnessMeasure,
/**
 * Of a loudness.
 */
above_lufs?: number,
/**
 * Of a loudness.
 */
below_lufs?: number,
/**
 * The clip's or the silence's highest sample, dBFS; the loudness, LUFS.
 */
value: number,
/**
 * It was to fire once: the subscription is over.
 */
ended: boolean, };

/**
 * What a trigger waits for, by name.
 */
export type TriggerKind = "clip" | "silence" | "loudness";

/**
 * Samples (scope) or buckets of a tap; the fields of the other mode are absent.
 */
export type WaveformFrame = {
/**
 * `master`, `input` or a track's id.
 */
tap: string,
/**
 * Engine frames at the end of what was measured.
 */
sample_position: number,
/**
 * Frames per second.
 */
sample_rate: number,
/**
 * Scope: linear samples.
 */
samples_left?: Float32Array,
/**
 * Scope: linear samples.
 */
samples_right?: Float32Array,
/**
 * Buckets: lowest sample of each.
 */
min_left?: Float32Array,
/**
 * Buckets: highest sample of each.
 */
max_left?: Float32Array,
/**
 * Buckets: RMS of each.
 */
rms_left?: Float32Array,
/**
 * Buckets: lowest sample of each.
 */
min_right?: Float32Array,
/**
 * Buckets: highest sample of each.
 */
max_right?: Float32Array,
/**
 * Buckets: RMS of each.
 */
rms_right?: Float32Array, };

/**
 * What a waveform shows.
 */
export type WaveformMode = "scope" | "buckets";

/**
 * Frequency weighting, IEC 61672-1:2013; 0 dB at 1 kHz.
 */
export type Weighting = "none" | "a" | "c" | "z";

/**
 * Window of a spectrum.
 *
 * Coefficients: F. J. Harris, "On the use of windows for harmonic analysis with the DFT" (1978); flat top:
 * G. D'Antona and A. Ferrero, "Digital signal processing for measurement systems" (2006), as in MATLAB and SciPy.
 */
export type Window = "hann" | "hamming" | "blackman" | "blackman_harris" | "flat_top" | "rectangular";

/**
 * A sample and the pitches that it plays.
 */
export type Zone = {
/**
 * Id of the sample.
 */
sample: string,
/**
 * Pitch at which it plays at its own speed, 0 to 127.
 */
root_pitch: number,
/**
 * Lowest pitch of the zone, 0 to 127.
 */
low_pitch: number,
/**
 * Highest pitch of the zone, not below `low_pitch`.
 */
high_pitch: number,
/**
 * While the note is held, frames of the sample from here …
 */
loop_start: number,
/**
 * … to here repeat; no loop when it is not greater than `loop_start`.
 */
loop_end: number, };

/** A AudioClip in a request's body: what has a default may be left out. */
export type AudioClipInput = {
id?: string,
sample: string,
start: number,
offset_seconds?: number,
length_seconds: number,
gain_db?: number,
fade_in_seconds?: number,
fade_out_seconds?: number, };

/** A Bus in a request's body: what has a default may be left out. */
export type BusInput = {
id?: string,
name: string,
gain_db?: number,
pan?: number,
mute?: boolean,
effects?: Array<EffectInput>, };

/** A Clip in a request's body: what has a default may be left out. */
export type ClipInput = {
id?: string,
start: number,
length: number,
notes?: Array<Note>,
controls?: Array<Control>, };

/** A CompositionSpec in a request's body: what has a default may be left out. */
export type CompositionSpecInput = {
id?: string,
name: string,
tempo?: Array<TempoPoint>,
time_signatures?: Array<TimeSignature>,
length: number,
tracks?: Array<TrackInput>,
buses?: Array<BusInput>,
master?: MasterInput, };

/** A Compressor in a request's body: what has a default may be left out. */
export type CompressorInput = {
threshold_db?: number,
ratio?: number,
attack_ms?: number,
release_ms?: number,
knee_db?: number,
makeup_db?: number, };

/** A Delay in a request's body: what has a default may be left out. */
export type DelayInput = {
time_ms?: number,
feedback?: number,
ping_pong?: boolean,
tone_hz?: number,
mix?: number, };

/** A Effect in a request's body: what has a default may be left out. */
export type EffectInput = { "type": "equaliser",
bands: Array<EqualiserBand>, } | { "type": "compressor" } & CompressorInput | { "type": "delay" } & DelayInput | { "type": "reverb" } & ReverbInput;

/** A Instrument in a request's body: what has a default may be left out. */
export type InstrumentInput = {
program: number,
drums?: boolean,
zones?: Array<ZoneInput>, };

/** A Master in a request's body: what has a default may be left out. */
export type MasterInput = {
gain_db?: number,
effects?: Array<EffectInput>, };

/** A Reverb in a request's body: what has a default may be left out. */
export type ReverbInput = {
decay_seconds?: number,
predelay_ms?: number,
damping?: number,
mix?: number, };

/** A Send in a request's body: what has a default may be left out. */
export type SendInput = {
bus: string,
gain_db?: number,
pre_fader?: boolean, };

/** A Track in a request's body: what has a default may be left out. */
export type TrackInput = {
id?: string,
name: string,
color?: string,
instrument?: InstrumentInput,
gain_db?: number,
pan?: number,
mute?: boolean,
solo?: boolean,
solo_safe?: boolean,
effects?: Array<EffectInput>,
sends?: Array<SendInput>,
clips?: Array<ClipInput>,
audio_clips?: Array<AudioClipInput>, };

/** A Zone in a request's body: what has a default may be left out. */
export type ZoneInput = {
sample: string,
root_pitch: number,
low_pitch: number,
high_pitch: number,
loop_start?: number,
loop_end?: number, };
