//! A span of a voice: made in one go, in loops that vectorise, and handed out as the engine asks.
//!
//! Voices look at their controls on a grid of [`SPAN`] frames that the quanta share, however events cut them.
//! The amplitude is kept apart, so that a note-off ends the note at its very frame.

use core::array::from_fn;

use crate::units::SPAN;

/// What a voice has made and not yet given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk {
    /// Left and right before the amplitude. Only the left counts if the voice is mono.
    pub(super) channels: [[f32; SPAN]; 2],
    /// Amplitude of each frame.
    pub(super) amp: [f32; SPAN],
    /// The next frame to give; at [`SPAN`], another chunk has to be made.
    pub(super) at: usize,
}

impl Chunk {
    /// An empty one; the first frame that it is asked for is `at`.
    pub(super) const EMPTY: Self = Self { channels: [[0.0; SPAN]; 2], amp: [0.0; SPAN], at: SPAN };

    /// Adds the next frames to `left` and `right`, which are equally long, at most to the chunk's end; mono
    /// goes to both. Returns their number.
    #[inline]
    pub(super) fn give(&mut self, stereo: bool, left: &mut [f32], right: &mut [f32]) -> usize {
        let n = left.len().min(SPAN - self.at);
        let from = self.at;
        self.at += n;
        let [first, second] = &self.channels;
        let other = if stereo { second } else { first };
        let range = from..from + n;
        for (block, channel) in [(left, first), (right, other)] {
            let frames = channel[range.clone()].iter().zip(&self.amp[range.clone()]);
            for (sum, (x, amp)) in block.iter_mut().zip(frames) {
                *sum += x * amp;
            }
        }
        n
    }

    /// Adds a whole span with its amplitude; mono, the first channel, goes to both.
    #[inline(always)]
    pub(super) fn add(
        stereo: bool,
        [first, second]: [&[f32; SPAN]; 2],
        amp: &[f32; SPAN],
        left: &mut [f32; SPAN],
        right: &mut [f32; SPAN],
    ) {
        // Each whole before the next is written, so that they vectorise though both may be one to the compiler.
        let scaled = |x: &[f32; SPAN]| from_fn(|n| x[n] * amp[n]);
        let sum = |sums: &[f32; SPAN], scaled: &[f32; SPAN]| from_fn(|n| sums[n] + scaled[n]);
        let first = scaled(first);
        let second = if stereo { scaled(second) } else { first };
        *left = sum(left, &first);
        *right = sum(right, &second);
    }
}
