//! Musical time: tempo maps and time-signature maps, and their relation to seconds.

mod region;
mod signature;
mod tempo;

pub use region::{LoopRegion, RegionError};
pub use signature::{Beat, SignatureError, SignatureMap, TimeSignature};
pub use tempo::{BPM_RANGE, TempoError, TempoMap, TempoPoint, seconds_per_tick};
