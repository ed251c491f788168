//! Look-ahead peak limiter: a delay, and a gain that is already down when the peak arrives.

use crate::buffer::StereoBlock;
use crate::math::{exp, flush, gain_from_db};

/// Frames in the look-ahead window, this one included.
const LOOKAHEAD: usize = 64;
/// Frames of delay, 1.31 ms at 48 kHz.
pub const DELAY: usize = LOOKAHEAD - 1;
/// Samples never exceed this level, dBFS.
pub const CEILING_DB: f32 = -1.0;
/// Time constant of the gain's way back to 1.
const RELEASE_SECONDS: f32 = 0.08;

/// A stereo limiter; both channels get the same gain, so the image stays.
///
/// The gain each frame needs is held for the look-ahead (a sliding minimum), released slowly, and then
/// averaged over the look-ahead. An average of values that are all low enough is low enough, hence the
/// output never passes the ceiling, and the gain never jumps.
#[derive(Clone, Debug)]
pub struct Limiter {
    delay: [[f32; 2]; LOOKAHEAD],
    /// Needed gains of the last `LOOKAHEAD` frames, for the minimum.
    needed: [f32; LOOKAHEAD],
    /// Held and released gains, for the average.
    held: [f32; LOOKAHEAD],
    sum: f64,
    at: usize,
    released: f32,
    release_rate: f32,
    ceiling: f32,
    /// The lowest of `needed`, and for how many frames it stays inside the window.
    lowest: f32,
    lowest_age: usize,
}

impl Limiter {
    /// A limiter at rest.
    pub fn new(sample_rate: f32) -> Self {
        Self {
            delay: [[0.0; 2]; LOOKAHEAD],
            needed: [1.0; LOOKAHEAD],
            held: [1.0; LOOKAHEAD],
            sum: LOOKAHEAD as f64,
            at: 0,
            released: 1.0,
            release_rate: 1.0 - exp(-1.0 / (RELEASE_SECONDS * sample_rate)),
            ceiling: gain_from_db(CEILING_DB),
            lowest: 1.0,
            lowest_age: 0,
        }
    }

    /// Limits a block in place. Runs on the audio thread.
    pub fn process(&mut self, block: &mut StereoBlock) {
        for (left, right) in block.left.iter_mut().zip(&mut block.right) {
            let peak = left.abs().max(right.abs());
            let gain = self.gain(if peak > self.ceiling { self.ceiling / peak } else { 1.0 });
            self.delay[self.at] = [*left, *right];
            self.at = (self.at + 1) % LOOKAHEAD;
            let [delayed_left, delayed_right] = self.delay[self.at];
            // Gain times peak may round to just above the ceiling.
            *left = (delayed_left * gain).clamp(-self.ceiling, self.ceiling);
            *right = (delayed_right * gain).clamp(-self.ceiling, self.ceiling);
        }
    }

    fn gain(&mut self, needed: f32) -> f32 {
        self.needed[self.at] = needed;
        self.lowest_age += 1;
        if needed <= self.lowest {
            (self.lowest, self.lowest_age) = (needed, 0);
        } else if self.lowest_age >= LOOKAHEAD {
            self.find_lowest();
        }
        let up = flush((1.0 - self.released) * self.release_rate);
        self.released = self.lowest.min(self.released + up);
        self.sum += f64::from(self.released) - f64::from(self.held[self.at]);
        self.held[self.at] = self.released;
        (self.sum / LOOKAHEAD as f64) as f32
    }

    /// Rare: only when the minimum leaves the window.
    fn find_lowest(&mut self) {
        self.lowest = f32::INFINITY;
        // From the newest backwards; of equal ones the newest stays longest.
        for age in 0..LOOKAHEAD {
            let value = self.needed[(self.at + LOOKAHEAD - age) % LOOKAHEAD];
            if value < self.lowest {
                (self.lowest, self.lowest_age) = (value, age);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dsp::oscillator::Noise;
    use crate::units::QUANTUM;

    #[test]
    fn peaks_stay_below_the_ceiling_and_quiet_sound_is_only_delayed() {
        let mut limiter = Limiter::new(48_000.0);
        let mut noise = Noise::new(7);
        let ceiling = gain_from_db(CEILING_DB);
        let mut delayed = [0.0f32; DELAY];
        for block_idx in 0..400 {
            let level = if (100..200).contains(&block_idx) { 5.0 } else { 0.2 };
            let mut block = StereoBlock::SILENCE;
            for i in 0..QUANTUM {
                block.left[i] = noise.sample() * level;
                block.right[i] = noise.sample() * level;
            }
            let dry = block.clone();
            limiter.process(&mut block);
            assert!(block.left.iter().chain(&block.right).all(|x| x.abs() <= ceiling));
            if block_idx < 100 {
                assert_eq!(block.left[..DELAY], delayed, "a delay and nothing else");
            }
            delayed.copy_from_slice(&dry.left[QUANTUM - DELAY..]);
        }
    }

    #[test]
    fn gain_reduction_is_not_clipping() {
        // A loud sine keeps its shape: what the gain takes away, it takes from the whole period.
        let mut limiter = Limiter::new(48_000.0);
        let mut out = alloc::vec::Vec::new();
        for block_idx in 0..200 {
            let mut block = StereoBlock::SILENCE;
            for i in 0..QUANTUM {
                let phase = (block_idx * QUANTUM + i) as f32 / 48.0 % 1.0;
                block.left[i] = 3.0 * crate::math::sin(core::f32::consts::TAU * phase);
            }
            limiter.process(&mut block);
            out.extend(block.left);
        }
        // 100 periods at the end: third harmonic (what clipping would make) far below the first.
        let tail = &out[out.len() - 4800..];
        let level = |harmonic: f32| {
            let (mut re, mut im) = (0.0, 0.0);
            for (i, x) in tail.iter().enumerate() {
                let angle = core::f32::consts::TAU * (harmonic * i as f32 / 48.0 % 1.0);
                re += x * crate::math::cos(angle);
                im += x * crate::math::sin(angle);
            }
            crate::math::sqrt(re * re + im * im)
        };
        assert!(level(3.0) < 0.01 * level(1.0), "{} {}", level(3.0), level(1.0));
    }
}
