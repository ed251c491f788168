//! Everything there is to say about a file: levels, loudness, spectrum, overview and music in one pass.
//!
//! ```text
//! channels ─┬─▶ levels of each · loudness · true peak · overview
//!           └─ mixed down to two (by the host) ─▶ stereo · spectrum · music
//! ```

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::finite;
use super::layout::Layout;
use super::meter::CLIP_RUN;
use super::music::{Key, Music, Onset};
use super::overview::{Overview, OverviewConfig, OverviewError, SampleKind};
use super::programme::Programme;
use super::spectrum::{Spectrum, SpectrumConfig, SpectrumError};
use super::waveform_data::WaveformBits;
use crate::math::{db_from_gain, db_from_power};
use crate::units::{FLOOR_DB, SampleRate};

/// Pairs of the overview in a report, at most: more than a page is wide.
const MAX_OVERVIEW: usize = 2_048;
/// Frames of a pair on the finest level of the overview.
const SAMPLES_PER_PIXEL: u32 = 256;

/// What a report is made with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReportConfig {
    /// How the spectrum is measured. `channels` counts as 1.
    pub spectrum: SpectrumConfig,
    /// What the samples of the file were, for the overview.
    pub kind: SampleKind,
}

/// A file that cannot be analysed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReportError {
    /// Not 1 to 6.
    Channels(usize),
    /// The file has no frame.
    Empty,
    /// An option of the spectrum.
    Spectrum(SpectrumError),
    /// An option of the overview.
    Overview(OverviewError),
}

impl ReportError {
    /// Name of the option or property.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Channels(_) => "channels",
            Self::Empty => "frames",
            Self::Spectrum(error) => error.field(),
            Self::Overview(error) => error.field(),
        }
    }

    /// What is allowed.
    pub const fn allowed(self) -> &'static str {
        match self {
            Self::Channels(_) => "1 to 6",
            Self::Empty => "at least 1",
            Self::Spectrum(error) => error.allowed(),
            Self::Overview(error) => error.allowed(),
        }
    }
}

impl core::fmt::Display for ReportError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.field())?;
        f.write_str(" must be ")?;
        f.write_str(self.allowed())
    }
}

impl core::error::Error for ReportError {}

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
    /// Samples of all channels that were NaN or infinite; they count as silence.
    #[cfg_attr(feature = "schema", ts(type = "number"))]
    pub bad_samples: u64,
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

/// Measures a file from its first frame to its last.
pub struct Analyzer {
    rate: SampleRate,
    n_frames: u64,
    channels: Vec<Channel>,
    programme: Programme,
    history: Vec<f32>,
    stereo: Products,
    spectrum: MeanSpectrum,
    overview: Overview,
    music: Music,
}

impl Analyzer {
    /// Allocates for a file of `n_channels` and about `n_frames`.
    ///
    /// # Errors
    /// The option, or the property of the file, that is out of range.
    pub fn new(
        rate: SampleRate,
        n_channels: usize,
        n_frames: u64,
        config: &ReportConfig,
    ) -> Result<Self, ReportError> {
        let layout = Layout::of_channels(n_channels).ok_or(ReportError::Channels(n_channels))?;
        let overview = OverviewConfig {
            sample_rate: rate.hz(),
            n_channels: n_channels as u16,
            samples_per_pixel: SAMPLES_PER_PIXEL,
            split_channels: false,
            kind: config.kind,
        };
        Ok(Self {
            rate,
            n_frames: 0,
            channels: vec![Channel::default(); n_channels],
            programme: Programme::new(rate, layout),
            history: Vec::with_capacity((n_frames / u64::from(rate.hz())) as usize),
            stereo: Products::default(),
            spectrum: MeanSpectrum::new(rate, &config.spectrum).map_err(ReportError::Spectrum)?,
            overview: Overview::new(&overview, n_frames).map_err(ReportError::Overview)?,
            music: Music::whole(rate, n_frames),
        })
    }

