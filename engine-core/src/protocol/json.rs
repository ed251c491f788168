//! Messages from the server as JSON, and the source of the TypeScript types.
//!
//! The same structs are what the browser's decoder hands out for binary frames; there, arrays of numbers are
//! `Float32Array`s.

mod meters;
mod signal;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::directory::{Directory, Tap};
use super::frame::{Analytics, Axis, Frame, Payload, Spectrum, Transport, Waveform};
use super::header::Flags;
use super::subscription::Topic;
use crate::control::{MAX_ACTIVE_NOTES, PlayState, TapId};
use crate::units::beats_from_ticks;

pub use meters::{MasterMeters, MeterLevels, MetersFrame, TrackMeters};
pub use signal::{AudioFrame, MusicFrame, StereoFrame, TriggerFrame};

/// First message on every stream socket, sent again when the taps change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct Hello {
    /// Version of the protocol.
    pub version: u32,
    /// Changes when the server restarts.
    pub epoch: u16,
    /// Frames per second of the engine.
    pub sample_rate: u32,
    /// Channels of each tap.
    pub channels: u8,
    /// Where one can listen.
    pub taps: Vec<Tap>,
    /// What one can subscribe.
    pub topics: Vec<TopicInfo>,
    /// What the server allows.
    pub limits: Limits,
    /// Unix milliseconds.
    pub server_time: f64,
}

/// A topic's number and name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct TopicInfo {
    /// Its number in binary frames.
    pub id: u8,
    /// Its name in messages and paths.
    pub name: String,
}

/// What a stream socket allows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct Limits {
    /// Highest `fps`.
    pub max_fps: u16,
    /// Longest message from a client, bytes.
    pub max_message_bytes: u32,
    /// Streams on one socket.
    pub max_subscriptions: u16,
    /// Messages from a client in a second, in the long run; more close the socket with 4429.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(required))]
    pub max_messages_per_second: u16,
    /// Messages that may come at once after it was quiet.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(required))]
    pub max_message_burst: u16,
    /// Answers that may wait for a client that does not read; more close the socket with 1008.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(required))]
    pub max_unread_answers: u16,
    /// Triggers of a tap that wait for a slow client; later ones are only counted.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(required))]
    pub max_waiting_triggers: u16,
    /// Milliseconds of a tap's audio that wait for a slow client; the oldest are dropped, and counted.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(required))]
    pub max_waiting_audio_ms: u16,
    /// Notes that a transport frame lists.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(required))]
    pub max_active_notes: u16,
}

impl Limits {
    /// Those of a server.
    pub const SERVER: Self = Self {
        max_fps: *super::FPS_RANGE.end(),
        max_message_bytes: 4096,
        max_subscriptions: 32,
        max_messages_per_second: 100,
        max_message_burst: 300,
        max_unread_answers: 64,
        max_waiting_triggers: 64,
        max_waiting_audio_ms: 500,
        max_active_notes: MAX_ACTIVE_NOTES as u16,
    };
}

impl TopicInfo {
    /// All topics that can be subscribed.
    pub fn all() -> Vec<Self> {
        Topic::STREAMS.iter().map(|&t| Self { id: t as u8, name: t.name().to_string() }).collect()
    }
}

/// A control message from the server: text in both encodings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// What the connection is and what it offers.
    Hello(Hello),
    /// Answer to `ping`; times in Unix milliseconds.
    Pong {
        /// As the client sent it.
        t0: f64,
        /// When the ping arrived.
        t1: f64,
        /// When the pong left.
        t2: f64,
    },
    /// Something was refused; the socket stays open.
    Error {
        /// Stable name of the kind of error.
        code: String,
        /// What was wrong and what is allowed.
        message: String,
        /// The stream that was refused: its topic. Absent where it was about no stream.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", ts(optional))]
        topic: Option<Topic>,
        /// And its tap, as the message named it; `master` where it named none. Absent where it was about all taps.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", ts(optional))]
        tap: Option<String>,
    },
}

impl ServerMessage {
    /// A refusal that is about no stream.
    pub fn error(code: &str, message: String) -> Self {
        Self::Error { code: code.to_string(), message, topic: None, tap: None }
    }
}

/// What every frame carries besides its values. A connection writes it in front of the shared body.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Envelope {
    /// Counts frames of one topic and tap on one connection.
    pub seq: u32,
    /// Changes when the server restarts.
    pub epoch: u16,
    /// Frames that were merged into this one.
    pub dropped: u16,
}

