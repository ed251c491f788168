//! The metronome's sound.

use crate::dsp::phase::sin_turns;
use crate::math::exp;

const BEAT_HZ: f32 = 1000.0;
const DOWNBEAT_HZ: f32 = 1500.0;
const LEVEL: f32 = 0.3;
const DECAY_SECONDS: f32 = 0.012;

/// A short tone, higher on the first beat of a bar.
#[derive(Clone, Copy, Debug)]
pub(super) struct Click {
    sample_rate: f32,
    decay: f32,
    level: f32,
    phase: f32,
    step: f32,
}

impl Click {
    pub(super) fn new(sample_rate: f32) -> Self {
        Self {
            sample_rate,
            decay: exp(-1.0 / (DECAY_SECONDS * sample_rate)),
            level: 0.0,
            phase: 0.0,
            step: 0.0,
        }
    }

    pub(super) fn strike(&mut self, downbeat: bool) {
        self.level = LEVEL;
        self.phase = 0.0;
        self.step = if downbeat { DOWNBEAT_HZ } else { BEAT_HZ } / self.sample_rate;
    }

    /// Writes the next frames.
    pub(super) fn render(&mut self, out: &mut [f32]) {
        for x in out {
            if self.level < 1e-4 {
                *x = 0.0;
                continue;
            }
            *x = sin_turns(self.phase) * self.level;
            self.phase += self.step;
            if self.phase >= 1.0 {
                self.phase -= 1.0;
            }
            self.level *= self.decay;
        }
    }
}
