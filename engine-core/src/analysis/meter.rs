//! Level meter of a stereo tap: sample peak, true peak, RMS, clips.

use super::true_peak::TruePeak;
use super::{finite, greatest};
use crate::math::wide;

/// Samples at or above full scale, one after the other, that make a clip.
pub(super) const CLIP_RUN: u32 = 3;

/// What a meter saw in one block, linear. [`Default`] is the empty block; blocks [merge](Self::merge) without
/// loss, so a reader that is late misses nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MeterBlock {
    /// Greatest |x| of left and right.
    pub peak: [f32; 2],
    /// Greatest |x| between the samples too; never below `peak`. See [`TruePeak::process`].
    pub true_peak: [f32; 2],
    /// Σ x² of left and right.
    pub sum_squares: [f64; 2],
    /// Frames in the block.
    pub n_frames: u32,
    /// Clips of both channels together. A run of at least three samples with |x| ≥ 1.0 on one channel counts
    /// once, in the block of its third sample, however long it goes on.
    pub clips: u16,
}

impl MeterBlock {
    /// Makes this block cover `newer` too: peaks are the greater, sums and counts add up (counts stop at their
    /// maximum).
    pub fn merge(&mut self, newer: &Self) {
        for ch in 0..2 {
            self.peak[ch] = super::greater(newer.peak[ch], self.peak[ch]);
            self.true_peak[ch] = super::greater(newer.true_peak[ch], self.true_peak[ch]);
            self.sum_squares[ch] += newer.sum_squares[ch];
        }
        self.n_frames = self.n_frames.saturating_add(newer.n_frames);
        self.clips = self.clips.saturating_add(newer.clips);
    }

    /// Root mean square of channel 0 or 1, linear; 0 for an empty block. A full-scale sine has 0.7071, which
    /// reads −3.01 dBFS (AES17 would call that 0 dBFS; Antiphon's RMS is the mathematical one).
    pub fn rms(&self, ch: usize) -> f32 {
        if self.n_frames == 0 {
            return 0.0;
        }
        wide::sqrt(self.sum_squares[ch] / f64::from(self.n_frames)) as f32
    }
}

/// The meter. Keeps only what a block needs from the one before: filter history and clip runs.
#[derive(Clone, Debug, Default)]
pub struct StereoMeter {
    true_peak: [TruePeak; 2],
    clip_run: [u32; 2],
}

impl StereoMeter {
    /// At rest.
    pub fn new() -> Self {
        Self::default()
    }

    /// Measures a block, linear samples, full scale ±1; NaN and infinity count as 0. Runs on the audio thread.
    ///
    /// # Panics
    /// When the channels differ in length.
    pub fn process(&mut self, left: &[f32], right: &[f32]) -> MeterBlock {
        assert!(left.len() == right.len(), "channels differ in length");
        let mut block = MeterBlock { n_frames: left.len() as u32, ..MeterBlock::default() };
        let mut clips = 0;
        for (ch, samples) in [left, right].into_iter().enumerate() {
            let (peak, sum_squares) = peak_and_squares(samples);
            block.peak[ch] = peak;
            block.sum_squares[ch] = sum_squares;
            block.true_peak[ch] = self.true_peak[ch].process(samples);
            clips += count_clips(samples, peak, &mut self.clip_run[ch]);
        }
        block.clips = clips.min(u32::from(u16::MAX)) as u16;
        block
    }

    /// Back to rest.
    pub fn reset(&mut self) {
        self.true_peak.iter_mut().for_each(TruePeak::reset);
        self.clip_run = [0; 2];
    }
}

/// Greatest |x| and Σ x², the sum in four interleaved parts.
fn peak_and_squares(samples: &[f32]) -> (f32, f64) {
    let mut peak = 0.0;
    let mut sums = [0.0f64; 4];
    for samples in samples.chunks(128) {
        let mut magnitudes = [0.0f32; 128];
        for (magnitude, &x) in magnitudes.iter_mut().zip(samples) {
            *magnitude = finite(x).abs();
        }
        peak = super::greater(greatest(&magnitudes), peak);
        for four in magnitudes.as_chunks::<4>().0 {
            for (sum, &x) in sums.iter_mut().zip(four) {
                *sum += f64::from(x) * f64::from(x);
            }
        }
    }
    (peak, (sums[0] + sums[1]) + (sums[2] + sums[3]))
}

