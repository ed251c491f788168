//! The loop region: the door from untrusted positions to one that can be played.

use crate::math::wide;
use crate::units::{Ticks, beats_from_ticks, ticks_from_beats};

/// A stretch of a composition that repeats: half-open, never empty, inside the composition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoopRegion {
    start: Ticks,
    end: Ticks,
}

impl LoopRegion {
    /// A region of a composition that is `length` ticks long; positions in beats, rounded to ticks.
    ///
    /// # Errors
    /// A position that is not a number or negative, an end that is not after the start, or one after the
    /// composition's end.
    pub fn from_beats(start: f64, end: f64, length: Ticks) -> Result<Self, RegionError> {
        let ticks = |beats: f64| wide::rint(ticks_from_beats(beats));
        // NaN fails every comparison, so these ask for what must hold.
        if !(start >= 0.0 && start.is_finite()) {
            return Err(RegionError::Start(start));
        }
        if !(end.is_finite() && ticks(end) > ticks(start)) {
            return Err(RegionError::Empty { start, end });
        }
        if ticks(end) > f64::from(length) {
            return Err(RegionError::TooLong { end, length });
        }
        Ok(Self { start: ticks(start) as Ticks, end: ticks(end) as Ticks })
    }

    /// First tick of the region.
    pub fn start(self) -> Ticks {
        self.start
    }

    /// Tick after the region.
    pub fn end(self) -> Ticks {
        self.end
    }
}

/// Why a region cannot be looped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RegionError {
    /// This start, in beats, is negative or no number.
    Start(f64),
    /// The end is no number, at the start or before it.
    Empty {
        /// Beats.
        start: f64,
        /// Beats.
        end: f64,
    },
    /// The end lies after the composition's.
    TooLong {
        /// Beats.
        end: f64,
        /// Length of the composition, ticks.
        length: Ticks,
    },
}

impl RegionError {
    /// The field of the request that is wrong.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Start(_) => "start_beats",
            Self::Empty { .. } | Self::TooLong { .. } => "end_beats",
        }
    }
}

impl core::fmt::Display for RegionError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match *self {
            Self::Start(start) => write!(f, "start_beats: {start} is not a position at or after 0"),
            Self::Empty { start, end } => {
                write!(f, "end_beats: {end} does not come after start_beats {start}, by a tick at least")
            }
            Self::TooLong { end, length } => {
                let beats = beats_from_ticks(f64::from(length));
                write!(f, "end_beats: {end} lies after the composition's end at {beats} beats")
            }
        }
    }
}

impl core::error::Error for RegionError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regions_that_can_be_played_pass() {
        let region = LoopRegion::from_beats(1.0, 2.5, 2400).unwrap();
        assert_eq!((region.start(), region.end()), (960, 2400));
        for bad in [-0.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(LoopRegion::from_beats(bad, 2.0, 2400).unwrap_err().field(), "start_beats");
            assert_eq!(LoopRegion::from_beats(0.0, bad, 2400).unwrap_err().field(), "end_beats");
        }
        // Empty, shorter than a tick, reversed, longer than the composition.
        for (start, end) in [(1.0, 1.0), (1.0, 1.0004), (2.0, 1.0), (1.0, 2.6), (0.0, 1e300)] {
            let error = LoopRegion::from_beats(start, end, 2400).unwrap_err();
            assert_eq!(error.field(), "end_beats");
            assert!(alloc::format!("{error}").starts_with("end_beats: "));
        }
    }

    #[test]
    fn the_shortest_region_outlasts_a_frame() {
        // Or a wrap could follow a wrap with no frame between them, for ever.
        use crate::time::{BPM_RANGE, seconds_per_tick};
        use crate::units::SampleRate;
        let slowest = (1..192_000).find_map(SampleRate::new).unwrap();
        assert!(seconds_per_tick(*BPM_RANGE.end()) * slowest.as_f64() > 1.2);
    }
}
