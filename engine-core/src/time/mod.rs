//! Musical time: tempo maps and time-signature maps, and their relation to seconds.

mod signature;
mod tempo;

pub use signature::{SignatureError, SignatureMap, TimeSignature};
pub use tempo::{BPM_RANGE, TempoError, TempoMap, TempoPoint, seconds_per_tick};
