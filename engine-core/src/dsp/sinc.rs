//! Reading a recording between its samples: a windowed sinc, as a table of filters.
//!
//! Played at its own speed or slower, a sample is interpolated by 32 taps. Played faster, whatever would come to
//! lie above Nyquist is filtered out first: the kernels for higher speeds are wider by half an octave each, up to
//! four times the speed. Measured (tests): the level of a sine up to 0.4 of the sample rate is kept within
//! 0.1 dB, and its images and aliases are at least 75 dB below it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::blep::windowed_sinc;

/// Taps of the widest kernel.
pub const MAX_TAPS: usize = 128;
/// Taps of each kernel, and the speed up to which it serves.
const KERNELS: [(usize, f64); 5] = [
    (32, 1.0),
    (48, core::f64::consts::SQRT_2),
    (64, 2.0),
    (96, 2.0 * core::f64::consts::SQRT_2),
    (MAX_TAPS, f64::INFINITY),
];
/// Places between two samples that are tabulated; others are interpolated.
const PHASES: usize = 64;
const BETA: f64 = 7.5;

/// Filters for all speeds.
#[derive(Clone, Debug)]
pub struct SincTable {
    kernels: [Kernel; KERNELS.len()],
}

/// The filters for a range of speeds.
#[derive(Clone, Debug)]
pub struct Kernel {
    n_taps: usize,
    /// One row of taps for each phase, and one more.
    rows: Box<[f32]>,
}

impl SincTable {
    /// Computes the tables, in a few milliseconds. Allocates.
    pub fn new() -> Self {
        let kernel = |(n_taps, _): (usize, f64)| {
            let widening = n_taps as f64 / KERNELS[0].0 as f64;
            let mut rows = Vec::with_capacity((PHASES + 1) * n_taps);
            for phase in 0..=PHASES {
                let row: Vec<f64> = (0..n_taps)
                    .map(|tap| {
                        let half = n_taps as f64 / 2.0;
                        let t = tap as f64 - (half - 1.0) - phase as f64 / PHASES as f64;
                        windowed_sinc(t, 0.5 / widening, (t / half).clamp(-1.0, 1.0), BETA)
                    })
                    .collect();
                // Each row alone: a constant stays exactly as loud wherever it is read.
                let sum: f64 = row.iter().sum();
                rows.extend(row.iter().map(|x| (x / sum) as f32));
            }
            Kernel { n_taps, rows: rows.into_boxed_slice() }
        };
        Self { kernels: KERNELS.map(kernel) }
    }

    /// The filters for a speed, in frames of the recording per frame that is played.
    #[inline]
    pub fn kernel(&self, speed: f64) -> &Kernel {
        let idx = KERNELS.iter().position(|(_, max)| speed <= *max).unwrap_or(KERNELS.len() - 1);
        &self.kernels[idx]
    }
}

impl Default for SincTable {
    fn default() -> Self {
        Self::new()
    }
}

impl Kernel {
    /// Frames that are read: half of them, less one, before the frame in front of the place.
    pub fn n_taps(&self) -> usize {
        self.n_taps
    }

    /// Writes the taps for a place `fraction` (0…1) behind a frame to the start of `taps`.
    #[inline]
    pub fn taps(&self, fraction: f32, taps: &mut [f32; MAX_TAPS]) {
        let at = fraction * PHASES as f32;
        let row = (at as usize).min(PHASES - 1);
        let t = at - row as f32;
        let rows = &self.rows[row * self.n_taps..(row + 2) * self.n_taps];
        let (a, b) = rows.split_at(self.n_taps);
        for ((tap, a), b) in taps.iter_mut().zip(a).zip(b) {
            *tap = a + (b - a) * t;
        }
    }
}

/// Sum of products, in eight sums that do not wait for each other. Lengths are multiples of 8.
#[inline]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}

#[cfg(test)]
mod tests {
    use core::f64::consts::TAU;

    use rustfft::FftPlanner;
    use rustfft::num_complex::Complex;

    use super::*;

    fn level_at(windowed: &[Complex<f64>], turns: f64) -> f64 {
        let turned =
            (0..).zip(windowed).map(|(i, x)| x * Complex::from_polar(1.0, -TAU * turns * f64::from(i)));
        turned.sum::<Complex<f64>>().norm()
    }

    /// Reads a sine of `turns` per frame at a speed; returns its level in dB, and that of the strongest other
    /// tone against it (or, where it should be gone, against a full-scale sine).
    fn measure(turns: f64, speed: f64) -> (f64, f64) {
        const N: usize = 1 << 14;
        let table = SincTable::new();
        let kernel = table.kernel(speed);
        let source: Vec<f32> = (0..(N as f64 * speed) as usize + 2 * MAX_TAPS)
            .map(|i| libm::sin(TAU * turns * i as f64) as f32)
            .collect();
        let mut taps = [0.0; MAX_TAPS];
        let mut bins: Vec<_> = (0..N)
            .map(|i| {
                let position = i as f64 * speed + 0.123;
                let whole = position as usize;
                kernel.taps((position - whole as f64) as f32, &mut taps);
                let x = dot(&source[whole + 1..][..kernel.n_taps()], &taps[..kernel.n_taps()]);
                let angle = TAU * i as f64 / N as f64;
                let window = 0.363_581_9 - 0.489_177_5 * libm::cos(angle)
                    + 0.136_599_5 * libm::cos(2.0 * angle)
                    - 0.010_641_1 * libm::cos(3.0 * angle);
                Complex::new(f64::from(x) * window, 0.0)
            })
            .collect();
        let windowed = bins.clone();
        FftPlanner::new().plan_fft_forward(N).process(&mut bins);
        // The sum of the window's frames, halved, is what a full-scale sine gives.
        let full = 0.363_581_9 * N as f64 / 2.0;
        let expected = turns * speed * N as f64;
        let tone = level_at(&windowed, turns * speed) / full;
        let mut other = 0.0f64;
        for (bin, value) in bins[..N / 2].iter().enumerate() {
            let level = value.norm() / full;
            if (bin as f64 - expected).abs() > 6.0 {
                other = other.max(level);
            }
        }
        let db = |x: f64| 20.0 * libm::log10(x + 1e-9);
        (db(tone), if turns * speed < 0.5 { db(other / tone) } else { db(other) })
    }

    #[test]
    fn tones_keep_their_level_and_their_images_are_gone() {
        for (turns, speed) in [
            (0.01, 0.5),
            (0.1, 0.943_87),
            (0.25, 0.8),
            (0.4, 0.667),
            (0.4, 0.999),
            (0.2, 1.189_2),
            (0.19, 1.98),
            (0.1, 3.1),
            (0.02, 15.0),
        ] {
            let (level, other) = measure(turns, speed);
            std::eprintln!("{turns} at speed {speed}: {level:.3} dB, others {other:.1} dB");
            assert!(level.abs() < 0.1, "{turns} at speed {speed}: {level} dB");
            assert!(other < -75.0, "{turns} at speed {speed}: others at {other} dB");
        }
        // Above Nyquist after the speed: to be gone.
        for (turns, speed) in [(0.45, 1.41), (0.31, 2.0), (0.4, 2.0), (0.2, 3.9), (0.45, 3.0)] {
            let (_, other) = measure(turns, speed);
            std::eprintln!("{turns} at speed {speed}: aliases {other:.1} dB");
            assert!(other < -75.0, "{turns} at speed {speed}: aliases at {other} dB");
        }
    }
}
