//! What is played: tracks of clips of notes over a tempo map.
//!
//! Untrusted data becomes a [`CompositionSpec`]; only [`Composition::new`] makes a [`Composition`] of it,
//! so whoever holds one knows that every value is in range.

mod audio;
mod effect;
#[cfg(feature = "midi")]
pub mod midi;
mod model;
mod validate;

pub use effect::{BandShape, Compressor, Delay, Effect, EqualiserBand, MAX_BANDS, MAX_EFFECTS, Reverb};
pub use model::{
    AudioClip, Bus, Clip, Composition, CompositionSpec, Control, ControlKind, Instrument, Master, Note, Send,
    Track, Zone,
};
pub use validate::{CompositionError, GAIN_DB_RANGE, PAN_RANGE};
