//! The last milliseconds of what is cut off: stolen and choked voices, audio clips that the playhead leaves.
//!
//! They are rendered at the cut, faded, into a ring for each track, so that neither the voice nor its sample is
//! needed afterwards, however many are cut at once.

use alloc::boxed::Box;
use alloc::vec;

use super::moves::Moves;
use crate::buffer::StereoBlock;
use crate::dsp::smooth::Smoothed;
use crate::math::wide;
use crate::units::{MAX_TRACKS, QUANTUM};

/// Length of the fade: on the path of [`Smoothed`], the shortest that does not click on a low tone (tested).
const FADE_SECONDS: f64 = 0.008;

/// What sounds on of each track.
pub(super) struct Tails {
    rings: [Box<[f32]>; 2],
    /// Gain of each frame after the cut.
    fade: Box<[f32]>,
    /// Where a cut is rendered before it is faded.
    cut: [Box<[f32]>; 2],
    /// Place of the next frame in every ring.
    at: usize,
    /// Frames until a track is silent.
    remaining: [usize; MAX_TRACKS],
}

impl Tails {
    pub(super) fn new(sample_rate: f64) -> Self {
        let len = wide::ceil(FADE_SECONDS * sample_rate) as usize;
        let mut gain = Smoothed::with_frames(1.0, len as u32);
        gain.set(0.0);
        let silence = |len| vec![0.0; len].into_boxed_slice();
        Self {
            rings: [silence(len * MAX_TRACKS), silence(len * MAX_TRACKS)],
            fade: (0..len).map(|_| gain.advance()).collect(),
            cut: [silence(len), silence(len)],
            at: 0,
            remaining: [0; MAX_TRACKS],
        }
    }

    /// Lets something fade out on a track: `render` adds its next frames to left and right, which are silent and
    /// at most a quantum, as often as it is called.
    pub(super) fn add(&mut self, track: u16, mut render: impl FnMut(&mut [f32], &mut [f32])) {
        let (track, len) = (usize::from(track), self.fade.len());
        let Some(remaining) = self.remaining.get_mut(track) else { return };
        *remaining = len;
        let [left, right] = &mut self.cut;
        left.fill(0.0);
        right.fill(0.0);
        left.chunks_mut(QUANTUM).zip(right.chunks_mut(QUANTUM)).for_each(|(left, right)| render(left, right));
        for (ring, cut) in self.rings.iter_mut().zip(&self.cut) {
            let (older, newer) = ring[track * len..(track + 1) * len].split_at_mut(self.at);
            for ((sum, x), gain) in newer.iter_mut().chain(older).zip(cut).zip(&self.fade) {
                *sum += x * gain;
            }
        }
    }

    /// Adds frames `from..to` to the tracks' blocks.
    pub(super) fn render(&mut self, tracks: &mut [StereoBlock], from: usize, to: usize) {
        let len = self.fade.len();
        for (track, remaining) in self.remaining.iter_mut().enumerate().filter(|(_, n)| **n > 0) {
            let n = (*remaining).min(to - from);
            *remaining -= n;
            let mut block = tracks.get_mut(track);
            for i in 0..n {
                let at = track * len + (self.at + i) % len;
                // Taken out also where the track itself is gone.
                let [left, right] = self.rings.each_mut().map(|ring| core::mem::take(&mut ring[at]));
                if let Some(block) = &mut block {
                    block.left[from + i] += left;
                    block.right[from + i] += right;
                }
            }
        }
        self.at = (self.at + to - from) % len;
    }

    /// Tracks have other places now.
    pub(super) fn reorder(&mut self, moves: &Moves<MAX_TRACKS>) {
        let len = self.fade.len();
        moves.reorder(&mut self.remaining);
        for ring in &mut self.rings {
            moves.for_each_swap(|a, b| {
                let (first, second) = ring.split_at_mut(a.max(b) * len);
                first[a.min(b) * len..][..len].swap_with_slice(&mut second[..len]);
            });
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.rings.iter_mut().for_each(|ring| ring.fill(0.0));
        self.remaining.fill(0);
    }
}
