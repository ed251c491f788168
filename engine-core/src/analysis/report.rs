//! Everything there is to say about a file: levels, loudness, spectrum, overview and music in one pass.
//!
//! ```text
//! channels ─┬─▶ levels of each · loudness · true peak · overview
//!           └─ mixed down to two (by the host) ─▶ stereo · spectrum · music
//! ```

mod document;
mod mean_spectrum;
mod options;

use alloc::vec;
use alloc::vec::Vec;

use super::layout::Layout;
use super::meter::CLIP_RUN;
use super::music::{Key, Music};
use super::overview::{Overview, OverviewConfig, SampleKind};
use super::programme::Programme;
use super::spectrum::SpectrumConfig;
use super::waveform_data::WaveformBits;
use super::{finite, is_sound};
use crate::math::{db_from_gain, db_from_power, wide};
use crate::units::SampleRate;
pub use document::{
    ChannelReport, LoudnessReport, MusicReport, OverviewReport, Report, SpectrumReport, StereoReport,
};
use mean_spectrum::MeanSpectrum;
pub use options::{ReportError, ReportOptions};

/// Pairs of the overview in a report, at most: more than a page is wide.
const MAX_OVERVIEW: usize = 2_048;
/// Frames of a pair on the finest level of the overview.
const SAMPLES_PER_PIXEL: u32 = 256;

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
    /// Allocates for a file of such channels and about `n_frames`. Of the spectrum's options `channels` counts as 1.
    ///
    /// # Errors
    /// The option, or the property of the file, that is out of range.
    pub fn new(
        rate: SampleRate,
        layout: Layout,
        n_frames: u64,
        spectrum: &SpectrumConfig,
    ) -> Result<Self, ReportError> {
        let n_channels = layout.speakers().len();
        let overview = OverviewConfig {
            sample_rate: rate.hz(),
            n_channels: n_channels as u16,
            samples_per_pixel: SAMPLES_PER_PIXEL,
            split_channels: false,
            // The same for floats: a report is a function of the samples, wherever they came from.
            kind: SampleKind::Integer,
        };
        Ok(Self {
            rate,
            n_frames: 0,
            channels: vec![Channel::default(); n_channels],
            programme: Programme::new(rate, layout),
            history: Vec::with_capacity((n_frames / u64::from(rate.hz())) as usize),
            stereo: Products::default(),
            spectrum: MeanSpectrum::new(rate, spectrum).map_err(ReportError::Spectrum)?,
            overview: Overview::within(&overview, n_frames, MAX_OVERVIEW).map_err(ReportError::Overview)?,
            music: Music::whole(rate, n_frames),
        })
    }

    /// Takes frames of every channel, and the same frames mixed down to two; linear, full scale ±1; NaN and infinity
    /// count as 0. The bits do not depend on how a file is cut. Allocates only little, after the
    /// frames that were announced, and for bad samples.
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
        if channels.iter().copied().flatten().all(|&x| is_sound(x)) {
            self.overview.process(channels);
        } else {
            // The overview by itself draws infinity as what is beyond full scale.
            let clean: Vec<Vec<f32>> =
                channels.iter().map(|channel| channel.iter().copied().map(finite).collect()).collect();
            self.overview.process(&clean.iter().map(Vec::as_slice).collect::<Vec<_>>());
        }
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

    /// Frames so far.
    pub fn n_frames(&self) -> u64 {
        self.n_frames
    }

    /// What was measured. The host adds what it knows of the file's damage.
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
            damaged_packets: 0,
            is_cut_short: false,
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
            self.n_bad += u64::from(!is_sound(sample));
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
        let (rms_l, rms_r) = (wide::sqrt(l), wide::sqrt(r));
        let ratio = |a: f64, b: f64| if b > 0.0 { (a / b).clamp(-1.0, 1.0) as f32 } else { 0.0 };
        StereoReport { correlation: ratio(lr, rms_l * rms_r), balance: ratio(rms_r - rms_l, rms_r + rms_l) }
    }
}

#[cfg(test)]
mod tests;
