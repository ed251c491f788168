//! What a report is asked for, and what is wrong with bad questions.

use serde::{Deserialize, Serialize};

use crate::analysis::overview::OverviewError;
use crate::analysis::spectrum::{Scale, SpectrumConfig, SpectrumError, Weighting};
use crate::dsp::window::Window;

/// What a client may ask of a report. What is absent keeps its default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, utoipa::IntoParams, ts_rs::TS), ts(optional_fields))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(default, deny_unknown_fields)]
pub struct ReportOptions {
    /// FFT size, a power of two from 256 to 32768.
    pub fft_size: Option<u32>,
    /// Window function.
    pub window: Option<Window>,
    /// How bands of the spectrum are spread.
    pub scale: Option<Scale>,
    /// Number of bands, 1 to 8192 (not for octave, where it follows from the fraction).
    pub bands: Option<u16>,
    /// Bands in an octave, 1 to 24, for scale octave.
    pub fraction: Option<u8>,
    /// Frequency weighting of the spectrum.
    pub weighting: Option<Weighting>,
    /// Lowest frequency, Hz.
    pub min_hz: Option<f32>,
    /// Highest frequency, Hz.
    pub max_hz: Option<f32>,
    /// Measures what is there of a file that ends before it says, which is an error otherwise.
    pub partial: Option<bool>,
}

impl ReportOptions {
    /// How the spectrum is measured. Not checked.
    pub fn spectrum(&self) -> SpectrumConfig {
        let default = SpectrumConfig::default();
        SpectrumConfig {
            fft_size: self.fft_size.unwrap_or(default.fft_size),
            window: self.window.unwrap_or(default.window),
            scale: self.scale.unwrap_or(default.scale),
            bands: self.bands.unwrap_or(default.bands),
            fraction: self.fraction.unwrap_or(default.fraction),
            weighting: self.weighting.unwrap_or(default.weighting),
            min_hz: self.min_hz.unwrap_or(default.min_hz),
            max_hz: self.max_hz.unwrap_or(default.max_hz),
            ..default
        }
    }
}

/// A file that cannot be analysed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReportError {
    /// Not 8000 to 192000 frames per second.
    SampleRate(u32),
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
            Self::SampleRate(_) => "sample_rate",
            Self::Channels(_) => "channels",
            Self::Empty => "frames",
            Self::Spectrum(error) => error.field(),
            Self::Overview(error) => error.field(),
        }
    }

    /// What is allowed.
    pub const fn allowed(self) -> &'static str {
        match self {
            Self::SampleRate(_) => "8000 to 192000",
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
