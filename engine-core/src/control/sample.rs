//! Recorded sound, ready to be played: planar, in memory, at the engine's sample rate.

use alloc::boxed::Box;

/// A sample. Hosts decode and resample files to make one; the engine plays it frame for frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Left channel, or the only one.
    pub left: Box<[f32]>,
    /// Right channel, as long as the left.
    pub right: Box<[f32]>,
}

impl Sample {
    /// What is not a finite number becomes silence, so that no filter is ever poisoned.
    ///
    /// # Panics
    /// When the channels differ in length.
    pub fn new(mut left: Box<[f32]>, mut right: Box<[f32]>) -> Self {
        assert!(left.len() == right.len(), "channels of a sample");
        left.iter_mut().chain(&mut right).filter(|x| !x.is_finite()).for_each(|x| *x = 0.0);
        Self { left, right }
    }

    /// Frames.
    pub fn len(&self) -> usize {
        self.left.len()
    }

    /// Whether it has no frame.
    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }
}
