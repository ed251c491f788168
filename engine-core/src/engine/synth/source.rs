//! What a note sounds of before its filter: oscillators, FM or an organ's drawbars.

use super::super::patch::{MAX_UNISON, Oscillators, Source};
use super::modulators::SpanControls;
use super::{MAX_SPANS, SynthContext};
use crate::dsp::mix::{Mix, MixRest};
use crate::dsp::noise::Noise;
use crate::dsp::oscillator::{Oscillator, Wave};
use crate::dsp::phase::{sines, step_from_turns};
use crate::math::{cos, exp2, sin, sqrt};
use crate::units::SPAN;

/// What FM and organ need is the first oscillator (modulator, fundamental) and the second (carrier).
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    oscillators: [Oscillator; MAX_UNISON],
    /// Detune as factors, and gains of each oscillator in each channel.
    ratios: [f32; MAX_UNISON],
    gains: [[f32; 2]; MAX_UNISON],
    sub: Oscillator,
    noise: Noise,
    rest: MixRest,
}

impl State {
    pub(super) fn new(source: &Source, turns: f32, stereo: bool, at: usize, seed: u32) -> Self {
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

    pub(super) fn render(
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

    pub(super) fn fm(&mut self, ratio: f32, index: f32, controls: &[SpanControls], mix: &mut Mix) {
        let spans = mix.channel_mut(0, controls.len()).as_chunks_mut().0;
        for (out, SpanControls { turns, depth, .. }) in spans.iter_mut().zip(controls) {
            let (modulator_step, step) = (step_from_turns(turns * ratio), step_from_turns(*turns));
            let modulator = sines(self.oscillators[0].advance(modulator_step), modulator_step, &[0.0; SPAN]);
            let offsets = modulator.map(|x| x * (depth * index));
            *out = sines(self.oscillators[1].advance(step), step, &offsets);
        }
    }

    pub(super) fn organ(&mut self, drawbars: &[f32; 4], controls: &[SpanControls], mix: &mut Mix) {
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
