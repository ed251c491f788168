//! Oscillators: saw, pulse and triangle without audible aliases.
//!
//! The ideal wave is written for a whole span, in loops that vectorise, and each edge then gets the residual of
//! [`EdgeTable`]. That reaches 24 samples into the past, so a [`Mix`] is that far behind its oscillators: whoever
//! starts a note renders [`LEAD_SPANS`] at once that are not heard, and no delay is.

use serde::{Deserialize, Serialize};

use super::blep::EdgeTable;
use super::mix::{LEAD, LEAD_SPANS, Mix};
use super::phase::{TURN, phases, sines};
use super::simd::{Kernel, Real, Vector};
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
    pub fn render<const CHANNELS: usize>(
        &mut self,
        wave: Wave,
        step: u32,
        edges: &EdgeTable,
        mix: &mut Mix,
        span: usize,
        gains: [f32; 2],
    ) {
        let before = *self;
        before.add_waves::<CHANNELS>(&[(wave, step)], mix, span, gains);
        self.add_edges::<CHANNELS>(&[(wave, step)], edges, mix, span, gains);
    }

    /// Adds the ideal waves of spans from `span` on, by wave and step.
    pub fn add_waves<const CHANNELS: usize>(
        self,
        spans: &[(Wave, u32)],
        mix: &mut Mix,
        span: usize,
        gains: [f32; 2],
    ) {
        f32::run(AddWaves::<CHANNELS>(self, Spans { spans, mix, span, gains }));
    }

    #[inline(always)]
    fn waves<const CHANNELS: usize>(mut self, Spans { spans, mix, span, gains }: Spans<'_>) {
        let mut from = 0;
        while let Some(&(wave, step)) = spans.get(from) {
            let start = self.next_span(wave, step);
            let at = span + from;
            from += 1;
            match wave {
                Wave::Saw => {
                    // Most notes hold their pitch: one run.
                    while spans.get(from).is_some_and(|next| next.1 == step) {
                        self.next_span(wave, step);
                        from += 1;
                    }
                    mix.add_ramp::<CHANNELS>(at, span + from - at, start.rise, gains);
                }
                Wave::Pulse(_) => {
                    mix.add_ramp::<CHANNELS>(at, 1, start.fall, gains);
                    mix.add_ramp::<CHANNELS>(at, 1, start.rise, gains.map(|gain| -gain));
                }
                Wave::Sine => mix.add::<CHANNELS>(at, &sines(start.rise.0, step, &[0.0; SPAN]), gains),
                Wave::Triangle => {
                    let mut wave = [0.0; SPAN];
                    for (x, phase) in wave.iter_mut().zip(phases(start.rise.0, step)) {
                        *x = 1.0 - 2.0 * ramp(phase).abs();
                    }
                    mix.add::<CHANNELS>(at, &wave, gains);
                }
            }
        }
    }

    /// Adds the edges of spans from `span` on, and moves on.
    pub fn add_edges<const CHANNELS: usize>(
        &mut self,
        spans: &[(Wave, u32)],
        edges: &EdgeTable,
        mix: &mut Mix,
        span: usize,
        gains: [f32; 2],
    ) {
        f32::run(AddEdges::<CHANNELS>(self, edges, Spans { spans, mix, span, gains }));
    }

    #[inline(always)]
    fn edges<const CHANNELS: usize>(
        &mut self,
        edges: &EdgeTable,
        Spans { spans, mix, span, gains }: Spans<'_>,
    ) {
        let mut from = 0;
        while let Some(&(wave, step)) = spans.get(from) {
            let Starts { rise, fall } = self.next_span(wave, step);
            let at = (span + from) * SPAN;
            from += 1;
            let mut jumps = |start, n_spans, height: f32| {
                for_each_wrap(start, n_spans, |frame, fraction| {
                    let gains = gains.map(|gain| height * gain);
                    mix.add_edge::<CHANNELS>(at + frame, edges.jump(fraction), gains);
                });
            };
            match wave {
                Wave::Sine => {}
                Wave::Saw => {
                    let first = from;
                    while spans.get(from).is_some_and(|next| next.1 == step) {
                        self.next_span(wave, step);
                        from += 1;
                    }
                    jumps(rise, 1 + from - first, -2.0);
                }
                Wave::Pulse(_) => {
                    jumps(fall, 1, -2.0);
                    jumps(rise, 1, 2.0);
                }
                Wave::Triangle => {
                    // It rises by 4 per turn, then falls by 4.
                    let slope = 8.0 * (step as f32 / TURN);
                    for (phase, change) in [(rise.0, slope), (rise.0.wrapping_add(0x8000_0000), -slope)] {
                        for_each_wrap((phase, step), 1, |frame, fraction| {
                            let gains = gains.map(|gain| change * gain);
                            mix.add_edge::<CHANNELS>(at + frame, edges.corner(fraction), gains);
                        });
                    }
                }
            }
        }
    }

    /// Phases and steps of the next span.
    #[inline(always)]
    fn next_span(&mut self, wave: Wave, step: u32) -> Starts {
        let phase = self.advance(step);
        let mut starts = Starts { rise: (phase, step), fall: (self.fall, step) };
        if let Wave::Pulse(width) = wave {
            // Two saws: the distance of their jumps is the width. It changes by other steps of the second,
            // so a jump is never skipped; half as fast as the phase at most, lest one run backwards.
            let width = i64::from((width.clamp(0.02, 0.98) * TURN) as u32);
            let glide = (width - i64::from(phase.wrapping_sub(self.fall))) / SPAN as i64;
            let limit = i64::from(step / 2);
            starts.fall.1 = (i64::from(step) - glide.clamp(-limit, limit)) as u32;
            self.fall = self.fall.wrapping_add(starts.fall.1.wrapping_mul(SPAN as u32));
        }
        starts
    }
}

/// Spans from `span` of a mix on, by wave and step.
struct Spans<'a> {
    spans: &'a [(Wave, u32)],
    mix: &'a mut Mix,
    span: usize,
    gains: [f32; 2],
}

/// [`Oscillator::add_waves`].
struct AddWaves<'a, const CHANNELS: usize>(Oscillator, Spans<'a>);

impl<const CHANNELS: usize> Kernel<f32> for AddWaves<'_, CHANNELS> {
    #[inline(always)]
    fn run<V: Vector<Elem = f32>>(self) {
        self.0.waves::<CHANNELS>(self.1);
    }
}

/// [`Oscillator::add_edges`].
struct AddEdges<'a, const CHANNELS: usize>(&'a mut Oscillator, &'a EdgeTable, Spans<'a>);

impl<const CHANNELS: usize> Kernel<f32> for AddEdges<'_, CHANNELS> {
    #[inline(always)]
    fn run<V: Vector<Elem = f32>>(self) {
        self.0.edges::<CHANNELS>(self.1, self.2);
    }
}

/// Phase and step of the wave, and of where a pulse falls.
struct Starts {
    rise: (u32, u32),
    fall: (u32, u32),
}

/// Calls `edge` for each frame, from 1 to that after the spans, that is the first after the phase wrapped, with the
/// time since then as a fraction of a frame.
#[inline(always)]
fn for_each_wrap((phase, step): (u32, u32), n_spans: usize, mut edge: impl FnMut(usize, f32)) {
    let step = i64::from(step);
    let end = step * (n_spans * SPAN) as i64;
    let mut left = (1i64 << 32) - i64::from(phase);
    while left <= end && step > 0 {
        // Both are whole numbers below 2⁴⁰, and a quotient that is none is more than 2⁻³² from one: exact.
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
