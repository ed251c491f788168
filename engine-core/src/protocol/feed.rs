//! Subscriptions, measured: quanta in, frames out at exact sample positions.
//!
//! Which quantum a frame falls on follows from the sample position alone, so a server and a browser that play
//! the same thing send the same frames; and streams of one rate are due together, so that they share a send.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use super::frame::{
    Analytics, Axis, Frame, Loudness, MeterNeedles, Meters, Payload, Spectrum, Transport, Waveform,
};
use super::header::Flags;
use super::subscription::{OptionError, Subscription, Topic};
use crate::analysis::ballistics::{Needles, Reading};
use crate::analysis::meter::{MeterBlock, StereoMeter};
use crate::analysis::waveform::WaveformMode;
use crate::analysis::{loudness, spectrum, stereo, waveform};
use crate::control::{Quantum, TapId};
use crate::units::{FLOOR_DB, MAX_TRACKS, QUANTUM, SampleRate};

/// Master, tracks, input.
const MAX_TAPS: usize = MAX_TRACKS + 2;
/// A transport that does not change is sent this often, so that clocks do not drift apart.
const TRANSPORT_FPS: u16 = 5;
/// Analytics are averages for people to read; more often says nothing more.
const ANALYTICS_FPS: u16 = 4;

/// Handle of a subscription in a [`Feed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedId(pub u32);

/// Turns quanta into the frames that were subscribed.
pub struct Feed {
    rate: SampleRate,
    streams: Vec<Stream>,
    next_id: u32,
    /// One for each tap, run while somebody wants meters.
    meters: Box<[StereoMeter]>,
    loudness: loudness::Loudness,
    stereo: stereo::Stereo,
    transport: Transport,
    analytics: Analytics,
    /// End of the last quantum.
    position: u64,
}

struct Stream {
    id: FeedId,
    topic: Topic,
    fps: u16,
    unit: Unit,
    axis: Option<Axis>,
    /// What is handed out; its buffers are made once.
    frame: Frame,
    /// Marks for the next frame.
    flags: Flags,
    sent_revision: Option<u32>,
}

/// An error without `core::fmt`, whose float formatting would be a tenth of the worklet's module.
fn refused(field: &'static str, allowed: &str) -> OptionError {
    OptionError::new(field, ["must be ", allowed].concat())
}

/// What a stream measures for itself alone.
enum Unit {
    None,
    Spectrum(Box<spectrum::Spectrum>),
    Waveform(Box<waveform::Waveform>),
    /// One for each tap, as [`slot`] says.
    Needles(Box<[Needles]>),
}

/// Where in a list of all taps a tap has its place, if it is the one at `at` of those that there are.
fn slot(at: usize, tap: TapId) -> usize {
    if tap == TapId::INPUT { MAX_TAPS - 1 } else { at }
}

impl Feed {
    /// Allocates what is always measured: the loudness of the master, and meters for every tap.
    pub fn new(rate: SampleRate) -> Self {
        Self {
            rate,
            streams: Vec::new(),
            next_id: 0,
            meters: (0..MAX_TAPS).map(|_| StereoMeter::new()).collect(),
            loudness: loudness::Loudness::new(rate),
            stereo: stereo::Stereo::new(rate),
            transport: Transport::default(),
            analytics: Analytics { sample_rate: rate.hz(), ..Analytics::default() },
            position: 0,
        }
    }

