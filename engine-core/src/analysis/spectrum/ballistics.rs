//! How fast the levels that are shown follow those that are measured.

use alloc::boxed::Box;

use super::SpectrumConfig;
use crate::boxed;
use crate::units::FLOOR_DB;

/// Nearer than this a level is the one that it moves to, dB: silence ends at the floor.
const REACHED_DB: f32 = 0.005;

/// Attack, release and hold of each band, in dB.
pub(super) struct Ballistics {
    attack_seconds: f64,
    release_seconds: f64,
    hold_seconds: f32,
    shown: Box<[f32]>,
    /// Seconds since a band last rose.
    ages: Box<[f32]>,
}

impl Ballistics {
    /// `None` when levels are shown as they are.
    pub(super) fn new(config: &SpectrumConfig, n_bands: usize) -> Option<Self> {
        let seconds = |ms: f32| f64::from(ms) / 1_000.0;
        let any = config.attack_ms > 0.0 || config.release_ms > 0.0 || config.hold_ms > 0.0;
        any.then(|| Self {
            attack_seconds: seconds(config.attack_ms),
            release_seconds: seconds(config.release_ms),
            hold_seconds: seconds(config.hold_ms) as f32,
            shown: boxed::filled(n_bands, FLOOR_DB),
            ages: boxed::filled(n_bands, 0.0),
        })
    }

    pub(super) fn reset(&mut self) {
        self.shown.fill(FLOOR_DB);
        self.ages.fill(0.0);
    }

    /// Takes what was measured, `seconds` after the last time, and leaves what is shown.
    pub(super) fn apply(&mut self, seconds: f64, levels: &mut [f32]) {
        let (attack, release) = (share(seconds, self.attack_seconds), share(seconds, self.release_seconds));
        let passed = seconds as f32;
        for ((level, shown), age) in levels.iter_mut().zip(&mut self.shown).zip(&mut self.ages) {
            let rises = *level >= *shown;
            *age = if rises { 0.0 } else { *age + passed };
            let share = if rises {
                attack
            } else if *age > self.hold_seconds || self.hold_seconds == 0.0 {
                release
            } else {
                0.0
            };
            let moved = *shown + (*level - *shown) * share;
            *shown = if share > 0.0 && (*level - moved).abs() < REACHED_DB { *level } else { moved };
            *level = *shown;
        }
    }
}

/// How much of a step a first-order low-pass has made.
fn share(seconds: f64, time_constant: f64) -> f32 {
    if time_constant == 0.0 { 1.0 } else { -libm::expm1(-seconds / time_constant) as f32 }
}
