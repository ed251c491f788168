//! A parameter that glides to its target instead of jumping: no clicks.

use crate::math;

/// Time constant of the glide.
const SECONDS: f32 = 0.008;

/// A one-pole glide, advanced once a frame, so that it does not depend on block sizes.
#[derive(Clone, Copy, Debug)]
pub struct Smoothed {
    value: f32,
    target: f32,
    rate: f32,
}

impl Smoothed {
    /// At rest at `value`.
    pub fn new(value: f32, sample_rate: f32) -> Self {
        Self { value, target: value, rate: 1.0 - math::exp(-1.0 / (SECONDS * sample_rate)) }
    }

    /// Where to glide.
    pub fn set(&mut self, target: f32) {
        self.target = target;
    }

    /// Jumps to the target.
    pub fn settle(&mut self) {
        self.value = self.target;
    }

    /// Advances one frame and returns the value.
    #[inline]
    pub fn advance(&mut self) -> f32 {
        let left = self.target - self.value;
        // The last step is taken at once: a glide that never ends would be subnormal arithmetic for ever.
        if left.abs() < 1e-6 {
            self.value = self.target;
        } else {
            self.value += left * self.rate;
        }
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glides_monotonically_and_arrives_exactly() {
        let mut gain = Smoothed::new(1.0, 48_000.0);
        gain.set(0.0);
        let mut last = 1.0;
        for _ in 0..48_000 {
            let value = gain.advance();
            assert!(value <= last && last - value < 0.003);
            last = value;
        }
        assert_eq!(last, 0.0);
    }
}
