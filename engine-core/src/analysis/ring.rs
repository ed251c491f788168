//! The newest samples of a stream.

use alloc::boxed::Box;

use super::finite;
use crate::boxed;

/// A fixed number of samples; silence came before the stream.
#[derive(Clone, Debug)]
pub(super) struct Ring {
    samples: Box<[f32]>,
    /// Where the oldest sample lies and the next will.
    next: usize,
}

impl Ring {
    pub(super) fn new(len: usize) -> Self {
        Self { samples: boxed::filled(len, 0.0), next: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.samples.len()
    }

    /// Appends; NaN and infinity become 0. Of more than a ring only the end stays.
    pub(super) fn append(&mut self, samples: &[f32]) {
        let n = self.samples.len();
        let skipped = samples.len().saturating_sub(n);
        let samples = &samples[skipped..];
        let start = (self.next + skipped) % n;
        let (first, second) = samples.split_at(samples.len().min(n - start));
        for (part, from) in [(first, start), (second, 0)] {
            for (slot, &x) in self.samples[from..].iter_mut().zip(part) {
                *slot = finite(x);
            }
        }
        self.next = (start + samples.len()) % n;
    }

    /// All samples, oldest first, in two pieces.
    pub(super) fn pieces(&self) -> (&[f32], &[f32]) {
        let (newer, older) = self.samples.split_at(self.next);
        (older, newer)
    }

    pub(super) fn reset(&mut self) {
        self.samples.fill(0.0);
        self.next = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn the_newest_samples_stay_in_order() {
        let stream: Vec<f32> = (1..100).map(|i| i as f32).collect();
        for chunk in [1, 3, 9, 10, 11, 25, 99] {
            let mut ring = Ring::new(10);
            stream.chunks(chunk).for_each(|part| ring.append(part));
            let (older, newer) = ring.pieces();
            assert_eq!([older, newer].concat(), stream[89..], "{chunk}");
        }
    }
}
