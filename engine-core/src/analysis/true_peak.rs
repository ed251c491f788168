//! True peak: the greatest value between the samples, by oversampling (BS.1770-5 Annex 2).

use super::{finite, greater, greatest, greatest_magnitude};

/// Taps of one phase of the interpolator.
const TAPS: usize = 12;
/// Samples between input and output: a point is known when the taps after it have arrived.
pub const DELAY: usize = TAPS / 2;
/// Samples that are worked on at a time.
const CHUNK: usize = 128;
/// Points that are left out together when none of them can matter. At least as long as the filter.
const GROUP: usize = 16;
/// No point exceeds the greatest of its samples by more: Σ |h| of the taps at ½, the greatest of the phases,
/// rounded up by far more than the rounding of twelve products.
const MAX_GAIN: f32 = 2.028;

/// Half of the taps at ½ between samples; the other half mirrors them.
///
/// All phases are a sinc under a Kaiser window (β = 3.5) of 12 input samples: within 0.1 dB up to 0.4 of the
/// sample rate. The phase at 0 is the sample itself, so three phases are enough for 4×.
const HALF: [f32; 6] =
    [-0.012_176_364, 0.027_432_11, -0.053_020_16, 0.097_696_036, -0.193_332_39, 0.630_136_8];
/// (h(i) + h(11 − i))/2 of the taps at ¼. The taps at ¾ are those at ¼ in reverse, so with sums and
/// differences of mirrored samples both phases come from the same twelve products.
const QUARTER_SUM: [f32; 6] =
    [-0.008_754_279, 0.019_618_863, -0.037_885_927, 0.070_045_84, -0.141_030_48, 0.595_639_6];
/// (h(i) − h(11 − i))/2 of the taps at ¼.
const QUARTER_DIFFERENCE: [f32; 6] =
    [-0.002_037_967, 0.003_470_626, -0.005_833_09, 0.010_796_167, -0.027_795_805, 0.302_378_2];

/// True-peak detector of one channel: 4× at every rate, within +0.2/−0.4 dB (EBU Tech 3341, cases 15–23).
///
/// BS.1770-5 Annex 2 would let 2× do at 96 kHz and the samples alone at 192 kHz, for sound without anything
/// near half the sample rate; the cases are as strict there as elsewhere.
#[derive(Clone, Debug, Default)]
pub struct TruePeak {
    history: [f32; TAPS - 1],
}

impl TruePeak {
    /// At rest: silence came before.
    pub fn new() -> Self {
        Self::default()
    }

    /// Greatest absolute value, linear, of the samples of this block and of the points between samples which
    /// became known with it: those end [`DELAY`] samples before the block does. 0 for an empty block.
    ///
    /// The maximum over many blocks is the same however they are cut. NaN and infinity count as 0.
    pub fn process(&mut self, samples: &[f32]) -> f32 {
        self.process_above(samples, 0.0)
    }

    /// The greater of `floor` and [`process`](Self::process). The higher the floor the faster, since points that
    /// cannot reach it are not computed: for the maximum of a file, pass the maximum so far.
    pub fn process_above(&mut self, samples: &[f32], floor: f32) -> f32 {
        samples.chunks(CHUNK).fold(floor, |peak, samples| self.process_chunk(samples, peak))
    }

    /// Back to rest.
    pub fn reset(&mut self) {
        self.history = [0.0; TAPS - 1];
    }

    fn process_chunk(&mut self, samples: &[f32], floor: f32) -> f32 {
        let n = samples.len();
        // Padded with zeros to whole groups.
        let mut line = [0.0f32; CHUNK + GROUP];
        line[..TAPS - 1].copy_from_slice(&self.history);
        for (x, &sample) in line[TAPS - 1..].iter_mut().zip(samples) {
            *x = finite(sample);
        }
        self.history.copy_from_slice(&line[n..n + TAPS - 1]);
        let mut maxima = [0.0f32; CHUNK / GROUP + 1];
        for (maximum, group) in maxima.iter_mut().zip(line.as_chunks::<GROUP>().0) {
            *maximum = greatest_magnitude(group);
        }
        let mut peak = greater(greatest_magnitude(&line[TAPS - 1..]), floor);
        for (group, start) in (0..n).step_by(GROUP).enumerate() {
            // Exact: what is left out is not above `peak`.
            if greater(maxima[group], maxima[group + 1]) * MAX_GAIN > peak {
                let (reach, _) = line[start..].split_first_chunk().unwrap_or_else(|| unreachable!());
                let points = interpolate(reach);
                peak = greater(greatest(&points[..GROUP.min(n - start)]), peak);
            }
        }
        peak
    }
}

