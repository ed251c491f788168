//! Subscriptions, measured: quanta in, frames out at exact sample positions.
//!
//! Which quantum a frame falls on follows from the sample position alone, so a server and a browser that play
//! the same thing send the same frames; and streams of one rate are due together, so that they share a send.

mod error;
mod taps;
mod unit;

use alloc::vec::Vec;

use self::taps::Taps;
use self::unit::Unit;
use super::frame::{Analytics, Axis, Frame, Payload, Transport};
use super::header::Flags;
use super::subscription::{Subscription, Topic};
use crate::analysis::ballistics::Reading;
use crate::analysis::meter::MeterBlock;
use crate::analysis::stereo;
use crate::buffer::StereoBlock;
use crate::control::{Quantum, TapId};
use crate::units::{MAX_TRACKS, QUANTUM, SampleRate};

pub use self::error::StreamError;

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
    taps: Taps,
    /// Times that the master's loudness was started anew.
    n_resets: u16,
    /// Of the master.
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
    /// Meters with the loudness of every tap.
    tap_loudness: bool,
    unit: Unit,
    axis: Option<Axis>,
    /// What is handed out; its buffers are made once.
    frame: Frame,
    /// Marks for the next frame.
    flags: Flags,
    /// Of the transport and of the composition, as they were sent last.
    sent_revisions: Option<(u32, u64)>,
    /// Meters were handed out: they start anew with the next quantum, and until then are what a snapshot shows.
    is_spent: bool,
}

