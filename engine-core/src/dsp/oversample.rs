//! Peaks between samples, by 8× oversampling.

use crate::units::QUANTUM;

/// Points that are looked at from one sample to the next, the sample included.
const FACTOR: usize = 8;
/// Taps of one phase of the interpolator.
const TAPS: usize = 64;
/// Frames between a sample and the moment when the points after it are known.
pub const DELAY: usize = TAPS / 2;
/// Shape of the Kaiser window.
const BETA: f64 = 3.0;
/// Phases whose taps are stored: the others are these in reverse.
const STORED: usize = FACTOR / 2;
/// Frames that are worked on at a time.
const LANES: usize = 4;

/// The peak at each sample and at seven points up to the next.
///
/// The interpolator is a sinc under a Kaiser window of 64 samples, flat within 0.1 dB up to 0.47 of the sample
/// rate: clipped sound has high peaks up there. Phases k and 8 − k are mirror images: with
/// sums and differences of mirrored samples both come from the same products, and the greater of
/// |even + odd| and |even − odd| is |even| + |odd|.
#[derive(Clone, Debug)]
pub struct InterSamplePeaks {
    /// By tap of the first half: (h(i) + h(63 − i))/2 of the phases 1 to 4, then (h(i) − h(63 − i))/2.
    taps: [[f32; 2 * STORED]; TAPS / 2],
    /// No point is greater than the greatest sample times this.
    bound: f32,
    history: [f32; TAPS - 1],
}

impl InterSamplePeaks {
    /// Silence came before.
    pub fn new() -> Self {
        let mut taps = [[0.0; 2 * STORED]; TAPS / 2];
        let mut bound = 1.0f64;
        for phase in 0..STORED {
            let offset = (phase + 1) as f64 / FACTOR as f64;
            let h: [f64; TAPS] = core::array::from_fn(|i| tap(i as f64 - (TAPS / 2 - 1) as f64 - offset));
            for (i, taps) in taps.iter_mut().enumerate() {
                let (early, late) = (h[i], h[TAPS - 1 - i]);
                taps[phase] = (0.5 * (early + late)) as f32;
                taps[phase + STORED] = (0.5 * (early - late)) as f32;
            }
            bound = bound.max(h.iter().map(|t| libm::fabs(*t)).sum());
        }
        Self { taps, bound: 1.0001 * bound as f32, history: [0.0; TAPS - 1] }
    }

    /// Whether no point that becomes known with `samples` can pass `level`.
    pub fn is_below(&self, samples: &[f32; QUANTUM], level: f32) -> bool {
        let greatest =
            |values: &[f32]| values.iter().fold(0.0f32, |a, x| if x.abs() > a { x.abs() } else { a });
        greatest(samples).max(greatest(&self.history)) * self.bound <= level
    }

    /// Takes note of samples whose peaks nobody wants to know.
    pub fn skip(&mut self, samples: &[f32; QUANTUM]) {
        self.history.copy_from_slice(&samples[QUANTUM - (TAPS - 1)..]);
    }

    /// Raises each of `peaks` to the peak of the frame [`DELAY`] before: of its sample, and of the points after
    /// it.
    pub fn process(&mut self, samples: &[f32; QUANTUM], peaks: &mut [f32; QUANTUM]) {
        let mut line = [0.0f32; QUANTUM + TAPS - 1];
        line[..TAPS - 1].copy_from_slice(&self.history);
        line[TAPS - 1..].copy_from_slice(samples);
        self.skip(samples);
        for (chunk, peaks) in peaks.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            let from = chunk * LANES;
            // All sums of four frames stay in registers.
            let mut sums = [[0.0f32; LANES]; 2 * STORED];
            for (k, taps) in self.taps.iter().enumerate() {
                for lane in 0..LANES {
                    let (early, late) = (line[from + lane + k], line[from + lane + TAPS - 1 - k]);
                    for phase in 0..STORED {
                        sums[phase][lane] += (early + late) * taps[phase];
                        sums[phase + STORED][lane] += (early - late) * taps[phase + STORED];
                    }
                }
            }
            for (lane, peak) in peaks.iter_mut().enumerate() {
                *peak = greater(line[from + lane + TAPS / 2 - 1].abs(), *peak);
                for phase in 0..STORED {
                    *peak = greater(sums[phase][lane].abs() + sums[phase + STORED][lane].abs(), *peak);
                }
            }
        }
    }
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

/// sinc(x) under the window.
fn tap(x: f64) -> f64 {
    let pi_x = core::f64::consts::PI * x;
    let edge = 2.0 * x / TAPS as f64;
    libm::sin(pi_x) / pi_x * bessel(BETA * libm::sqrt((1.0 - edge * edge).max(0.0))) / bessel(BETA)
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
