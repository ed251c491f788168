//! Quantities that could be mixed up, as types, and the limits that every host shares.

use serde::{Deserialize, Serialize};

/// Frames that the engine renders at a time; also the Web Audio render quantum.
pub const QUANTUM: usize = 128;
/// Frames between two looks at a voice's controls (envelopes, LFO, bend); a quantum is a whole number of them.
pub const SPAN: usize = 16;
/// Ticks per beat (quarter note) inside Antiphon; imported files are rescaled to it.
pub const PPQ: u32 = 960;
/// Tracks that a composition may have. Fixes the memory of the mixer and of every quantum.
pub const MAX_TRACKS: usize = 256;
/// Buses that a composition may have.
pub const MAX_BUSES: usize = 16;
/// Lowest level that is reported, in dB. Silence and everything below reads as this, never as −∞.
pub const FLOOR_DB: f32 = -120.0;

/// Frames per second, 8,000 to 192,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SampleRate(u32);

impl SampleRate {
    /// 48 kHz, the rate of the null device.
    pub const DEFAULT: Self = Self(48_000);

    /// `None` outside 8,000 to 192,000 Hz.
    pub const fn new(hz: u32) -> Option<Self> {
        if hz >= 8_000 && hz <= 192_000 { Some(Self(hz)) } else { None }
    }

    /// Frames per second.
    pub const fn hz(self) -> u32 {
        self.0
    }

    /// Frames per second, for arithmetic.
    pub fn as_f64(self) -> f64 {
        f64::from(self.0)
    }
}

/// A point in a composition, in ticks of 1/[`PPQ`] beat from its start.
pub type Ticks = u32;

/// Beats (quarter notes) from ticks.
pub fn beats_from_ticks(ticks: f64) -> f64 {
    ticks / f64::from(PPQ)
}

/// Ticks, not rounded, from beats.
pub fn ticks_from_beats(beats: f64) -> f64 {
    beats * f64::from(PPQ)
}
