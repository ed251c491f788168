//! The report itself.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::analysis::music::{Key, Onset};

/// A report. Levels are not below −120.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct Report {
    /// Frames per second.
    pub sample_rate: u32,
    /// Frames.
    #[cfg_attr(feature = "schema", ts(type = "number"))]
    pub frames: u64,
    /// Frames over sample rate.
    pub duration_seconds: f64,
    /// Samples of all channels that were NaN, infinite, or beyond 240 dBFS; they count as silence.
    #[cfg_attr(feature = "schema", ts(type = "number"))]
    pub bad_samples: u64,
    /// Parts of the file that could not be decoded; silence stands in for them. 0 for samples that came as such.
    pub damaged_packets: u32,
    /// The file ends before it says, or the sizes in its header disagree; what is there was measured.
    pub is_cut_short: bool,
    /// Each channel.
    pub channels: Vec<ChannelReport>,
    /// Loudness of all channels together (EBU R 128, BS.1770-5).
    pub loudness: LoudnessReport,
    /// Image of the file mixed down to two channels.
    pub stereo: StereoReport,
    /// Mean and greatest spectrum, mixed down to two channels.
    pub spectrum: SpectrumReport,
    /// What there is to draw.
    pub overview: OverviewReport,
    /// Tempo, key, onsets, mixed down to two channels.
    pub music: MusicReport,
}

/// Levels of one channel.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct ChannelReport {
    /// Greatest sample, dBFS.
    pub peak: f32,
    /// Sample position of the first sample as great as that.
    #[cfg_attr(feature = "schema", ts(type = "number"))]
    pub peak_position: u64,
    /// Greatest true peak, dBTP.
    pub true_peak: f32,
    /// RMS of the whole, dBFS; a full-scale sine reads −3.01.
    pub rms: f32,
    /// Peak over RMS, dB; 0 in silence.
    pub crest: f32,
    /// Mean of the samples, linear.
    pub dc_offset: f32,
    /// Runs of at least three samples at or above full scale.
    pub clips: u32,
}

/// Loudness of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct LoudnessReport {
    /// Gated loudness of all of it, LUFS.
    pub integrated: f32,
    /// Loudness range, LU.
    pub range: f32,
    /// Greatest loudness over 400 ms, LUFS.
    pub max_momentary: f32,
    /// Greatest loudness over 3 s, LUFS.
    pub max_short_term: f32,
    /// Greatest true peak of all channels, dBTP.
    pub true_peak: f32,
    /// Short-term loudness at the end of every second, LUFS.
    pub history: Vec<f32>,
}

/// Stereo image of a file.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct StereoReport {
    /// Correlation over the whole, −1 to 1; 0 when a channel is silent.
    pub correlation: f32,
    /// (R − L)/(R + L) of the RMS values, −1 (left only) to 1.
    pub balance: f32,
}

/// Spectrum of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct SpectrumReport {
    /// Frames of one transform; they overlap by half.
    pub fft_size: u32,
    /// Centre of each band, Hz.
    pub frequencies: Vec<f32>,
    /// Mean power of each band, dBFS.
    pub mean: Vec<f32>,
    /// Greatest level of each band, dBFS.
    pub max: Vec<f32>,
}

/// Minima and maxima of a file, mixed to one channel as audiowaveform does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct OverviewReport {
    /// Frames that a pair covers.
    pub samples_per_pixel: u32,
    /// Minimum, maximum of each span, −32768 to 32767; at most 2048 pairs.
    pub points: Vec<i16>,
}

/// Music of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct MusicReport {
    /// Beats a minute; `null` where nothing repeats.
    pub bpm: Option<f32>,
    /// How exactly onsets repeat at that tempo, 0 to 1.
    pub bpm_strength: f32,
    /// Key; `null` before one second of sound.
    pub key: Option<Key>,
    /// The key's name, such as "D minor"; empty without a key.
    pub key_name: String,
    /// Correlation with the key's profile, −1 to 1.
    pub key_strength: f32,
    /// How far the tuning is above A4 = 440 Hz, cents.
    pub tuning_cents: f32,
    /// Where sounds begin, oldest first.
    pub onsets: Vec<Onset>,
}