impl Feed {
    /// Allocates what is always measured: the loudness of the master, and meters for every tap.
    pub fn new(rate: SampleRate) -> Self {
        Self {
            rate,
            streams: Vec::new(),
            next_id: 0,
            taps: Taps::new(rate),
            n_resets: 0,
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
    pub fn subscribe(&mut self, subscription: &Subscription) -> Result<FeedId, StreamError> {
        let s = subscription;
        let (unit, payload, axis) = Unit::new(self.rate, s, self.taps.master())?;
        if s.topic == Topic::Meters && !self.wants_meters() {
            self.taps.reset_meters();
        }
        if s.tap_loudness {
            self.taps.want_loudness(true);
        }
        let id = FeedId(self.next_id);
        self.next_id += 1;
        let base = if s.wide { Flags::WIDE } else { Flags::default() };
        self.streams.push(Stream {
            id,
            topic: s.topic,
            fps: s.fps,
            tap_loudness: s.tap_loudness,
            unit,
            axis,
            frame: Frame { tap: s.tap, flags: base, sample_position: self.position, payload },
            flags: Flags::default(),
            sent_revisions: None,
            is_spent: false,
        });
        Ok(id)
    }

    /// Ends a stream.
    pub fn unsubscribe(&mut self, id: FeedId) {
        self.streams.retain(|stream| stream.id != id);
        if !self.streams.iter().any(|stream| stream.tap_loudness) {
            self.taps.want_loudness(false);
        }
    }

    /// A composition with so many tracks comes. Allocates what the loudness of more tracks than 32 takes; without, it
    /// is the floor.
    pub fn make_room(&mut self, n_tracks: usize) {
        self.taps.make_room(n_tracks);
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

    /// The revision of the composition that plays, as the host counts them; 0 for none. Transport frames say it, and
    /// another one is sent as soon as anything else that changes.
    pub fn set_composition_revision(&mut self, revision: u64) {
        self.transport.composition_revision = revision;
    }

    /// Starts the loudness of a tap anew, or of all: what its windows hold, integrated loudness and loudness range.
    /// The next frame of meters is marked as a discontinuity, and of the master it is counted, so that clients start
    /// the greatest values that they keep anew too.
    pub fn reset_loudness(&mut self, tap: Option<TapId>) {
        let is_it = |other: TapId| tap.is_none_or(|tap| tap == other);
        self.taps.reset_loudness(is_it);
        self.n_resets = self.n_resets.wrapping_add(u16::from(is_it(TapId::MASTER)));
        for stream in &mut self.streams {
            match &mut stream.unit {
                Unit::Trigger(trigger) if is_it(stream.frame.tap) => trigger.reset_loudness(),
                _ if stream.topic == Topic::Meters => stream.flags = stream.flags.with(Flags::DISCONTINUITY),
                _ => {}
            }
        }
    }

    /// The tap of this number is another track now: its meter and its loudness start anew.
    pub fn forget_tap(&mut self, tap: TapId) {
        self.taps.forget(tap);
        for stream in &mut self.streams {
            let Payload::Meters(meters) = &mut stream.frame.payload else { continue };
            let of_tap = meters.taps.iter_mut().filter(|(id, _)| *id == tap);
            of_tap.for_each(|(_, block)| *block = MeterBlock::default());
        }
    }

    /// Measures 128 frames and hands out each frame that is due. Never allocates.
    pub fn process(&mut self, quantum: &Quantum, emit: &mut dyn FnMut(FeedId, &mut Frame)) {
        let start = self.position;
        self.position = quantum.sample_position + QUANTUM as u64;
        self.transport.snapshot = quantum.transport;
        self.analytics.active_voices = u32::from(quantum.n_voices);
        self.analytics.active_tracks = u32::from(quantum.n_tracks);
        self.taps.process(quantum);
        self.stereo.process(&quantum.master.left, &quantum.master.right);
        if self.wants_meters() {
            self.streams.iter_mut().for_each(Stream::renew);
            self.measure_taps(quantum);
        }
        let is_cut = quantum.sample_position != start;
        let mut streams = core::mem::take(&mut self.streams);
        for stream in &mut streams {
            if is_cut && stream.has_audio() {
                // Quanta are missing: a stretch of sound ends where they begin.
                stream.frame.sample_position = start;
                stream.emit(emit);
                stream.begin();
            }
            if quantum.discontinuity || is_cut {
                stream.flags = stream.flags.with(Flags::DISCONTINUITY);
            }
            let Some(block) = quantum.tap(stream.frame.tap) else {
                stream.begin();
                stream.flags = Flags::DISCONTINUITY;
                continue;
            };
            stream.unit.process(block, quantum.sample_position, &mut stream.frame.payload);
            stream.watch(block, quantum.sample_position, emit);
            if self.is_due(stream, start) {
                self.measure(stream);
                stream.emit(emit);
                stream.begin();
            }
        }
        self.streams = streams;
    }

    /// Hands out the present state of one stream, marked as a snapshot. Triggers and sound are no state: nothing
    /// comes. Never allocates.
    ///
    /// Of a spectrum that is its last frame again, at that frame's position: to measure in between would take
    /// from the next frame what it has to show for its whole time.
    pub fn snapshot(&mut self, id: FeedId, emit: &mut dyn FnMut(FeedId, &mut Frame)) {
        let mut streams = core::mem::take(&mut self.streams);
        let is_it = |stream: &&mut Stream| stream.id == id && !stream.topic.is_queued();
        if let Some(stream) = streams.iter_mut().find(is_it) {
            let flags = core::mem::replace(&mut stream.flags, Flags::SNAPSHOT);
            if stream.topic != Topic::Spectrum {
                self.measure(stream);
            }
            stream.emit(emit);
            stream.flags = flags;
        }
        self.streams = streams;
    }

    fn revisions(&self) -> (u32, u64) {
        (self.transport.snapshot.revision, self.transport.composition_revision)
    }

    fn wants_meters(&self) -> bool {
        self.streams.iter().any(|stream| stream.topic == Topic::Meters)
    }

    /// Runs every tap's meter, and adds what it says to every stream of meters.
    fn measure_taps(&mut self, quantum: &Quantum) {
        for (at, tap) in taps::all(quantum.n_tracks).enumerate() {
            let Some(block) = quantum.tap(tap) else { continue };
            let measured = self.taps.meter(tap, block);
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
                    shown.readings[at].merge(&units[taps::slot(tap)].process(&block.left, &block.right));
                }
            }
        }
    }

    /// The position that the next frame may come at: quanta that end before it can wait and be measured in one go. `None`
    /// without streams.
    pub fn next_due(&self) -> Option<u64> {
        self.streams.iter().map(|stream| self.next_due_of(stream)).min()
    }

    fn next_due_of(&self, stream: &Stream) -> u64 {
        let fps = match stream.topic {
            // It fires when it does.
            Topic::Trigger => return self.position + 1,
            Topic::Analytics => stream.fps.min(ANALYTICS_FPS),
            // A transport that changes is sent at its own rate.
            _ => stream.fps,
        };
        let (rate, fps) = (u64::from(self.rate.hz()), u64::from(fps));
        let tick = ((self.position * fps / rate + 1) * rate).div_ceil(fps);
        match &stream.frame.payload {
            Payload::Audio(audio) => tick.min(self.position + unit::room(audio) as u64),
            _ => tick,
        }
    }

    /// Whether a multiple of the frame interval lies in `(start, end]`.
    fn crosses(&self, start: u64, end: u64, fps: u16) -> bool {
        let rate = u64::from(self.rate.hz());
        end * u64::from(fps) / rate != start * u64::from(fps) / rate
    }

    fn is_due(&self, stream: &Stream, start: u64) -> bool {
        let crosses = |fps| self.crosses(start, self.position, fps);
        match stream.topic {
            Topic::Transport => {
                let changed = stream.sent_revisions != Some(self.revisions());
                crosses(if changed { stream.fps } else { stream.fps.min(TRANSPORT_FPS) })
            }
            Topic::Analytics => crosses(stream.fps.min(ANALYTICS_FPS)),
            Topic::Trigger => false,
            Topic::Audio => crosses(stream.fps) || unit::is_full(&stream.frame.payload),
            _ => crosses(stream.fps),
        }
    }

    /// Brings the payload up to the present.
    fn measure(&self, stream: &mut Stream) {
        match &mut stream.frame.payload {
            Payload::Transport(transport) => {
                transport.clone_from(&self.transport);
                stream.sent_revisions = Some(self.revisions());
            }
            Payload::Meters(meters) => {
                meters.loudness = self.taps.loudness(TapId::MASTER);
                meters.loudness_resets = self.n_resets;
                meters.correlation = self.stereo.correlation();
                meters.tap_loudness.clear();
                if stream.tap_loudness {
                    meters.tap_loudness.extend(meters.taps.iter().map(|(tap, _)| self.taps.loudness(*tap)));
                }
            }
            Payload::Analytics(analytics) => analytics.clone_from(&self.analytics),
            payload => stream.unit.snapshot(payload),
        }
        stream.frame.sample_position = self.position;
    }
}

impl Stream {
    fn has_audio(&self) -> bool {
        matches!(&self.frame.payload, Payload::Audio(audio) if !audio.samples.is_empty())
    }

