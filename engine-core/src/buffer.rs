//! Planar stereo blocks.

use crate::units::QUANTUM;

/// One quantum of stereo audio, planar: `left` and `right` of [`QUANTUM`] samples.
#[derive(Clone, Debug, PartialEq)]
pub struct StereoBlock {
    /// Left channel, linear, full scale ±1.
    pub left: [f32; QUANTUM],
    /// Right channel, linear, full scale ±1.
    pub right: [f32; QUANTUM],
}

impl StereoBlock {
    /// A block of silence.
    pub const SILENCE: Self = Self { left: [0.0; QUANTUM], right: [0.0; QUANTUM] };

    /// Overwrites the block with silence.
    pub fn clear(&mut self) {
        *self = Self::SILENCE;
    }

    /// Adds another block, frame by frame.
    pub fn add(&mut self, other: &Self) {
        let pairs = self.left.iter_mut().zip(&other.left).chain(self.right.iter_mut().zip(&other.right));
        pairs.for_each(|(sum, x)| *sum += x);
    }

    /// Copies what enters from outside: what is not a number becomes silence, and nothing is louder than +12 dBFS,
    /// so that no filter is ever poisoned.
    pub fn sanitise(&mut self, from: &Self) {
        let clean = |x: f32| if x.is_finite() { x.clamp(-4.0, 4.0) } else { 0.0 };
        for (to, from) in self.left.iter_mut().zip(&from.left).chain(self.right.iter_mut().zip(&from.right)) {
            *to = clean(*from);
        }
    }
}
