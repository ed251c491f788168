//! Oscillators: saw, pulse and triangle without audible aliases.
//!
//! The ideal wave is written for a whole span, in loops that vectorise, and each edge then gets the residual of
//! [`EdgeTable`]. That reaches 24 samples into the past, so a [`Mix`] is that far behind its oscillators: whoever
//! starts a note renders [`LEAD_SPANS`] at once that are not heard, and no delay is.

use serde::{Deserialize, Serialize};

use super::blep::EdgeTable;
use super::mix::{LEAD, LEAD_SPANS, Mix};
use super::phase::{TURN, phases, sines};
use crate::units::SPAN;

/// Wave shapes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Wave {
    /// One partial, peak ±1.
    Sine,
    /// All partials, 1/n, peak ±1.
    Saw,
    /// Width 0…1; at 0.5 odd partials, 1/n, peak ±1; at other widths high and low differ, the mean is 0.
    Pulse(f32),
    /// Odd partials, 1/n², peak ±1.
    Triangle,
}

/// −1 at phase 0, rising to 1.
#[inline(always)]
fn ramp(phase: u32) -> f32 {
    (phase ^ 0x8000_0000) as i32 as f32 * (2.0 / TURN)
}

/// A phase, and for pulses the phase since the wave should fall.
#[derive(Clone, Copy, Debug)]
pub struct Oscillator {
    phase: u32,
    fall: u32,
}

impl Oscillator {
    /// An oscillator for a [`Mix`]: after [`LEAD_SPANS`] that are not heard, it passes `phase` turns (0…1) in
    /// frame `at` of the first span that is.
    pub fn new(wave: Wave, phase: f32, step: u32, at: usize) -> Self {
        let before = LEAD_SPANS * SPAN - LEAD;
        Self::without_lead(wave, phase, step, at + before)
    }

    /// An oscillator that passes `phase` turns in frame `at` of its first span: for who makes a wave of its own.
    pub fn without_lead(wave: Wave, phase: f32, step: u32, at: usize) -> Self {
        let start = ((phase * TURN) as u32).wrapping_sub(step.wrapping_mul(at as u32));
        let width = if let Wave::Pulse(width) = wave { width } else { 0.5 };
        Self { phase: start, fall: start.wrapping_sub((width * TURN) as u32) }
    }

    /// The phase, then moved on by a span.
    #[inline]
    pub fn advance(&mut self, step: u32) -> u32 {
        let phase = self.phase;
        self.phase = phase.wrapping_add(step.wrapping_mul(SPAN as u32));
        phase
    }

    /// Adds span `span` to `mix`. A pulse's width glides there.
    #[inline(always)]
    pub fn render<const CHANNELS: usize>(
        &mut self,
        wave: Wave,
        step: u32,
        edges: &EdgeTable,
        mix: &mut Mix,
        span: usize,
        gains: [f32; 2],
    ) {
        let phase = self.advance(step);
        match wave {
            Wave::Sine => mix.add::<CHANNELS>(span, &sines(phase, step, &[0.0; SPAN]), gains),
            Wave::Saw => saw::<CHANNELS>(phase, step, edges, mix, span, gains),
            Wave::Pulse(width) => {
                // Two saws: the distance of their jumps is the width. It changes by other steps of the second,
                // so a jump is never skipped; half as fast as the phase at most, lest one run backwards.
                let width = i64::from((width.clamp(0.02, 0.98) * TURN) as u32);
                let glide = (width - i64::from(phase.wrapping_sub(self.fall))) / SPAN as i64;
                let limit = i64::from(step / 2);
                let fall_step = (i64::from(step) - glide.clamp(-limit, limit)) as u32;
                saw::<CHANNELS>(self.fall, fall_step, edges, mix, span, gains);
                saw::<CHANNELS>(phase, step, edges, mix, span, gains.map(|gain| -gain));
                self.fall = self.fall.wrapping_add(fall_step.wrapping_mul(SPAN as u32));
            }
            Wave::Triangle => triangle::<CHANNELS>(phase, step, edges, mix, span, gains),
        }
    }
}

#[inline(always)]
fn saw<const CHANNELS: usize>(
    phase: u32,
    step: u32,
    edges: &EdgeTable,
    mix: &mut Mix,
    span: usize,
    gains: [f32; 2],
) {
    let mut wave = [0.0; SPAN];
    for (x, phase) in wave.iter_mut().zip(phases(phase, step)) {
        *x = ramp(phase);
    }
    mix.add::<CHANNELS>(span, &wave, gains);
    for_each_wrap(phase, step, |at, fraction| {
        mix.add_edge::<CHANNELS>(span * SPAN + at, edges.jump(fraction), gains.map(|gain| -2.0 * gain));
    });
}

fn triangle<const CHANNELS: usize>(
    phase: u32,
    step: u32,
    edges: &EdgeTable,
    mix: &mut Mix,
    span: usize,
    gains: [f32; 2],
) {
    mix.add::<CHANNELS>(span, &phases(phase, step).map(|phase| 1.0 - 2.0 * ramp(phase).abs()), gains);
    // It rises by 4 per turn, then falls by 4.
    let slope = 8.0 * (step as f32 / TURN);
    for (phase, change) in [(phase, slope), (phase.wrapping_add(0x8000_0000), -slope)] {
        for_each_wrap(phase, step, |at, fraction| {
            let corner = edges.corner(fraction);
            mix.add_edge::<CHANNELS>(span * SPAN + at, corner, gains.map(|gain| change * gain));
        });
    }
}

/// Calls `edge` for each frame, 1 to 16, that is the first after the phase wrapped, with the time since then
/// as a fraction of a frame. Frame 16 is the first of the next span.
#[inline(always)]
fn for_each_wrap(phase: u32, step: u32, mut edge: impl FnMut(usize, f32)) {
    let step = i64::from(step);
    let mut left = (1i64 << 32) - i64::from(phase);
    while left <= step * SPAN as i64 && step > 0 {
        // Both are whole numbers below 2³⁴, and a quotient that is none is more than 2⁻³² from one: exact.
        let mut frames = (left as f64 / step as f64) as i64;
        if frames * step < left {
            frames += 1;
        }
        edge(frames as usize, (frames * step - left) as f32 / step as f32);
        left += 1i64 << 32;
    }
}

#[cfg(test)]
mod tests;
