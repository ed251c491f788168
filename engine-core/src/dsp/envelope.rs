//! ADSR envelope with exponential segments.

use crate::math;
use crate::units::SPAN;

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
/// So near to its target a decay has arrived: −90 dB.
const ARRIVED: f32 = 3e-5;

/// One envelope, advanced a frame or a span at a time.
#[derive(Clone, Copy, Debug)]
pub struct Adsr {
    stage: Stage,
    level: f32,
    sustain: f32,
    /// What is left of the way to the target after one frame, per stage.
    attack: f32,
    decay: f32,
    release: f32,
    /// What is left of a decay after each frame of a span: most spans of most notes decay.
    decays: [f32; SPAN],
}

impl Adsr {
    /// An envelope at the start of its attack. `sample_rate` is how often it is advanced per second.
    pub fn new(settings: &AdsrSettings, sample_rate: f32) -> Self {
        let left = |seconds: f32| math::exp(-1.0 / (seconds.max(1e-4) * sample_rate));
        let decay = left(settings.decay);
        Self {
            stage: Stage::Attack,
            level: 0.0,
            sustain: settings.sustain,
            // 1 − 1/1.3 is left after 1.466 time constants.
            attack: left(settings.attack / 1.466),
            decay,
            release: left(settings.release),
            decays: powers(decay),
        }
    }

    /// Ends the held part.
    pub fn release(&mut self) {
        if self.stage != Stage::Done {
            self.stage = Stage::Release;
        }
    }

    /// Ends the held part at `level`, where the envelope stood at a frame that [`fill`](Self::fill) went past.
    pub fn release_from(&mut self, level: f32) {
        if !self.is_released() {
            self.stage = Stage::Release;
            self.level = level;
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

    /// Whether the level stays as it is until the note is released.
    pub fn is_still(&self) -> bool {
        self.is_done() || (self.stage == Stage::Decay && self.level == self.sustain)
    }

    /// Advances one frame and returns the level.
    #[inline]
    pub fn advance(&mut self) -> f32 {
        let (target, left) = self.segment();
        self.level = target + (self.level - target) * left;
        self.arrive();
        self.level
    }

    /// Advances to the end of a span and writes the levels of its frames from `from` on, times `gain`.
    #[inline(always)]
    pub fn fill(&mut self, out: &mut [f32; SPAN], from: usize, gain: f32) {
        if from == 0 && matches!(self.stage, Stage::Decay) {
            if self.level == self.sustain {
                *out = [self.sustain * gain; SPAN];
                return;
            }
            let way = self.level - self.sustain;
            for (out, left) in out.iter_mut().zip(&self.decays) {
                *out = (self.sustain + way * left) * gain;
            }
            self.level = self.sustain + way * self.decays[SPAN - 1];
            self.arrive();
            return;
        }
        self.fill_segments(out, from, gain);
    }

    /// [`fill`](Self::fill) in any stage.
    #[inline(never)]
    fn fill_segments(&mut self, out: &mut [f32; SPAN], from: usize, gain: f32) {
        let mut at = from;
        while at < SPAN {
            let (target, left) = self.segment();
            let mut segment = [target; SPAN];
            if self.level != target {
                let way = self.level - target;
                for (x, power) in segment.iter_mut().zip(powers(left)) {
                    *x = target + way * power;
                }
            }
            let n = match self.stage {
                // Up to and with the frame that reaches the top.
                Stage::Attack => {
                    let n = segment.iter().position(|&x| x >= 1.0).map_or(SPAN, |top| top + 1);
                    n.min(SPAN - at)
                }
                _ => SPAN - at,
            };
            for (out, level) in out[at..].iter_mut().zip(&segment[..n]) {
                *out = level * gain;
            }
            self.level = segment[n - 1];
            self.arrive();
            at += n;
            out[at - 1] = self.level * gain;
        }
    }

    /// Target of the present stage, and what is left of the way to it after a frame.
    #[inline]
    fn segment(&self) -> (f32, f32) {
        match self.stage {
            Stage::Attack => (ATTACK_TARGET, self.attack),
            Stage::Decay => (self.sustain, self.decay),
            Stage::Release => (0.0, self.release),
            Stage::Done => (0.0, 0.0),
        }
    }

    /// Ends the stage if its level is reached.
    #[inline]
    fn arrive(&mut self) {
        match self.stage {
            Stage::Attack if self.level >= 1.0 => {
                self.level = 1.0;
                self.stage = Stage::Decay;
            }
            Stage::Decay if self.sustain == 0.0 && self.level < SILENT => self.finish(),
            Stage::Decay if (self.level - self.sustain).abs() < ARRIVED => self.level = self.sustain,
            Stage::Release if self.level < SILENT => self.finish(),
            _ => {}
        }
    }

    fn finish(&mut self) {
        self.level = 0.0;
        self.stage = Stage::Done;
    }
}

/// x, x², … x¹⁶, in a few steps that do not wait for each other.
#[inline]
fn powers(x: f32) -> [f32; SPAN] {
    let x2 = x * x;
    let x4 = x2 * x2;
    let first = [x, x2, x2 * x, x4];
    let mut out = [0.0; SPAN];
    let mut scale = 1.0;
    for four in out.chunks_exact_mut(4) {
        for (out, power) in four.iter_mut().zip(first) {
            *out = power * scale;
        }
        scale *= x4;
    }
    out
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

    #[test]
    fn spans_are_the_frames_one_by_one() {
        let settings = AdsrSettings { attack: 0.003, decay: 0.01, sustain: 0.3, release: 0.004 };
        let mut by_frame = Adsr::new(&settings, 44_100.0);
        let mut by_span = by_frame;
        let mut span = [0.0; SPAN];
        for n in 0..400 {
            let mut from = 0;
            by_span.fill(&mut span, 0, 1.0);
            if n == 100 {
                // A release inside a span: what comes after it is made again.
                for level in &span[..5] {
                    assert!((by_frame.advance() - level).abs() < 2e-5);
                }
                by_frame.release();
                by_span.release_from(span[4]);
                by_span.fill(&mut span, 5, 1.0);
                from = 5;
            }
            for (i, level) in span.iter().enumerate().skip(from) {
                let exact = by_frame.advance();
                // It is over at some frame of a span, or at the span's end.
                let is_over = exact.max(*level) <= SILENT;
                assert!((exact - level).abs() < 2e-5 || is_over, "span {n} frame {i}: {level}, not {exact}");
            }
        }
        assert!(by_frame.is_done() && by_span.is_done());
    }
}
