//! Test tones of the loudness and level standards.

use std::f64::consts::TAU;

/// The five sample rates of the conformance tests.
pub(crate) const RATES: [u32; 5] = [44_100, 48_000, 88_200, 96_000, 192_000];
/// Lengths to cut a stream into: 1, primes, the quantum, more than any buffer.
pub(crate) const CHUNKS: [usize; 6] = [1, 7, 64, 128, 1_009, 50_000];
/// A level without sound, dBFS.
pub(crate) const SILENCE: f64 = f64::NEG_INFINITY;

pub(crate) fn gain(dbfs: f64) -> f64 {
    10f64.powf(dbfs / 20.0)
}

/// amplitude·sin(2π·cycles·t + phase), with `cycles` per sample.
pub(crate) fn sine(n: usize, cycles: f64, amplitude: f64, phase_degrees: f64) -> Vec<f32> {
    (0..n)
        .map(|t| (amplitude * (TAU * (cycles * t as f64 + phase_degrees / 360.0).fract()).sin()) as f32)
        .collect()
}

/// A 1 kHz sine whose peak goes through (seconds, dBFS) steps, without a jump in phase.
pub(crate) fn steps(rate: u32, steps: &[(f64, f64)]) -> Vec<f32> {
    // Whole periods of 1 kHz at every one of RATES.
    let period: Vec<f64> = (0..rate / 100)
        .map(|t| (TAU * (10.0 * f64::from(t) / f64::from(rate / 100)).fract()).sin())
        .collect();
    let mut samples = Vec::new();
    for &(seconds, dbfs) in steps {
        let n = (seconds * f64::from(rate)).round() as usize;
        let (start, amplitude) = (samples.len(), gain(dbfs));
        samples.extend((start..start + n).map(|t| (amplitude * period[t % period.len()]) as f32));
    }
    samples
}
