//! Who gets what: equal subscriptions share one entry, which lives as long as somebody has it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use engine_core::control::TapId;
use engine_core::protocol::json::{Limits, ServerMessage};
use engine_core::protocol::{
    Axis, Directory, Feed, FeedId, Frame, OptionError, Selection, Subscription, Topic,
};
use tokio::runtime::Handle;
use tokio::task::unconstrained;

use super::encoded::{EncodedFrame, SharedAxis};
use crate::ws::{AT_ONCE, Turn, wake_together};

/// Starts and ends streams: the feed here, or a server far away.
pub(crate) trait Streams {
    /// Starts a stream.
    ///
    /// # Errors
    /// An option is out of range.
    fn subscribe(&mut self, subscription: &Subscription) -> Result<FeedId, OptionError>;
    /// The bands of a spectrum's stream.
    fn axis(&self, id: FeedId) -> Option<&Axis>;
    /// Ends a stream.
    fn unsubscribe(&mut self, id: FeedId);
    /// The tap of this number is another track now.
    fn forget_tap(&mut self, tap: TapId);
}

impl Streams for Feed {
    fn subscribe(&mut self, subscription: &Subscription) -> Result<FeedId, OptionError> {
        Ok(self.subscribe(subscription)?)
    }
    fn axis(&self, id: FeedId) -> Option<&Axis> {
        self.axis(id)
    }
    fn unsubscribe(&mut self, id: FeedId) {
        self.unsubscribe(id);
    }
    fn forget_tap(&mut self, tap: TapId) {
        self.forget_tap(tap);
    }
}

/// A number that tells sinks apart.
pub fn new_sink_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Gets frames. All calls but `prefetch`, `turn` and `wake` come from the publisher's thread and must be short.
pub trait Sink: Send + Sync {
    /// Tells sinks apart.
    fn id(&self) -> u64;
    /// Reads what the next call needs, and nothing else. Locks have each client's memory waited for by itself; reads
    /// of many clients in a row are waited for together.
    fn prefetch(&self);
    /// A frame of a subscription. Returns whether this is the first since the last `wake`.
    fn offer(&self, frame: &Arc<EncodedFrame>) -> bool;
    /// A stream of other options begins: what waits of the one before it is not of them.
    fn renew(&self, topic: Topic, tap: TapId);
    /// All frames of this moment were offered. It may take as long as a write to a client that has room. Called in a
    /// runtime, on any thread.
    fn wake(&self);
    /// The turn to write what waits, if there is room for it: for many at once, see `ws::wake_together`.
    fn turn(&self) -> Option<Turn<'_>>;
    /// The taps changed: frames that were not sent yet are of taps that no longer exist.
    fn retap(&self, taps: &Directory);
    /// Nothing will be measured any more.
    fn end(&self);
    /// Frames are of another server from now on. Its taps follow.
    fn restart(&self, epoch: u16);
    /// Something that the client shall know.
    fn tell(&self, message: &ServerMessage);
}

/// Sinks that are woken here and now: to hand so few to another thread would cost more, and that one may be late.
const WOKEN_AT_ONCE: usize = 8;

/// Wakes sinks and takes them out: many on all threads of a runtime, without waiting for it.
pub(crate) fn wake_all(sinks: &mut Vec<Arc<dyn Sink>>, runtime: &Handle) {
    if sinks.len() <= WOKEN_AT_ONCE {
        let _runtime = runtime.enter();
        sinks.drain(..).for_each(|sink| sink.wake());
    }
    while !sinks.is_empty() {
        let some: Vec<_> = sinks.drain(sinks.len().saturating_sub(AT_ONCE)..).collect();
        // Unconstrained: tokio would have writes wait whose clients have room.
        runtime.spawn(unconstrained(async move { wake_together(&some) }));
    }
}

/// Why a stream was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscribeError {
    /// An option is out of range.
    Option(OptionError),
    /// The sink has as many streams as it may.
    TooMany,
    /// The server is shutting down.
    Closed,
}

impl fmt::Display for SubscribeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(error) => error.fmt(f),
            Self::TooMany => {
                write!(
                    f,
                    "a socket has at most {} streams; unsubscribe one first",
                    Limits::SERVER.max_subscriptions
                )
            }
            Self::Closed => f.write_str("the server is shutting down"),
        }
    }
}

impl std::error::Error for SubscribeError {}

struct Entry {
    subscription: Subscription,
    id: FeedId,
    axis: Option<Arc<SharedAxis>>,
    sinks: Vec<Arc<dyn Sink>>,
}

impl Entry {
    fn has(&self, sink: u64) -> bool {
        self.sinks.iter().any(|other| other.id() == sink)
    }
}

