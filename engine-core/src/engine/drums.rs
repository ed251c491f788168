//! The drum kit: a swept sine and filtered noise, each with its own decay.

use super::chunk::Chunk;
use crate::dsp::noise::Noise;
use crate::dsp::phase::sin_turns;
use crate::dsp::svf::{Svf, SvfCoefficients};
use crate::math::exp;
use crate::units::SPAN;

/// How a drum sounds. Times are time constants in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Drum {
    /// Frequency at the end of the sweep, Hz; 0 for no tone.
    hz: f32,
    /// Frequency at the strike, in multiples of `hz`.
    sweep: f32,
    tone_decay: f32,
    tone: f32,
    noise: f32,
    noise_decay: f32,
    /// Cutoff of the high-pass that the noise goes through, Hz.
    noise_hz: f32,
    /// Left to right, −1…1.
    pan: f32,
    /// A hit of the same non-zero group silences this one.
    choke: u8,
}

const fn skin(hz: f32, tone_decay: f32, pan: f32) -> Drum {
    Drum {
        hz,
        sweep: 2.2,
        tone_decay,
        tone: 0.75,
        noise: 0.08,
        noise_decay: 0.03,
        noise_hz: 1200.0,
        pan,
        choke: 0,
    }
}

const fn metal(noise_decay: f32, noise_hz: f32, noise: f32, pan: f32, choke: u8) -> Drum {
    Drum { hz: 0.0, sweep: 1.0, tone_decay: 0.01, tone: 0.0, noise, noise_decay, noise_hz, pan, choke }
}

const KICK: Drum = Drum { sweep: 4.5, tone: 0.95, ..skin(50.0, 0.16, 0.0) };
const SNARE: Drum = Drum { tone: 0.4, noise: 0.45, noise_decay: 0.09, ..skin(185.0, 0.07, 0.05) };
const CLAP: Drum = metal(0.08, 1100.0, 0.5, -0.1, 0);
const STICK: Drum = Drum { sweep: 1.2, tone: 0.5, noise: 0.2, ..skin(1700.0, 0.012, 0.1) };
const CLOSED_HAT: Drum = metal(0.028, 7500.0, 0.34, 0.25, 1);
const OPEN_HAT: Drum = metal(0.22, 7000.0, 0.3, 0.25, 1);
const CRASH: Drum = metal(0.75, 4200.0, 0.34, -0.3, 0);
const RIDE: Drum =
    Drum { tone: 0.12, hz: 4300.0, sweep: 1.0, tone_decay: 0.25, ..metal(0.4, 6200.0, 0.16, 0.35, 0) };
const SHAKER: Drum = metal(0.035, 5200.0, 0.22, 0.4, 0);
const BELL: Drum =
    Drum { tone: 0.3, hz: 2300.0, sweep: 1.0, tone_decay: 0.12, ..metal(0.02, 6000.0, 0.08, 0.2, 0) };

/// The General MIDI percussion map, folded to what the kit has.
fn drum_for_pitch(pitch: u8) -> Drum {
    match pitch {
        0..=36 => KICK,
        37 | 75..=77 => STICK,
        38 | 40 => SNARE,
        39 => CLAP,
        41 => skin(82.0, 0.2, 0.35),
        43 => skin(98.0, 0.19, 0.25),
        45 => skin(120.0, 0.17, 0.1),
        47 => skin(146.0, 0.16, -0.05),
        48 => skin(174.0, 0.15, -0.2),
        50 => skin(205.0, 0.14, -0.3),
        42 | 44 => CLOSED_HAT,
        46 => OPEN_HAT,
        49 | 52 | 55 | 57 => CRASH,
        51 | 59 => RIDE,
        54 | 69 | 70 | 82 => SHAKER,
        53 | 56 | 67 | 68 | 80 | 81 => BELL,
        60 | 61 => skin(330.0, 0.06, 0.3),
        62..=64 => skin(245.0, 0.09, -0.3),
        _ => skin(290.0, 0.08, 0.15),
    }
}

const SILENT: f32 = 1e-4;

