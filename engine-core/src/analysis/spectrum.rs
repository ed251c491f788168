//! Magnitude spectrum of a tap.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::ring::Ring;
use super::spectrum_bands::{Plan, spans};
use crate::boxed;
use crate::dsp::fft::{Fft, RealFft};
use crate::units::SampleRate;
use ballistics::Ballistics;
use region::Region;

mod ballistics;
mod config;
mod region;

pub use config::{
    BANDS_RANGE, FRACTION_RANGE, HOLD_MS_RANGE, SMOOTHING_MS_RANGE, Scale, SpectrumConfig, SpectrumError,
    Weighting,
};

/// A spectrum of a stereo stream: a ring of the newest frames, and FFTs when someone looks.
pub struct Spectrum<F: Fft = RealFft<f64>> {
    rings: [Ring; 2],
    /// The newest frames in order, each channel.
    newest: [Box<[f32]>; 2],
    /// Those of the lowest bands, and of the longest transform, first.
    regions: Vec<Region<F>>,
    frequencies: Box<[f32]>,
    ballistics: Option<Ballistics>,
    n_channels: usize,
    rate: SampleRate,
    /// Since the last snapshot.
    n_new: usize,
}

impl Spectrum {
    /// Allocates for a configuration. Silence came before the stream.
    ///
    /// # Errors
    /// The field that is out of range.
    pub fn new(rate: SampleRate, config: &SpectrumConfig) -> Result<Self, SpectrumError> {
        Self::with_ffts(config.lengths(rate)?, RealFft::new, rate, config)
    }
}

impl<F: Fft> Spectrum<F> {
    /// With another FFT, whose length takes the place of `config.fft_size`.
    ///
    /// # Errors
    /// The field that is out of range.
    pub fn with_fft(fft: F, rate: SampleRate, config: &SpectrumConfig) -> Result<Self, SpectrumError> {
        if config.multi_resolution {
            return Err(SpectrumError::MultiResolution);
        }
        let (n, mut fft) = (fft.len(), Some(fft));
        Self::with_ffts([n; 3], |_| fft.take().expect("one length"), rate, config)
    }

    /// Longest first.
    fn with_ffts(
        lengths: [usize; 3],
        mut fft: impl FnMut(usize) -> F,
        rate: SampleRate,
        config: &SpectrumConfig,
    ) -> Result<Self, SpectrumError> {
        config.check(rate)?;
        let n = lengths[0];
        let plan = Plan::new(rate, config, n);
        let spans = spans(&plan);
        if spans.is_empty() {
            return Err(SpectrumError::MaxHz(config.max_hz));
        }
        let mut regions = Vec::with_capacity(lengths.len());
        let mut n_left = spans.len();
        for (idx, len) in lengths.into_iter().enumerate().rev() {
            if idx > 0 && len == lengths[idx - 1] {
                continue;
            }
            // The longest transform takes all that is left.
            let lowest_hz = if len == n { 0.0 } else { region::lowest_hz(rate, len) };
            let first = spans[..n_left].partition_point(|span| span[1] < lowest_hz);
            let plan = Plan::new(rate, config, len);
            regions.push(Region::new(fft(len), &plan, &spans[first..n_left], n_left == spans.len()));
            n_left = first;
        }
        regions.reverse();
        let newest = || boxed::filled(n, 0.0);
        Ok(Self {
            rings: [Ring::new(n), Ring::new(n)],
            newest: [newest(), newest()],
            regions,
            frequencies: boxed::from_fn(spans.len(), |i| spans[i][1] as f32),
            ballistics: Ballistics::new(config, spans.len() * usize::from(config.channels)),
            n_channels: usize::from(config.channels),
            rate,
            n_new: 0,
        })
    }

    /// Bands per channel.
    pub fn n_bands(&self) -> usize {
        self.frequencies.len()
    }

    /// Channels of a snapshot, 1 or 2.
    pub fn n_channels(&self) -> usize {
        self.n_channels
    }

    /// Frames of the longest transform.
    pub fn fft_size(&self) -> usize {
        self.newest[0].len()
    }

    /// Centre of each band, Hz, rising: the middle of the band on its scale.
    pub fn frequencies(&self) -> &[f32] {
        &self.frequencies
    }

    /// Silence again.
    pub fn reset(&mut self) {
        self.rings.iter_mut().for_each(Ring::reset);
        self.ballistics.iter_mut().for_each(Ballistics::reset);
        self.n_new = 0;
    }

    /// Takes frames, linear, full scale ±1; NaN and infinity count as 0. Only copies. Runs on the audio thread.
    ///
    /// # Panics
    /// When the channels differ in length.
    pub fn process(&mut self, left: &[f32], right: &[f32]) {
        assert!(left.len() == right.len(), "channels differ in length");
        self.rings[0].append(left);
        self.rings[1].append(right);
        self.n_new = self.n_new.saturating_add(left.len());
    }

    /// Writes the level of each band over the newest frames, dBFS, at least −120, one channel after the other.
    /// Never allocates.
    ///
    /// A full-scale sine on a bin reads 0.00; so do DC of 1 and full scale at half the sample rate. A band
    /// that is narrower than a bin interpolates between bins; a wider one is its greatest bin, so that a tone
    /// keeps its level; octaves add up the power of their bins, over the window's noise bandwidth, so that a
    /// tone keeps its level there too and noise reads its power in the band.
    ///
    /// In several resolutions a band shows the greatest of the short transforms since the last snapshot.
    /// Attack, release and hold count from the last snapshot, too.
    ///
    /// # Panics
    /// When `magnitudes` is not [`n_bands`](Self::n_bands) × [`n_channels`](Self::n_channels) long.
    pub fn snapshot(&mut self, magnitudes: &mut [f32]) {
        let n_bands = self.n_bands();
        assert!(magnitudes.len() == n_bands * self.n_channels, "spectrum buffer");
        for (newest, ring) in self.newest.iter_mut().zip(&self.rings) {
            let (older, newer) = ring.pieces();
            newest[..older.len()].copy_from_slice(older);
            newest[older.len()..].copy_from_slice(newer);
        }
        let [left, right] = &self.newest;
        let (left_out, right_out) = magnitudes.split_at_mut(n_bands);
        let mut first = 0;
        for region in &mut self.regions {
            let bands = first..first + region.n_bands();
            first = bands.end;
            let right_out = right_out.get_mut(bands.clone());
            region.measure([left, right], self.n_new, &mut left_out[bands], right_out);
        }
        if let Some(ballistics) = &mut self.ballistics {
            ballistics.apply(self.n_new as f64 / self.rate.as_f64(), magnitudes);
        }
        self.n_new = 0;
    }
}

#[cfg(test)]
mod tests;
