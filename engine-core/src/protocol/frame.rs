//! Frames as values: what the feed measures, what is merged for a slow client, what is encoded.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::header::Flags;
use super::subscription::{AudioFormat, Topic};
use crate::analysis::ballistics::{Ballistics, Reading};
use crate::analysis::meter::MeterBlock;
use crate::analysis::music::MusicSnapshot;
use crate::analysis::spectrum::Scale;
use crate::analysis::trigger::TriggerConfig;
use crate::control::{TapId, TransportSnapshot};

/// One measurement of one topic, before a connection numbers it.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Which tap it is of; master where it is of all.
    pub tap: TapId,
    /// Snapshot and discontinuity marks.
    pub flags: Flags,
    /// Engine frames at the end of what was measured; of a trigger, the number of the frame that decided.
    pub sample_position: u64,
    /// The values.
    pub payload: Payload,
}

/// The values of a frame.
#[derive(Clone, Debug, PartialEq)]
#[allow(
    clippy::large_enum_variant,
    reason = "a stream keeps its frame and fills it again: a box would gain nothing"
)]
pub enum Payload {
    /// Where the transport stands.
    Transport(Transport),
    /// Every tap's meters, the master's loudness and correlation.
    Meters(Meters),
    /// One spectrum.
    Spectrum(Spectrum),
    /// One scope picture or a row of buckets.
    Waveform(Waveform),
    /// How the host is doing.
    Analytics(Analytics),
    /// The stereo image.
    Stereo(Stereo),
    /// What is played. Its JSON is the binary payload too.
    Music(MusicSnapshot),
    /// A trigger that fired.
    Trigger(TriggerEvent),
    /// A stretch of sound.
    Audio(Audio),
    /// The frequencies of a spectrum, once per configuration.
    Axis(Axis),
    /// Decoded, not encoded: the JSON of a topic that has no binary form of its own.
    Text(Topic, String),
}

/// The transport with the time at which the server saw it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transport {
    /// Where it stood.
    pub snapshot: TransportSnapshot,
    /// When, in Unix milliseconds; stamped by the host.
    pub server_time: f64,
    /// Revision of the composition that plays, as the host counts them; 0 where it does not.
    pub composition_revision: u64,
}

/// Meters of all taps over the same span.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meters {
    /// Master first, then tracks in order, then the input.
    pub taps: Vec<(TapId, MeterBlock)>,
    /// Loudness of the master.
    pub loudness: Loudness,
    /// Times that it was started anew; wraps.
    pub loudness_resets: u16,
    /// Correlation of the master's channels, −1 to 1.
    pub correlation: f32,
    /// Loudness of each tap, in the order of `taps`; empty when it was not asked for.
    pub tap_loudness: Vec<Loudness>,
    /// Needles, where a kind of meter was asked for.
    pub needles: Option<MeterNeedles>,
}

/// Needles of one kind of meter.
#[derive(Clone, Debug, PartialEq)]
pub struct MeterNeedles {
    /// The kind.
    pub ballistics: Ballistics,
    /// Of each tap, in the order of [`Meters::taps`]: the highest positions since the frame before.
    pub readings: Vec<Reading>,
}

/// EBU R 128 loudness, floor −120.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loudness {
    /// Over 400 ms, LUFS.
    pub momentary: f32,
    /// Over 3 s, LUFS.
    pub short_term: f32,
    /// Since the start, gated, LUFS.
    pub integrated: f32,
    /// Loudness range, LU.
    pub range: f32,
}

impl Default for Loudness {
    fn default() -> Self {
        use crate::units::FLOOR_DB;
        Self { momentary: FLOOR_DB, short_term: FLOOR_DB, integrated: FLOOR_DB, range: 0.0 }
    }
}

/// Levels over the bands of an [`Axis`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spectrum {
    /// The axis's `id`.
    pub axis: u32,
    /// 1, or 2 (left, then right).
    pub channels: u8,
    /// Sent as i16 in 0.01 dB, not as u8 in 0.5 dB.
    pub wide: bool,
    /// dBFS; a channel after the other.
    pub magnitudes: Vec<f32>,
}

/// What the bands of a spectrum are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// Stands for all that follows: equal axes have equal ids, across restarts and hosts.
    pub id: u32,
    /// FFT size in samples.
    pub fft_size: u32,
    /// Frames per second.
    pub sample_rate: u32,
    /// Number of the scale: linear 0, log 1, mel 2, bark 3, octave 4.
    pub scale: u8,
    /// Centre of each band, in Hz.
    pub frequencies: Vec<f32>,
}

/// Samples or buckets of a tap.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Waveform {
    /// 1 or 2.
    pub channels: u8,
    /// 0 scope (samples), 1 buckets (min, max, rms of each).
    pub mode: u8,
    /// Linear, full scale ±1; a channel after the other; in buckets all minima, all maxima, all RMS.
    pub samples: Vec<f32>,
}

/// The stereo image of a tap. See [`analysis::stereo`](crate::analysis::stereo).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stereo {
    /// −1 (opposite) to 1 (equal).
    pub correlation: f32,
    /// −1 (left) to 1 (right).
    pub balance: f32,
    /// 0 (mono) to 1 (opposite).
    pub width: f32,
    /// Points [x, y] of the goniometer, oldest first, full scale 127.
    pub points: Vec<[i8; 2]>,
}