/// One hit. It rings out whether it is held or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct DrumVoice {
    drum: Drum,
    gain: f32,
    phase: f32,
    /// Phase steps per frame: where it is, and where it goes.
    step: f32,
    final_step: f32,
    sweep_rate: f32,
    tone_level: f32,
    tone_rate: f32,
    noise_level: f32,
    noise_rate: f32,
    noise: Noise,
    high_pass: Svf,
    coefficients: SvfCoefficients,
    held: bool,
    chunk: Chunk,
}

impl DrumVoice {
    /// A hit at frame `at` of a span; `seed` makes its noise differ from the next one's.
    pub(super) fn new(pitch: u8, velocity: u8, (at, seed): (usize, u32), sample_rate: f32) -> Self {
        let drum = drum_for_pitch(pitch);
        let velocity = f32::from(velocity) / 127.0;
        let fall = |seconds: f32| exp(-1.0 / (seconds * sample_rate));
        let final_step = drum.hz / sample_rate;
        let mut voice = Self {
            drum,
            gain: 0.5 * velocity * velocity,
            phase: 0.0,
            step: (final_step * drum.sweep).min(0.45),
            final_step: final_step.min(0.45),
            sweep_rate: fall(0.022),
            tone_level: drum.tone,
            tone_rate: fall(drum.tone_decay),
            noise_level: drum.noise,
            noise_rate: fall(drum.noise_decay),
            noise: Noise::new(seed.wrapping_mul(0x9e37_79b9).rotate_left(7) ^ u32::from(pitch)),
            high_pass: Svf::default(),
            coefficients: SvfCoefficients::new(drum.noise_hz / sample_rate, 0.8),
            held: true,
            chunk: Chunk::EMPTY,
        };
        voice.chunk.amp = [voice.gain; SPAN];
        voice.make(at);
        voice
    }

    pub(super) fn release(&mut self) {
        self.held = false;
    }

    pub(super) fn choke_group(&self) -> u8 {
        self.drum.choke
    }

    pub(super) fn is_held(&self) -> bool {
        self.held
    }

    pub(super) fn is_done(&self) -> bool {
        self.chunk.at == SPAN && self.tone_level < SILENT && self.noise_level < SILENT
    }

    pub(super) fn level(&self) -> f32 {
        (self.tone_level + self.noise_level) * self.gain
    }

    /// Adds the next frames to `left` and `right`.
    pub(super) fn render(&mut self, left: &mut [f32], right: &mut [f32]) {
        let mut done = 0;
        while done < left.len() && !self.is_done() {
            if self.chunk.at == SPAN {
                self.make(0);
            }
            done += self.chunk.give(true, &mut left[done..], &mut right[done..]);
        }
    }

    /// Makes the chunk, which starts at frame `at`.
    fn make(&mut self, at: usize) {
        self.chunk.at = at;
        let [left, right] = &mut self.chunk.channels;
        *left = [0.0; SPAN];
        if self.noise_level >= SILENT {
            for x in &mut left[at..] {
                *x = self.high_pass.process(self.noise.sample(), &self.coefficients).high * self.noise_level;
                self.noise_level *= self.noise_rate;
            }
        }
        if self.tone_level >= SILENT {
            let (mut phases, mut levels) = ([0.0; SPAN], [0.0; SPAN]);
            for (phase, level) in phases[at..].iter_mut().zip(&mut levels[at..]) {
                (*phase, *level) = (self.phase, self.tone_level);
                self.phase += self.step;
                if self.phase >= 1.0 {
                    self.phase -= 1.0;
                }
                self.step = self.final_step + (self.step - self.final_step) * self.sweep_rate;
                self.tone_level *= self.tone_rate;
            }
            for ((x, phase), level) in left.iter_mut().zip(phases).zip(levels) {
                *x += sin_turns(phase) * level;
            }
        }
        let pan = self.drum.pan;
        *right = left.map(|x| x * (1.0 + pan).min(1.0));
        left.iter_mut().for_each(|x| *x *= (1.0 - pan).min(1.0));
    }
}
