//! Phases, and sines by polynomial.
//!
//! A phase is a `u32` that wraps by itself: it never drifts, and sixteen of them are made at once.

use crate::units::SPAN;

/// A whole turn in units of a phase.
pub(crate) const TURN: f32 = 4_294_967_296.0;
/// The fastest step, in turns: beyond it a period has too few samples for two edges.
const MAX_STEP: f32 = 0.45;

/// Step of a phase for a frequency in turns per frame (Hz / sample rate), held below 0.45.
#[inline]
pub fn step_from_turns(turns: f32) -> u32 {
    (turns.clamp(0.0, MAX_STEP) * TURN) as u32
}

/// Sine of a phase in turns (1 is a whole period), for phases from −0.5 up. Error below 3e-6.
///
/// A polynomial, since libm's sine takes several times as long, and the ear cannot tell.
#[inline]
pub fn sin_turns(phase: f32) -> f32 {
    sin_half_turn(phase - ((phase + 0.5) as i32) as f32)
}

/// [`sin_turns`] for −0.5…0.5.
#[inline(always)]
fn sin_half_turn(x: f32) -> f32 {
    sin_quarter_turn((0.25 - (x.abs() - 0.25).abs()).copysign(x))
}

/// [`sin_turns`] for −0.25…0.25, where an odd Taylor-like polynomial (least maximum error) holds.
#[inline(always)]
pub(crate) fn sin_quarter_turn(x: f32) -> f32 {
    let x2 = x * x;
    x * (core::f32::consts::TAU + x2 * (-41.341_68 + x2 * (81.602_2 + x2 * (-76.569_9 + x2 * 39.657_7))))
}

/// Phases of the frames of a span.
#[inline(always)]
pub(crate) fn phases(phase: u32, step: u32) -> [u32; SPAN] {
    // Sums, since SSE2 has no product of whole numbers.
    let two = step.wrapping_add(step);
    let (four, steps) = (two.wrapping_add(two), [0, step, two, two.wrapping_add(step)]);
    let mut first = phase;
    let mut out = [0; SPAN];
    for out in out.as_chunks_mut::<4>().0 {
        for (out, steps) in out.iter_mut().zip(steps) {
            *out = first.wrapping_add(steps);
        }
        first = first.wrapping_add(four);
    }
    out
}

/// Sines of the frames of a span, the phase of each moved on by `offsets` turns (−8…8).
#[inline]
pub fn sines(phase: u32, step: u32, offsets: &[f32; SPAN]) -> [f32; SPAN] {
    // Adding and taking away 1.5·2²³ rounds to the nearest whole number, in two steps on every target.
    const ROUND: f32 = 12_582_912.0;
    let mut out = [0.0; SPAN];
    for ((out, phase), offset) in out.iter_mut().zip(phases(phase, step)).zip(offsets) {
        let x = phase as i32 as f32 * (1.0 / TURN) + offset;
        *out = sin_half_turn(x - ((x + ROUND) - ROUND));
    }
    out
}

#[cfg(test)]
mod tests {
    use core::f64::consts::TAU;

    use super::*;

    #[test]
    fn sine_is_close_to_libm() {
        let worst = (-500..4000)
            .map(|i| {
                let phase = f64::from(i) / 1000.0;
                (f64::from(sin_turns(phase as f32)) - libm::sin(phase * TAU)).abs()
            })
            .fold(0.0, f64::max);
        assert!(worst < 3e-6, "{worst}");
        let step = step_from_turns(0.013);
        for (n, x) in sines(1 << 30, step, &[1.75; SPAN]).iter().enumerate() {
            let exact = libm::sin((0.25 + 0.013 * n as f64 + 1.75) * TAU);
            assert!((f64::from(*x) - exact).abs() < 4e-6, "{n}: {x}, not {exact}");
        }
    }
}
