//! The tempo map: beats per minute from a tick onwards.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::units::{PPQ, Ticks};

/// Tempi that the engine plays, in beats (quarter notes) per minute.
pub const BPM_RANGE: RangeInclusive<f64> = 20.0..=400.0;

/// A tempo in force from `tick` until the next point.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct TempoPoint {
    /// Where the tempo starts, in ticks.
    pub tick: Ticks,
    /// Beats per minute, 20 to 400.
    pub bpm: f64,
}

/// Tempo over a whole composition. Never empty, first point at tick 0, ticks strictly increasing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<TempoPoint>", into = "Vec<TempoPoint>")]
pub struct TempoMap {
    points: Vec<TempoPoint>,
}

impl TempoMap {
    /// One tempo throughout.
    ///
    /// # Errors
    /// A `bpm` outside [`BPM_RANGE`].
    pub fn constant(bpm: f64) -> Result<Self, TempoError> {
        Self::new(vec![TempoPoint { tick: 0, bpm }])
    }

    /// # Errors
    /// No point at tick 0, ticks that do not increase, or a tempo outside [`BPM_RANGE`].
    pub fn new(points: Vec<TempoPoint>) -> Result<Self, TempoError> {
        if points.first().is_none_or(|p| p.tick != 0) {
            return Err(TempoError::NoStart);
        }
        if let Some(p) = points.iter().find(|p| !BPM_RANGE.contains(&p.bpm)) {
            return Err(TempoError::Bpm(p.bpm));
        }
        if let Some(w) = points.windows(2).find(|w| w[0].tick >= w[1].tick) {
            return Err(TempoError::Order(w[1].tick));
        }
        Ok(Self { points })
    }

    /// The points, in order.
    pub fn points(&self) -> &[TempoPoint] {
        &self.points
    }

    /// Index of the point in force at `tick` (fractional ticks allowed).
    pub fn index_at(&self, tick: f64) -> usize {
        self.points.partition_point(|p| f64::from(p.tick) <= tick).max(1) - 1
    }

    /// Tempo in force at `tick`.
    pub fn bpm_at(&self, tick: f64) -> f64 {
        self.points[self.index_at(tick)].bpm
    }

    /// Replaces the tempo of the point in force at `tick`.
    ///
    /// # Errors
    /// A `bpm` outside [`BPM_RANGE`]; the map is unchanged.
    pub fn set_bpm_at(&mut self, tick: f64, bpm: f64) -> Result<(), TempoError> {
        if !BPM_RANGE.contains(&bpm) {
            return Err(TempoError::Bpm(bpm));
        }
        let idx = self.index_at(tick);
        self.points[idx].bpm = bpm;
        Ok(())
    }

    /// Seconds from the start to `tick`.
    pub fn seconds_from_ticks(&self, tick: f64) -> f64 {
        let mut seconds = 0.0;
        for (point, end) in self.spans() {
            let start = f64::from(point.tick);
            if tick <= end {
                return seconds + (tick - start) * seconds_per_tick(point.bpm);
            }
            seconds += (end - start) * seconds_per_tick(point.bpm);
        }
        seconds
    }

    /// Tick, not rounded, at `seconds` from the start.
    pub fn ticks_from_seconds(&self, seconds: f64) -> f64 {
        let mut left = seconds;
        for (point, end) in self.spans() {
            let start = f64::from(point.tick);
            let span = (end - start) * seconds_per_tick(point.bpm);
            if left <= span {
                return start + left / seconds_per_tick(point.bpm);
            }
            left -= span;
        }
        0.0
    }

    /// Each point with the tick at which it ends (infinity for the last).
    fn spans(&self) -> impl Iterator<Item = (TempoPoint, f64)> + '_ {
        self.points.iter().enumerate().map(|(idx, &point)| {
            (point, self.points.get(idx + 1).map_or(f64::INFINITY, |next| f64::from(next.tick)))
        })
    }
}

/// Seconds that one tick lasts.
pub fn seconds_per_tick(bpm: f64) -> f64 {
    60.0 / (bpm * f64::from(PPQ))
}

impl Default for TempoMap {
    fn default() -> Self {
        Self { points: vec![TempoPoint { tick: 0, bpm: 120.0 }] }
    }
}

impl TryFrom<Vec<TempoPoint>> for TempoMap {
    type Error = TempoError;

    fn try_from(points: Vec<TempoPoint>) -> Result<Self, TempoError> {
        Self::new(points)
    }
}

impl From<TempoMap> for Vec<TempoPoint> {
    fn from(map: TempoMap) -> Self {
        map.points
    }
}

/// Why a tempo map was refused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TempoError {
    /// There is no point at tick 0.
    NoStart,
    /// This tick does not come after the one before it.
    Order(Ticks),
    /// This tempo is outside [`BPM_RANGE`].
    Bpm(f64),
}

impl core::fmt::Display for TempoError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NoStart => f.write_str("tempo: the first point must be at tick 0"),
            Self::Order(tick) => write!(f, "tempo: tick {tick} does not come after the one before it"),
            Self::Bpm(bpm) => write!(f, "tempo: {bpm} bpm is not between 20 and 400"),
        }
    }
}

impl core::error::Error for TempoError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_ticks_agree_across_tempo_changes() {
        let map = TempoMap::new(vec![
            TempoPoint { tick: 0, bpm: 120.0 },
            TempoPoint { tick: 1920, bpm: 60.0 },
            TempoPoint { tick: 2880, bpm: 240.0 },
        ])
        .unwrap();
        // Two beats at 120 are 1 s, one at 60 is 1 s, four at 240 are 1 s.
        assert!((map.seconds_from_ticks(1920.0) - 1.0).abs() < 1e-12);
        assert!((map.seconds_from_ticks(2880.0) - 2.0).abs() < 1e-12);
        assert!((map.seconds_from_ticks(6720.0) - 3.0).abs() < 1e-12);
        for tick in [0.0, 1.5, 1919.0, 1920.0, 2500.25, 2880.0, 100_000.0] {
            assert!((map.ticks_from_seconds(map.seconds_from_ticks(tick)) - tick).abs() < 1e-6);
        }
    }

    #[test]
    fn bad_maps_are_refused() {
        assert_eq!(TempoMap::new(vec![]), Err(TempoError::NoStart));
        assert_eq!(TempoMap::constant(19.9), Err(TempoError::Bpm(19.9)));
        assert!(TempoMap::constant(f64::NAN).is_err());
        let twice = vec![TempoPoint { tick: 0, bpm: 100.0 }, TempoPoint { tick: 0, bpm: 90.0 }];
        assert_eq!(TempoMap::new(twice), Err(TempoError::Order(0)));
    }
}
