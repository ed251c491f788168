//! What a stream measures for itself alone, and the frame that it fills.
//!
//! Functions that are never inlined are where the parts of the browser's modules begin: a page loads what it needs.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{MAX_TAPS, StreamError};
use crate::analysis::ballistics::{Ballistics, Needles};
use crate::analysis::loudness::Loudness;
use crate::analysis::music::{Music, MusicSnapshot};
use crate::analysis::trigger::Trigger;
use crate::analysis::waveform::WaveformMode;
use crate::analysis::{spectrum, stereo, waveform};
use crate::boxed;
use crate::buffer::StereoBlock;
use crate::control::TapId;
use crate::protocol::frame::{
    Analytics, Audio, Axis, MAX_AUDIO_FRAMES, MeterNeedles, Meters, Payload, Spectrum, Stereo, Transport,
    TriggerEvent, Waveform,
};
use crate::protocol::subscription::{Subscription, Topic};
use crate::units::{FLOOR_DB, QUANTUM, SampleRate};

/// A measurement of one stream.
pub(super) enum Unit {
    /// The feed measures for all.
    Shared,
    Spectrum(Box<spectrum::Spectrum>),
    Waveform(Box<waveform::Waveform>),
    /// One for each tap, by [`slot`](super::taps::slot). They move with the meters of all taps.
    Needles(Box<[Needles]>),
    Stereo(Box<stereo::Stereo>),
    Music(Box<Listener>),
    Trigger(Box<Trigger>),
    /// Collected in the payload.
    Audio,
}

/// Music that began when it was subscribed, and whose positions are engine frames nevertheless.
pub(super) struct Listener {
    music: Music,
    /// That it has heard.
    n_frames: u64,
    /// Position of the first of them, were none missing since.
    origin: u64,
}

impl Listener {
    #[inline(never)]
    fn new(rate: SampleRate) -> Box<Self> {
        Box::new(Self { music: Music::new(rate), n_frames: 0, origin: 0 })
    }

    #[inline(never)]
    fn process(&mut self, block: &StereoBlock, sample_position: u64) {
        self.origin = sample_position.saturating_sub(self.n_frames);
        self.n_frames += QUANTUM as u64;
        self.music.process(&block.left, &block.right);
    }

    #[inline(never)]
    fn snapshot(&mut self) -> MusicSnapshot {
        let mut values = self.music.snapshot();
        if let Some(onset) = &mut values.last_onset {
            onset.position += self.origin;
        }
        values
    }
}

/// A unit, its payload with all buffers made, and the bands of a spectrum.
type Made = (Unit, Payload, Option<Axis>);

#[inline(never)]
fn new_spectrum(rate: SampleRate, s: &Subscription) -> Result<Made, StreamError> {
    let measured = spectrum::Spectrum::new(rate, &s.spectrum).map_err(StreamError::Spectrum)?;
    let axis = Axis::new(measured.fft_size() as u32, rate.hz(), s.spectrum.scale, measured.frequencies());
    let n_values = measured.n_bands() * usize::from(s.spectrum.channels);
    let payload = Payload::Spectrum(Spectrum {
        axis: axis.id,
        channels: s.spectrum.channels,
        wide: s.wide,
        magnitudes: boxed::filled(n_values, FLOOR_DB).into(),
    });
    Ok((Unit::Spectrum(Box::new(measured)), payload, Some(axis)))
}

#[inline(never)]
fn new_waveform(rate: SampleRate, s: &Subscription) -> Result<Made, StreamError> {
    let measured = waveform::Waveform::new(rate, &s.waveform).map_err(StreamError::Waveform)?;
    let samples = boxed::filled(measured.n_values(), 0.0).into();
    let mode = u8::from(s.waveform.mode == WaveformMode::Buckets);
    let payload = Payload::Waveform(Waveform { channels: 2, mode, samples });
    Ok((Unit::Waveform(Box::new(measured)), payload, None))
}

#[inline(never)]
fn new_stereo(rate: SampleRate, s: &Subscription) -> Made {
    let points = boxed::filled(usize::from(s.points), [0; 2]).into();
    let payload = Payload::Stereo(Stereo { points, ..Stereo::default() });
    (Unit::Stereo(Box::new(stereo::Stereo::new(rate))), payload, None)
}

#[inline(never)]
fn new_needles(rate: SampleRate, ballistics: Ballistics) -> Box<[Needles]> {
    boxed::filled(MAX_TAPS, Needles::new(rate, ballistics))
}

