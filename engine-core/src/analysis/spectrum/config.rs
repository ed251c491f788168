//! Options of a spectrum, and what is wrong with bad ones.

use core::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::dsp::fft::{MAX_FFT_SIZE, MIN_FFT_SIZE};
use crate::dsp::window::Window;
use crate::units::SampleRate;

/// Bands that may be asked for.
pub const BANDS_RANGE: RangeInclusive<u16> = 1..=8_192;
/// Bands per octave that may be asked for.
pub const FRACTION_RANGE: RangeInclusive<u8> = 1..=24;

/// Time constants that may be asked for, ms.
pub const SMOOTHING_MS_RANGE: RangeInclusive<f32> = 0.0..=60_000.0;
/// Peak holds that may be asked for, ms.
pub const HOLD_MS_RANGE: RangeInclusive<f32> = 0.0..=3_600_000.0;

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
    /// Frames that are transformed: a power of two, 256 to 32768. With `multi_resolution` the most frames that
    /// are, and at least so many that low bins are within 6 Hz of each other.
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
    /// Time constant at which a band follows a rising level, ms, 0 to 60000; 0 is at once.
    pub attack_ms: f32,
    /// The same for a falling level.
    pub release_ms: f32,
    /// How long a band stays at its peak before it falls, ms, 0 to 3600000; 0 is not at all.
    pub hold_ms: f32,
    /// Long transforms for low bands and short ones for high bands: 20 Hz of detail where tones are close, and
    /// each burst in the frame that it falls into.
    pub multi_resolution: bool,
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
            attack_ms: 0.0,
            release_ms: 0.0,
            hold_ms: 0.0,
            multi_resolution: false,
        }
    }
}

impl SpectrumConfig {
    /// All that does not depend on how many bands come of it.
    pub(super) fn check(&self, rate: SampleRate) -> Result<(), SpectrumError> {
        let nyquist = (rate.as_f64() / 2.0) as f32;
        if !(1..=2).contains(&self.channels) {
            return Err(SpectrumError::Channels(self.channels));
        }
        if self.scale == Scale::Octave {
            if !FRACTION_RANGE.contains(&self.fraction) {
                return Err(SpectrumError::Fraction(self.fraction));
            }
        } else if !(BANDS_RANGE.contains(&self.bands) || self.scale == Scale::Linear && self.bands == 0) {
            return Err(SpectrumError::Bands(self.bands));
        }
        let lowest = if matches!(self.scale, Scale::Log | Scale::Octave) { 1.0 } else { 0.0 };
        if !(lowest..nyquist).contains(&self.min_hz) {
            return Err(SpectrumError::MinHz(self.min_hz));
        }
        if self.max_hz.is_nan() || self.max_hz <= self.min_hz {
            return Err(SpectrumError::MaxHz(self.max_hz));
        }
        if !SMOOTHING_MS_RANGE.contains(&self.attack_ms) {
            return Err(SpectrumError::AttackMs(self.attack_ms));
        }
        if !SMOOTHING_MS_RANGE.contains(&self.release_ms) {
            return Err(SpectrumError::ReleaseMs(self.release_ms));
        }
        if !HOLD_MS_RANGE.contains(&self.hold_ms) {
            return Err(SpectrumError::HoldMs(self.hold_ms));
        }
        Ok(())
    }

    /// Lengths of the transforms, longest first: for bins of at most 6, 24 and 96 Hz where there are several. Equal ones
    /// are one.
    pub(super) fn lengths(&self, rate: SampleRate) -> Result<[usize; 3], SpectrumError> {
        let size = self.fft_size as usize;
        if !size.is_power_of_two() || !(MIN_FFT_SIZE..=MAX_FFT_SIZE).contains(&size) {
            return Err(SpectrumError::FftSize(self.fft_size));
        }
        if !self.multi_resolution {
            return Ok([size; 3]);
        }
        let at_most =
            |hz| (rate.hz().div_ceil(hz) as usize).next_power_of_two().clamp(MIN_FFT_SIZE, MAX_FFT_SIZE);
        Ok([size.max(at_most(6)), at_most(24), at_most(96)])
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
    /// Not in [`SMOOTHING_MS_RANGE`].
    AttackMs(f32),
    /// Not in [`SMOOTHING_MS_RANGE`].
    ReleaseMs(f32),
    /// Not in [`HOLD_MS_RANGE`].
    HoldMs(f32),
    /// Several lengths were asked of an FFT of one.
    MultiResolution,
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
            Self::AttackMs(_) => "attack_ms",
            Self::ReleaseMs(_) => "release_ms",
            Self::HoldMs(_) => "hold_ms",
            Self::MultiResolution => "multi_resolution",
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
            Self::AttackMs(_) | Self::ReleaseMs(_) => "0 to 60000",
            Self::HoldMs(_) => "0 to 3600000",
            Self::MultiResolution => "false with an FFT of one length",
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