/// Greatest of the points at ¼, ½ and ¾ after each sample.
#[inline(always)]
fn interpolate(line: &[f32; GROUP + TAPS - 1]) -> [f32; GROUP] {
    let mut points = [0.0; GROUP];
    for (i, point) in points.iter_mut().enumerate() {
        let (mut half, mut even, mut odd) = (0.0, 0.0, 0.0);
        for k in 0..TAPS / 2 {
            let (early, late) = (line[i + k], line[i + TAPS - 1 - k]);
            let (sum, difference) = (early + late, early - late);
            half += sum * HALF[k];
            even += sum * QUARTER_SUM[k];
            odd += difference * QUARTER_DIFFERENCE[k];
        }
        // |even + odd| and |even − odd|: the greater is |even| + |odd|.
        *point = greater(half.abs(), even.abs() + odd.abs());
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::test_signals::{CHUNKS, Noise, sine};
    use crate::math::db_from_gain;
    use alloc::vec::Vec;

    #[test]
    fn tables_are_the_stated_windowed_sinc() {
        let bessel = |x: f64| {
            let (mut sum, mut term) = (1.0, 1.0);
            for k in 1..40 {
                term *= (x / (2.0 * f64::from(k))) * (x / (2.0 * f64::from(k)));
                sum += term;
            }
            sum
        };
        let tap = |x: f64| {
            let pi_x = core::f64::consts::PI * x;
            libm::sin(pi_x) / pi_x * bessel(3.5 * libm::sqrt(1.0 - x * x / 36.0)) / bessel(3.5)
        };
        // Half a step of f32 between 0.5 and 1.
        let is =
            |table: f32, exact: f64| assert!((f64::from(table) - exact).abs() < 3.1e-8, "{table} {exact}");
        for i in 0..TAPS / 2 {
            let k = i as f64 - 5.0;
            let (early, late) = (tap(0.25 - k), tap(0.25 - (1.0 - k)));
            is(HALF[i], tap(0.5 - k));
            is(QUARTER_SUM[i], (early + late) / 2.0);
            is(QUARTER_DIFFERENCE[i], (early - late) / 2.0);
        }
    }

    #[test]
    fn no_point_exceeds_its_samples_by_more_than_the_stated_gain() {
        let sum = |taps: &[f32], more: &[f32]| -> f64 {
            taps.iter().zip(more).map(|(a, b)| f64::from((a + b).abs()) + f64::from((a - b).abs())).sum()
        };
        let gains = [sum(&HALF, &[0.0; 6]), sum(&QUARTER_SUM, &QUARTER_DIFFERENCE)];
        // 24 roundings of 2⁻²⁴ at the most.
        let greatest = gains.into_iter().fold(0.0, f64::max) * (1.0 + 24.0 / 16_777_216.0);
        assert!(greatest < f64::from(MAX_GAIN) && greatest > 0.999 * f64::from(MAX_GAIN), "{greatest}");
    }

    #[test]
    fn leaving_points_out_changes_nothing() {
        // Peaks between samples, far apart in what is quiet.
        let mut samples: Vec<f32> = Noise(7).take(20_000).iter().map(|x| 0.4 * x).collect();
        for at in (100..20_000).step_by(777) {
            samples[at..at + 2].fill(0.7);
        }
        for floor in [0.0, 0.3, 0.71, 0.9, 2.0] {
            let mut line = [&[0.0; TAPS - 1][..], &samples, &[0.0; GROUP]].concat();
            line.truncate((samples.len() / GROUP) * GROUP + TAPS - 1);
            let all = (0..line.len() - (GROUP + TAPS - 2))
                .map(|at| greatest(&interpolate(line[at..].first_chunk().unwrap())))
                .fold(greatest_magnitude(&samples), greater);
            let mut detector = TruePeak::new();
            assert_eq!(detector.process_above(&samples, floor), greater(all, floor));
        }
    }

    #[test]
    fn never_below_the_sample_peak_and_close_to_it_for_low_tones() {
        for rate in [44_100, 96_000, 192_000] {
            let tone = sine(rate as usize, 997.0 / f64::from(rate), 1.0, 0.0);
            let dbtp = db_from_gain(TruePeak::new().process(&tone));
            assert!((0.0..0.02).contains(&dbtp), "{dbtp} at {rate}");
        }
        let noise = Noise(5).take(10_000);
        assert!(TruePeak::new().process(&noise) >= greatest_magnitude(&noise));
        assert_eq!(TruePeak::new().process(&[f32::NAN, f32::INFINITY]), 0.0);
    }

    #[test]
    fn the_maximum_does_not_depend_on_blocks() {
        let noise = Noise(9).take(6_001);
        let whole = TruePeak::new().process(&noise);
        for chunk in CHUNKS {
            let mut detector = TruePeak::new();
            let parts = noise.chunks(chunk).map(|part| detector.process(part)).fold(0.0, f32::max);
            assert_eq!(whole.to_bits(), parts.to_bits(), "{chunk}");
        }
    }
}
