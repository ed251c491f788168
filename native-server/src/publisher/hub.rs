//! Who has which stream, and what they get. No clock, no thread, no chance: whoever drives the hub says what was
//! rendered and when a sample was. The publisher's thread drives it with a sound card's quanta, the simulation of
//! `ws` with its own.
//!
//! ```text
//! join, subscribe, resume, leave ─▶ Registry ───┐
//! set_taps ─▶ (the quantum that reflects them) ─┤
//! measure(quantum) ─▶ Feed ─Frame───────────────┴─▶ offers to sinks ─▶ wake
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use engine_core::control::{Quantum, TapId};
use engine_core::protocol::{
    Analytics, Directory, Feed, FeedId, Flags, Frame, Payload, Selection, Subscription, Topic,
};
use engine_core::units::SampleRate;

use super::recorder::{FlightRecorder, Recording};
use super::registry::{Registry, Sink, SubscribeError};

/// All streams of a server.
pub(crate) struct Hub {
    feed: Feed,
    registry: Registry,
    recording: Recording,
    taps: Arc<Directory>,
    /// Taps of compositions whose load the engine has not reached yet, and the message that loads them.
    next_taps: VecDeque<(u64, Arc<Directory>)>,
    /// Revisions of what plays that the engine has not reached yet, in the same way.
    next_revisions: VecDeque<(u64, u64)>,
    /// Streams whose present state somebody waits for, who, and marks for it.
    snapshots: Vec<(FeedId, u64, Flags)>,
    /// Triggers that fired for the last time.
    ended: Vec<FeedId>,
    /// Sinks that were offered something since they were woken.
    awake: Vec<Arc<dyn Sink>>,
}

impl Hub {
    /// A hub without sinks; the flight recorder, if there is one, has its streams.
    pub(crate) fn new(rate: SampleRate, recorder: Option<Arc<FlightRecorder>>) -> Self {
        let taps = Arc::new(Directory::new(rate, None));
        let mut feed = Feed::new(rate);
        let mut recording = Recording::new(recorder);
        recording.retap(&mut feed, &taps);
        Self {
            feed,
            registry: Registry::default(),
            recording,
            taps,
            next_taps: VecDeque::new(),
            next_revisions: VecDeque::new(),
            snapshots: Vec::new(),
            ended: Vec::new(),
            awake: Vec::new(),
        }
    }

    /// The taps of what plays.
    pub(crate) fn taps(&self) -> &Arc<Directory> {
        &self.taps
    }

    /// See [`Feed::set_analytics`].
    pub(crate) fn set_analytics(&mut self, analytics: Analytics) {
        self.feed.set_analytics(analytics);
    }

    /// See [`Feed::reset_loudness`].
    pub(crate) fn reset_loudness(&mut self, tap: Option<TapId>) {
        self.feed.reset_loudness(tap);
    }

    /// Adds a sink. It is told the taps at once, and again whenever they change.
    pub(crate) fn join(&mut self, sink: Arc<dyn Sink>) {
        self.registry.join(sink.clone(), &self.taps);
        self.awake.push(sink);
    }

    /// Gives a sink a stream, whose snapshot follows.
    ///
    /// # Errors
    /// See [`SubscribeError`].
    pub(crate) fn subscribe(
        &mut self,
        subscription: &Subscription,
        sink: &Arc<dyn Sink>,
    ) -> Result<(), SubscribeError> {
        let id = self.registry.subscribe(&mut self.feed, subscription, sink)?;
        self.snapshots.push((id, sink.id(), Flags::default()));
        Ok(())
    }

    /// Ends streams of a sink.
    pub(crate) fn unsubscribe(&mut self, which: Selection, sink: u64) {
        self.registry.unsubscribe(&mut self.feed, which, sink);
    }

    /// Asks for the present state of a sink's streams of these topics, for a client that was away: marked, since
    /// it missed whatever jumped meanwhile.
    pub(crate) fn resume(&mut self, topics: &[Topic], sink: u64) {
        let streams = self.registry.resumed(sink, topics);
        self.snapshots.extend(streams.into_iter().map(|id| (id, sink, Flags::DISCONTINUITY)));
    }