    /// Starts a stream. Allocates.
    ///
    /// # Errors
    /// An option out of range at this sample rate.
    pub fn subscribe(&mut self, subscription: &Subscription) -> Result<FeedId, OptionError> {
        let s = subscription;
        let (mut unit, mut axis) = (Unit::None, None);
        let payload = match s.topic {
            Topic::Transport => Payload::Transport(Transport::default()),
            Topic::Meters => {
                if !self.wants_meters() {
                    self.meters.iter_mut().for_each(StereoMeter::reset);
                }
                let needles = s.ballistics.map(|ballistics| {
                    unit = Unit::Needles(vec![Needles::new(self.rate, ballistics); MAX_TAPS].into());
                    MeterNeedles { ballistics, readings: Vec::with_capacity(MAX_TAPS) }
                });
                Payload::Meters(Meters { taps: Vec::with_capacity(MAX_TAPS), needles, ..Meters::default() })
            }
            Topic::Spectrum => {
                let measured = spectrum::Spectrum::new(self.rate, &s.spectrum)
                    .map_err(|e| refused(e.field(), e.allowed()))?;
                let frequencies = measured.frequencies();
                let bands =
                    Axis::new(measured.fft_size() as u32, self.rate.hz(), s.spectrum.scale, frequencies);
                let payload = Payload::Spectrum(Spectrum {
                    axis: bands.id,
                    channels: s.spectrum.channels,
                    wide: s.wide,
                    magnitudes: vec![FLOOR_DB; measured.n_bands() * usize::from(s.spectrum.channels)],
                });
                axis = Some(bands);
                unit = Unit::Spectrum(Box::new(measured));
                payload
            }
            Topic::Waveform => {
                let measured = waveform::Waveform::new(self.rate, &s.waveform)
                    .map_err(|e| refused(e.field(), e.allowed()))?;
                let samples = vec![0.0; measured.n_values()];
                unit = Unit::Waveform(Box::new(measured));
                let mode = u8::from(s.waveform.mode == WaveformMode::Buckets);
                Payload::Waveform(Waveform { channels: 2, mode, samples })
            }
            Topic::Analytics => Payload::Analytics(Analytics::default()),
            Topic::Axis => {
                return Err(OptionError::new("topic", "axis comes with spectrum".to_string()));
            }
        };
        let id = FeedId(self.next_id);
        self.next_id += 1;
        let base = if s.wide { Flags::WIDE } else { Flags::default() };
        self.streams.push(Stream {
            id,
            topic: s.topic,
            fps: s.fps,
            unit,
            axis,
            frame: Frame { tap: s.tap, flags: base, sample_position: self.position, payload },
            flags: Flags::default(),
            sent_revision: None,
        });
        Ok(id)
    }

    /// Ends a stream.
    pub fn unsubscribe(&mut self, id: FeedId) {
        self.streams.retain(|stream| stream.id != id);
    }

    /// The bands of a spectrum's stream; `None` for other topics.
    pub fn axis(&self, id: FeedId) -> Option<&Axis> {
        self.streams.iter().find(|stream| stream.id == id)?.axis.as_ref()
    }

    /// What the host measured of itself, for the next analytics frames. Voices, tracks and sample rate are
    /// filled in here.
    pub fn set_analytics(&mut self, analytics: Analytics) {
        self.analytics = analytics;
        self.analytics.sample_rate = self.rate.hz();
    }

    /// Starts integrated loudness and loudness range anew.
    pub fn reset_loudness(&mut self) {
        self.loudness.reset();
    }

    /// Measures 128 frames and hands out each frame that is due. Never allocates.
    pub fn process(&mut self, quantum: &Quantum, emit: &mut dyn FnMut(FeedId, &mut Frame)) {
        let start = self.position;
        self.position = quantum.sample_position + QUANTUM as u64;
        self.transport.snapshot = quantum.transport;
        self.analytics.active_voices = u32::from(quantum.n_voices);
        self.analytics.active_tracks = u32::from(quantum.n_tracks);
        self.loudness.process(&quantum.master.left, &quantum.master.right);
        self.stereo.process(&quantum.master.left, &quantum.master.right);
        if self.wants_meters() {
            self.measure_taps(quantum);
        }
        let mut streams = core::mem::take(&mut self.streams);
        for stream in &mut streams {
            if quantum.discontinuity {
                stream.flags = stream.flags.with(Flags::DISCONTINUITY);
            }
            let Some(block) = quantum.tap(stream.frame.tap) else { continue };
            match &mut stream.unit {
                // Needles move with the meters of all taps.
                Unit::None | Unit::Needles(_) => {}
                Unit::Spectrum(unit) => unit.process(&block.left, &block.right),
                Unit::Waveform(unit) => unit.process(&block.left, &block.right),
            }
            if self.is_due(stream, start) {
                self.measure(stream);
                Self::hand_out(stream, emit);
                self.after(stream);
            }
        }
        self.streams = streams;
    }

    /// Hands out the present state of one stream, marked as a snapshot. Never allocates.
    ///
    /// Of a spectrum that is its last frame again, at that frame's position: to measure in between would take
    /// from the next frame what it has to show for its whole time.
    pub fn snapshot(&mut self, id: FeedId, emit: &mut dyn FnMut(FeedId, &mut Frame)) {
        let mut streams = core::mem::take(&mut self.streams);
        if let Some(stream) = streams.iter_mut().find(|stream| stream.id == id) {
            let flags = core::mem::replace(&mut stream.flags, Flags::SNAPSHOT);
            if stream.topic != Topic::Spectrum {
                self.measure(stream);
            }
            Self::hand_out(stream, emit);
            stream.flags = flags;
        }
        self.streams = streams;
    }

