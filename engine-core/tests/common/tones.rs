//! Test tones of the loudness and level standards.

use std::f64::consts::TAU;

/// The five sample rates of the conformance tests.
pub(crate) const RATES: [u32; 5] = [44_100, 48_000, 88_200, 96_000, 192_000];
/// Lengths to cut a stream into: 1, primes, the quantum, more than any buffer.
pub(crate) const CHUNKS: [usize; 6] = [1, 7, 64, 128, 1_009, 50_000];
/// A level without sound, dBFS.
pub(crate) const SILENCE: f64 = f64::NEG_INFINITY;

pub(crate) fn gain(dbfs: f64) -> f64 {
    libm::pow(10.0, dbfs / 20.0)
}

/// amplitude·sin(2π·cycles·t + phase), with `cycles` per sample.
pub(crate) fn sine(n: usize, cycles: f64, amplitude: f64, phase_degrees: f64) -> Vec<f32> {
    let turns = |t: usize| cycles * t as f64 + phase_degrees / 360.0;
    (0..n).map(|t| (amplitude * libm::sin(TAU * turns(t).fract())) as f32).collect()
}

/// A 1 kHz sine whose peak goes through (seconds, dBFS) steps, without a jump in phase.
pub(crate) fn steps(rate: u32, steps: &[(f64, f64)]) -> Vec<f32> {
    // Ten whole periods at every one of RATES.
    let n = rate / 100;
    let period: Vec<f64> = (0..n).map(|t| libm::sin(TAU * 10.0 * f64::from(t) / f64::from(n))).collect();
    let mut samples = Vec::new();
    for &(seconds, dbfs) in steps {
        let n = (seconds * f64::from(rate)).round() as usize;
        let (start, amplitude) = (samples.len(), gain(dbfs));
        samples.extend((start..start + n).map(|t| (amplitude * period[t % period.len()]) as f32));
    }
    samples
}
