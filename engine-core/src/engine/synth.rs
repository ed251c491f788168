//! One note of the synthesiser.
//!
//! A note is made a run of spans at a time, stage by stage: controls, oscillators, filter, amplitude. Each stage
//! is a loop over a quantum that vectorises, and whose data stays in the cache. Oscillators and amplitude do so along
//! time; a filter, whose every frame needs the one before, does so across notes, which share [`Lanes`].

use core::ops::Range;

use super::channel::Controls;
use super::chunk::Chunk;
use super::patch::{FilterSettings, MAX_UNISON, Movement, Oscillators, Patch, Source};
use crate::dsp::blep::EdgeTable;
use crate::dsp::envelope::Adsr;
use crate::dsp::lfo::Lfo;
use crate::dsp::mix::{LEAD_SPANS, Mix, MixRest};
use crate::dsp::noise::Noise;
use crate::dsp::oscillator::{Oscillator, Wave};
use crate::dsp::phase::{sines, step_from_turns};
use crate::dsp::simd::{Kernel, Real, Vector};
use crate::dsp::svf::{Lanes, Svf, SvfCoefficients};
use crate::math::{cos, exp, exp2, hz_from_pitch, sin, sqrt};
use crate::units::{QUANTUM, SPAN};

/// Vibrato of the modulation wheel at its top, in cents.
const WHEEL_CENTS: f32 = 50.0;
/// What is left of a bend's way after a span: it glides with a time constant of 4 ms at 48 kHz.
const BEND_LEFT: f32 = 0.92;
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

/// What moves a note, and where it stands.
#[derive(Clone, Copy, Debug)]
struct Modulators {
    velocity: f32,
    lfo: Lfo,
    /// Its level is the depth of FM, or how far the filter is open.
    sweep: Sweep,
    /// Frequency of the note, in turns per frame.
    base: f32,
    /// Bend in force, in semitones.
    bend: f32,
    /// Base with bend and vibrato, and those two in cents.
    turns: f32,
    cents: f32,
}

/// What the stages need to know about a span.
#[derive(Clone, Copy, Debug, Default)]
struct SpanControls {
    /// Frequency, in turns per frame.
    turns: f32,
    /// What is added to a pulse's width.
    width: f32,
    /// Depth of FM against that at full velocity.
    depth: f32,
    /// Opening of the filter by envelope and LFO, in octaves.
    octaves: f32,
}

/// What FM and organ need is the first oscillator (modulator, fundamental) and the second (carrier).
#[derive(Clone, Copy, Debug)]
struct State {
    oscillators: [Oscillator; MAX_UNISON],
    /// Detune as factors, and gains of each oscillator in each channel.
    ratios: [f32; MAX_UNISON],
    gains: [[f32; 2]; MAX_UNISON],
    sub: Oscillator,
    noise: Noise,
    rest: MixRest,
}

