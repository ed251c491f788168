//! One note of the synthesiser.

use super::patch::{FilterSettings, Patch, Source};
use crate::dsp::envelope::Adsr;
use crate::dsp::oscillator::{Oscillator, Wave, sin_turns};
use crate::dsp::svf::{Svf, SvfCoefficients};
use crate::math::{exp, exp2, hz_from_pitch};

/// Frames between two updates of filter and vibrato, counted from the note's start, so that block
/// boundaries leave no trace.
const CONTROL_FRAMES: u32 = 16;
const VIBRATO_HZ: f32 = 5.5;
const VIBRATO_FADE_SECONDS: f32 = 0.5;

/// A note of a [`Patch`].
#[derive(Clone, Copy, Debug)]
pub(super) struct SynthVoice {
    patch: &'static Patch,
    amp: Adsr,
    /// Linear: the patch's gain at this velocity.
    gain: f32,
    velocity: f32,
    sample_rate: f32,
    hz: f32,
    /// Frames since the note's start.
    age: u32,
    oscillators: [Oscillator; 2],
    sub: Oscillator,
    /// Phase steps of the two oscillators, with detune and vibrato.
    steps: [f32; 2],
    /// Falls from 1 to 0: opens the filter, or deepens the modulation.
    sweep: f32,
    sweep_rate: f32,
    filters: [Svf; 2],
    coefficients: SvfCoefficients,
}

impl SynthVoice {
    pub(super) fn new(patch: &'static Patch, pitch: u8, velocity: u8, sample_rate: f32) -> Self {
        let velocity = f32::from(velocity) / 127.0;
        let hz = hz_from_pitch(f32::from(pitch));
        let sweep_seconds = match patch.source {
            Source::Fm { index_decay, .. } => index_decay,
            _ => patch.filter.map_or(1.0, |f| f.env_decay),
        };
        Self {
            patch,
            amp: Adsr::new(&patch.amp, sample_rate),
            // A square law: velocity 64 is about 12 dB below 127.
            gain: patch.gain * velocity * velocity,
            velocity,
            sample_rate,
            hz,
            age: 0,
            // A quarter turn apart: two equal phases would start in a loud comb.
            oscillators: [Oscillator::new(0.0), Oscillator::new(0.25)],
            sub: Oscillator::new(0.0),
            steps: [0.0; 2],
            sweep: 1.0,
            sweep_rate: exp(-(CONTROL_FRAMES as f32) / (sweep_seconds * sample_rate)),
            filters: [Svf::default(); 2],
            coefficients: SvfCoefficients::default(),
        }
    }

    pub(super) fn release(&mut self) {
        self.amp.release();
    }

    pub(super) fn is_held(&self) -> bool {
        !self.amp.is_released()
    }

    pub(super) fn is_done(&self) -> bool {
        self.amp.is_done()
    }

    pub(super) fn level(&self) -> f32 {
        self.amp.level() * self.gain
    }

    /// Adds the next frames to `left` and `right`.
    pub(super) fn render(&mut self, left: &mut [f32], right: &mut [f32]) {
        let mut done = 0;
        while done < left.len() && !self.is_done() {
            let into_control = self.age % CONTROL_FRAMES;
            if into_control == 0 {
                self.control();
            }
            let n = (left.len() - done).min((CONTROL_FRAMES - into_control) as usize);
            self.span(&mut left[done..done + n], &mut right[done..done + n]);
            self.age += n as u32;
            done += n;
        }
    }

    fn control(&mut self) {
        let seconds = self.age as f32 / self.sample_rate;
        let depth = self.patch.vibrato * (seconds / VIBRATO_FADE_SECONDS).min(1.0);
        let turns = seconds * VIBRATO_HZ;
        let vibrato = if depth > 0.0 { depth * sin_turns(turns) } else { 0.0 };
        let detune = if let Source::Pair { detune, .. } = self.patch.source { detune / 2.0 } else { 0.0 };
        let step = |cents: f32| (self.hz * exp2(cents / 1200.0) / self.sample_rate).min(0.45);
        self.steps = [step(vibrato - detune), step(vibrato + detune)];
        if let Some(FilterSettings { octaves, env_octaves, q, .. }) = self.patch.filter {
            let open = octaves + env_octaves * self.sweep * self.velocity;
            self.coefficients = SvfCoefficients::new(self.hz * exp2(open) / self.sample_rate, q);
        }
        if self.age > 0 {
            self.sweep *= self.sweep_rate;
        }
    }

