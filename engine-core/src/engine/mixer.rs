//! The mixer: a strip for each track, the input and the master.
//!
//! Pan law: constant power, 0 dB at the centre, +3.01 dB at the sides: left √2·cos θ, right √2·sin θ, with θ
//! from 0 to π/2.

use alloc::boxed::Box;
use alloc::vec;

use crate::buffer::StereoBlock;
use crate::control::{Program, StripChange, StripTarget};
use crate::dsp::limiter::Limiter;
use crate::dsp::smooth::Smoothed;
use crate::math::{cos, gain_from_db, sin};
use crate::units::{FLOOR_DB, MAX_TRACKS};

/// One channel strip: fader, pan, mute and solo.
#[derive(Clone, Debug)]
struct Strip {
    gain: f32,
    pan: f32,
    mute: bool,
    solo: bool,
    left: Smoothed,
    right: Smoothed,
}

impl Strip {
    fn new(sample_rate: f32) -> Self {
        let unity = Smoothed::new(1.0, sample_rate);
        Self { gain: 1.0, pan: 0.0, mute: false, solo: false, left: unity, right: unity }
    }

    fn change(&mut self, change: StripChange) {
        match change {
            StripChange::GainDb(db) if db.is_finite() => self.gain = gain_from_db(db.min(12.0)),
            StripChange::Pan(pan) if pan.is_finite() => self.pan = pan.clamp(-1.0, 1.0),
            StripChange::Mute(mute) => self.mute = mute,
            StripChange::Solo(solo) => self.solo = solo,
            StripChange::GainDb(_) | StripChange::Pan(_) | StripChange::SoloSafe(_) => {}
        }
    }

    /// Aims the gains at what fader, pan, mute and the others' solo make of them.
    fn aim(&mut self, any_solo: bool) {
        let heard = !self.mute && (self.solo || !any_solo);
        let gain = if heard { self.gain * core::f32::consts::SQRT_2 } else { 0.0 };
        let angle = (self.pan + 1.0) * core::f32::consts::FRAC_PI_4;
        // At the centre cos and sin differ in the last bit; both channels must not.
        let (left, right) = if self.pan == 0.0 {
            (core::f32::consts::FRAC_1_SQRT_2, core::f32::consts::FRAC_1_SQRT_2)
        } else {
            (cos(angle), sin(angle))
        };
        self.left.set(gain * left);
        self.right.set(gain * right);
    }

    fn settle(&mut self) {
        self.left.settle();
        self.right.settle();
    }

    fn apply(&mut self, block: &mut StereoBlock) {
        for (left, right) in block.left.iter_mut().zip(&mut block.right) {
            *left *= self.left.advance();
            *right *= self.right.advance();
        }
    }
}

/// All strips.
pub(super) struct Mixer {
    tracks: Box<[Strip]>,
    n_tracks: usize,
    input: Strip,
    master: Strip,
    limiter: Limiter,
}

impl Mixer {
    pub(super) fn new(sample_rate: f32) -> Self {
        let mut input = Strip::new(sample_rate);
        // Unheard until a host asks for it: a microphone next to a loudspeaker howls.
        input.change(StripChange::GainDb(FLOOR_DB));
        input.aim(false);
        input.settle();
        Self {
            tracks: vec![Strip::new(sample_rate); MAX_TRACKS].into_boxed_slice(),
            n_tracks: 0,
            input,
            master: Strip::new(sample_rate),
            limiter: Limiter::new(sample_rate),
        }
    }

    /// Sets the tracks' strips as the program has them, at once: nothing sounds that could click.
    pub(super) fn load(&mut self, program: &Program) {
        self.n_tracks = program.strips.len().min(MAX_TRACKS);
        for (strip, settings) in self.tracks.iter_mut().zip(&program.strips) {
            strip.change(StripChange::GainDb(settings.gain_db));
            strip.change(StripChange::Pan(settings.pan));
            strip.change(StripChange::Mute(settings.mute));
            strip.change(StripChange::Solo(settings.solo));
        }
        self.aim();
        self.tracks.iter_mut().for_each(Strip::settle);
    }

    pub(super) fn set(&mut self, target: StripTarget, change: StripChange) {
        let strip = match target {
            StripTarget::Track(idx) => self.tracks[..self.n_tracks].get_mut(usize::from(idx)),
            StripTarget::Bus(_) => None,
            StripTarget::Master => Some(&mut self.master),
            StripTarget::Input => Some(&mut self.input),
        };
        if let Some(strip) = strip {
            strip.change(change);
        }
        self.aim();
    }

    fn aim(&mut self) {
        let tracks = &mut self.tracks[..self.n_tracks];
        let any_solo = tracks.iter().any(|strip| strip.solo);
        tracks.iter_mut().for_each(|strip| strip.aim(any_solo));
        self.input.aim(false);
        self.master.aim(false);
    }

    /// Puts `tracks` through their strips in place, and their sum with `input` and `click` into `master`.
    pub(super) fn process(
        &mut self,
        tracks: &mut [StereoBlock],
        input: &StereoBlock,
        click: &[f32],
        master: &mut StereoBlock,
    ) {
        let mut monitored = input.clone();
        self.input.apply(&mut monitored);
        *master = monitored;
        for (strip, block) in self.tracks[..self.n_tracks].iter_mut().zip(tracks) {
            strip.apply(block);
            add(&mut master.left, &block.left);
            add(&mut master.right, &block.right);
        }
        add(&mut master.left, click);
        add(&mut master.right, click);
        self.master.apply(master);
        self.limiter.process(master);
    }
}

fn add(sum: &mut [f32], other: &[f32]) {
    for (sum, x) in sum.iter_mut().zip(other) {
        *sum += x;
    }
}
