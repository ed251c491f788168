//! What a reverb is made of: delay lines and all-passes that work on whole quanta.

use alloc::boxed::Box;
use alloc::vec;

use crate::math::flush;
use crate::units::QUANTUM;

/// A ring of exactly the line's length: what is read and what is written lie at the same place.
#[derive(Clone, Debug)]
pub(super) struct Line {
    samples: Box<[f32]>,
    at: usize,
    /// State of the damping low-pass.
    pub(super) low: f32,
}

impl Line {
    pub(super) fn new(length: usize) -> Self {
        Self { samples: vec![0.0; length].into_boxed_slice(), at: 0, low: 0.0 }
    }

    /// The samples that leave the line. A line is longer than a quantum, and a few frames more.
    pub(super) fn read(&self, out: &mut [f32; QUANTUM]) {
        let first = (self.samples.len() - self.at).min(QUANTUM);
        out[..first].copy_from_slice(&self.samples[self.at..self.at + first]);
        out[first..].copy_from_slice(&self.samples[..QUANTUM - first]);
    }

    /// The same from a place that moves: `ahead` frames ahead of the oldest, and `step` more every frame.
    pub(super) fn read_moving(&self, out: &mut [f32; QUANTUM], ahead: f32, step: f32) {
        // The samples around, in one piece: what is read moves by less than a frame per quantum.
        let first = (ahead.min(ahead + step * QUANTUM as f32)) as usize - 1;
        let mut samples = [0.0; QUANTUM + 6];
        let start = (self.at + first) % self.samples.len();
        let n = (self.samples.len() - start).min(samples.len());
        samples[..n].copy_from_slice(&self.samples[start..start + n]);
        let rest = samples.len() - n;
        samples[n..].copy_from_slice(&self.samples[..rest]);
        let mut from = 0;
        while from < QUANTUM {
            // As far as the place stays between the same two samples.
            let place = ahead + step * from as f32;
            let whole = place as usize;
            let to_edge = if step > 0.0 { (whole + 1) as f32 - place } else { place - whole as f32 };
            let n = (to_edge / step.abs().max(1e-9)) as usize + 1;
            let to = (from + n).min(QUANTUM);
            let window = &samples[from + whole - 1 - first..];
            for (i, x) in out[from..to].iter_mut().enumerate() {
                let d = place - whole as f32 + step * i as f32;
                *x = interpolate([window[i], window[i + 1], window[i + 2], window[i + 3]], d);
            }
            from = to;
        }
    }

    pub(super) fn write(&mut self, block: &[f32; QUANTUM]) {
        let first = (self.samples.len() - self.at).min(QUANTUM);
        self.samples[self.at..self.at + first].copy_from_slice(&block[..first]);
        self.samples[..QUANTUM - first].copy_from_slice(&block[first..]);
        self.at = if first < QUANTUM { QUANTUM - first } else { (self.at + QUANTUM) % self.samples.len() };
    }
}

/// Third-order Lagrange interpolation between the second and the third of four samples; `d` from 0 to 1.
#[inline(always)]
fn interpolate([a, b, c, e]: [f32; 4], d: f32) -> f32 {
    let c1 = c - (1.0 / 3.0) * a - 0.5 * b - (1.0 / 6.0) * e;
    let c2 = 0.5 * (a + c) - b;
    let c3 = (1.0 / 6.0) * (e - a) + 0.5 * (b - c);
    ((c3 * d + c2) * d + c1) * d + b
}

/// A Schroeder all-pass: flat in level, dense in time.
#[derive(Clone, Debug)]
pub(super) struct Diffuser {
    samples: Box<[f32]>,
    at: usize,
}

impl Diffuser {
    pub(super) fn new(length: usize) -> Self {
        Self { samples: vec![0.0; length].into_boxed_slice(), at: 0 }
    }

    /// `gain` changes by `gain_step` every frame.
    pub(super) fn process(&mut self, block: &mut [f32; QUANTUM], gain: f32, gain_step: f32) {
        let mut from = 0;
        while from < QUANTUM {
            // Up to the end of the ring no sample is met twice.
            let n = (self.samples.len() - self.at).min(QUANTUM - from);
            let stored = &mut self.samples[self.at..self.at + n];
            for (i, (x, stored)) in block[from..from + n].iter_mut().zip(stored).enumerate() {
                let gain = gain + gain_step * (from + i) as f32;
                let delayed = *stored;
                *stored = flush(*x + gain * delayed);
                *x = delayed - gain * *stored;
            }
            self.at = (self.at + n) % self.samples.len();
            from += n;
        }
    }
}

/// The first prime that is not below `n`.
pub(super) fn prime_from(n: usize) -> usize {
    let is_prime = |n: usize| n > 1 && (2..).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d));
    (n..).find(|&n| is_prime(n)).unwrap_or(n)
}
