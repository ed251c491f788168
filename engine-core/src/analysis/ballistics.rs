//! How meters move: digital peak, programme meters (PPM), VU, K-System.
//!
//! Every needle reads a steady sine of amplitude A as A, so that scales can be laid over one another; K-System
//! scales put their zero 12, 14 or 20 dB lower.

mod movement;

use serde::{Deserialize, Serialize};

use self::movement::{Movement, PeakHold, QuasiPeak, Rms, Vu};
use super::{finite, greater};
use crate::math::{db_from_gain, gain_from_db};
use crate::units::{FLOOR_DB, SampleRate};

/// How long a peak stays before it falls.
const HOLD_SECONDS: f64 = 1.5;

/// A kind of meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Ballistics {
    /// Digital peak: rises at once, falls 20 dB in 1.7 s (IEC 60268-18).
    Peak = 1,
    /// Programme meter type I (IEC 60268-10, DIN 45406): 5 ms, falls 20 dB in 1.7 s.
    Ppm1 = 2,
    /// Programme meter type II (IEC 60268-10; BBC, EBU): 10 ms, falls 24 dB in 2.8 s.
    Ppm2 = 3,
    /// Volume unit meter (IEC 60268-17), in dBFS: subtract the line-up level for VU.
    Vu = 4,
    /// K-12 (Katz): RMS over 600 ms, 0 at −12 dBFS.
    K12 = 5,
    /// K-14: 0 at −14 dBFS.
    K14 = 6,
    /// K-20: 0 at −20 dBFS.
    K20 = 7,
}

impl Ballistics {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Peak, Self::Ppm1, Self::Ppm2, Self::Vu, Self::K12, Self::K14, Self::K20];

    /// That of a number on the wire.
    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|ballistics| *ballistics as u8 == id)
    }

    /// What a needle's position, linear, reads on the meter's scale: dBFS of a steady sine, or dB of the
    /// K-System. −120 dBFS and below is −120 on every scale.
    pub fn level(self, needle: f32) -> f32 {
        let dbfs = db_from_gain(needle);
        if dbfs > FLOOR_DB { dbfs - self.zero_dbfs() } else { FLOOR_DB }
    }

    /// The position that reads so; undoes [`level`](Self::level).
    pub fn needle(self, level: f32) -> f32 {
        if level > FLOOR_DB { gain_from_db(level + self.zero_dbfs()) } else { 0.0 }
    }

    /// dBFS at which the scale has its 0.
    fn zero_dbfs(self) -> f32 {
        match self {
            Self::Peak | Self::Ppm1 | Self::Ppm2 | Self::Vu => 0.0,
            Self::K12 => -12.0,
            Self::K14 => -14.0,
            Self::K20 => -20.0,
        }
    }

    fn movement(self, rate: SampleRate) -> Movement {
        match self {
            Self::Peak => Movement::Peak([PeakHold::new(rate, 0.0); 2]),
            Self::Ppm1 => Movement::QuasiPeak([QuasiPeak::type_1(rate); 2]),
            Self::Ppm2 => Movement::QuasiPeak([QuasiPeak::type_2(rate); 2]),
            Self::Vu => Movement::Vu([Vu::new(rate); 2]),
            Self::K12 | Self::K14 | Self::K20 => Movement::Rms([Rms::new(rate); 2]),
        }
    }
}

/// Where the needles and peak marks of a stereo meter stood, linear. [`Default`] is at rest.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reading {
    /// Highest position of left and right.
    pub needle: [f32; 2],
    /// Highest position of the marks that stay at sample peaks.
    pub hold: [f32; 2],
}

impl Reading {
    /// Makes this reading cover `newer` too: the higher of all.
    pub fn merge(&mut self, newer: &Self) {
        for ch in 0..2 {
            self.needle[ch] = greater(newer.needle[ch], self.needle[ch]);
            self.hold[ch] = greater(newer.hold[ch], self.hold[ch]);
        }
    }
}

/// A stereo meter's needles, with marks that stay at sample peaks for 1.5 s and then fall as [`Ballistics::Peak`].
#[derive(Clone, Debug)]
pub struct Needles {
    movement: Movement,
    marks: [PeakHold; 2],
    position: Reading,
}

impl Needles {
    /// At rest.
    pub fn new(rate: SampleRate, ballistics: Ballistics) -> Self {
        Self {
            movement: ballistics.movement(rate),
            marks: [PeakHold::new(rate, HOLD_SECONDS); 2],
            position: Reading::default(),
        }
    }

    /// Moves the needles by a block, linear samples, full scale ±1; NaN and infinity count as 0. The highest
    /// positions in it; of an empty block, where they stand. Runs on the audio thread.
    ///
    /// Every sample is a step, so the bits do not depend on how a stream is cut: the maximum over its blocks is
    /// that of the whole.
    ///
    /// # Panics
    /// When the channels differ in length.
    pub fn process(&mut self, left: &[f32], right: &[f32]) -> Reading {
        assert!(left.len() == right.len(), "channels differ in length");
        if left.is_empty() {
            return self.position;
        }
        let mut highest = Reading::default();
        for (ch, samples) in [left, right].into_iter().enumerate() {
            let (needle, now) = self.movement.process(ch, samples);
            let (hold, held) = self.marks[ch].run(samples);
            (highest.needle[ch], highest.hold[ch]) = (needle, hold);
            (self.position.needle[ch], self.position.hold[ch]) = (now, held);
        }
        highest
    }

    /// Where the needles stand now.
    pub fn position(&self) -> Reading {
        self.position
    }
}

/// |x| of a finite sample, else 0.
#[inline(always)]
fn magnitude(x: f32) -> f64 {
    f64::from(finite(x).abs())
}

#[cfg(test)]
mod tests;
