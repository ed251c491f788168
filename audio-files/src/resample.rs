//! Sample-rate conversion: a windowed sinc at every output frame.
//!
//! Kaiser's window with 140 dB of stopband attenuation. The passband ends at 0.907 of the lower of both Nyquist
//! frequencies (20 kHz at 44.1 kHz) and the stopband starts at it, so nothing is aliased. Linear phase, no delay:
//! frame 0 stays frame 0.
//!
//! Not rubato: its FFT and its sinc resampler choose their code by the machine, and a composition with audio
//! clips would have other bits on a server than in a browser.

use core::f64::consts::PI;

const ATTENUATION_DB: f64 = 140.0;
/// End of the passband, as a part of the lower Nyquist frequency.
const PASSBAND: f64 = 0.907;
/// Points of the tabulated window; linear interpolation errs by less than −160 dB.
const WINDOW_POINTS: usize = 1 << 16;
/// Coefficients that are worth keeping: 8 MB.
const MAX_TABLE: usize = 1 << 20;

/// A conversion between two rates.
pub struct Resampler {
    /// Output frames for …
    up: u64,
    /// … so many input frames: the ratio in lowest terms.
    down: u64,
    /// Input frames to either side of an output frame that matter to it.
    reach: usize,
    /// Cut-off as a part of the input's Nyquist frequency.
    cutoff: f64,
    window: Box<[f64]>,
    /// Coefficients of all phases, where they are few enough.
    table: Option<Box<[f64]>>,
}

impl Resampler {
    /// From `from` to `to` frames per second.
    ///
    /// # Panics
    /// When a rate is 0.
    pub fn new(from: u32, to: u32) -> Self {
        assert!(from > 0 && to > 0, "sample rates");
        let divisor = gcd(from, to);
        let lower = f64::from(from.min(to)) / f64::from(from);
        // Kaiser's estimate of the length, with the transition in radians per input frame.
        let transition = PI * lower * (1.0 - PASSBAND);
        let taps = (ATTENUATION_DB - 7.95) / (2.285 * transition);
        let mut resampler = Self {
            up: u64::from(to / divisor),
            down: u64::from(from / divisor),
            reach: libm::ceil(taps / 2.0) as usize,
            cutoff: lower * (1.0 + PASSBAND) / 2.0,
            window: kaiser(),
            table: None,
        };
        let n_taps = 2 * resampler.reach;
        let n_phases = usize::try_from(resampler.up).unwrap_or(usize::MAX);
        if n_phases.saturating_mul(n_taps) <= MAX_TABLE {
            let mut table = vec![0.0; n_phases * n_taps].into_boxed_slice();
            for (phase, taps) in (0..).zip(table.chunks_exact_mut(n_taps)) {
                resampler.kernel(phase, taps);
            }
            resampler.table = Some(table);
        }
        resampler
    }

    /// Frames that come out for `n` that go in.
    pub fn output_len(&self, n: usize) -> usize {
        usize::try_from((n as u128 * u128::from(self.up)).div_ceil(u128::from(self.down)))
            .unwrap_or(usize::MAX)
    }

    /// Converts a whole channel; before and after it is silence.
    pub fn process(&self, input: &[f32]) -> Vec<f32> {
        if self.up == self.down {
            return input.to_vec();
        }
        let n_taps = 2 * self.reach;
        let mut scratch = vec![0.0; n_taps];
        let mut output = Vec::with_capacity(self.output_len(input.len()));
        for frame in 0..self.output_len(input.len()) as u64 {
            let position = u128::from(frame) * u128::from(self.down);
            let at = (position / u128::from(self.up)) as usize;
            let phase = (position % u128::from(self.up)) as u64;
            let taps = match &self.table {
                Some(table) => &table[phase as usize * n_taps..][..n_taps],
                None => {
                    self.kernel(phase, &mut scratch);
                    &scratch[..]
                }
            };
            // Tap 0 lies on input frame at + 1 − reach.
            let skipped = (self.reach - 1).saturating_sub(at);
            let first = at + 1 + skipped - self.reach;
            let n = (n_taps - skipped).min(input.len() - first);
            output.push(dot(&taps[skipped..skipped + n], &input[first..first + n]) as f32);
        }
        output
    }

    /// The taps for an output frame that lies `phase`/`up` behind an input frame.
    fn kernel(&self, phase: u64, taps: &mut [f64]) {
        let fraction = phase as f64 / self.up as f64;
        let start = 1.0 - self.reach as f64 - fraction;
        // The sines of equally spaced angles by rotation: two multiplications instead of a sine each.
        let (step, first) = (PI * self.cutoff, PI * self.cutoff * start);
        let (step_sin, step_cos) = (libm::sin(step), libm::cos(step));
        let (mut sin, mut cos) = (libm::sin(first), libm::cos(first));
        let mut sum = 0.0;
        for (idx, tap) in taps.iter_mut().enumerate() {
            let x = start + idx as f64;
            let sinc = if x == 0.0 { self.cutoff } else { sin / (PI * x) };
            *tap = sinc * self.window(x);
            sum += *tap;
            (sin, cos) = (sin * step_cos + cos * step_sin, cos * step_cos - sin * step_sin);
        }
        // A constant stays exactly that at every phase.
        taps.iter_mut().for_each(|tap| *tap /= sum);
    }

