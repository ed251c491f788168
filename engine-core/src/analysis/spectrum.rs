//! Magnitude spectrum of a tap.

use alloc::boxed::Box;
use alloc::vec;
use core::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::ring::Ring;
use super::spectrum_bands::{Bands, Plan};
use crate::dsp::fft::{Fft, MAX_FFT_SIZE, MIN_FFT_SIZE, RealFft};
use crate::dsp::window::Window;
use crate::units::SampleRate;

/// Bands that may be asked for.
pub const BANDS_RANGE: RangeInclusive<u16> = 1..=8_192;
/// Bands per octave that may be asked for.
pub const FRACTION_RANGE: RangeInclusive<u8> = 1..=24;

/// How bands are spread over frequency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Bands of equal width in Hz.
    Linear,
    /// Bands of equal ratio.
    #[default]
    Log,
    /// Bands of equal width in mel, 2595·log10(1 + f/700) (O'Shaughnessy 1987).
    Mel,
    /// Bands of equal width in Bark, 26.81·f/(1960 + f) − 0.53 (Traunmüller 1990).
    Bark,
    /// Fractional octaves of IEC 61260-1:2014, which add up power.
    Octave,
}

/// Frequency weighting, IEC 61672-1:2013; 0 dB at 1 kHz.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Weighting {
    /// None: levels as they are.
    #[default]
    None,
    /// A: the ear at low levels.
    A,
    /// C: the ear at high levels.
    C,
    /// Z: flat, the standard's name for none.
    Z,
}

/// Options of a spectrum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SpectrumConfig {
    /// Frames that are transformed: a power of two, 256 to 32768.
    pub fft_size: u32,
    /// Window.
    pub window: Window,
    /// How bands are spread.
    pub scale: Scale,
    /// Number of bands, 1 to 8192; on the linear scale also 0, for every bin. Not used by octaves, whose
    /// number follows from the fraction.
    pub bands: u16,
    /// Bands per octave, 1 to 24, for octaves.
    pub fraction: u8,
    /// Frequency weighting.
    pub weighting: Weighting,
    /// 1: the mean power of left and right, so that opposite channels never cancel. 2: each on its own.
    pub channels: u8,
    /// Lower limit, Hz, ≥ 0; ≥ 1 on the log and octave scales.
    pub min_hz: f32,
    /// Upper limit, Hz; above half the sample rate it means half the sample rate.
    pub max_hz: f32,
}

impl Default for SpectrumConfig {
    fn default() -> Self {
        Self {
            fft_size: 4_096,
            window: Window::Hann,
            scale: Scale::Log,
            bands: 256,
            fraction: 3,
            weighting: Weighting::None,
            channels: 1,
            min_hz: 20.0,
            max_hz: 20_000.0,
        }
    }
}

/// A spectrum that cannot be: the value that is out of range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SpectrumError {
    /// Not a power of two from 256 to 32768.
    FftSize(u32),
    /// Not in [`BANDS_RANGE`].
    Bands(u16),
    /// Not in [`FRACTION_RANGE`].
    Fraction(u8),
    /// Neither 1 nor 2.
    Channels(u8),
    /// Negative, below 1 Hz where the scale is logarithmic, not below half the sample rate, or not a number.
    MinHz(f32),
    /// Not above `min_hz`, not a number, or no band has its centre below it.
    MaxHz(f32),
}

impl SpectrumError {
    /// Name of the field in [`SpectrumConfig`].
    pub const fn field(self) -> &'static str {
        match self {
            Self::FftSize(_) => "fft_size",
            Self::Bands(_) => "bands",
            Self::Fraction(_) => "fraction",
            Self::Channels(_) => "channels",
            Self::MinHz(_) => "min_hz",
            Self::MaxHz(_) => "max_hz",
        }
    }

    /// What is allowed.
    pub const fn allowed(self) -> &'static str {
        match self {
            Self::FftSize(_) => "a power of two, 256 to 32768",
            Self::Bands(_) => "1 to 8192, or 0 on the linear scale for every bin",
            Self::Fraction(_) => "1 to 24",
            Self::Channels(_) => "1 or 2",
            Self::MinHz(_) => "at least 0 (1 on the log and octave scales) and below half the sample rate",
            Self::MaxHz(_) => "above min_hz, with room for a band",
        }
    }
}

impl core::fmt::Display for SpectrumError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.field())?;
        f.write_str(" must be ")?;
        f.write_str(self.allowed())
    }
}

impl core::error::Error for SpectrumError {}

/// A spectrum of a stereo stream: a ring of the newest frames, and an FFT when someone looks.
pub struct Spectrum<F: Fft = RealFft> {
    fft: F,
    rings: [Ring; 2],
    window: Box<[f32]>,
    /// Power gain that makes a full-scale sine on a bin 1.
    gain: f32,
    windowed: Box<[f32]>,
    re: Box<[f32]>,
    im: Box<[f32]>,
    powers: [Box<[f32]>; 2],
    bands: Bands,
    n_channels: usize,
}

impl Spectrum {
    /// Allocates for a configuration. Silence came before the stream.
    ///
    /// # Errors
    /// The field that is out of range.
    pub fn new(rate: SampleRate, config: &SpectrumConfig) -> Result<Self, SpectrumError> {
        let size = config.fft_size as usize;
        if !size.is_power_of_two() || !(MIN_FFT_SIZE..=MAX_FFT_SIZE).contains(&size) {
            return Err(SpectrumError::FftSize(config.fft_size));
        }
        Self::with_fft(RealFft::new(size), rate, config)
    }
}