fn count_clips(samples: &[f32], peak: f32, run: &mut u32) -> u32 {
    if peak < 1.0 {
        if !samples.is_empty() {
            *run = 0;
        }
        return 0;
    }
    let mut clips = 0;
    for &x in samples {
        *run = if finite(x).abs() >= 1.0 { run.saturating_add(1) } else { 0 };
        clips += u32::from(*run == CLIP_RUN);
    }
    clips
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::test_signals::{CHUNKS, Noise, sine};
    use crate::math::db_from_gain;

    fn meter() -> StereoMeter {
        StereoMeter::new()
    }

    #[test]
    fn a_full_scale_sine_has_peak_0_and_rms_minus_3_01() {
        let tone = sine(48_000, 1_000.0 / 48_000.0, 1.0, 0.0);
        let quiet = sine(48_000, 1_000.0 / 48_000.0, 0.1, 0.0);
        let block = meter().process(&tone, &quiet);
        assert!(db_from_gain(block.peak[0]).abs() < 0.001);
        assert!((db_from_gain(block.rms(0)) + 3.0103).abs() < 0.001);
        assert!((db_from_gain(block.rms(1)) + 23.0103).abs() < 0.001);
        assert!(block.true_peak[0] >= block.peak[0]);
        assert_eq!(MeterBlock::default().rms(0), 0.0);
    }

    #[test]
    fn a_clip_is_three_samples_in_a_row_and_counts_once() {
        let count = |samples: &[f32]| meter().process(samples, &alloc::vec![0.0; samples.len()]).clips;
        assert_eq!(count(&[1.0, -1.0, 0.0, 1.0, 1.0]), 0);
        assert_eq!(count(&[0.0, 1.0, -1.0, 1.5, 1.0, 1.0, 1.0, 1.0]), 1);
        assert_eq!(count(&[1.0, 1.0, 1.0, 0.999, 1.0, 1.0, 1.0]), 2);
        // A run goes on across blocks, and an empty block does not end it.
        let mut meter = meter();
        let mut clips = 0;
        for part in [&[0.0, 1.0][..], &[], &[1.0], &[1.0, 1.0], &[1.0, 0.0]] {
            clips += meter.process(part, part).clips;
        }
        assert_eq!(clips, 2);
    }

    #[test]
    fn merged_blocks_are_the_whole() {
        let (left, right) = (Noise(1).take(20_000), Noise(2).take(20_000));
        let left: alloc::vec::Vec<f32> = left.iter().map(|x| 1.2 * x).collect();
        let whole = meter().process(&left, &right);
        assert!(whole.clips > 0);
        for chunk in CHUNKS {
            let mut meter = meter();
            let mut sum = MeterBlock::default();
            for (l, r) in left.chunks(chunk).zip(right.chunks(chunk)) {
                sum.merge(&meter.process(l, r));
            }
            assert_eq!((sum.peak, sum.true_peak), (whole.peak, whole.true_peak));
            assert_eq!((sum.n_frames, sum.clips), (whole.n_frames, whole.clips));
            for ch in 0..2 {
                assert!((sum.sum_squares[ch] / whole.sum_squares[ch] - 1.0).abs() < 1e-12);
            }
        }
        let mut full = MeterBlock { clips: u16::MAX, ..MeterBlock::default() };
        full.merge(&whole);
        assert_eq!(full.clips, u16::MAX);
    }

    #[test]
    fn bad_samples_are_silence() {
        let bad = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::INFINITY, f32::NAN];
        assert_eq!(meter().process(&bad, &bad), MeterBlock { n_frames: 5, ..MeterBlock::default() });
    }
}