    /// Removes a sink and ends all of its streams.
    pub(crate) fn leave(&mut self, sink: u64) {
        self.registry.leave(&mut self.feed, sink);
    }

    /// Names the taps anew, from the quantum on that reflects message number `at`.
    pub(crate) fn set_taps(&mut self, taps: Arc<Directory>, at: u64) {
        self.next_taps.push_back((at, taps));
    }

    /// Says which revision of the composition plays, from the quantum on that reflects message number `at`.
    pub(crate) fn set_revision(&mut self, revision: u64, at: u64) {
        self.next_revisions.push_back((at, revision));
    }

    /// The position that somebody waits for, for a frame or for a snapshot: quanta that end before it can wait.
    pub(crate) fn next_awaited(&self) -> Option<u64> {
        if self.snapshots.is_empty() { self.feed.next_due() } else { Some(0) }
    }

    /// Measures a quantum that reflects message number `applied`, and offers what is due. `time_of` is when a
    /// position was rendered, Unix milliseconds. Returns whether the taps changed.
    pub(crate) fn measure(&mut self, quantum: &Quantum, applied: u64, time_of: impl Fn(u64) -> f64) -> bool {
        let mut has_new_taps = false;
        while self.next_taps.front().is_some_and(|(at, _)| applied >= *at)
            && let Some((_, taps)) = self.next_taps.pop_front()
        {
            self.retap(taps);
            has_new_taps = true;
        }
        while let Some(&(at, revision)) = self.next_revisions.front()
            && applied >= at
        {
            self.next_revisions.pop_front();
            self.feed.set_composition_revision(revision);
        }
        let Self { feed, registry, recording, taps, ended, awake, .. } = self;
        feed.process(quantum, &mut |id, frame| {
            if recording.take(id, frame) {
                return;
            }
            if matches!(&frame.payload, Payload::Trigger(event) if event.config.once) {
                ended.push(id);
            }
            stamp(frame, &time_of);
            registry.deliver(id, frame, taps, None, awake);
        });
        for id in ended.drain(..) {
            registry.end(feed, id);
        }
        has_new_taps
    }

    /// Offers the snapshots that were asked for: after a quantum, since a stream that has just begun has measured
    /// nothing, or when none comes.
    pub(crate) fn hand_out_snapshots(&mut self, time_of: impl Fn(u64) -> f64) {
        let Self { feed, registry, taps, awake, snapshots, .. } = self;
        for (id, sink, marks) in snapshots.drain(..) {
            feed.snapshot(id, &mut |id, frame| {
                frame.flags = frame.flags.with(marks);
                stamp(frame, &time_of);
                registry.deliver(id, frame, taps, Some(sink), awake);
            });
        }
    }

    /// All who were offered something, to be woken and taken out.
    pub(crate) fn awake(&mut self) -> &mut Vec<Arc<dyn Sink>> {
        &mut self.awake
    }

    /// Number of sinks, and of streams that somebody has.
    #[cfg(test)]
    pub(crate) fn len(&self) -> (usize, usize) {
        self.registry.len()
    }

    fn retap(&mut self, taps: Arc<Directory>) {
        let old = std::mem::replace(&mut self.taps, taps);
        let Self { feed, registry, snapshots, .. } = self;
        feed.make_room(self.taps.taps.iter().filter(|tap| tap.track_id.is_some()).count());
        registry.retap(feed, &old, &self.taps, |from, to| {
            snapshots.iter_mut().filter(|(id, ..)| *id == from).for_each(|(id, ..)| *id = to);
        });
        self.awake.extend_from_slice(self.registry.sinks());
        self.recording.retap(&mut self.feed, &self.taps);
    }
}

fn stamp(frame: &mut Frame, time_of: impl Fn(u64) -> f64) {
    if let Payload::Transport(transport) = &mut frame.payload {
        transport.server_time = time_of(frame.sample_position);
    }
}