impl<F: Fft> Spectrum<F> {
    /// With another FFT, whose length takes the place of `config.fft_size`.
    ///
    /// # Errors
    /// The field that is out of range.
    pub fn with_fft(fft: F, rate: SampleRate, config: &SpectrumConfig) -> Result<Self, SpectrumError> {
        let c = config;
        let nyquist = (rate.as_f64() / 2.0) as f32;
        if !(1..=2).contains(&c.channels) {
            return Err(SpectrumError::Channels(c.channels));
        }
        if c.scale == Scale::Octave {
            if !FRACTION_RANGE.contains(&c.fraction) {
                return Err(SpectrumError::Fraction(c.fraction));
            }
        } else if !(BANDS_RANGE.contains(&c.bands) || c.scale == Scale::Linear && c.bands == 0) {
            return Err(SpectrumError::Bands(c.bands));
        }
        let lowest = if matches!(c.scale, Scale::Log | Scale::Octave) { 1.0 } else { 0.0 };
        if !(lowest..nyquist).contains(&c.min_hz) {
            return Err(SpectrumError::MinHz(c.min_hz));
        }
        if c.max_hz.is_nan() || c.max_hz <= c.min_hz {
            return Err(SpectrumError::MaxHz(c.max_hz));
        }
        let (n, n_bins) = (fft.len(), fft.n_bins());
        let plan = Plan {
            scale: c.scale,
            n_bands: usize::from(c.bands),
            fraction: c.fraction,
            weighting: c.weighting,
            min_hz: f64::from(c.min_hz),
            max_hz: f64::from(c.max_hz.min(nyquist)),
            bin_hz: rate.as_f64() / n as f64,
            n_bins,
            window: c.window,
        };
        let bands = Bands::new(&plan).ok_or(SpectrumError::MaxHz(c.max_hz))?;
        let mut window = vec![0.0; n];
        c.window.fill(&mut window);
        let amplitude_gain = 2.0 / (n as f64 * c.window.coherent_gain());
        let bins = || vec![0.0; n_bins].into();
        Ok(Self {
            fft,
            rings: [Ring::new(n), Ring::new(n)],
            window: window.into(),
            gain: (amplitude_gain * amplitude_gain) as f32,
            windowed: vec![0.0; n].into(),
            re: bins(),
            im: bins(),
            powers: [bins(), bins()],
            bands,
            n_channels: usize::from(c.channels),
        })
    }

    /// Bands per channel.
    pub fn n_bands(&self) -> usize {
        self.frequencies().len()
    }

    /// Channels of a snapshot, 1 or 2.
    pub fn n_channels(&self) -> usize {
        self.n_channels
    }

    /// Centre of each band, Hz, rising: the middle of the band on its scale.
    pub fn frequencies(&self) -> &[f32] {
        self.bands.frequencies()
    }

    /// Silence again.
    pub fn reset(&mut self) {
        self.rings.iter_mut().for_each(Ring::reset);
    }

    /// Takes frames, linear, full scale ±1; NaN and infinity count as 0. Only copies. Runs on the audio thread.
    ///
    /// # Panics
    /// When the channels differ in length.
    pub fn process(&mut self, left: &[f32], right: &[f32]) {
        assert!(left.len() == right.len(), "channels differ in length");
        self.rings[0].append(left);
        self.rings[1].append(right);
    }

    /// Writes the level of each band over the newest frames, dBFS, at least −120, one channel after the other.
    ///
    /// A full-scale sine on a bin reads 0.00; so do DC of 1 and full scale at half the sample rate. A band
    /// that is narrower than a bin interpolates between bins; a wider one is its greatest bin, so that a tone
    /// keeps its level; octaves add up the power of their bins, over the window's noise bandwidth, so that a
    /// tone keeps its level there too and noise reads its power in the band.
    ///
    /// # Panics
    /// When `magnitudes` is not [`n_bands`](Self::n_bands) × [`n_channels`](Self::n_channels) long.
    pub fn snapshot(&mut self, magnitudes: &mut [f32]) {
        let n_bands = self.n_bands();
        assert!(magnitudes.len() == n_bands * self.n_channels, "spectrum buffer");
        for ch in 0..2 {
            self.transform(ch);
        }
        let [left, right] = &mut self.powers;
        if self.n_channels == 1 {
            for (l, r) in left.iter_mut().zip(right.iter()) {
                *l = 0.5 * (*l + r);
            }
            self.bands.write(left, magnitudes);
        } else {
            let (left_out, right_out) = magnitudes.split_at_mut(n_bands);
            self.bands.write(left, left_out);
            self.bands.write(right, right_out);
        }
    }

    /// Powers of the bins of one channel, 1 for a full-scale sine.
    fn transform(&mut self, ch: usize) {
        let (older, newer) = self.rings[ch].pieces();
        let (windowed_older, windowed_newer) = self.windowed.split_at_mut(older.len());
        let (window_older, window_newer) = self.window.split_at(older.len());
        for (out, samples, window) in
            [(windowed_older, older, window_older), (windowed_newer, newer, window_newer)]
        {
            for ((out, x), w) in out.iter_mut().zip(samples).zip(window) {
                *out = x * w;
            }
        }
        self.fft.forward(&self.windowed, &mut self.re, &mut self.im);
        let powers = &mut self.powers[ch];
        for ((power, re), im) in powers.iter_mut().zip(&self.re).zip(&self.im) {
            *power = self.gain * (re * re + im * im);
        }
        // 0 Hz and half the sample rate have no mirror image that holds half of their amplitude.
        powers[0] *= 0.25;
        if self.windowed.len().is_multiple_of(2) {
            powers[self.windowed.len() / 2] *= 0.25;
        }
    }
}

#[cfg(test)]
mod tests;
