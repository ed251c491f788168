//! One note of the synthesiser.
//!
//! A note is made a run of spans at a time, stage by stage: controls, oscillators, filter, amplitude. Each stage
//! is a loop over a quantum that vectorises, and whose data stays in the cache. Oscillators and amplitude do so along
//! time; a filter, whose every frame needs the one before, does so across notes, which share [`Lanes`].

mod modulators;
mod source;

use core::ops::Range;

use self::modulators::{Modulators, SpanControls, Sweep};
use self::source::State;

use super::channel::Controls;
use super::chunk::Chunk;
use super::patch::{FilterSettings, Patch, Source};
use crate::dsp::blep::EdgeTable;
use crate::dsp::envelope::Adsr;
use crate::dsp::mix::{LEAD_SPANS, Mix};
use crate::dsp::simd::{Kernel, Real, Vector};
use crate::dsp::svf::{Lanes, Svf, SvfCoefficients};
use crate::math::exp2;
use crate::units::{QUANTUM, SPAN};

/// Spans of a quantum.
const MAX_SPANS: usize = QUANTUM / SPAN;

/// A note of a [`Patch`].
#[derive(Clone, Copy, Debug)]
pub(super) struct SynthVoice {
    patch: &'static Patch,
    amp: Adsr,
    /// Linear: the patch's gain at this velocity.
    gain: f32,
    modulators: Modulators,
    source: State,
    filter: Option<Filter>,
    stereo: bool,
    /// A span that was cut.
    chunk: Chunk,
}

#[derive(Clone, Copy, Debug)]
struct Filter {
    settings: FilterSettings,
    channels: [Svf; 2],
    coefficients: SvfCoefficients,
    /// Opening for which they were made, in octaves.
    octaves: f32,
}

/// What all voices share.
pub(super) struct SynthContext<'a> {
    pub(super) edges: &'a EdgeTable,
    pub(super) mix: &'a mut Mix,
    /// Where notes go on from there.
    pub(super) lanes: &'a mut Lanes,
    pub(super) controls: Controls,
}

impl SynthVoice {
    /// A note that starts at frame `at` of a span; `seed` makes its noise differ from the last one's.
    pub(super) fn new(
        patch: &'static Patch,
        pitch: u8,
        velocity: u8,
        (at, seed): (usize, u32),
        context: &mut SynthContext<'_>,
        sample_rate: f32,
    ) -> Self {
        let velocity = f32::from(velocity) / 127.0;
        let modulators = Modulators::new(patch, pitch, velocity, context.controls.bend, sample_rate);
        let stereo =
            matches!(&patch.source, Source::Subtractive(source) if source.unison > 1 && source.width > 0.0);
        let mut voice = Self {
            patch,
            amp: Adsr::new(&patch.amp, sample_rate),
            // A square law: velocity 64 is about 12 dB below 127.
            gain: patch.gain * velocity * velocity,
            source: State::new(&patch.source, modulators.turns, stereo, at, seed),
            modulators,
            filter: patch.filter.map(|settings| Filter {
                settings,
                channels: [Svf::default(); 2],
                coefficients: SvfCoefficients::default(),
                octaves: f32::INFINITY,
            }),
            stereo,
            chunk: Chunk::EMPTY,
        };
        if let Source::Subtractive(settings) = &patch.source {
            // The mix is behind its oscillators: this is not heard.
            let controls = SpanControls { turns: voice.modulators.turns, ..SpanControls::default() };
            voice.source.render(settings, stereo, &[controls; LEAD_SPANS], context);
        }
        voice.fill_chunk(at, context);
        voice
    }

    pub(super) fn release(&mut self) {
        if self.amp.is_released() {
            return;
        }
        let at = self.chunk.at;
        if at < SPAN {
            // The amplitude was made up to the chunk's end: from here on it is made again.
            self.amp.release_from(if at > 0 { self.chunk.amp[at - 1] / self.gain } else { 0.0 });
            self.amp.fill(&mut self.chunk.amp, at, self.gain);
        } else {
            self.amp.release();
        }
        if let Sweep::Envelope(env) = &mut self.modulators.sweep {
            env.release();
        }
    }

    pub(super) fn is_held(&self) -> bool {
        !self.amp.is_released()
    }

    pub(super) fn is_done(&self) -> bool {
        self.amp.is_done() && self.chunk.at == SPAN
    }

    pub(super) fn level(&self) -> f32 {
        self.amp.level() * self.gain
    }

    /// Lanes that it takes.
    pub(super) fn n_lanes(&self) -> usize {
        if self.stereo { 2 } else { 1 }
    }

    /// Whether its next frame is the first of a span, so that it can be [begun](Self::begin).
    pub(super) fn is_on_grid(&self) -> bool {
        self.chunk.at == SPAN && !self.is_done()
    }

