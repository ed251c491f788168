//! Errors as JavaScript reads them: JSON `{code, message, field?}`, of which TypeScript makes an `AntiphonError`.

use audio_files::{DecodeError, WavError};
use engine_core::composition::CompositionError;
use engine_core::composition::midi::ExportError;
use serde::Serialize;

/// What went wrong.
#[derive(Debug, PartialEq, Serialize)]
pub struct Failure {
    /// Stable name of the kind of error.
    pub code: &'static str,
    /// What it was and what is allowed.
    pub message: String,
    /// The value that was wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl Failure {
    pub(crate) fn new(code: &'static str, message: impl ToString) -> Self {
        Self { code, message: message.to_string(), field: None }
    }

    pub(crate) fn of_field(code: &'static str, field: &str, message: impl ToString) -> Self {
        let message = format!("{field}: {}", message.to_string());
        Self { code, message, field: Some(field.to_string()) }
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Self::new("invalid-audio", error)
    }
}

impl From<CompositionError> for Failure {
    fn from(CompositionError { field, message }: CompositionError) -> Self {
        Self::of_field("invalid-composition", &field, message)
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        Self::new("invalid-midi", error)
    }
}

impl From<WavError> for Failure {
    fn from(error: WavError) -> Self {
        Self::new("too-large", error)
    }
}