    fn wants_meters(&self) -> bool {
        self.streams.iter().any(|stream| stream.topic == Topic::Meters)
    }

    /// Runs every tap's meter, and adds what it says to every stream of meters.
    fn measure_taps(&mut self, quantum: &Quantum) {
        let n_tracks = quantum.n_tracks;
        let taps =
            core::iter::once(TapId::MASTER).chain((0..n_tracks).map(TapId::track)).chain([TapId::INPUT]);
        for (at, tap) in taps.enumerate() {
            let Some(block) = quantum.tap(tap) else { continue };
            let measured = self.meters[slot(at, tap)].process(&block.left, &block.right);
            for stream in &mut self.streams {
                let Payload::Meters(meters) = &mut stream.frame.payload else { continue };
                // Another composition has other tracks: the list is made anew from the first that differs.
                if meters.taps.get(at).is_none_or(|(id, _)| *id != tap) {
                    meters.taps.truncate(at);
                    if let Some(shown) = &mut meters.needles {
                        shown.readings.truncate(at);
                    }
                    meters.taps.push((tap, MeterBlock::default()));
                }
                meters.taps[at].1.merge(&measured);
                if tap == TapId::INPUT {
                    meters.taps.truncate(at + 1);
                }
                if let (Some(shown), Unit::Needles(units)) = (&mut meters.needles, &mut stream.unit) {
                    // As many as taps; new ones start at rest.
                    shown.readings.resize(meters.taps.len(), Reading::default());
                    shown.readings[at].merge(&units[slot(at, tap)].process(&block.left, &block.right));
                }
            }
        }
    }

    /// Whether a multiple of the frame interval lies in `(start, self.position]`.
    fn crosses(&self, start: u64, fps: u16) -> bool {
        let rate = u64::from(self.rate.hz());
        self.position * u64::from(fps) / rate != start * u64::from(fps) / rate
    }

    fn is_due(&self, stream: &Stream, start: u64) -> bool {
        match stream.topic {
            Topic::Transport => {
                let changed = stream.sent_revision != Some(self.transport.snapshot.revision);
                self.crosses(start, if changed { stream.fps } else { stream.fps.min(TRANSPORT_FPS) })
            }
            Topic::Analytics => self.crosses(start, stream.fps.min(ANALYTICS_FPS)),
            _ => self.crosses(start, stream.fps),
        }
    }

    /// Brings the payload up to the present.
    fn measure(&self, stream: &mut Stream) {
        match (&mut stream.frame.payload, &mut stream.unit) {
            (Payload::Transport(transport), _) => {
                transport.clone_from(&self.transport);
                stream.sent_revision = Some(transport.snapshot.revision);
            }
            (Payload::Meters(meters), _) => {
                meters.loudness = Loudness {
                    momentary: self.loudness.momentary(),
                    short_term: self.loudness.short_term(),
                    integrated: self.loudness.integrated(),
                    range: self.loudness.range(),
                };
                meters.correlation = self.stereo.correlation();
            }
            (Payload::Spectrum(values), Unit::Spectrum(unit)) => unit.snapshot(&mut values.magnitudes),
            (Payload::Waveform(values), Unit::Waveform(unit)) => unit.snapshot(&mut values.samples),
            (Payload::Analytics(analytics), _) => analytics.clone_from(&self.analytics),
            _ => {}
        }
        stream.frame.sample_position = self.position;
    }

    fn hand_out(stream: &mut Stream, emit: &mut dyn FnMut(FeedId, &mut Frame)) {
        let marks = stream.frame.flags;
        stream.frame.flags = marks.with(stream.flags);
        emit(stream.id, &mut stream.frame);
        stream.frame.flags = marks;
    }

    /// What starts anew after each regular frame; a snapshot between two leaves it alone.
    fn after(&self, stream: &mut Stream) {
        stream.flags = Flags::default();
        if let Payload::Meters(meters) = &mut stream.frame.payload {
            meters.taps.iter_mut().for_each(|(_, block)| *block = MeterBlock::default());
            if let (Some(shown), Unit::Needles(units)) = (&mut meters.needles, &stream.unit) {
                for (at, (reading, (tap, _))) in shown.readings.iter_mut().zip(&meters.taps).enumerate() {
                    *reading = units[slot(at, *tap)].position();
                }
            }
        }
    }
}
