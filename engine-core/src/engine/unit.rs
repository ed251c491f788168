//! One effect of a strip: its settings, as the composition has them, brought to the signal processing.

use alloc::boxed::Box;

use crate::buffer::StereoBlock;
use crate::composition::{BandShape, Compressor, Delay, EqualiserBand, Reverb};
use crate::control::EffectSettings;
use crate::dsp::compressor::{self, CompressorSettings};
use crate::dsp::delay::{self, DelaySettings};
use crate::dsp::equaliser::{Equaliser, Section};
use crate::dsp::reverb::{self, ReverbSettings};
use crate::math;
use crate::units::SampleRate;

/// An effect with its memory. Boxed, so that it changes places without being copied.
pub(super) enum Unit {
    Equaliser(Box<Equaliser>),
    Compressor(Box<compressor::Compressor>),
    Delay(Box<delay::Delay>),
    Reverb(Box<reverb::Reverb>),
}

impl Unit {
    /// Allocates. What is out of the composition's ranges is held at their ends: a program may come from
    /// elsewhere than a composition.
    pub(super) fn new(settings: &EffectSettings, rate: SampleRate) -> Self {
        let sample_rate = rate.hz() as f32;
        match settings {
            EffectSettings::Equaliser(bands) => {
                let sections = bands.iter().map(|band| section(band, rate.as_f64()));
                Self::Equaliser(Box::new(Equaliser::new(sections, sample_rate)))
            }
            EffectSettings::Compressor(c) => {
                Self::Compressor(Box::new(compressor::Compressor::new(&compressor_settings(c), sample_rate)))
            }
            EffectSettings::Delay(d) => {
                Self::Delay(Box::new(delay::Delay::new(&delay_settings(d, sample_rate), sample_rate)))
            }
            EffectSettings::Reverb(r) => {
                Self::Reverb(Box::new(reverb::Reverb::new(&reverb_settings(r), sample_rate)))
            }
        }
    }

    /// Glides to the settings of another of its kind, whose memory it may take; false if it is not of its
    /// kind. Nothing is computed here but copied: this runs on the audio thread.
    pub(super) fn glide_to(&mut self, other: &mut Self) -> bool {
        match (self, other) {
            (Self::Equaliser(own), Self::Equaliser(other)) => own.glide_to(other),
            (Self::Compressor(own), Self::Compressor(other)) => own.glide_to(other),
            (Self::Delay(own), Self::Delay(other)) => own.glide_to(other),
            (Self::Reverb(own), Self::Reverb(other)) => own.glide_to(other),
            _ => return false,
        }
        true
    }

    /// Runs over a block, in place. Runs on the audio thread.
    pub(super) fn process(&mut self, block: &mut StereoBlock) {
        match self {
            Self::Equaliser(unit) => unit.process(block),
            Self::Compressor(unit) => unit.process(block),
            Self::Delay(unit) => unit.process(block),
            Self::Reverb(unit) => unit.process(block),
        }
    }
}

/// The value, held inside the range; its lower end for what is not a number.
fn held(value: f32, low: f32, high: f32) -> f32 {
    if value.is_nan() { low } else { math::within(value, low, high) }
}

fn section(band: &EqualiserBand, sample_rate: f64) -> Section {
    let turns = f64::from(held(band.hz, 20.0, 20_000.0)) / sample_rate;
    let gain_db = f64::from(held(band.gain_db, -24.0, 24.0));
    let q = f64::from(held(band.q, 0.1, 10.0));
    match band.shape {
        BandShape::Bell => Section::bell(turns, gain_db, q),
        BandShape::LowShelf => Section::low_shelf(turns, gain_db, q),
        BandShape::HighShelf => Section::high_shelf(turns, gain_db, q),
        BandShape::HighPass => Section::high_pass(turns, q),
        BandShape::LowPass => Section::low_pass(turns, q),
    }
}

fn compressor_settings(c: &Compressor) -> CompressorSettings {
    CompressorSettings {
        threshold_db: held(c.threshold_db, -60.0, 0.0),
        ratio: held(c.ratio, 1.0, 20.0),
        attack_seconds: held(c.attack_ms, 0.1, 200.0) / 1_000.0,
        release_seconds: held(c.release_ms, 5.0, 2_000.0) / 1_000.0,
        knee_db: held(c.knee_db, 0.0, 24.0),
        makeup_db: held(c.makeup_db, 0.0, 24.0),
    }
}

fn delay_settings(d: &Delay, sample_rate: f32) -> DelaySettings {
    DelaySettings {
        frames: held(d.time_ms, 1.0, 2_000.0) * 0.001 * sample_rate,
        feedback: held(d.feedback, 0.0, 0.95),
        ping_pong: d.ping_pong,
        tone_turns: f64::from(held(d.tone_hz, 200.0, 20_000.0)) / f64::from(sample_rate),
        mix: held(d.mix, 0.0, 1.0),
    }
}

fn reverb_settings(r: &Reverb) -> ReverbSettings {
    ReverbSettings {
        decay_seconds: held(r.decay_seconds, 0.1, 20.0),
        predelay_seconds: held(r.predelay_ms, 0.0, 200.0) / 1_000.0,
        damping: held(r.damping, 0.0, 1.0),
        mix: held(r.mix, 0.0, 1.0),
    }
}
