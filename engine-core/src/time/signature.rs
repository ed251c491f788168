//! The time-signature map: which metre is in force from a tick onwards.

use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::math::wide;
use crate::units::{PPQ, Ticks};

/// A time signature in force from `tick` until the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct TimeSignature {
    /// Where the signature starts, in ticks.
    pub tick: Ticks,
    /// Beats in a bar, 1 to 32, in units of the denominator.
    pub numerator: u8,
    /// Note value of a beat: 1, 2, 4, 8, 16 or 32.
    pub denominator: u8,
}

impl TimeSignature {
    /// Ticks that one beat of this signature lasts.
    pub fn ticks_per_beat(self) -> Ticks {
        PPQ * 4 / Ticks::from(self.denominator)
    }

    /// Ticks that one bar of this signature lasts.
    pub fn ticks_per_bar(self) -> Ticks {
        self.ticks_per_beat() * Ticks::from(self.numerator)
    }

    /// Whether that many whole beats from the signature's start, before it if negative, a bar starts.
    pub(crate) fn is_downbeat(self, n_beats: f64) -> bool {
        n_beats as i64 % i64::from(self.numerator) == 0
    }
}

/// A beat of the metronome.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beat {
    /// Where it is: a whole number of ticks.
    pub tick: f64,
    /// Whether it is the first of a bar.
    pub downbeat: bool,
}

/// Time signatures of a whole composition. Never empty, first at tick 0, ticks strictly increasing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<TimeSignature>", into = "Vec<TimeSignature>")]
pub struct SignatureMap {
    points: Vec<TimeSignature>,
}

impl SignatureMap {
    /// # Errors
    /// No signature at tick 0, ticks that do not increase, or a numerator or denominator out of range.
    pub fn new(points: Vec<TimeSignature>) -> Result<Self, SignatureError> {
        if points.first().is_none_or(|p| p.tick != 0) {
            return Err(SignatureError::NoStart);
        }
        let valid = |p: &TimeSignature| {
            (1..=32).contains(&p.numerator) && p.denominator.is_power_of_two() && p.denominator <= 32
        };
        if let Some(&p) = points.iter().find(|p| !valid(p)) {
            return Err(SignatureError::Value(p.numerator, p.denominator));
        }
        if let Some(w) = points.windows(2).find(|w| w[0].tick >= w[1].tick) {
            return Err(SignatureError::Order(w[1].tick));
        }
        Ok(Self { points })
    }

    /// The signatures, in order.
    pub fn points(&self) -> &[TimeSignature] {
        &self.points
    }

    /// The signature in force at `tick`.
    pub fn at(&self, tick: f64) -> TimeSignature {
        self.points[self.index_at(tick)]
    }

    /// The first beat at `tick` or after it. A signature that starts inside a bar of the one before cuts that
    /// bar short: its own first bar starts with it.
    pub fn beat_at_or_after(&self, tick: f64) -> Beat {
        let idx = self.index_at(tick);
        let signature = self.points[idx];
        let count = wide::ceil((tick - f64::from(signature.tick)) / f64::from(signature.ticks_per_beat()));
        // Positions are below 2³², so the sum is exact.
        let beat = f64::from(signature.tick) + count * f64::from(signature.ticks_per_beat());
        match self.points.get(idx + 1) {
            Some(next) if f64::from(next.tick) <= beat => Beat { tick: f64::from(next.tick), downbeat: true },
            _ => Beat { tick: beat, downbeat: signature.is_downbeat(count) },
        }
    }

    fn index_at(&self, tick: f64) -> usize {
        self.points.partition_point(|p| f64::from(p.tick) <= tick).max(1) - 1
    }
}

impl Default for SignatureMap {
    fn default() -> Self {
        Self { points: vec![TimeSignature { tick: 0, numerator: 4, denominator: 4 }] }
    }
}

impl TryFrom<Vec<TimeSignature>> for SignatureMap {
    type Error = SignatureError;

    fn try_from(points: Vec<TimeSignature>) -> Result<Self, SignatureError> {
        Self::new(points)
    }
}

impl From<SignatureMap> for Vec<TimeSignature> {
    fn from(map: SignatureMap) -> Self {
        map.points
    }
}

/// Why a time-signature map was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// There is no signature at tick 0.
    NoStart,
    /// This tick does not come after the one before it.
    Order(Ticks),
    /// This numerator and denominator are not a signature that can be counted.
    Value(u8, u8),
}

impl core::fmt::Display for SignatureError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NoStart => f.write_str("time_signatures: the first must be at tick 0"),
            Self::Order(tick) => {
                write!(f, "time_signatures: tick {tick} does not come after the one before it")
            }
            Self::Value(n, d) => {
                write!(f, "time_signatures: {n}/{d} is not 1 to 32 over 1, 2, 4, 8, 16 or 32")
            }
        }
    }
}

impl core::error::Error for SignatureError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_inside_a_bar_cuts_it_short() {
        let point = |tick, numerator, denominator| TimeSignature { tick, numerator, denominator };
        // 4/4, cut in the middle of its sixth beat by 3/8, cut after its second beat by 2/2.
        let map = SignatureMap::new(vec![point(0, 4, 4), point(5280, 3, 8), point(6240, 2, 2)]).unwrap();
        let mut beats = Vec::new();
        let mut tick = 0.0;
        while tick < 10_500.0 {
            let beat = map.beat_at_or_after(tick);
            beats.push((beat.tick as u32, beat.downbeat));
            tick = beat.tick + 1.0;
        }
        let expected = [
            (0, true),
            (960, false),
            (1920, false),
            (2880, false),
            (3840, true),
            (4800, false),
            (5280, true),
            (5760, false),
            (6240, true),
            (8160, false),
            (10_080, true),
            (12_000, false),
        ];
        assert_eq!(beats, expected);
        assert_eq!(map.beat_at_or_after(959.5).tick, 960.0);
    }
}