    /// Takes frames of every channel, and the same frames mixed down to two; linear, full scale ±1; NaN and infinity
    /// count as 0. The bits do not depend on how a file is cut. Allocates only after the frames that were announced.
    ///
    /// # Panics
    /// When the channels differ in length, or are not as many as announced.
    pub fn process(&mut self, channels: &[&[f32]], mix: [&[f32]; 2]) {
        assert!(channels.len() == self.channels.len(), "number of channels");
        assert!(channels.iter().chain(&mix).all(|ch| ch.len() == mix[0].len()), "channels differ in length");
        for (channel, samples) in self.channels.iter_mut().zip(channels) {
            channel.process(samples, self.n_frames);
        }
        self.process_programme(channels);
        self.stereo.process(mix);
        self.spectrum.process(mix);
        self.overview.process(channels);
        self.music.process(mix[0], mix[1]);
        self.n_frames += mix[0].len() as u64;
    }

    /// Cut at whole seconds, where the history has its values.
    fn process_programme(&mut self, channels: &[&[f32]]) {
        let second = u64::from(self.rate.hz());
        let mut rest = channels.to_vec();
        let mut position = self.n_frames;
        while !rest[0].is_empty() {
            let n = (second - position % second).min(rest[0].len() as u64) as usize;
            let part: Vec<&[f32]> = rest.iter_mut().map(|ch| ch.split_off(..n).unwrap_or_default()).collect();
            self.programme.process(&part);
            position += n as u64;
            if position.is_multiple_of(second) {
                self.history.push(self.programme.short_term());
            }
        }
    }

    /// What was measured.
    ///
    /// # Errors
    /// [`ReportError::Empty`] without a frame.
    pub fn finish(mut self) -> Result<Report, ReportError> {
        if self.n_frames == 0 {
            return Err(ReportError::Empty);
        }
        let summary = self.programme.summary();
        let music = self.music.snapshot();
        let level = (0..self.overview.n_levels())
            .map(|level| self.overview.snapshot(level, WaveformBits::Sixteen))
            .find(|data| data.len() <= MAX_OVERVIEW);
        let overview = level.map_or_else(OverviewReport::default, |data| OverviewReport {
            samples_per_pixel: data.samples_per_pixel,
            points: data.points,
        });
        let channels = self.channels.iter().enumerate();
        Ok(Report {
            sample_rate: self.rate.hz(),
            frames: self.n_frames,
            duration_seconds: self.n_frames as f64 / self.rate.as_f64(),
            bad_samples: self.channels.iter().map(|channel| channel.n_bad).sum(),
            channels: channels.map(|(i, ch)| ch.report(self.n_frames, self.programme.true_peak(i))).collect(),
            loudness: LoudnessReport {
                integrated: summary.integrated,
                range: summary.range,
                max_momentary: summary.max_momentary,
                max_short_term: summary.max_short_term,
                true_peak: summary.max_true_peak,
                history: self.history,
            },
            stereo: self.stereo.report(),
            spectrum: self.spectrum.finish(),
            overview,
            music: MusicReport {
                bpm: music.bpm,
                bpm_strength: music.bpm_strength,
                key: music.key,
                key_name: music.key.map_or("", Key::name).into(),
                key_strength: music.key_strength,
                tuning_cents: music.tuning_cents,
                onsets: self.music.onsets().to_vec(),
            },
        })
    }
}

/// Levels of one channel, sample by sample: sums of parts would depend on how the file is cut.
#[derive(Clone, Default)]
struct Channel {
    n_bad: u64,
    peak: f32,
    peak_position: u64,
    sum: f64,
    sum_squares: f64,
    /// Samples at or above full scale up to here, one after the other.
    run: u32,
    clips: u32,
}

impl Channel {
    fn process(&mut self, samples: &[f32], start: u64) {
        for (position, &sample) in (start..).zip(samples) {
            let x = finite(sample);
            let magnitude = x.abs();
            self.n_bad += u64::from(!sample.is_finite());
            if magnitude > self.peak {
                (self.peak, self.peak_position) = (magnitude, position);
            }
            let wide = f64::from(x);
            self.sum += wide;
            self.sum_squares += wide * wide;
            self.run = if magnitude >= 1.0 { self.run.saturating_add(1) } else { 0 };
            self.clips = self.clips.saturating_add(u32::from(self.run == CLIP_RUN));
        }
    }

