//! Band-limited edges: what has to be added to a wave with jumps or corners so that it does not alias.
//!
//! A jump that lies between two samples is replaced by the integral of a windowed sinc (BLEP), a corner by the
//! integral of that (BLAMP). The difference to the ideal edge is zero beyond 24 samples on either side, so it is
//! added only where there is an edge: less work than a wavetable, which is read and interpolated for each sample.
//!
//! Source: E. Brandt, "Hard Sync Without Aliasing" (ICMC 2001), with a linear-phase kernel, since an
//! oscillator can run ahead of what is heard; F. Esqueda, V. Välimäki, S. Bilbao, "Rounding Corners with BLAMP"
//! (DAFx 2016).

use crate::math::wide;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::f64::consts::PI;

/// Samples that an edge changes: half of them before it.
pub const TAPS: usize = 48;
/// Positions of an edge between two samples that are tabulated; others are interpolated (error below −100 dB).
const PHASES: usize = 128;
/// Where the kernel is 6 dB down, in turns per sample: flat to 0.38 (18.2 kHz at 48 kHz) …
const CUTOFF: f64 = 0.448;
/// … and, with this Kaiser window, 95 dB down from 0.515 on. The n-th partial of a saw starts
/// 20·log10 n dB lower, so that up to 5 kHz the first alias (n = 5) is at least 60 dB below the fundamental,
/// and 100 where it is lower than 23.3 kHz.
const BETA: f64 = 9.6;

/// Residuals of a unit jump and of a unit change of slope (per sample).
#[derive(Clone, Debug)]
pub struct EdgeTable {
    jump: Box<[[f32; TAPS]; PHASES + 1]>,
    corner: Box<[[f32; TAPS]; PHASES + 1]>,
}

impl EdgeTable {
    /// Computes the tables, in about a millisecond. Allocates.
    pub fn new() -> Self {
        const HALF: f64 = TAPS as f64 / 2.0;
        const CELL: f64 = 1.0 / PHASES as f64;
        let n_cells = TAPS * PHASES;
        let time = |idx: usize| idx as f64 * CELL - HALF;
        // The kernel's integral (Simpson's rule in each cell), scaled to end at exactly 1.
        let kernels: Vec<f64> = (0..=n_cells).map(|idx| kernel(time(idx))).collect();
        let mut integral = vec![0.0; n_cells + 1];
        for idx in 0..n_cells {
            let middle = kernel((time(idx) + time(idx + 1)) / 2.0);
            let area = kernels[idx] + 4.0 * middle + kernels[idx + 1];
            integral[idx + 1] = integral[idx] + area * CELL / 6.0;
        }
        let total = integral[n_cells];
        integral.iter_mut().for_each(|x| *x /= total);
        // The integral of that, by a rule which uses the kernel as its derivative.
        let mut second = vec![0.0; n_cells + 1];
        for idx in 0..n_cells {
            let slopes = (kernels[idx] - kernels[idx + 1]) / total;
            let mean = (integral[idx] + integral[idx + 1]) / 2.0 + slopes * CELL / 12.0;
            second[idx + 1] = second[idx] + mean * CELL;
        }
        let rows = |residual: &dyn Fn(usize, bool) -> f64| {
            let row = |phase: usize| {
                core::array::from_fn(|tap| residual(tap * PHASES + phase, tap >= TAPS / 2) as f32)
            };
            boxed((0..=PHASES).map(row).collect())
        };
        Self {
            jump: rows(&|idx, after| integral[idx] - f64::from(u8::from(after))),
            corner: rows(&|idx, after| second[idx] - if after { time(idx) } else { 0.0 }),
        }
    }

    /// What a jump by 1 adds to the 24 samples before and the 24 after it; `fraction`, 0 to 1, is the time
    /// from the edge to the first sample after it.
    #[inline(always)]
    pub fn jump(&self, fraction: f32) -> Residual<'_> {
        residual(&self.jump, fraction)
    }

    /// The same for a slope that rises by 1 per sample.
    #[inline(always)]
    pub fn corner(&self, fraction: f32) -> Residual<'_> {
        residual(&self.corner, fraction)
    }
}

impl Default for EdgeTable {
    fn default() -> Self {
        Self::new()
    }
}

