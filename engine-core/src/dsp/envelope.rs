//! ADSR envelope with exponential segments.

use crate::math;

/// Times in seconds, level in 0…1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdsrSettings {
    /// From 0 to the top.
    pub attack: f32,
    /// Time constant of the fall to `sustain`.
    pub decay: f32,
    /// Level while the note is held.
    pub sustain: f32,
    /// Time constant of the fall to 0.
    pub release: f32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    Attack,
    Decay,
    Release,
    Done,
}

/// Below this, a released envelope is over: −80 dB.
const SILENT: f32 = 1e-4;
/// The attack aims above the top so that it arrives in finite time, with the round shape of a capacitor.
const ATTACK_TARGET: f32 = 1.3;

/// One envelope, advanced a frame at a time.
#[derive(Clone, Copy, Debug)]
pub struct Adsr {
    stage: Stage,
    level: f32,
    sustain: f32,
    attack_rate: f32,
    decay_rate: f32,
    release_rate: f32,
}

impl Adsr {
    /// An envelope at the start of its attack.
    pub fn new(settings: &AdsrSettings, sample_rate: f32) -> Self {
        let rate = |seconds: f32| 1.0 - math::exp(-1.0 / (seconds.max(1e-4) * sample_rate));
        Self {
            stage: Stage::Attack,
            level: 0.0,
            sustain: settings.sustain,
            // 1 − 1/1.3 is left after 1.466 time constants.
            attack_rate: rate(settings.attack / 1.466),
            decay_rate: rate(settings.decay),
            release_rate: rate(settings.release),
        }
    }

    /// Ends the held part.
    pub fn release(&mut self) {
        if self.stage != Stage::Done {
            self.stage = Stage::Release;
        }
    }

    /// Whether it was released.
    pub fn is_released(&self) -> bool {
        matches!(self.stage, Stage::Release | Stage::Done)
    }

    /// Whether nothing more will come.
    pub fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// The level now, 0…1.
    pub fn level(&self) -> f32 {
        self.level
    }

    /// Advances one frame and returns the level.
    #[inline]
    pub fn advance(&mut self) -> f32 {
        match self.stage {
            Stage::Attack => {
                self.level += (ATTACK_TARGET - self.level) * self.attack_rate;
                if self.level >= 1.0 {
                    self.level = 1.0;
                    self.stage = Stage::Decay;
                }
            }
            Stage::Decay => {
                self.level += (self.sustain - self.level) * self.decay_rate;
                if self.sustain == 0.0 && self.level < SILENT {
                    self.finish();
                }
            }
            Stage::Release => {
                self.level -= self.level * self.release_rate;
                if self.level < SILENT {
                    self.finish();
                }
            }
            Stage::Done => {}
        }
        self.level
    }

    fn finish(&mut self) {
        self.level = 0.0;
        self.stage = Stage::Done;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_take_the_stated_time() {
        let settings = AdsrSettings { attack: 0.01, decay: 0.05, sustain: 0.5, release: 0.02 };
        let mut env = Adsr::new(&settings, 48_000.0);
        let attack = (1..).take_while(|_| env.advance() < 1.0).count() + 1;
        assert!((470..=490).contains(&attack), "attack of 480 frames took {attack}");
        for _ in 0..2400 {
            env.advance();
        }
        // One time constant: 1/e of the way is left.
        assert!((env.level() - (0.5 + 0.5 / core::f32::consts::E)).abs() < 0.01);
        for _ in 0..48_000 {
            env.advance();
        }
        env.release();
        for _ in 0..960 {
            env.advance();
        }
        assert!((env.level() - 0.5 / core::f32::consts::E).abs() < 0.01);
        for _ in 0..48_000 {
            env.advance();
        }
        assert!(env.is_done() && env.level() == 0.0);
    }
}
