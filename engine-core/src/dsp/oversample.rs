//! Peaks between samples, by 8× oversampling in two stages.

use crate::math::wide;
use crate::units::QUANTUM;

/// Taps of the first stage, which finds the points halfway between two samples.
const TAPS: usize = 64;
/// Shape of its Kaiser window: flat within 0.1 dB up to 0.47 of the sample rate. Clipped sound has high peaks up
/// there.
const BETA: f64 = 3.0;
/// Taps of the second stage: between two points of the first it finds three. What it has to pass ends at a quarter
/// of its rate, so that a few taps do (0.02 dB).
const FINE_TAPS: usize = 8;
/// Shape of its Kaiser window.
const FINE_BETA: f64 = 5.0;
/// Half of its taps: it is symmetric.
const FINE_HALF: usize = FINE_TAPS / 2;
/// Samples that the second stage needs on either side of its frame besides those of the first.
const REACH: usize = FINE_HALF / 2;
/// Frames between a sample and the moment when the points after it are known.
pub const DELAY: usize = TAPS / 2 + REACH;
/// Samples that are kept.
const HISTORY: usize = TAPS - 1 + 2 * REACH;
/// Points halfway that a quantum needs.
const N_HALVES: usize = QUANTUM + 2 * REACH;
/// Frames that are worked on at a time.
const LANES: usize = 4;
/// The same of the first stage: more sums, so that none waits for the one before.
const HALF_LANES: usize = 12;
const _: () = assert!(N_HALVES.is_multiple_of(HALF_LANES));

/// The peak at each sample and at seven points up to the next.
///
/// Both filters are symmetric: with sums (and in the second stage differences, for the points a quarter before and
/// after the middle) of mirrored samples, two taps are one product, and the greater of |even + odd| and
/// |even − odd| is |even| + |odd|.
#[derive(Clone, Debug)]
pub struct InterSamplePeaks {
    /// First half of the first stage's taps.
    half: [f32; TAPS / 2],
    /// From the middle outwards: taps of the point halfway, and half the sum and difference of those of the other
    /// two.
    fine: [[f32; FINE_HALF]; 3],
    /// No point is greater than the greatest sample times this.
    bound: f32,
    history: [f32; HISTORY],
}

impl InterSamplePeaks {
    /// Silence came before.
    pub fn new() -> Self {
        let half = core::array::from_fn(|i| tap(i as f64 - (TAPS / 2) as f64 + 0.5, TAPS, BETA) as f32);
        let fine_tap = |place: f64| tap(place, FINE_TAPS, FINE_BETA);
        let near: [f64; FINE_HALF] = core::array::from_fn(|k| fine_tap(k as f64 + 0.25));
        let far: [f64; FINE_HALF] = core::array::from_fn(|k| fine_tap(k as f64 + 0.75));
        let fine = [
            core::array::from_fn(|k| fine_tap(k as f64 + 0.5) as f32),
            core::array::from_fn(|k| (0.5 * (near[k] + far[k])) as f32),
            core::array::from_fn(|k| (0.5 * (near[k] - far[k])) as f32),
        ];
        Self { half, fine, bound: 1.0001 * bound() as f32, history: [0.0; HISTORY] }
    }

    /// Whether no point that becomes known with `samples` can pass `level`.
    pub fn is_below(&self, samples: &[f32; QUANTUM], level: f32) -> bool {
        let greatest = |values: &[f32]| values.iter().fold(0.0f32, |a, x| greater(x.abs(), a));
        greatest(samples).max(greatest(&self.history)) * self.bound <= level
    }

    /// Takes note of samples whose peaks nobody wants to know.
    pub fn skip(&mut self, samples: &[f32; QUANTUM]) {
        self.history.copy_from_slice(&samples[QUANTUM - HISTORY..]);
    }

    /// Raises each of `peaks` to the peak of the frame [`DELAY`] before: of its sample, and of the points after
    /// it.
    pub fn process(&mut self, samples: &[f32; QUANTUM], peaks: &mut [f32; QUANTUM]) {
        let mut line = [0.0f32; QUANTUM + HISTORY];
        line[..HISTORY].copy_from_slice(&self.history);
        line[HISTORY..].copy_from_slice(samples);
        self.skip(samples);
        let halves = self.halves(&line);
        // From `REACH` samples before the first frame on; point `t` halfway lies after sample `t`.
        let line = &line[TAPS / 2 - 1..];
        for (chunk, peaks) in peaks.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let [_, x1, x2, x3, x4] = neighbours(line, chunk * LANES);
            let [h0, h1, h2, h3, h4] = neighbours(&halves, chunk * LANES);
            let before_half = self.between(&[x2, h1, x1, h0], &[h2, x3, h3, x4]);
            let after_half = self.between(&[h2, x2, h1, x1], &[x3, h3, x4, h4]);
            for (lane, peak) in peaks.iter_mut().enumerate() {
                let stored = greater(x2[lane].abs(), h2[lane].abs());
                *peak = greater(greater(stored, *peak), greater(before_half[lane], after_half[lane]));
            }
        }
    }

    /// The points halfway from each sample to the next, from the first on that is known.
    fn halves(&self, line: &[f32; QUANTUM + HISTORY]) -> [f32; N_HALVES] {
        let mut halves = [0.0; N_HALVES];
        for (chunk, sums) in halves.as_chunks_mut::<HALF_LANES>().0.iter_mut().enumerate() {
            let from = &line[chunk * HALF_LANES..][..HALF_LANES + TAPS - 1];
            // All sums stay in registers.
            for (k, tap) in self.half.iter().enumerate() {
                let (early, late) = (&from[k..][..HALF_LANES], &from[TAPS - 1 - k..][..HALF_LANES]);
                for ((sum, early), late) in sums.iter_mut().zip(early).zip(late) {
                    *sum += (early + late) * tap;
                }
            }
        }
        halves
    }

    /// The greatest of three points between two, of which and before (after) which these are the nearest first.
    #[inline(always)]
    fn between(&self, before: &[[f32; LANES]; FINE_HALF], after: &[[f32; LANES]; FINE_HALF]) -> [f32; LANES] {
        let [mut middle, mut even, mut odd] = [[0.0; LANES]; 3];
        for k in 0..FINE_HALF {
            for lane in 0..LANES {
                let (sum, difference) = (before[k][lane] + after[k][lane], before[k][lane] - after[k][lane]);
                middle[lane] += sum * self.fine[0][k];
                even[lane] += sum * self.fine[1][k];
                odd[lane] += difference * self.fine[2][k];
            }
        }
        for lane in 0..LANES {
            middle[lane] = greater(middle[lane].abs(), even[lane].abs() + odd[lane].abs());
        }
        middle
    }
}

