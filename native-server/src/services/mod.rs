//! What the server can do, apart from how it is asked: the REST handlers only translate.

mod changes;
mod compositions;
mod live;
mod mixer;
mod parts;
mod playback;
mod player;
mod recording;
mod samples;

use std::fmt;
use std::time::Duration;

use engine_core::composition::CompositionError;
use engine_core::composition::midi::MidiError;
use engine_core::protocol::rest::FieldError;

pub use self::compositions::{CompositionStateService, Label, Precondition};
pub use self::live::{LiveEvent, LivePlayer};
pub use self::mixer::MixerService;
pub use self::parts::{ClipPath, TrackPath, clips_of};
pub use self::playback::PlaybackEngineService;
pub use self::recording::RecordingService;
pub use self::samples::{
    MAX_FILE_BYTES, MAX_MIDI_BYTES, MAX_SECONDS, MAX_TOTAL_BYTES, NewSample, Opened, SampleService,
    open_file, sample,
};

use crate::audio::QueueFull;
use crate::store::StoreError;

/// How long an answer waits for the audio thread to do what was asked; a quantum takes 3 ms, a stalled sound
/// card for ever.
const PATIENCE: Duration = Duration::from_secs(1);

/// Why a service refused.
#[derive(Clone, Debug, PartialEq)]
pub enum ServiceError {
    /// There is no such thing; the text names it.
    NotFound(String),
    /// It is there already.
    Exists(String),
    /// It was changed since the caller read it.
    Stale(String),
    /// It cannot be done in the present state.
    Conflict(String),
    /// Values that are out of range.
    Invalid(Vec<FieldError>),
    /// Not a MIDI file that can be played.
    Midi(MidiError),
    /// Not an audio file that can be decoded.
    Audio(String),
    /// Something else needs it; the text says what.
    InUse(String),
    /// More than the server keeps.
    TooLarge(String),
    /// The audio thread takes no more commands just now.
    Busy(QueueFull),
    /// The database does not answer just now.
    Unavailable(String),
    /// The database holds something that cannot be read.
    Unreadable(String),
}

impl ServiceError {
    /// One value that is out of range.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field: field.to_string(), message: message.into() }])
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(text)
            | Self::Exists(text)
            | Self::Stale(text)
            | Self::Conflict(text)
            | Self::Audio(text)
            | Self::InUse(text)
            | Self::TooLarge(text)
            | Self::Unavailable(text)
            | Self::Unreadable(text) => f.write_str(text),
            Self::Invalid(errors) => {
                let texts: Vec<_> = errors.iter().map(|e| format!("{}: {}", e.field, e.message)).collect();
                f.write_str(&texts.join("; "))
            }
            Self::Midi(error) => error.fmt(f),
            Self::Busy(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ServiceError {}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        match error {
            StoreError::NotFound(_) => Self::NotFound(text),
            StoreError::Exists(_) => Self::Exists(text),
            StoreError::Stale(_) => Self::Stale(text),
            StoreError::NoStep(_) => Self::Conflict(text),
            StoreError::Unavailable(_) => Self::Unavailable(text),
            StoreError::Unreadable(_) => Self::Unreadable(text),
        }
    }
}

/// The position that a cursor of an earlier page stands for.
fn position_of(cursor: Option<&str>) -> Result<Option<u64>, ServiceError> {
    let parse = |cursor: &str| {
        let refusal =
            |_| ServiceError::invalid("cursor", format!("{cursor:?} is not a cursor of an earlier page"));
        cursor.parse().map_err(refusal)
    };
    cursor.map(parse).transpose()
}

impl From<CompositionError> for ServiceError {
    fn from(error: CompositionError) -> Self {
        Self::invalid(&error.field, error.message)
    }
}

impl From<MidiError> for ServiceError {
    fn from(error: MidiError) -> Self {
        Self::Midi(error)
    }
}

impl From<QueueFull> for ServiceError {
    fn from(error: QueueFull) -> Self {
        Self::Busy(error)
    }
}