/// All sinks, and all streams that somebody has.
#[derive(Default)]
pub(crate) struct Registry {
    sinks: Vec<Arc<dyn Sink>>,
    entries: Vec<Entry>,
}

impl Drop for Registry {
    /// The publisher's thread ends, perhaps by a panic: nobody shall wait for frames for ever.
    fn drop(&mut self) {
        for sink in &self.sinks {
            sink.end();
        }
    }
}

impl Registry {
    /// Adds a sink, without streams yet. It is told the taps.
    pub(crate) fn join(&mut self, sink: Arc<dyn Sink>, taps: &Directory) {
        sink.retap(taps);
        self.sinks.push(sink);
    }

    /// Gives a sink a stream, in place of the one that it has of the same topic and tap (of triggers: and kind).
    /// Returns the stream for a first snapshot.
    ///
    /// # Errors
    /// See [`SubscribeError`]; the sink keeps what it has.
    pub(crate) fn subscribe(
        &mut self,
        feed: &mut impl Streams,
        subscription: &Subscription,
        sink: &Arc<dyn Sink>,
    ) -> Result<FeedId, SubscribeError> {
        let is_replaced = |entry: &Entry| subscription.is_instead_of(&entry.subscription);
        let others = self.entries.iter().filter(|entry| entry.has(sink.id()) && !is_replaced(entry));
        if others.count() >= usize::from(Limits::SERVER.max_subscriptions) {
            return Err(SubscribeError::TooMany);
        }
        // A trigger counts from its subscription: everybody has his own.
        let can_share = |entry: &Entry| subscription.topic != Topic::Trigger || entry.has(sink.id());
        let is_equal = |entry: &Entry| entry.subscription == *subscription && can_share(entry);
        let idx = match self.entries.iter().position(is_equal) {
            Some(idx) => idx,
            None => {
                let id = feed.subscribe(subscription).map_err(SubscribeError::Option)?;
                let axis = feed.axis(id).map(|axis| Arc::new(SharedAxis::new(axis.clone())));
                self.entries.push(Entry { subscription: subscription.clone(), id, axis, sinks: Vec::new() });
                self.entries.len() - 1
            }
        };
        let id = self.entries[idx].id;
        // At another rate alone what waits still counts, and is merged.
        let says_the_same = |entry: &Entry| {
            *subscription == Subscription { fps: subscription.fps, ..entry.subscription.clone() }
        };
        if !self.entries.iter().any(|entry| entry.has(sink.id()) && says_the_same(entry)) {
            sink.renew(subscription.topic, subscription.tap);
        }
        if !self.entries[idx].has(sink.id()) {
            self.entries[idx].sinks.push(sink.clone());
        }
        self.release(feed, |entry| entry.id != id && is_replaced(entry), sink.id());
        Ok(id)
    }

    /// Ends streams of a sink.
    pub(crate) fn unsubscribe(&mut self, feed: &mut impl Streams, which: Selection, sink: u64) {
        self.release(feed, |entry| which.has(&entry.subscription), sink);
    }

    /// Ends a stream for all who have it: it was to fire once, and did.
    pub(crate) fn end(&mut self, feed: &mut impl Streams, id: FeedId) {
        feed.unsubscribe(id);
        self.entries.retain(|entry| entry.id != id);
    }

    /// Removes a sink and ends all of its streams.
    pub(crate) fn leave(&mut self, feed: &mut impl Streams, sink: u64) {
        self.release(feed, |_| true, sink);
        self.sinks.retain(|other| other.id() != sink);
    }

    /// Number of sinks, and of streams that somebody has.
    #[cfg(test)]
    pub(crate) fn len(&self) -> (usize, usize) {
        (self.sinks.len(), self.entries.len())
    }

    fn release(&mut self, feed: &mut impl Streams, which: impl Fn(&Entry) -> bool, sink: u64) {
        self.entries.retain_mut(|entry| {
            if which(entry) {
                entry.sinks.retain(|other| other.id() != sink);
            }
            if entry.sinks.is_empty() {
                feed.unsubscribe(entry.id);
            }
            !entry.sinks.is_empty()
        });
    }

    /// Streams that a sink has of the topics that it resumes. It is told those of which it has none.
    pub(crate) fn resumed(&self, sink: u64, topics: &[Topic]) -> Vec<FeedId> {
        let of = |entry: &&Entry| entry.has(sink) && topics.contains(&entry.subscription.topic);
        let streams: Vec<&Entry> = self.entries.iter().filter(of).collect();
        let has = |topic: &&Topic| streams.iter().any(|entry| entry.subscription.topic == **topic);
        if let Some(sink) = self.sinks.iter().find(|other| other.id() == sink) {
            for &topic in topics.iter().filter(|topic| !has(topic)) {
                let message =
                    format!("this socket has no stream of {} to resume; subscribe first", topic.name());
                let code = String::from("not_subscribed");
                sink.tell(&ServerMessage::Error { code, message, topic: Some(topic), tap: None });
            }
        }
        streams.iter().map(|entry| entry.id).collect()
    }