    fn span(&mut self, left: &mut [f32], right: &mut [f32]) {
        match self.patch.source {
            Source::Pair { wave, sub, .. } => {
                for (l, r) in left.iter_mut().zip(right) {
                    let a = self.oscillators[0].sample(wave, self.steps[0]);
                    let b = self.oscillators[1].sample(wave, self.steps[1]);
                    let low =
                        if sub > 0.0 { sub * self.sub.sample(Wave::Sine, self.steps[0] * 0.5) } else { 0.0 };
                    // Each oscillator leans to one side: width without a hole in the middle.
                    let (mut x, mut y) = (0.7 * a + 0.3 * b + low, 0.3 * a + 0.7 * b + low);
                    if self.patch.filter.is_some() {
                        x = self.filters[0].process(x, &self.coefficients).low;
                        y = self.filters[1].process(y, &self.coefficients).low;
                    }
                    let level = self.amp.advance() * self.gain;
                    *l += x * level;
                    *r += y * level;
                }
            }
            Source::Fm { ratio, index, .. } => {
                let depth = index * self.sweep * self.velocity;
                let modulator_step = (self.steps[0] * ratio).min(0.45);
                for (l, r) in left.iter_mut().zip(right) {
                    let modulator = self.oscillators[0].sample(Wave::Sine, modulator_step);
                    let phase = self.oscillators[1].advance(self.steps[1]);
                    let x = sin_turns(phase + depth * modulator) * self.amp.advance() * self.gain;
                    *l += x;
                    *r += x;
                }
            }
            Source::Organ(drawbars) => {
                for (l, r) in left.iter_mut().zip(right) {
                    let phase = self.oscillators[0].advance(self.steps[0]);
                    let mut x = 0.0;
                    for (harmonic, drawbar) in (1u8..).zip(drawbars) {
                        // Above Nyquist there is nothing to hear but aliases.
                        if self.steps[0] * f32::from(harmonic) < 0.45 {
                            x += drawbar * sin_turns(phase * f32::from(harmonic));
                        }
                    }
                    let x = x * self.amp.advance() * self.gain;
                    *l += x;
                    *r += x;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::patch::patch_for_program;
    use super::*;

    /// Renders `n` frames in spans of the given lengths.
    fn render(program: u8, spans: &[usize]) -> alloc::vec::Vec<f32> {
        let mut voice = SynthVoice::new(patch_for_program(program), 69, 100, 48_000.0);
        let mut out = alloc::vec::Vec::new();
        for &n in spans {
            let (mut left, mut right) = (alloc::vec![0.0; n], alloc::vec![0.0; n]);
            voice.render(&mut left, &mut right);
            out.extend(left);
        }
        out
    }

    #[test]
    fn spans_leave_no_trace() {
        for program in 0..128 {
            assert_eq!(
                render(program, &[1000]),
                render(program, &[1, 15, 16, 17, 128, 441, 382]),
                "{program}"
            );
        }
    }

    #[test]
    fn every_program_sounds_at_its_pitch_and_ends() {
        for program in 0..128 {
            let sound = render(program, &[24_000]);
            let energy = |hz: f32| {
                let (mut re, mut im) = (0.0, 0.0);
                for (i, x) in sound.iter().enumerate() {
                    let angle = core::f32::consts::TAU * (hz * i as f32 / 48_000.0 % 1.0);
                    re += x * crate::math::cos(angle);
                    im += x * crate::math::sin(angle);
                }
                re * re + im * im
            };
            let at_pitch = energy(440.0);
            // A tritone away there is no partial of any patch.
            assert!(at_pitch > 50.0 * energy(622.25) && at_pitch > 100.0, "programme {program}");
            let peak = sound.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
            assert!(peak < 1.0, "programme {program} peaks at {peak}");

            let mut voice = SynthVoice::new(patch_for_program(program), 69, 100, 48_000.0);
            let mut block = [[0.0; 128]; 2];
            let [left, right] = &mut block;
            voice.render(left, right);
            voice.release();
            for _ in 0..3000 {
                voice.render(left, right);
            }
            assert!(voice.is_done(), "programme {program} never ends");
        }
    }

    /// Loudness of a second of one note, the mean over four notes around middle C.
    fn loudness(program: u8) -> f32 {
        let mut measured = [0.0f32; 4];
        for (level, pitch) in measured.iter_mut().zip([48, 60, 67, 76]) {
            let rate = crate::units::SampleRate::DEFAULT;
            let mut meter = crate::analysis::loudness::Loudness::new(rate);
            let mut voice = SynthVoice::new(patch_for_program(program), pitch, 100, 48_000.0);
            let (mut left, mut right) = (alloc::vec![0.0; 48_000], alloc::vec![0.0; 48_000]);
            voice.render(&mut left, &mut right);
            meter.process(&left, &right);
            *level = meter.max_momentary();
        }
        measured.iter().sum::<f32>() / 4.0
    }

    #[test]
    fn all_programs_are_about_equally_loud() {
        for program in 0..128 {
            let level = loudness(program);
            let target = if (32..40).contains(&program) { -19.0 } else { -22.0 };
            assert!((level - target).abs() < 1.5, "programme {program}: {level} LUFS");
        }
    }
}
