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
#[serde(deny_unknown_fields)]
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
    /// Seconds from the start to each point. Files draw ramps with tens of thousands of points: a locate
    /// must not add them all up, and the sum must not gather their rounding.
    seconds: Vec<f64>,
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
        let seconds = vec![0.0; points.len()];
        let mut map = Self { points, seconds };
        map.add_up(0);
        Ok(map)
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
        self.add_up(idx);
        Ok(())
    }

    /// Seconds from the start to `tick`.
    pub fn seconds_from_ticks(&self, tick: f64) -> f64 {
        self.seconds_in_span(self.index_at(tick), tick)
    }

    /// Seconds from the start to `tick`, which lies in the span of the point at `idx` or at its end.
    pub fn seconds_in_span(&self, idx: usize, tick: f64) -> f64 {
        let point = self.points[idx];
        self.seconds[idx] + seconds_from_span(tick - f64::from(point.tick), point.bpm)
    }

    /// Tick, not rounded, at `seconds` from the start.
    pub fn ticks_from_seconds(&self, seconds: f64) -> f64 {
        let idx = self.seconds.partition_point(|start| *start <= seconds).max(1) - 1;
        self.ticks_in_span(idx, seconds)
    }

    /// Tick, not rounded, at `seconds`, which lie in the span of the point at `idx` or at its end.
    pub fn ticks_in_span(&self, idx: usize, seconds: f64) -> f64 {
        let point = self.points[idx];
        f64::from(point.tick) + (seconds - self.seconds[idx]) * (point.bpm * f64::from(PPQ)) / 60.0
    }

    /// Adds up the spans from the point at `from` on, in place. Neumaier's compensated sum: each point is
    /// right to the last bit or two, however many come before it.
    fn add_up(&mut self, from: usize) {
        let (mut sum, mut rest) = (self.seconds[from], 0.0);
        for idx in from + 1..self.points.len() {
            let before = self.points[idx - 1];
            let span = seconds_from_span(f64::from(self.points[idx].tick - before.tick), before.bpm);
            let next = sum + span;
            rest += if sum >= span { (sum - next) + span } else { (span - next) + sum };
            sum = next;
            self.seconds[idx] = sum + rest;
        }
    }
}

/// Seconds that a number of ticks lasts. One division of products, each exact for whole numbers: a tick per
/// second first and then a product would round twice.
fn seconds_from_span(ticks: f64, bpm: f64) -> f64 {
    ticks * 60.0 / (bpm * f64::from(PPQ))
}

/// Seconds that one tick lasts.
pub fn seconds_per_tick(bpm: f64) -> f64 {
    60.0 / (bpm * f64::from(PPQ))
}

impl Default for TempoMap {
    fn default() -> Self {
        Self { points: vec![TempoPoint { tick: 0, bpm: 120.0 }], seconds: vec![0.0] }
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
    fn long_ramps_gather_no_rounding() {
        // A ramp of 50,000 points whose spans are whole microseconds, as MIDI files have them: the exact
        // time is a sum of integers. 7 ticks of m µs per beat are 7·m/960 µs.
        let micros = |idx: u64| 150_000 + idx * 7_919 % 2_850_000;
        let points = (0..50_000u32)
            .map(|idx| TempoPoint { tick: 7 * idx, bpm: 60e6 / micros(u64::from(idx)) as f64 })
            .collect();
        let mut map = TempoMap::new(points).unwrap();
        let mut sum = 0;
        for idx in 0..50_000 {
            let exact = (7 * sum) as f64 / (960.0 * 1e6);
            let got = map.seconds_from_ticks((7 * idx) as f64);
            assert!((got - exact).abs() <= 2e-15 * exact, "point {idx}: {got} for {exact}");
            sum += micros(idx);
        }
        // A change in the middle moves what comes after it, and gives what a new map would have.
        map.set_bpm_at(70_001.0, 99.0).unwrap();
        let fresh = TempoMap::new(map.points().to_vec()).unwrap();
        for tick in [0.0, 70_000.0, 70_007.0, 349_993.0, 1e6] {
            let (a, b) = (map.seconds_from_ticks(tick), fresh.seconds_from_ticks(tick));
            assert!((a - b).abs() <= 4e-15 * b, "{tick}: {a} and {b}");
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
