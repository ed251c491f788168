//! K-weighting of two channels at once: the filters of BS.1770-5 Annex 1 and the energy behind them.

use core::ops::{Add, Mul, Sub};

use super::finite;
use crate::dsp::biquad::Biquad;
use crate::units::SampleRate;

/// Feedback below this is zero: −600 dB, far from what is shown and from the slow subnormals alike.
const SILENCE: f64 = 1e-30;

/// A number of each of two channels, through the same arithmetic: one SSE2 or simd128 register.
#[derive(Clone, Copy, Debug, Default)]
struct Lanes([f64; 2]);

impl Lanes {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        Self([f(self.0[0], other.0[0]), f(self.0[1], other.0[1])])
    }

    /// Zeroes a pair of delayed values, channel by channel, when both are next to nothing. Both at once: near a
    /// double pole they almost cancel, and zeroing one alone would start a new response, for ever.
    fn flush(first: &mut Self, second: &mut Self) {
        for (a, b) in first.0.iter_mut().zip(&mut second.0) {
            if a.abs() + b.abs() < SILENCE {
                (*a, *b) = (0.0, 0.0);
            }
        }
    }
}

impl Add for Lanes {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
}

impl Sub for Lanes {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
}

impl Mul<f64> for Lanes {
    type Output = Self;
    #[inline(always)]
    fn mul(self, factor: f64) -> Self {
        Self([self.0[0] * factor, self.0[1] * factor])
    }
}

/// The two filters, for two channels.
///
/// Direct form I: the newest output goes through one multiplication and one subtraction before the next needs
/// it, which is what limits the speed of a recursive filter. In f64 its noise lies below −200 dB at any rate.
#[derive(Clone, Debug)]
pub(super) struct KWeighting {
    shelf: Biquad,
    high_pass: Biquad,
    /// Two delayed samples before, between and behind the filters.
    x: [Lanes; 2],
    v: [Lanes; 2],
    y: [Lanes; 2],
}

impl KWeighting {
    /// At rest.
    pub(super) fn new(rate: SampleRate) -> Self {
        Self {
            shelf: Biquad::k_weighting_shelf(rate),
            high_pass: Biquad::k_weighting_high_pass(rate),
            x: Default::default(),
            v: Default::default(),
            y: Default::default(),
        }
    }

    /// Back to rest.
    pub(super) fn reset(&mut self) {
        (self.x, self.v, self.y) = Default::default();
    }

    /// Adds the squares of the weighted samples of two channels, of equal length, to `energy`: one after the
    /// other, so that the sum does not depend on blocks. NaN and infinity count as 0.
    pub(super) fn process(&mut self, first: &[f32], second: &[f32], energy: &mut [f64; 2]) {
        let ([b0, b1, b2], [a1, a2]) = self.shelf.coefficients();
        // The numerator is 1, −2, 1 at every rate.
        let (_, [c1, c2]) = self.high_pass.coefficients();
        let ([mut x1, mut x2], [mut v1, mut v2], [mut y1, mut y2]) = (self.x, self.v, self.y);
        let mut sum = Lanes(*energy);
        let mut step = |[first, second]: [f32; 2]| {
            let x = Lanes([f64::from(first), f64::from(second)]);
            let v = (x * b0 + (x1 * b1 + x2 * b2) - v2 * a2) - v1 * a1;
            let y = ((v - (v1 + v1)) + v2 - y2 * c2) - y1 * c1;
            sum = sum + y.zip(y, |a, b| a * b);
            (x2, x1, v2, v1, y2, y1) = (x1, x, v1, v, y1, y);
        };
        // Sixteen at a time, whose test for bad samples is done in vectors.
        let ((first, first_rest), (second, second_rest)) =
            (first.as_chunks::<16>(), second.as_chunks::<16>());
        for (first, second) in first.iter().zip(second) {
            let frames: [_; 16] = core::array::from_fn(|i| [finite(first[i]), finite(second[i])]);
            frames.into_iter().for_each(&mut step);
        }
        for (&first, &second) in first_rest.iter().zip(second_rest) {
            step([finite(first), finite(second)]);
        }
        (self.x, self.v, self.y) = ([x1, x2], [v1, v2], [y1, y2]);
        *energy = sum.0;
    }

    /// Zeroes what is next to nothing. To be called at fixed sample positions, at least every 10 ms: no filter
    /// falls from [`SILENCE`] to subnormals in that time.
    pub(super) fn flush(&mut self) {
        for [newer, older] in [&mut self.v, &mut self.y] {
            Lanes::flush(newer, older);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::test_signals::{CHUNKS, Noise};

    #[test]
    fn agrees_with_the_two_biquads_and_keeps_channels_apart() {
        let (first, second) = (Noise(1).take(20_000), Noise(2).take(20_000));
        for rate in [8_000, 48_000, 192_000] {
            let rate = SampleRate::new(rate).unwrap();
            let mut energy = [0.0; 2];
            KWeighting::new(rate).process(&first, &second, &mut energy);
            for (channel, energy) in [&first, &second].into_iter().zip(energy) {
                let mut filters = [Biquad::k_weighting_shelf(rate), Biquad::k_weighting_high_pass(rate)];
                let [shelf, high_pass] = &mut filters;
                let squares = channel.iter().map(|&x| high_pass.process(shelf.process(f64::from(x))));
                let expected: f64 = squares.map(|y| y * y).sum();
                assert!((energy / expected - 1.0).abs() < 1e-9, "{energy}, not {expected}");
            }
        }
    }

    #[test]
    fn the_sum_does_not_depend_on_blocks() {
        let (first, second) = (Noise(3).take(60_000), Noise(4).take(60_000));
        let mut whole = [0.0; 2];
        KWeighting::new(SampleRate::DEFAULT).process(&first, &second, &mut whole);
        for chunk in CHUNKS {
            let (mut filter, mut parts) = (KWeighting::new(SampleRate::DEFAULT), [0.0; 2]);
            for (a, b) in first.chunks(chunk).zip(second.chunks(chunk)) {
                filter.process(a, b, &mut parts);
            }
            assert_eq!(parts.map(f64::to_bits), whole.map(f64::to_bits));
        }
    }

    #[test]
    fn decays_to_exact_silence_without_subnormals() {
        for rate in [8_000, 44_100, 48_000, 96_000, 192_000] {
            let mut filter = KWeighting::new(SampleRate::new(rate).unwrap());
            let silence = alloc::vec![0.0; rate as usize / 100];
            filter.process(&[1.0, -0.3], &[1e-30, 1e-38], &mut [0.0; 2]);
            for _ in 0..500 {
                filter.process(&silence, &silence, &mut [0.0; 2]);
                let state = [filter.v, filter.y].into_iter().flatten().flat_map(|lanes| lanes.0);
                assert!(state.into_iter().all(|x| x == 0.0 || x.is_normal()), "subnormal at {rate}");
                filter.flush();
            }
            assert!([filter.v, filter.y].iter().flatten().all(|lanes| lanes.0 == [0.0; 2]), "{rate}");
        }
    }
}
