//! Look-ahead true-peak limiter: a delay, and a gain that is already down when the peak arrives.

use super::oversample::{self, InterSamplePeaks};
use crate::buffer::StereoBlock;
use crate::math::gain_from_db;
use crate::units::QUANTUM;

/// Frames of each of the two averages that smooth the gain.
const AVERAGE: usize = 32;
/// Frames before and after a peak over which the gain stays low. Interpolation weighs the neighbours of a
/// point: were the gain to move there, the peak between them would not be what was measured.
const GUARD: usize = 16;
/// Frames between a needed gain and the frame that needs it most.
const LOOKAHEAD: usize = 2 * (AVERAGE - 1) + GUARD;
/// Frames over which the lowest needed gain holds.
const HOLD: usize = LOOKAHEAD + GUARD + 1;
/// Frames of delay, 2.3 ms at 48 kHz.
pub const DELAY: usize = LOOKAHEAD + oversample::DELAY;
/// True peaks never exceed this level, dBTP.
pub const CEILING_DB: f32 = -1.0;
/// What is aimed at: peaks between the points that are looked at, and what a falling gain adds, stay below
/// [`CEILING_DB`].
const TARGET_DB: f32 = -1.2;
/// Time constant of the gain's way back to 1.
const RELEASE_SECONDS: f64 = 0.08;

/// A stereo limiter; both channels get the same gain, so the image stays.
///
/// Peaks are looked for between the samples too. The gain each frame needs is held (a sliding minimum),
/// released slowly, and then averaged twice. An average of values that are all low enough is low enough, so
/// the output does not pass the ceiling; averaged twice, the gain has no corners.
#[derive(Clone, Debug)]
pub struct Limiter {
    peaks: [InterSamplePeaks; 2],
    delay: [[f32; DELAY + QUANTUM]; 2],
    needed: Lowest,
    /// In f64: the last steps to 1 are smaller than what f32 can add to it.
    released: f64,
    release_rate: f64,
    averages: [Average; 2],
    target: f32,
    /// Frames for which nothing was needed and the gain was 1.
    idle_frames: usize,
}

impl Limiter {
    /// A limiter at rest.
    pub fn new(sample_rate: f32) -> Self {
        Self {
            peaks: [InterSamplePeaks::new(), InterSamplePeaks::new()],
            delay: [[0.0; DELAY + QUANTUM]; 2],
            needed: Lowest::new(),
            released: 1.0,
            release_rate: 1.0 - libm::exp(-1.0 / (RELEASE_SECONDS * f64::from(sample_rate))),
            averages: [Average::new(), Average::new()],
            target: gain_from_db(TARGET_DB),
            idle_frames: usize::MAX,
        }
    }

    /// Forgets the samples that have not come out yet.
    pub fn clear(&mut self) {
        self.delay.as_flattened_mut().fill(0.0);
        self.peaks.iter_mut().for_each(|peaks| peaks.skip(&[0.0; QUANTUM]));
    }

    /// Limits a block in place. Runs on the audio thread.
    pub fn process(&mut self, block: &mut StereoBlock) {
        let mut gains = [1.0f32; QUANTUM];
        let is_quiet = self.needed_gains(block, &mut gains);
        let is_idle = is_quiet && self.idle_frames > HOLD + 2 * AVERAGE;
        if !is_idle {
            gains.iter_mut().for_each(|gain| *gain = self.smooth(*gain));
        }
        for (samples, delay) in [&mut block.left, &mut block.right].into_iter().zip(&mut self.delay) {
            delay[DELAY..].copy_from_slice(samples);
            samples.copy_from_slice(&delay[..QUANTUM]);
            delay.copy_within(QUANTUM.., 0);
            if !is_idle {
                samples.iter_mut().zip(&gains).for_each(|(x, gain)| *x *= gain);
            }
        }
    }

    /// Replaces ones by the gains that the frames need; true if none does.
    fn needed_gains(&mut self, block: &StereoBlock, gains: &mut [f32; QUANTUM]) -> bool {
        let mut peaks = [0.0f32; QUANTUM];
        let [left, right] = &mut self.peaks;
        let is_quiet = left.is_below(&block.left, self.target) & right.is_below(&block.right, self.target);
        if is_quiet {
            left.skip(&block.left);
            right.skip(&block.right);
            return true;
        }
        left.process(&block.left, &mut peaks);
        right.process(&block.right, &mut peaks);
        for (gain, peak) in gains.iter_mut().zip(peaks) {
            if peak > self.target {
                *gain = self.target / peak;
            }
        }
        false
    }

    fn smooth(&mut self, needed: f32) -> f32 {
        let lowest = self.needed.push(needed);
        let up = (1.0 - self.released) * self.release_rate;
        // The last step at once: an exponential has no end.
        let released = if self.released > 1.0 - 1e-5 { 1.0 } else { self.released + up };
        self.released = released.min(f64::from(lowest));
        self.idle_frames = if self.released == 1.0 { self.idle_frames.saturating_add(1) } else { 0 };
        let [first, second] = &mut self.averages;
        second.push(first.push(self.released as f32))
    }
}

/// The lowest of the last [`HOLD`] values.
#[derive(Clone, Debug)]
struct Lowest {
    values: [f32; HOLD],
    at: usize,
    lowest: f32,
    /// For how many frames it has been inside.
    age: usize,
}

impl Lowest {
    fn new() -> Self {
        Self { values: [1.0; HOLD], at: 0, lowest: 1.0, age: 0 }
    }

    fn push(&mut self, value: f32) -> f32 {
        self.at = (self.at + 1) % HOLD;
        self.values[self.at] = value;
        self.age += 1;
        if value <= self.lowest {
            (self.lowest, self.age) = (value, 0);
        } else if self.age >= HOLD {
            // Rare: the lowest left. From the newest backwards; of equal ones the newest stays longest.
            self.lowest = f32::INFINITY;
            for age in 0..HOLD {
                let value = self.values[(self.at + HOLD - age) % HOLD];
                if value < self.lowest {
                    (self.lowest, self.age) = (value, age);
                }
            }
        }
        self.lowest
    }
}

/// The mean of the last [`AVERAGE`] values.
#[derive(Clone, Debug)]
struct Average {
    values: [f32; AVERAGE],
    at: usize,
    /// Exact: sums of f32 between 0 and 1 in f64 need no rounding that could add up.
    sum: f64,
}

impl Average {
    fn new() -> Self {
        Self { values: [1.0; AVERAGE], at: 0, sum: AVERAGE as f64 }
    }

    fn push(&mut self, value: f32) -> f32 {
        self.sum += f64::from(value) - f64::from(self.values[self.at]);
        self.values[self.at] = value;
        self.at = (self.at + 1) % AVERAGE;
        (self.sum / AVERAGE as f64) as f32
    }
}

#[cfg(test)]
mod tests;