    /// Offers a frame to all who have its stream, or to one of them; who was asleep goes to `awake`.
    pub(crate) fn deliver(
        &self,
        id: FeedId,
        frame: &Frame,
        taps: &Arc<Directory>,
        only: Option<u64>,
        awake: &mut Vec<Arc<dyn Sink>>,
    ) {
        let encode = |axis| EncodedFrame::new(frame.clone(), taps.clone(), axis);
        self.deliver_encoded(id, encode, only, awake);
    }

    /// The same with a frame that is made of the stream's axis; returns it, if somebody has the stream.
    pub(crate) fn deliver_encoded(
        &self,
        id: FeedId,
        encode: impl FnOnce(Option<Arc<SharedAxis>>) -> EncodedFrame,
        only: Option<u64>,
        awake: &mut Vec<Arc<dyn Sink>>,
    ) -> Option<Arc<EncodedFrame>> {
        let entry = self.entries.iter().find(|entry| entry.id == id)?;
        let encoded = Arc::new(encode(entry.axis.clone()));
        for some in entry.sinks.chunks(AT_ONCE) {
            if only.is_none() {
                some.iter().for_each(|sink| sink.prefetch());
            }
            for sink in some.iter().filter(|sink| only.is_none_or(|only| sink.id() == only)) {
                if sink.offer(&encoded) {
                    awake.push(sink.clone());
                }
            }
        }
        Some(encoded)
    }

    /// Tells all sinks the new taps. Streams of a track follow it to where it is now (`moved_to` is told from which
    /// stream to which), and end when it is gone.
    pub(crate) fn retap(
        &mut self,
        feed: &mut impl Streams,
        old: &Directory,
        new: &Directory,
        mut moved_to: impl FnMut(FeedId, FeedId),
    ) {
        for tap in new.taps.iter().filter(|tap| tap.track_id.is_some()) {
            let before = old.get(TapId(tap.id)).and_then(|before| before.track_id);
            if before != tap.track_id {
                feed.forget_tap(TapId(tap.id));
            }
        }
        let has_moved = |entry: &Entry| {
            let tap = entry.subscription.tap;
            tap.track_index().is_some() && new.find(&old.key(tap)) != Ok(tap)
        };
        let (moved, others) = std::mem::take(&mut self.entries).into_iter().partition::<Vec<_>, _>(has_moved);
        self.entries = others;
        for entry in moved {
            feed.unsubscribe(entry.id);
            if let Ok(tap) = new.find(&old.key(entry.subscription.tap)) {
                let subscription = Subscription { tap, ..entry.subscription };
                for sink in &entry.sinks {
                    // The options were accepted before, and the taps are no part of them.
                    if let Ok(id) = self.subscribe(feed, &subscription, sink) {
                        moved_to(entry.id, id);
                    }
                }
            }
        }
        for sink in &self.sinks {
            sink.retap(new);
        }
    }

    /// All sinks.
    pub(crate) fn sinks(&self) -> &[Arc<dyn Sink>] {
        &self.sinks
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use engine_core::units::SampleRate;

    use super::*;

    #[derive(Default)]
    struct Listener {
        is_ended: AtomicBool,
    }

    impl Sink for Listener {
        fn id(&self) -> u64 {
            1
        }
        fn offer(&self, _: &Arc<EncodedFrame>) -> bool {
            false
        }
        fn renew(&self, _: Topic, _: TapId) {}
        fn prefetch(&self) {}
        fn turn(&self) -> Option<Turn<'_>> {
            None
        }
        fn wake(&self) {}
        fn retap(&self, _: &Directory) {}
        fn end(&self) {
            self.is_ended.store(true, Ordering::Relaxed);
        }
        fn restart(&self, _: u16) {}
        fn tell(&self, _: &ServerMessage) {}
    }

    #[test]
    fn a_publisher_that_dies_tells_its_clients() {
        let listener = Arc::new(Listener::default());
        let sink = listener.clone();
        let died = std::thread::spawn(move || {
            let mut registry = Registry::default();
            registry.join(sink, &Directory::new(SampleRate::DEFAULT, None));
            std::panic::resume_unwind(Box::new("a bug"));
        });
        assert!(died.join().is_err());
        assert!(listener.is_ended.load(Ordering::Relaxed));
    }
}