/// A trigger that fired. Its JSON is the binary payload too.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TriggerEvent {
    /// What it waited for.
    pub config: TriggerConfig,
    /// The clip's or the silence's highest sample, dBFS; the loudness, LUFS.
    pub value: f32,
}

/// Frames that one audio frame has at most; at low rates it is sent earlier.
pub const MAX_AUDIO_FRAMES: usize = 8_192;

/// A stretch of a tap's sound: it ends at the frame's `sample_position`, and the next one goes on from there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Audio {
    /// 1 or 2.
    pub channels: u8,
    /// How samples are sent.
    pub format: AudioFormat,
    /// Linear, full scale ±1, interleaved.
    pub samples: Vec<f32>,
}

/// How the host is doing. Its JSON is the binary payload too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct Analytics {
    /// Share of one core that the process uses, 0 to the number of cores.
    pub cpu_usage: f32,
    /// Resident memory (in a browser: wasm memory), bytes.
    #[cfg_attr(feature = "schema", ts(type = "number"))]
    pub memory_usage: u64,
    /// Voices that sound.
    pub active_voices: u32,
    /// Tracks of the composition that plays.
    pub active_tracks: u32,
    /// Frames per second.
    pub sample_rate: u32,
    /// Frames in one call of the sound card.
    pub buffer_size: u32,
    /// From the engine to the loudspeaker, ms.
    pub latency_ms: f32,
    /// Callbacks that came too late, and blocks that analysis missed.
    #[cfg_attr(feature = "schema", ts(type = "number"))]
    pub xruns: u64,
    /// Stream connections.
    pub clients: u32,
    /// Frames sent since the start.
    #[cfg_attr(feature = "schema", ts(type = "number"))]
    pub frames_sent: u64,
    /// Frames merged into a newer one because a client was slow.
    #[cfg_attr(feature = "schema", ts(type = "number"))]
    pub frames_merged: u64,
    /// Name of the device that plays.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub device: String,
}

impl Axis {
    /// The axis of a spectrum, with an id made of all that it says.
    pub fn new(fft_size: u32, sample_rate: u32, scale: Scale, frequencies: &[f32]) -> Self {
        let words =
            [fft_size, sample_rate, scale as u32].into_iter().chain(frequencies.iter().map(|f| f.to_bits()));
        // FNV-1a over the words' bytes.
        let id = words
            .flat_map(u32::to_le_bytes)
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        Self { id, fft_size, sample_rate, scale: scale as u8, frequencies: frequencies.to_vec() }
    }

    /// The scale's name in JSON; empty for a number that is not known.
    pub fn scale_name(&self) -> &'static str {
        ["linear", "log", "mel", "bark", "octave"].get(usize::from(self.scale)).copied().unwrap_or("")
    }
}

impl Waveform {
    /// 1 in scope mode; 3 (min, max, RMS) in buckets.
    pub fn values_per_point(&self) -> usize {
        if self.mode == 0 { 1 } else { 3 }
    }
}

impl Audio {
    /// Frames (one sample per channel).
    pub fn n_frames(&self) -> usize {
        self.samples.len() / usize::from(self.channels.max(1))
    }
}

impl Payload {
    /// The topic that this payload belongs to.
    pub fn topic(&self) -> Topic {
        match self {
            Self::Transport(_) => Topic::Transport,
            Self::Meters(_) => Topic::Meters,
            Self::Spectrum(_) => Topic::Spectrum,
            Self::Waveform(_) => Topic::Waveform,
            Self::Analytics(_) => Topic::Analytics,
            Self::Stereo(_) => Topic::Stereo,
            Self::Music(_) => Topic::Music,
            Self::Trigger(_) => Topic::Trigger,
            Self::Audio(_) => Topic::Audio,
            Self::Axis(_) => Topic::Axis,
            Self::Text(topic, _) => *topic,
        }
    }
}

impl Frame {
    /// Makes this frame cover `older` too, which was never sent: peaks and needles are the greater, RMS the power
    /// mean, clips the sum, marks of both; everything else is the newer value.
    pub fn absorb(&mut self, older: &Self) {
        self.flags = self.flags.with(older.flags);
        if let (Payload::Meters(new), Payload::Meters(old)) = (&mut self.payload, &older.payload) {
            for (at, (tap, block)) in new.taps.iter_mut().enumerate() {
                // Where it was, but for tracks that came or went.
                let is_it = |(id, _): &(TapId, MeterBlock)| id == tap;
                let is_there = old.taps.get(at).is_some_and(is_it);
                let earlier = if is_there { Some(at) } else { old.taps.iter().position(is_it) };
                let Some(earlier) = earlier else { continue };
                let mut sum = old.taps[earlier].1;
                sum.merge(block);
                *block = sum;
                if let (Some(new), Some(old)) = (&mut new.needles, &old.needles)
                    && new.ballistics == old.ballistics
                    && let (Some(reading), Some(earlier)) =
                        (new.readings.get_mut(at), old.readings.get(earlier))
                {
                    reading.merge(earlier);
                }
            }
        }
    }
}