    fn window(&self, x: f64) -> f64 {
        let at = x.abs() / self.reach as f64 * WINDOW_POINTS as f64;
        let idx = at as usize;
        let Some(&[a, b]) = self.window.get(idx..idx + 2).and_then(|pair| pair.first_chunk()) else {
            return 0.0;
        };
        a + (b - a) * (at - idx as f64)
    }
}

/// Half of Kaiser's window, from the middle to the edge.
fn kaiser() -> Box<[f64]> {
    let beta = 0.1102 * (ATTENUATION_DB - 8.7);
    let point = |idx: usize| {
        let x = idx as f64 / WINDOW_POINTS as f64;
        bessel_i0(beta * libm::sqrt(1.0 - x * x)) / bessel_i0(beta)
    };
    (0..=WINDOW_POINTS).map(point).collect()
}

/// Modified Bessel function of the first kind, order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let (mut term, mut sum, mut k) = (1.0, 1.0, 1.0);
    while term > 1e-18 * sum {
        term *= (x / 2.0 / k) * (x / 2.0 / k);
        sum += term;
        k += 1.0;
    }
    sum
}

/// Four sums side by side, always in this order, whatever the machine adds at once.
fn dot(taps: &[f64], input: &[f32]) -> f64 {
    let mut sums = [0.0; 4];
    let (tap_fours, input_fours) = (taps.chunks_exact(4), input.chunks_exact(4));
    let rest = tap_fours.remainder().iter().zip(input_fours.remainder());
    let rest: f64 = rest.map(|(tap, x)| tap * f64::from(*x)).sum();
    for (taps, input) in tap_fours.zip(input_fours) {
        for lane in 0..4 {
            sums[lane] += taps[lane] * f64::from(input[lane]);
        }
    }
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hz: f64, rate: u32, n: usize) -> Vec<f32> {
        let sample = |i: usize| 0.5 * libm::sin(2.0 * PI * (hz * i as f64 / f64::from(rate) % 1.0));
        (0..n).map(|i| sample(i) as f32).collect()
    }

    /// Power in dB relative to a full-scale sine, away from the ends.
    fn level(samples: &[f64]) -> f64 {
        10.0 * (2.0 * samples.iter().map(|x| x * x).sum::<f64>() / samples.len() as f64).max(1e-30).log10()
    }

    #[test]
    fn tones_arrive_as_they_would_have_been_sampled() {
        // Common ratios, extreme ones, and one without a table.
        for (from, to) in [
            (44_100, 48_000),
            (48_000, 44_100),
            (96_000, 48_000),
            (8_000, 48_000),
            (192_000, 8_000),
            (44_101, 47_999),
        ] {
            let resampler = Resampler::new(from, to);
            let nyquist = f64::from(from.min(to)) / 2.0;
            for part in [0.01, 0.3, 0.8, 0.9] {
                let n = (from as usize / 4).max(resampler.reach * 6);
                let output = resampler.process(&sine(part * nyquist, from, n));
                assert_eq!(output.len(), resampler.output_len(n));
                let exact = sine(part * nyquist, to, output.len());
                let edge = output.len() / 3;
                let error: Vec<f64> =
                    (edge..output.len() - edge).map(|i| f64::from(output[i]) - f64::from(exact[i])).collect();
                // f32 samples of half scale have a floor near −150 dB.
                assert!(level(&error) < -120.0, "{from} to {to}, {part}: {} dB", level(&error));
            }
        }
    }

    #[test]
    fn nothing_above_the_lower_nyquist_frequency_comes_through() {
        for (from, to) in [(48_000, 44_100), (96_000, 44_100), (192_000, 48_000)] {
            let resampler = Resampler::new(from, to);
            for hz in [1.001, 1.05, 1.5].map(|part| part * f64::from(to) / 2.0) {
                if hz >= f64::from(from) / 2.0 {
                    continue;
                }
                let output = resampler.process(&sine(hz, from, 40_000));
                let middle = &output[output.len() / 3..2 * output.len() / 3];
                let middle: Vec<f64> = middle.iter().map(|x| f64::from(*x)).collect();
                assert!(level(&middle) < -130.0, "{from} to {to}, {hz} Hz: {} dB", level(&middle));
            }
        }
    }

    #[test]
    fn constants_and_positions_are_exact() {
        let resampler = Resampler::new(44_100, 48_000);
        let constant = resampler.process(&vec![0.25; 10_000]);
        assert!(constant[500..10_000].iter().all(|x| *x == 0.25));
        // An impulse at a frame that both grids have stays there.
        let mut impulse = vec![0.0; 10_000];
        impulse[147 * 30] = 1.0;
        let output = resampler.process(&impulse);
        let peak = (0..output.len()).max_by(|&a, &b| output[a].total_cmp(&output[b])).unwrap();
        assert_eq!(peak, 160 * 30);
        for k in 1..100 {
            assert_eq!(output[peak - k], output[peak + k], "linear phase");
        }
        assert_eq!(Resampler::new(48_000, 48_000).process(&impulse), impulse);
        for n in [0, 1, 2, 100] {
            assert_eq!(resampler.process(&impulse[..n]).len(), (n * 160usize).div_ceil(147));
        }
    }
}