/// `active_notes` of a transport frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct NoteInfo {
    /// The track's id.
    pub track_id: String,
    /// MIDI pitch.
    pub pitch: u8,
    /// 1 to 127.
    pub velocity: u8,
}

/// Where the transport stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct TransportFrame {
    /// The playhead moves.
    pub is_playing: bool,
    /// At rest where it was paused.
    pub is_paused: bool,
    /// The armed track is recorded to, or will be after the count-in.
    pub is_recording: bool,
    /// Playhead in quarter notes.
    pub position_beats: f64,
    /// Playhead in seconds.
    pub position_seconds: f64,
    /// Engine frames since it started; never jumps.
    #[cfg_attr(feature = "schema", ts(type = "number"))]
    pub sample_position: u64,
    /// Beats per minute at the playhead.
    pub tempo: f64,
    /// Numerator of the time signature at the playhead.
    pub time_signature_num: u8,
    /// Denominator of it.
    pub time_signature_den: u8,
    /// The loop region is in force.
    pub loop_enabled: bool,
    /// Its start in beats.
    pub loop_start: f64,
    /// Its end in beats.
    pub loop_end: f64,
    /// The click sounds.
    pub metronome_enabled: bool,
    /// Id of the track that recording goes to.
    #[serde(default)]
    pub armed_track_id: Option<String>,
    /// Beats of a count-in until the playhead moves, the present one included; 0 when there is none.
    pub count_in_beats: u16,
    /// Notes that are held.
    pub active_notes: Vec<NoteInfo>,
    /// When the server saw this, Unix milliseconds.
    pub server_time: f64,
    /// Revision of the composition that plays, the last part of its ETag: it rises with each change, undo and redo
    /// among them. 0 when nothing plays, and from a source that does not count.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(required), ts(type = "number"))]
    pub composition_revision: u64,
    /// The playhead jumped since the frame before.
    pub discontinuity: bool,
}

/// A magnitude spectrum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct SpectrumFrame {
    /// `master`, `input` or a track's id.
    pub tap: String,
    /// Engine frames at the end of what was measured.
    #[cfg_attr(feature = "schema", ts(type = "number"))]
    pub sample_position: u64,
    /// Frames per second.
    pub sample_rate: u32,
    /// Samples in one FFT.
    pub fft_size: u32,
    /// How bands are spread: linear, log, mel, bark, octave.
    pub scale: String,
    /// Channels in `magnitudes`, one after the other.
    pub channels: u8,
    /// Centre of each band, Hz.
    #[cfg_attr(feature = "schema", ts(type = "Float32Array"))]
    pub frequencies: Vec<f32>,
    /// Level of each band, dBFS, floor −120.
    #[cfg_attr(feature = "schema", ts(type = "Float32Array"))]
    pub magnitudes: Vec<f32>,
}

/// Samples (scope) or buckets of a tap; the fields of the other mode are absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS), ts(optional_fields))]
#[serde(default)]
pub struct WaveformFrame {
    /// `master`, `input` or a track's id.
    pub tap: String,
    /// Engine frames at the end of what was measured.
    #[cfg_attr(feature = "schema", ts(type = "number"))]
    pub sample_position: u64,
    /// Frames per second.
    pub sample_rate: u32,
    /// Scope: linear samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(type = "Float32Array", optional))]
    pub samples_left: Option<Vec<f32>>,
    /// Scope: linear samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(type = "Float32Array", optional))]
    pub samples_right: Option<Vec<f32>>,
    /// Buckets: lowest sample of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(type = "Float32Array", optional))]
    pub min_left: Option<Vec<f32>>,
    /// Buckets: highest sample of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(type = "Float32Array", optional))]
    pub max_left: Option<Vec<f32>>,
    /// Buckets: RMS of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(type = "Float32Array", optional))]
    pub rms_left: Option<Vec<f32>>,
    /// Buckets: lowest sample of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(type = "Float32Array", optional))]
    pub min_right: Option<Vec<f32>>,
    /// Buckets: highest sample of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(type = "Float32Array", optional))]
    pub max_right: Option<Vec<f32>>,
    /// Buckets: RMS of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(type = "Float32Array", optional))]
    pub rms_right: Option<Vec<f32>>,
}

/// How the host is doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct AnalyticsFrame {
    /// Engine frames when it was read.
    #[cfg_attr(feature = "schema", ts(type = "number"))]
    pub sample_position: u64,
    /// The values.
    #[serde(flatten)]
    #[cfg_attr(feature = "schema", ts(flatten))]
    pub values: Analytics,
}

