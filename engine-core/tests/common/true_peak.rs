//! Peaks between samples, exactly.

use core::f64::consts::PI;

/// The greatest of 16 points from sample to sample, dB: a sinc of 128 samples under a Kaiser window (β = 9),
/// in f64. Shares nothing with the limiter's own interpolator.
pub(crate) fn reference_dbtp(samples: &[f32]) -> f64 {
    const HALF: usize = 64;
    let bessel = |x: f64| {
        let (mut sum, mut term) = (1.0, 1.0);
        for k in 1..60 {
            term *= (x / (2.0 * f64::from(k))) * (x / (2.0 * f64::from(k)));
            sum += term;
        }
        sum
    };
    let mut greatest = samples.iter().fold(0.0f64, |a, x| a.max(f64::from(x.abs())));
    for phase in 1..16 {
        let taps: Vec<f64> = (0..2 * HALF)
            .map(|i| {
                let x = i as f64 - (HALF - 1) as f64 - f64::from(phase) / 16.0;
                let window = bessel(9.0 * libm::sqrt((1.0 - (x / HALF as f64) * (x / HALF as f64)).max(0.0)));
                libm::sin(PI * x) / (PI * x) * window / bessel(9.0)
            })
            .collect();
        for window in samples.windows(2 * HALF) {
            let y: f64 = window.iter().zip(&taps).map(|(x, t)| f64::from(*x) * t).sum();
            greatest = greatest.max(y.abs());
        }
    }
    20.0 * libm::log10(greatest)
}
