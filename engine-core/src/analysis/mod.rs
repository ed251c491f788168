//! Measurement: each unit is `new` (allocates), `process` (never does), `snapshot` (reads).
//!
//! `process` takes channels of equal length, any length, and every result is a function of the samples
//! alone: the same bits however the stream is cut into blocks. NaN and infinity count as silence.

mod k_weighting;
mod loudness_histogram;
mod ring;
mod spectrum_bands;

pub mod ballistics;
pub mod layout;
pub mod loudness;
pub mod meter;
pub mod music;
pub mod overview;
pub mod programme;
pub mod report;
pub mod spectrum;
pub mod stereo;
pub mod trigger;
pub mod true_peak;
pub mod waveform;
pub mod waveform_data;

/// Beyond this, 240 dB above full scale, a sample is no sound but damage, and its square leaves the range of f32.
const LOUDEST: f32 = 1e12;

/// Whether a sample can be measured: not NaN, infinity, or so large that sums of its square would be infinite. What
/// cannot counts as silence.
#[inline(always)]
pub fn is_sound(x: f32) -> bool {
    x.abs() <= LOUDEST
}

/// The sample, or 0 where it is [no sound](is_sound), so that one bad sample cannot stay in a recursive filter for ever.
#[inline(always)]
fn finite(x: f32) -> f32 {
    if is_sound(x) { x } else { 0.0 }
}

/// The greater, without the rules for NaN and signed zero that keep `f32::max` out of vector loops.
#[inline(always)]
fn greater(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// Greatest value of finite ones, at least 0. In eight lanes: the maximum does not depend on the order.
fn greatest(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<8>();
    let mut lanes = [0.0f32; 8];
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = greater(value, *lane);
        }
    }
    lanes.iter().chain(rest).fold(0.0, |a, &b| greater(b, a))
}

/// Greatest magnitude of finite values.
#[inline(always)]
fn greatest_magnitude(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<8>();
    let mut lanes = [0.0f32; 8];
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = greater(value.abs(), *lane);
        }
    }
    lanes.iter().chain(rest).fold(0.0, |a, &b| greater(b.abs(), a))
}

#[cfg(test)]
mod test_signals {
    use alloc::vec::Vec;

    /// Uniform in −1..1, from a fixed seed.
    pub(super) struct Noise(pub(super) u32);

    impl Noise {
        pub(super) fn next(&mut self) -> f32 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 17;
            self.0 ^= self.0 << 5;
            (f64::from(self.0) / f64::from(u32::MAX) * 2.0 - 1.0) as f32
        }

        pub(super) fn take(&mut self, n: usize) -> Vec<f32> {
            (0..n).map(|_| self.next()).collect()
        }
    }

    /// `n` samples of amplitude·sin(2π·cycles·t + phase), with `cycles` per sample.
    pub(super) fn sine(n: usize, cycles: f64, amplitude: f64, phase_degrees: f64) -> Vec<f32> {
        (0..n)
            .map(|t| {
                let turns = cycles * t as f64 + phase_degrees / 360.0;
                (amplitude * libm::sin(core::f64::consts::TAU * (turns - libm::floor(turns)))) as f32
            })
            .collect()
    }

    /// Lengths to cut a stream into: 1, primes, the quantum, more than any buffer.
    pub(super) const CHUNKS: [usize; 6] = [1, 7, 64, 128, 1_009, 50_000];
}
