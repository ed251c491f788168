//! What is played: tracks of clips of notes over a tempo map.
//!
//! Untrusted data becomes a [`CompositionSpec`]; only [`Composition::new`] makes a [`Composition`] of it,
//! so whoever holds one knows that every value is in range.

#[cfg(feature = "midi")]
pub mod midi;
mod model;
mod validate;

pub use model::{Clip, Composition, CompositionSpec, Instrument, Note, Track};
pub use validate::{CompositionError, GAIN_DB_RANGE, PAN_RANGE};