/// The values of a frame as JSON, without the envelope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Body {
    /// Topic transport.
    Transport(TransportFrame),
    /// Topic meters.
    Meters(MetersFrame),
    /// Topic spectrum.
    Spectrum(SpectrumFrame),
    /// Topic waveform.
    Waveform(WaveformFrame),
    /// Topic analytics.
    Analytics(AnalyticsFrame),
    /// Topic stereo.
    Stereo(StereoFrame),
    /// Topic music.
    Music(MusicFrame),
    /// Topic trigger.
    Trigger(TriggerFrame),
    /// Topic audio.
    Audio(AudioFrame),
}

impl Body {
    /// The JSON view of a frame. `axis` must be the spectrum's; an axis has no JSON of its own, since every
    /// JSON spectrum carries its frequencies: `None`.
    pub fn new(frame: &Frame, taps: &Directory, axis: Option<&Axis>) -> Option<Self> {
        Some(match &frame.payload {
            Payload::Transport(t) => Self::Transport(transport(t, frame, taps)),
            Payload::Meters(m) => Self::Meters(meters::meters(m, frame.sample_position, taps)),
            Payload::Spectrum(s) => Self::Spectrum(spectrum(s, frame, taps, axis?)),
            Payload::Waveform(w) => Self::Waveform(waveform(w, frame, taps)),
            Payload::Analytics(a) => {
                Self::Analytics(AnalyticsFrame { sample_position: frame.sample_position, values: a.clone() })
            }
            Payload::Stereo(s) => Self::Stereo(signal::stereo(s, frame, taps)),
            Payload::Music(m) => Self::Music(signal::music(m, frame, taps)),
            Payload::Trigger(t) => Self::Trigger(signal::trigger(t, frame, taps)),
            Payload::Audio(a) => Self::Audio(signal::audio(a, frame, taps)),
            Payload::Axis(_) | Payload::Text(..) => return None,
        })
    }
}

fn transport(t: &Transport, frame: &Frame, taps: &Directory) -> TransportFrame {
    let s = &t.snapshot;
    TransportFrame {
        is_playing: s.state == PlayState::Playing,
        is_paused: s.state == PlayState::Paused,
        is_recording: s.recording,
        position_beats: beats_from_ticks(s.tick),
        position_seconds: s.seconds,
        sample_position: frame.sample_position,
        tempo: s.bpm,
        time_signature_num: s.numerator,
        time_signature_den: s.denominator,
        loop_enabled: s.loop_enabled,
        loop_start: beats_from_ticks(f64::from(s.loop_start)),
        loop_end: beats_from_ticks(f64::from(s.loop_end)),
        metronome_enabled: s.metronome,
        armed_track_id: s.armed.map(|track| taps.key(TapId::track(track))),
        count_in_beats: s.count_in_beats,
        active_notes: s.active_notes[..s.n_active_notes]
            .iter()
            .map(|n| NoteInfo {
                track_id: taps.key(TapId::track(n.track)),
                pitch: n.pitch,
                velocity: n.velocity,
            })
            .collect(),
        server_time: t.server_time,
        composition_revision: t.composition_revision,
        discontinuity: frame.flags.contains(Flags::DISCONTINUITY),
    }
}

fn spectrum(s: &Spectrum, frame: &Frame, taps: &Directory, axis: &Axis) -> SpectrumFrame {
    SpectrumFrame {
        tap: taps.key(frame.tap),
        sample_position: frame.sample_position,
        sample_rate: axis.sample_rate,
        fft_size: axis.fft_size,
        scale: axis.scale_name().to_string(),
        channels: s.channels,
        frequencies: axis.frequencies.clone(),
        magnitudes: s.magnitudes.clone(),
    }
}

fn waveform(w: &Waveform, frame: &Frame, taps: &Directory) -> WaveformFrame {
    let mut out = WaveformFrame {
        tap: taps.key(frame.tap),
        sample_position: frame.sample_position,
        sample_rate: taps.sample_rate,
        ..WaveformFrame::default()
    };
    let n_parts = usize::from(w.channels.max(1)) * w.values_per_point();
    let mut parts =
        w.samples.chunks_exact((w.samples.len() / n_parts).max(1)).map(|part| Some(part.to_vec()));
    let mut next = || parts.next().flatten();
    if w.mode == 0 {
        (out.samples_left, out.samples_right) = (next(), next());
    } else {
        (out.min_left, out.max_left, out.rms_left) = (next(), next(), next());
        (out.min_right, out.max_right, out.rms_right) = (next(), next(), next());
    }
    out
}