/// Values `at`, `at` + 1 … of [`LANES`] frames each.
#[inline(always)]
fn neighbours(values: &[f32], at: usize) -> [[f32; LANES]; 2 * REACH + 1] {
    let values = &values[at..][..LANES + 2 * REACH];
    let mut out = [[0.0; LANES]; 2 * REACH + 1];
    for (k, out) in out.iter_mut().enumerate() {
        out.copy_from_slice(&values[k..k + LANES]);
    }
    out
}

/// The greater, in a form that vectorises.
#[inline(always)]
fn greater(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

impl Default for InterSamplePeaks {
    fn default() -> Self {
        Self::new()
    }
}

/// The greatest sum of the absolute taps of a point, both stages multiplied out.
fn bound() -> f64 {
    let half = |i: usize| tap(i as f64 - (TAPS / 2) as f64 + 0.5, TAPS, BETA);
    let mut bound: f64 = (0..TAPS).map(|i| libm::fabs(half(i))).sum();
    for place in [0.25, 0.5, 0.75] {
        // Of points after a sample and after a point halfway, in half samples.
        for from in [1, 0] {
            let mut taps = [0.0; TAPS + FINE_TAPS];
            for k in 0..FINE_TAPS {
                let fine = tap(k as f64 - (FINE_HALF - 1) as f64 - place, FINE_TAPS, FINE_BETA);
                let sample = (from + k) / 2;
                if (from + k).is_multiple_of(2) {
                    taps[sample + TAPS / 2 - 1] += fine;
                } else {
                    (0..TAPS).for_each(|i| taps[sample + i] += fine * half(i));
                }
            }
            bound = bound.max(taps.iter().map(|t| libm::fabs(*t)).sum());
        }
    }
    bound
}

/// sinc(x) under a Kaiser window of `n` samples.
fn tap(x: f64, n: usize, beta: f64) -> f64 {
    let pi_x = core::f64::consts::PI * x;
    let edge = 2.0 * x / n as f64;
    libm::sin(pi_x) / pi_x * bessel(beta * wide::sqrt((1.0 - edge * edge).max(0.0))) / bessel(beta)
}

/// Modified Bessel function of order 0.
fn bessel(x: f64) -> f64 {
    let (mut sum, mut term, mut k) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 {
        term *= (x / (2.0 * k)) * (x / (2.0 * k));
        sum += term;
        k += 1.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_between_its_samples_is_seen() {
        for cycles in [0.02, 0.25, 1.0 / 3.0, 0.4, 0.43] {
            for phase in [0.0, 0.1, 0.25, 0.37] {
                let mut detector = InterSamplePeaks::new();
                let mut greatest = 0.0f32;
                for n in 0..20 {
                    let turns = |i: usize| cycles * (n * QUANTUM + i) as f64 + phase;
                    let samples = core::array::from_fn(|i| {
                        libm::sin(core::f64::consts::TAU * (turns(i) - libm::floor(turns(i)))) as f32
                    });
                    let mut peaks = [0.0; QUANTUM];
                    detector.process(&samples, &mut peaks);
                    if n > 0 {
                        greatest = peaks.iter().fold(greatest, |a, &b| a.max(b));
                    }
                }
                assert!((20.0 * libm::log10f(greatest)).abs() < 0.12, "{cycles} {phase}: {greatest}");
            }
        }
    }

    #[test]
    fn peaks_lie_at_their_frames() {
        let mut detector = InterSamplePeaks::new();
        let mut samples = [0.0f32; QUANTUM];
        samples[50] = 1.0;
        samples[51] = 1.0;
        assert!(!detector.is_below(&samples, 1.0) && detector.is_below(&samples, 5.0));
        let mut peaks = [0.0; QUANTUM];
        detector.process(&samples, &mut peaks);
        let highest = (0..QUANTUM).max_by(|a, b| peaks[*a].total_cmp(&peaks[*b])).unwrap();
        assert_eq!(highest, 50 + DELAY);
        assert!((peaks[highest] - 4.0 / core::f32::consts::PI).abs() < 0.02, "{}", peaks[highest]);
    }
}
