//! White noise.

use crate::units::SPAN;

/// White noise, −1…1, from a fixed seed: the same on every target and in every run.
#[derive(Clone, Copy, Debug)]
pub struct Noise(u32);

impl Noise {
    /// Different seeds give different noise.
    pub fn new(seed: u32) -> Self {
        Self(seed | 1)
    }

    /// The next sample (xorshift32).
    #[inline]
    pub fn sample(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        // The top 24 bits are exact in f32.
        (self.0 >> 8) as f32 / 8_388_608.0 - 1.0
    }

    /// The next span.
    #[inline]
    pub fn span(&mut self) -> [f32; SPAN] {
        core::array::from_fn(|_| self.sample())
    }
}