    fn emit(&mut self, emit: &mut dyn FnMut(FeedId, &mut Frame)) {
        let marks = self.frame.flags;
        self.frame.flags = marks.with(self.flags);
        emit(self.id, &mut self.frame);
        self.frame.flags = marks;
    }

    /// What starts anew after each regular frame; a snapshot between two leaves it alone.
    fn begin(&mut self) {
        self.flags = Flags::default();
        self.is_spent = true;
        if let Payload::Audio(audio) = &mut self.frame.payload {
            audio.samples.clear();
        }
    }

    fn renew(&mut self) {
        let Payload::Meters(meters) = &mut self.frame.payload else { return };
        if !core::mem::take(&mut self.is_spent) {
            return;
        }
        meters.taps.iter_mut().for_each(|(_, block)| *block = MeterBlock::default());
        if let (Some(shown), Unit::Needles(units)) = (&mut meters.needles, &self.unit) {
            for (reading, (tap, _)) in shown.readings.iter_mut().zip(&meters.taps) {
                *reading = units[taps::slot(*tap)].position();
            }
        }
    }

    /// Runs a trigger, which fires at its own positions.
    fn watch(&mut self, block: &StereoBlock, start: u64, emit: &mut dyn FnMut(FeedId, &mut Frame)) {
        let Self { unit: Unit::Trigger(trigger), frame, id, .. } = self else { return };
        trigger.process(&block.left, &block.right, &mut |at, value| {
            if let Payload::Trigger(event) = &mut frame.payload {
                event.value = value;
            }
            frame.sample_position = start + at as u64;
            emit(*id, frame);
        });
    }
}