    /// Adds the next frames, a quantum at most, to `left` and `right`.
    pub(super) fn render(&mut self, context: &mut SynthContext<'_>, left: &mut [f32], right: &mut [f32]) {
        let n_cut = self.chunk.give(self.stereo, left, right);
        let (left, right) = (&mut left[n_cut..], &mut right[n_cut..]);
        let n = left.len() / SPAN * SPAN;
        if n > 0 && !self.is_done() {
            self.begin(n / SPAN, 0, context);
            context.lanes.process(n / SPAN);
            self.end(0, context.lanes, &mut left[..n], &mut right[..n]);
        }
        let (left, right) = (&mut left[n..], &mut right[n..]);
        if !left.is_empty() && !self.is_done() {
            self.fill_chunk(0, context);
            self.chunk.give(self.stereo, left, right);
        }
    }

    /// Makes the next whole spans up to the filter, in lanes from `lane` on.
    pub(super) fn begin(&mut self, n_spans: usize, lane: usize, context: &mut SynthContext<'_>) {
        self.make(0, n_spans, lane, context);
    }

    /// Adds the spans that were begun, and filtered since, to `left` and `right`, which are as long.
    pub(super) fn end(&mut self, lane: usize, lanes: &Lanes, left: &mut [f32], right: &mut [f32]) {
        self.take_state(lane, lanes);
        let signals = [&lanes.signals[lane], &lanes.signals[lane + self.n_lanes() - 1]];
        f32::run(Adding { amp: &mut self.amp, gain: self.gain, stereo: self.stereo, signals, left, right });
    }

    /// Makes a span that will be cut; frames from `at` on will be heard.
    fn fill_chunk(&mut self, at: usize, context: &mut SynthContext<'_>) {
        self.make(at, 1, 0, context);
        context.lanes.process(1);
        self.take_state(0, context.lanes);
        for (channel, signal) in self.chunk.channels.iter_mut().zip(&context.lanes.signals) {
            channel.copy_from_slice(&signal[..SPAN]);
        }
        self.amp.fill(&mut self.chunk.amp, at, self.gain);
        self.chunk.at = at;
    }

    /// Makes spans in lanes, up to the filter. The note starts at frame `at`.
    fn make(&mut self, at: usize, n_spans: usize, lane: usize, context: &mut SynthContext<'_>) {
        let mut controls = [SpanControls::default(); MAX_SPANS];
        let controls = &mut controls[..n_spans];
        self.modulators.fill(controls, self.patch, &context.controls);
        match &self.patch.source {
            Source::Subtractive(settings) => self.source.render(settings, self.stereo, controls, context),
            Source::Fm { ratio, index, .. } => self.source.fm(*ratio, *index, controls, context.mix),
            Source::Organ(drawbars) => self.source.organ(drawbars, controls, context.mix),
        }
        let (first, second) = context.mix.channels(n_spans);
        for (signal, channel) in
            context.lanes.signals[lane..][..self.n_lanes()].iter_mut().zip([first, second])
        {
            signal[..channel.len()].copy_from_slice(channel);
            // The filter starts with the note.
            signal[..at].fill(0.0);
        }
        for channel in 0..self.n_lanes() {
            match &mut self.filter {
                Some(filter) => context.lanes.load(lane + channel, &filter.channels[channel]),
                None => context.lanes.set_through(lane + channel),
            }
        }
        if let Some(filter) = &mut self.filter {
            filter.set(
                lane..lane + if self.stereo { 2 } else { 1 },
                self.modulators.base,
                controls,
                context.lanes,
            );
        }
    }

    fn take_state(&mut self, lane: usize, lanes: &Lanes) {
        let n = self.n_lanes();
        if let Some(filter) = &mut self.filter {
            (0..n).for_each(|channel| filter.channels[channel] = lanes.stored(lane + channel));
        }
    }
}

/// [`SynthVoice::end`]: signals times their amplitude.
struct Adding<'a> {
    amp: &'a mut Adsr,
    gain: f32,
    stereo: bool,
    signals: [&'a [f32; QUANTUM]; 2],
    left: &'a mut [f32],
    right: &'a mut [f32],
}

impl Kernel<f32> for Adding<'_> {
    #[inline(always)]
    fn run<V: Vector<Elem = f32>>(self) {
        let mut amp = [0.0; SPAN];
        let (left, right) = (self.left.as_chunks_mut().0, self.right.as_chunks_mut().0);
        let [first, second] = self.signals.map(|signal| signal.as_chunks().0);
        for (((left, right), first), second) in left.iter_mut().zip(right).zip(first).zip(second) {
            self.amp.fill(&mut amp, 0, self.gain);
            Chunk::add(self.stereo, [first, second], &amp, left, right);
        }
    }
}

impl Filter {
    /// Sets the steps of lanes for each span.
    fn set(&mut self, at: Range<usize>, base: f32, controls: &[SpanControls], lanes: &mut Lanes) {
        for (span, control) in controls.iter().enumerate() {
            let octaves = self.settings.octaves + control.octaves;
            // A hundredth of a semitone is not heard.
            let moves = (octaves - self.octaves).abs() > 1.0 / 1200.0;
            if moves {
                self.coefficients = SvfCoefficients::new(base * exp2(octaves), self.settings.q);
                self.octaves = octaves;
            }
            if moves || span == 0 {
                let (coefficients, mode) = (&self.coefficients, self.settings.mode);
                at.clone().for_each(|lane| lanes.set(lane, span, coefficients, mode));
            }
        }
    }
}

#[cfg(test)]
mod tests;
