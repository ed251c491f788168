//! What moves a note: envelope, LFO, bend and vibrato, once a span.

use super::super::channel::Controls;
use super::super::patch::{Movement, Patch, Source};
use crate::dsp::envelope::Adsr;
use crate::dsp::lfo::Lfo;
use crate::math::{exp, exp2, hz_from_pitch};
use crate::units::SPAN;

/// Vibrato of the modulation wheel at its top, in cents.
const WHEEL_CENTS: f32 = 50.0;
/// What is left of a bend's way after a span: it glides with a time constant of 4 ms at 48 kHz.
const BEND_LEFT: f32 = 0.92;

/// What moves a note, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Modulators {
    velocity: f32,
    lfo: Lfo,
    /// Its level is the depth of FM, or how far the filter is open.
    pub(super) sweep: Sweep,
    /// Frequency of the note, in turns per frame.
    pub(super) base: f32,
    /// Bend in force, in semitones.
    bend: f32,
    /// Base with bend and vibrato, and those two in cents.
    pub(super) turns: f32,
    cents: f32,
}

/// What the stages need to know about a span.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SpanControls {
    /// Frequency, in turns per frame.
    pub(super) turns: f32,
    /// What is added to a pulse's width.
    pub(super) width: f32,
    /// Depth of FM against that at full velocity.
    pub(super) depth: f32,
    /// Opening of the filter by envelope and LFO, in octaves.
    pub(super) octaves: f32,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Sweep {
    /// Falls from 1 by this factor per span.
    Decay { level: f32, left: f32 },
    /// Runs at the rate of spans.
    Envelope(Adsr),
}

impl Modulators {
    pub(super) fn new(patch: &Patch, pitch: u8, velocity: f32, bend: f32, sample_rate: f32) -> Self {
        let base = hz_from_pitch(f32::from(pitch)) / sample_rate;
        let span_rate = sample_rate / SPAN as f32;
        let sweep = match (&patch.source, &patch.filter) {
            (Source::Fm { index_decay, .. }, _) => {
                Sweep::Decay { level: 1.0, left: exp(-1.0 / (index_decay * span_rate)) }
            }
            (_, Some(filter)) => Sweep::Envelope(Adsr::new(&filter.env, span_rate)),
            (_, None) => Sweep::Decay { level: 0.0, left: 0.0 },
        };
        let lfo = Lfo::new(&patch.movement.lfo, sample_rate);
        Self { velocity, lfo, sweep, base, bend, turns: base * exp2(bend / 12.0), cents: bend * 100.0 }
    }

    /// The controls of the next spans.
    pub(super) fn fill(&mut self, controls: &mut [SpanControls], patch: &Patch, channel: &Controls) {
        let mut spans = controls.iter_mut();
        while let Some(span) = spans.next() {
            *span = self.advance(patch, channel);
            // Most notes stand still after a while.
            if self.is_still(patch, channel) {
                let still = *span;
                return spans.for_each(|span| *span = still);
            }
        }
    }

    /// Whether the next span's controls are the last one's.
    fn is_still(&self, patch: &Patch, channel: &Controls) -> bool {
        !self.is_moved(patch, channel) && self.bend == channel.bend && self.sweep.is_still()
    }

    /// Whether the LFO is heard.
    fn is_moved(&self, patch: &Patch, channel: &Controls) -> bool {
        patch.movement.is_any() || channel.modulation > 0.0
    }

    /// The controls of the next span.
    fn advance(&mut self, patch: &Patch, channel: &Controls) -> SpanControls {
        let Movement { cents, octaves, width, .. } = patch.movement;
        // Where nothing moves, the LFO need not run.
        let (lfo, depth) = if self.is_moved(patch, channel) { self.lfo.advance() } else { (0.0, 0.0) };
        let sweep = self.sweep.advance() * self.velocity;
        self.tune(channel.bend, lfo * (cents * depth + WHEEL_CENTS * channel.modulation));
        let open = patch.filter.as_ref().map_or(0.0, |filter| filter.env_octaves * sweep);
        SpanControls {
            turns: self.turns,
            width: width * lfo * depth,
            depth: sweep,
            octaves: open + octaves * lfo * depth,
        }
    }

    /// Glides to the bend, and adds `vibrato` cents.
    fn tune(&mut self, bend: f32, vibrato: f32) {
        if self.bend != bend {
            let way = self.bend - bend;
            // The last cent at once.
            self.bend = if way.abs() < 0.01 { bend } else { bend + way * BEND_LEFT };
        }
        let cents = self.bend * 100.0 + vibrato;
        if cents != self.cents {
            (self.turns, self.cents) = (self.base * exp2(cents / 1200.0), cents);
        }
    }
}

impl Sweep {
    fn is_still(&self) -> bool {
        match self {
            Self::Decay { level, .. } => *level == 0.0,
            Self::Envelope(env) => env.is_still(),
        }
    }

    /// The level, 0 to 1, for this span.
    fn advance(&mut self) -> f32 {
        match self {
            Self::Decay { level, left } => {
                let now = *level;
                *level *= *left;
                now
            }
            Self::Envelope(env) => env.advance(),
        }
    }
}
