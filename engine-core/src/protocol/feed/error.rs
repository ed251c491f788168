//! Why a stream cannot be measured.

use crate::analysis::spectrum::SpectrumError;
use crate::analysis::trigger::TriggerError;
use crate::analysis::waveform::WaveformError;
use crate::protocol::subscription::OptionError;

/// What is wrong with a subscription at this sample rate. No text: the modules of browsers that measure have nobody to
/// tell, and would carry it all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StreamError {
    /// An option of a spectrum.
    Spectrum(SpectrumError),
    /// An option of a waveform.
    Waveform(WaveformError),
    /// An option of a trigger.
    Trigger(TriggerError),
    /// An axis is no stream.
    Axis,
}

impl From<StreamError> for OptionError {
    fn from(error: StreamError) -> Self {
        let (field, allowed) = match error {
            StreamError::Spectrum(error) => (error.field(), error.allowed()),
            StreamError::Waveform(error) => (error.field(), error.allowed()),
            StreamError::Trigger(error) => (error.field(), error.allowed()),
            StreamError::Axis => return Self::new("topic", "axis comes with spectrum".into()),
        };
        Self::new(field, ["must be ", allowed].concat())
    }
}

impl core::fmt::Display for StreamError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        OptionError::from(*self).fmt(f)
    }
}

impl core::error::Error for StreamError {}