#[inline(never)]
fn new_trigger(rate: SampleRate, s: &Subscription, master: &Loudness) -> Result<Made, StreamError> {
    let loudness = if s.tap == TapId::MASTER { master.clone() } else { Loudness::new(rate) };
    let trigger = Trigger::new(rate, &s.trigger, &loudness).map_err(StreamError::Trigger)?;
    let payload = Payload::Trigger(TriggerEvent { config: s.trigger, value: 0.0 });
    Ok((Unit::Trigger(Box::new(trigger)), payload, None))
}

impl Unit {
    /// The unit of a stream. A trigger's loudness goes on from that of `master`, if that is its tap.
    ///
    /// # Errors
    /// An option out of range at this sample rate.
    pub(super) fn new(rate: SampleRate, s: &Subscription, master: &Loudness) -> Result<Made, StreamError> {
        let (unit, payload) = match s.topic {
            Topic::Transport => (Self::Shared, Payload::Transport(Transport::default())),
            Topic::Meters => {
                let tap_loudness = Vec::with_capacity(if s.tap_loudness { MAX_TAPS } else { 0 });
                let taps = Vec::with_capacity(MAX_TAPS);
                let needles = s
                    .ballistics
                    .map(|ballistics| MeterNeedles { ballistics, readings: Vec::with_capacity(MAX_TAPS) });
                let unit = s
                    .ballistics
                    .map_or(Self::Shared, |ballistics| Self::Needles(new_needles(rate, ballistics)));
                (unit, Payload::Meters(Meters { taps, tap_loudness, needles, ..Meters::default() }))
            }
            Topic::Spectrum => return new_spectrum(rate, s),
            Topic::Waveform => return new_waveform(rate, s),
            Topic::Analytics => (Self::Shared, Payload::Analytics(Analytics::default())),
            Topic::Stereo => return Ok(new_stereo(rate, s)),
            Topic::Music => (Self::Music(Listener::new(rate)), Payload::Music(MusicSnapshot::default())),
            Topic::Trigger => return new_trigger(rate, s, master),
            Topic::Audio => {
                let samples = Vec::with_capacity(2 * MAX_AUDIO_FRAMES);
                (Self::Audio, Payload::Audio(Audio { channels: 2, format: s.format, samples }))
            }
            Topic::Axis => return Err(StreamError::Axis),
        };
        Ok((unit, payload, None))
    }

    /// Takes a quantum of the stream's tap. Triggers are the feed's to run: they fire while they measure.
    pub(super) fn process(&mut self, block: &StereoBlock, sample_position: u64, payload: &mut Payload) {
        match (self, payload) {
            (Self::Spectrum(unit), _) => unit.process(&block.left, &block.right),
            (Self::Waveform(unit), _) => unit.process(&block.left, &block.right),
            (Self::Stereo(unit), _) => unit.process(&block.left, &block.right),
            (Self::Music(listener), _) => listener.process(block, sample_position),
            (Self::Audio, Payload::Audio(audio)) => {
                let finite = |x: f32| if x.is_finite() { x } else { 0.0 };
                let frames = block.left.iter().zip(&block.right);
                audio.samples.extend(frames.flat_map(|(&l, &r)| [finite(l), finite(r)]));
            }
            _ => {}
        }
    }

    /// Writes what was measured into the payload.
    pub(super) fn snapshot(&mut self, payload: &mut Payload) {
        match (self, payload) {
            (Self::Spectrum(unit), Payload::Spectrum(values)) => unit.snapshot(&mut values.magnitudes),
            (Self::Waveform(unit), Payload::Waveform(values)) => unit.snapshot(&mut values.samples),
            (Self::Stereo(unit), Payload::Stereo(values)) => {
                values.correlation = unit.correlation();
                values.balance = unit.balance();
                values.width = unit.width();
                unit.points(&mut values.points);
            }
            (Self::Music(listener), Payload::Music(values)) => *values = listener.snapshot(),
            _ => {}
        }
    }
}

/// Frames that a stretch of sound has room for.
pub(super) fn room(audio: &Audio) -> usize {
    MAX_AUDIO_FRAMES.saturating_sub(audio.n_frames())
}

/// Whether a stretch of sound has no room for another quantum.
pub(super) fn is_full(payload: &Payload) -> bool {
    matches!(payload, Payload::Audio(audio) if room(audio) < QUANTUM)
}