    fn report(&self, n_frames: u64, true_peak: f32) -> ChannelReport {
        let n = n_frames as f64;
        let peak = db_from_gain(self.peak);
        let rms = db_from_power((self.sum_squares / n) as f32);
        ChannelReport {
            peak,
            peak_position: self.peak_position,
            true_peak: db_from_gain(true_peak),
            rms,
            crest: peak - rms,
            dc_offset: (self.sum / n) as f32,
            clips: self.clips,
        }
    }
}

/// Σ l², r² and l·r.
#[derive(Default)]
struct Products([f64; 3]);

impl Products {
    fn process(&mut self, [left, right]: [&[f32]; 2]) {
        for (&l, &r) in left.iter().zip(right) {
            let (l, r) = (f64::from(finite(l)), f64::from(finite(r)));
            self.0[0] += l * l;
            self.0[1] += r * r;
            self.0[2] += l * r;
        }
    }

    fn report(&self) -> StereoReport {
        let [l, r, lr] = self.0;
        let (rms_l, rms_r) = (libm::sqrt(l), libm::sqrt(r));
        let ratio = |a: f64, b: f64| if b > 0.0 { (a / b).clamp(-1.0, 1.0) as f32 } else { 0.0 };
        StereoReport { correlation: ratio(lr, rms_l * rms_r), balance: ratio(rms_r - rms_l, rms_r + rms_l) }
    }
}

/// Mean and greatest of transforms that overlap by half (Welch 1967).
struct MeanSpectrum {
    unit: Spectrum,
    fft_size: u32,
    magnitudes: Vec<f32>,
    /// Σ power of each band.
    powers: Vec<f64>,
    max: Vec<f32>,
    n_spectra: u32,
    /// Frames until the next transform.
    wanted: usize,
}

impl MeanSpectrum {
    fn new(rate: SampleRate, config: &SpectrumConfig) -> Result<Self, SpectrumError> {
        let unit = Spectrum::new(rate, &SpectrumConfig { channels: 1, ..config.clone() })?;
        let n = unit.n_bands();
        Ok(Self {
            unit,
            fft_size: config.fft_size,
            magnitudes: vec![0.0; n],
            powers: vec![0.0; n],
            max: vec![FLOOR_DB; n],
            n_spectra: 0,
            wanted: config.fft_size as usize,
        })
    }

    fn process(&mut self, [mut left, mut right]: [&[f32]; 2]) {
        while !left.is_empty() {
            let n = left.len().min(self.wanted);
            let (l, r);
            (l, left) = left.split_at(n);
            (r, right) = right.split_at(n);
            self.unit.process(l, r);
            self.wanted -= n;
            if self.wanted == 0 {
                self.take();
                self.wanted = self.fft_size as usize / 2;
            }
        }
    }

    fn take(&mut self) {
        self.unit.snapshot(&mut self.magnitudes);
        for ((power, max), &db) in self.powers.iter_mut().zip(&mut self.max).zip(&self.magnitudes) {
            if db > FLOOR_DB {
                *power += libm::pow(10.0, f64::from(db) / 10.0);
            }
            if db > *max {
                *max = db;
            }
        }
        self.n_spectra += 1;
    }

    /// A file that is shorter than a transform is one, in the middle of silence.
    fn finish(mut self) -> SpectrumReport {
        if self.n_spectra == 0 {
            let silence = vec![0.0; self.wanted / 2];
            self.unit.process(&silence, &silence);
            self.take();
        }
        let n = f64::from(self.n_spectra);
        SpectrumReport {
            fft_size: self.fft_size,
            frequencies: self.unit.frequencies().to_vec(),
            mean: self.powers.iter().map(|power| db_from_power((power / n) as f32)).collect(),
            max: self.max,
        }
    }
}

#[cfg(test)]
mod tests;