#[derive(Clone, Copy, Debug)]
enum Sweep {
    /// Falls from 1 by this factor per span.
    Decay { level: f32, left: f32 },
    /// Runs at the rate of spans.
    Envelope(Adsr),
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

impl Modulators {
    fn new(patch: &Patch, pitch: u8, velocity: f32, bend: f32, sample_rate: f32) -> Self {
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
    fn fill(&mut self, controls: &mut [SpanControls], patch: &Patch, channel: &Controls) {
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

impl State {
    fn new(source: &Source, turns: f32, stereo: bool, at: usize, seed: u32) -> Self {
        let sine = |turns| Oscillator::without_lead(Wave::Sine, 0.0, step_from_turns(turns), at);
        let mut state = Self {
            oscillators: [sine(turns); MAX_UNISON],
            ratios: [1.0; MAX_UNISON],
            gains: [[0.0; 2]; MAX_UNISON],
            sub: Oscillator::new(Wave::Sine, 0.0, step_from_turns(turns * 0.5), at),
            noise: Noise::new(seed),
            rest: MixRest::SILENCE,
        };
        match source {
            Source::Fm { ratio, .. } => state.oscillators[0] = sine(turns * ratio),
            Source::Organ(_) => {}
            Source::Subtractive(settings) => state.spread(settings, turns, stereo, at),
        }
        state
    }

    /// Detunes the oscillators and places them from left to right.
    fn spread(&mut self, settings: &Oscillators, turns: f32, stereo: bool, at: usize) {
        let n = settings.unison.clamp(1, MAX_UNISON);
        // Equal power, however many they are.
        let level = 1.0 / sqrt(n as f32);
        for i in 0..n {
            // −1 to 1 across the unison.
            let place = if n > 1 { 2.0 * i as f32 / (n - 1) as f32 - 1.0 } else { 0.0 };
            self.ratios[i] = exp2(place * settings.detune / 2400.0);
            // Spread phases: equal ones would start in a loud comb. The golden ratio never lines up.
            let turns_ahead = i as f32 * 0.618_034;
            let phase = turns_ahead - turns_ahead as u32 as f32;
            let step = step_from_turns(turns * self.ratios[i]);
            self.oscillators[i] = Oscillator::new(settings.wave, phase, step, at);
            // Neighbours lie on opposite sides, so that low and high are not left and right.
            let side = if i % 2 == 0 { place } else { -place };
            let angle = (1.0 + side * settings.width) * core::f32::consts::FRAC_PI_4;
            let scale = level * core::f32::consts::SQRT_2;
            self.gains[i] = if stereo { [scale * cos(angle), scale * sin(angle)] } else { [level; 2] };
        }
    }

    fn render(
        &mut self,
        settings: &Oscillators,
        stereo: bool,
        controls: &[SpanControls],
        context: &mut SynthContext<'_>,
    ) {
        if stereo {
            self.render_channels::<2>(settings, controls, context);
        } else {
            self.render_channels::<1>(settings, controls, context);
        }
    }

    fn render_channels<const CHANNELS: usize>(
        &mut self,
        settings: &Oscillators,
        controls: &[SpanControls],
        context: &mut SynthContext<'_>,
    ) {
        let SynthContext { edges, mix, .. } = context;
        mix.begin::<CHANNELS>(&self.rest, controls.len());
        let n = settings.unison.clamp(1, MAX_UNISON);
        let wave = |control: &SpanControls| match settings.wave {
            Wave::Pulse(width) => Wave::Pulse(width + control.width),
            wave => wave,
        };
        let spans = |ratio: f32| {
            let mut spans = [(Wave::Sine, 0); MAX_SPANS];
            // Most notes hold their pitch.
            let mut last = (f32::NAN, 0);
            for (span, control) in spans.iter_mut().zip(controls) {
                if control.turns != last.0 {
                    last = (control.turns, step_from_turns(control.turns * ratio));
                }
                *span = (wave(control), last.1);
            }
            spans
        };
        let (n_spans, is_single) = (controls.len(), n == 1);
        for ((oscillator, ratio), gains) in
            self.oscillators[..n].iter_mut().zip(&self.ratios).zip(&self.gains)
        {
            let spans = spans(*ratio);
            oscillator.add_waves::<CHANNELS>(&spans[..n_spans], mix, 0, *gains);
            if is_single {
                oscillator.add_edges::<CHANNELS>(&spans[..n_spans], edges, mix, 0, *gains);
            }
        }
        // Of several span by span, so that the sums do not depend on how many are made at once.
        let is_plain = is_single && settings.sub == 0.0 && settings.noise == 0.0;
        for (span, control) in controls.iter().enumerate().filter(|_| !is_plain) {
            let unison = self.oscillators[..n].iter_mut().zip(&self.ratios).zip(&self.gains);
            for ((oscillator, ratio), gains) in unison.filter(|_| !is_single) {
                let spans = [(wave(control), step_from_turns(control.turns * ratio))];
                oscillator.add_edges::<CHANNELS>(&spans, edges, mix, span, *gains);
            }
            if settings.sub > 0.0 {
                let step = step_from_turns(control.turns * 0.5);
                self.sub.render::<CHANNELS>(Wave::Sine, step, edges, mix, span, [settings.sub; 2]);
            }
            if settings.noise > 0.0 {
                mix.add::<CHANNELS>(span, &self.noise.span(), [settings.noise; 2]);
            }
        }
        mix.end::<CHANNELS>(&mut self.rest, controls.len());
    }

    fn fm(&mut self, ratio: f32, index: f32, controls: &[SpanControls], mix: &mut Mix) {
        let spans = mix.channel_mut(0, controls.len()).as_chunks_mut().0;
        for (out, SpanControls { turns, depth, .. }) in spans.iter_mut().zip(controls) {
            let (modulator_step, step) = (step_from_turns(turns * ratio), step_from_turns(*turns));
            let modulator = sines(self.oscillators[0].advance(modulator_step), modulator_step, &[0.0; SPAN]);
            let offsets = modulator.map(|x| x * (depth * index));
            *out = sines(self.oscillators[1].advance(step), step, &offsets);
        }
    }

    fn organ(&mut self, drawbars: &[f32; 4], controls: &[SpanControls], mix: &mut Mix) {
        let spans: &mut [[f32; SPAN]] = mix.channel_mut(0, controls.len()).as_chunks_mut().0;
        for (out, SpanControls { turns, .. }) in spans.iter_mut().zip(controls) {
            let step = step_from_turns(*turns);
            let phase = self.oscillators[0].advance(step);
            *out = [0.0; SPAN];
            for (harmonic, drawbar) in (1u32..).zip(drawbars) {
                // Above Nyquist there is nothing to hear but aliases.
                if turns * harmonic as f32 <= 0.45 {
                    let partial =
                        sines(phase.wrapping_mul(harmonic), step.wrapping_mul(harmonic), &[0.0; SPAN]);
                    for (sum, x) in out.iter_mut().zip(partial) {
                        *sum += x * drawbar;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