fn boxed<const N: usize>(rows: Vec<[f32; TAPS]>) -> Box<[[f32; TAPS]; N]> {
    // Not `expect`, whose panic would print the rows, with 2 KB of a worklet's module that format floats.
    match rows.into_boxed_slice().try_into() {
        Ok(rows) => rows,
        Err(_) => unreachable!("there is a row for each phase"),
    }
}

/// What an edge adds: `before` + (`after` − `before`)·`t`. Not computed here, lest it be stored and read again.
#[derive(Clone, Copy, Debug)]
pub struct Residual<'a> {
    pub(crate) before: &'a [f32; TAPS],
    pub(crate) after: &'a [f32; TAPS],
    pub(crate) t: f32,
}

#[inline(always)]
fn residual(rows: &[[f32; TAPS]; PHASES + 1], fraction: f32) -> Residual<'_> {
    let at = fraction * PHASES as f32;
    let row = (at as usize).min(PHASES - 1);
    Residual { before: &rows[row], after: &rows[row + 1], t: at - row as f32 }
}

/// The windowed sinc at `t` samples from its centre, not normalised.
fn kernel(t: f64) -> f64 {
    let x = 2.0 * t / TAPS as f64;
    if x.abs() >= 1.0 {
        return 0.0;
    }
    windowed_sinc(t, CUTOFF, x, BETA)
}

/// sin(2πct)/πt times a Kaiser window at `x` of its half-width, −1 to 1. Not normalised.
pub(crate) fn windowed_sinc(t: f64, cutoff: f64, x: f64, beta: f64) -> f64 {
    let sinc = if t == 0.0 { 2.0 * cutoff } else { libm::sin(2.0 * PI * cutoff * t) / (PI * t) };
    sinc * bessel_i0(beta * wide::sqrt((1.0 - x * x).max(0.0)))
}

/// Modified Bessel function of the first kind, order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..40u32 {
        term *= quarter / f64::from(k * k);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(Residual { before, after, t }: Residual<'_>) -> [f32; TAPS] {
        core::array::from_fn(|tap| before[tap] + (after[tap] - before[tap]) * t)
    }

    #[test]
    fn residuals_vanish_at_both_ends_and_are_symmetric() {
        let table = EdgeTable::new();
        for fraction in [0.0f32, 0.01, 0.25, 0.5, 0.731, 0.999] {
            let (jump, corner) = (values(table.jump(fraction)), values(table.corner(fraction)));
            for (edge, limit) in
                [(jump[0], 2e-3), (jump[TAPS - 1], 2e-3), (corner[0], 2e-3), (corner[TAPS - 1], 2e-3)]
            {
                assert!(edge.abs() < limit, "{fraction}: {edge}");
            }
            let (jump_mirror, corner_mirror) =
                (values(table.jump(1.0 - fraction)), values(table.corner(1.0 - fraction)));
            for tap in 0..TAPS {
                // A jump's residual is odd around the edge, a corner's even.
                assert!((jump[tap] + jump_mirror[TAPS - 1 - tap]).abs() < 1e-5);
                assert!((corner[tap] - corner_mirror[TAPS - 1 - tap]).abs() < 1e-5);
            }
        }
    }

    /// The spectrum of an edge's derivative is the kernel's: flat, then gone.
    #[test]
    fn the_kernel_passes_18_khz_and_stops_above_nyquist() {
        let step = 1.0 / 32.0;
        let at = |turns: f64| {
            let n = (TAPS as f64 / step) as i32;
            let time = |i: i32| f64::from(i - n / 2) * step;
            let dc: f64 = (0..=n).map(|i| kernel(time(i))).sum();
            let sum: f64 = (0..=n).map(|i| kernel(time(i)) * libm::cos(2.0 * PI * turns * time(i))).sum();
            20.0 * libm::log10((sum / dc).abs() + 1e-9)
        };
        for turns in [0.05, 0.2, 0.35, 0.375] {
            assert!(at(turns).abs() < 0.05, "{turns}: {} dB", at(turns));
        }
        for i in 0..200 {
            let turns = 0.516 + f64::from(i) * 0.013;
            assert!(at(turns) < -92.0, "{turns}: {} dB", at(turns));
        }
    }
}
