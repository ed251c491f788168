//! A relay's streams: each follows a subject, and asks the server for it as long as somebody here has it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Weak};
use std::time::Duration;

use engine_core::control::TapId;
use engine_core::protocol::{Axis, Directory, Feed, FeedId, Flags, Header, OptionError, Subscription, Topic};
use engine_core::units::SampleRate;
use futures_util::StreamExt;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;
use uuid::Uuid;

use super::bus::{Bus, BusError};
use super::hub::Hub;
use super::leases::RENEWAL;
use super::letters::{LeaseAnswer, LeaseRequest, StreamName};
use crate::publisher::{EncodedFrame, Streams};

/// Time for the answer to a lease.
const PATIENCE: Duration = Duration::from_secs(2);
/// Until a lease that was not granted is asked for again.
const AGAIN: Duration = Duration::from_secs(1);

/// Streams by the ids that the registry knows.
pub(super) struct Uplink {
    hub: Weak<Hub>,
    bus: Bus,
    /// This relay.
    relay: Uuid,
    /// Measures nothing: it checks options and knows axes, as the server's own does.
    rules: Feed,
    taps: Arc<Directory>,
    streams: HashMap<FeedId, Stream>,
    next_id: u32,
    /// Counts what makes streams begin anew: NATS or the server was away.
    generation: watch::Sender<u64>,
}

/// One stream.
pub(super) struct Stream {
    axis: Option<Axis>,
    /// The newest frame, for those who come later.
    pub(super) latest: Option<Arc<EncodedFrame>>,
    /// Tap and number of the last frame; `None` before the first one of this generation.
    last: Option<(u16, u32)>,
    /// Frames came in an earlier generation, or on a connection that was lost.
    pub(super) was_interrupted: bool,
    /// Ends the task when it is dropped.
    _lives: oneshot::Sender<Infallible>,
}

impl Stream {
    /// Marks for a frame that arrived, and how many are missing before it.
    pub(super) fn arrived(&mut self, topic: Topic, header: &Header) -> (Flags, u32) {
        let place = (header.tap, header.seq);
        let Some((tap, seq)) = self.last.replace(place) else {
            let first = if topic.is_queued() { Flags::default() } else { Flags::SNAPSHOT };
            let was_interrupted = std::mem::take(&mut self.was_interrupted);
            return (if was_interrupted { first.with(Flags::DISCONTINUITY) } else { first }, 0);
        };
        let n_missing = if tap == header.tap { header.seq.wrapping_sub(seq).wrapping_sub(1) } else { 0 };
        (if n_missing > 0 { Flags::DISCONTINUITY } else { Flags::default() }, n_missing)
    }
}

impl Uplink {
    pub(super) fn new(hub: Weak<Hub>, bus: Bus) -> Self {
        let rate = SampleRate::DEFAULT;
        Self {
            hub,
            bus,
            relay: Uuid::new_v4(),
            rules: Feed::new(rate),
            taps: Arc::new(Directory::new(rate, None)),
            streams: HashMap::new(),
            next_id: 0,
            generation: watch::Sender::new(0),
        }
    }

    /// A server at this sample rate. Streams for another one end.
    pub(super) fn set_rate(&mut self, rate: SampleRate) {
        self.rules = Feed::new(rate);
        self.streams.clear();
    }

    /// The server's taps.
    pub(super) fn set_taps(&mut self, taps: Arc<Directory>) {
        self.taps = taps;
    }

    pub(super) fn taps(&self) -> &Arc<Directory> {
        &self.taps
    }

    pub(super) fn stream(&mut self, id: FeedId) -> Option<&mut Stream> {
        self.streams.get_mut(&id)
    }

    /// All streams begin anew.
    pub(super) fn begin_anew(&mut self) {
        for stream in self.streams.values_mut() {
            stream.was_interrupted |= stream.last.take().is_some();
            stream.latest = None;
        }
        self.generation.send_modify(|generation| *generation += 1);
    }
}

impl Streams for Uplink {
    fn subscribe(&mut self, subscription: &Subscription) -> Result<FeedId, OptionError> {
        let checked = self.rules.subscribe(subscription)?;
        let axis = self.rules.axis(checked).cloned();
        self.rules.unsubscribe(checked);
        let id = FeedId(self.next_id);
        self.next_id += 1;
        let name = StreamName {
            tap: self.taps.key(subscription.tap),
            subscription: subscription.clone(),
            private: (subscription.topic == Topic::Trigger).then(Uuid::new_v4),
        };
        let (lives, ended) = oneshot::channel();
        let request = LeaseRequest { relay: self.relay, stream: name, is_needed: true };
        let generation = self.generation.subscribe();
        tokio::spawn(follow(self.hub.clone(), self.bus.clone(), id, request, ended, generation));
        let stream = Stream { axis, latest: None, last: None, was_interrupted: false, _lives: lives };
        self.streams.insert(id, stream);
        Ok(id)
    }

    fn axis(&self, id: FeedId) -> Option<&Axis> {
        self.streams.get(&id)?.axis.as_ref()
    }

    fn unsubscribe(&mut self, id: FeedId) {
        self.streams.remove(&id);
    }

    fn forget_tap(&mut self, _: TapId) {
        // What is measured of a tap is the server's.
    }
}

/// Hands a stream's frames to the hub until it ends.
async fn follow(
    hub: Weak<Hub>,
    bus: Bus,
    id: FeedId,
    mut request: LeaseRequest,
    ended: oneshot::Receiver<Infallible>,
    generation: watch::Receiver<u64>,
) {
    let subject = bus.subject(&format!("frames.{}", request.stream.key()));
    // Before the lease: then the first frame, which shows what is now, comes too.
    let Some(mut frames) = bus.subscribe(subject).await else { return };
    let read = async {
        while let Some(message) = frames.next().await {
            let Some(hub) = hub.upgrade() else { return };
            hub.arrived(id, &message.payload);
        }
    };
    tokio::select! {
        () = read => return,
        () = renew(&bus, &request, generation) => return,
        _ = ended => {}
    }
    request.is_needed = false;
    let _ = bus
        .publish(&bus.subject("lease"), None, serde_json::to_vec(&request).unwrap_or_default().into())
        .await;
}

/// Asks for a stream again and again.
async fn renew(bus: &Bus, request: &LeaseRequest, mut generation: watch::Receiver<u64>) {
    let question = bytes::Bytes::from(serde_json::to_vec(request).unwrap_or_default());
    let mut is_told = false;
    loop {
        generation.mark_unchanged();
        let answer = bus.ask(bus.subject("lease"), question.clone(), PATIENCE).await;
        let granted = match answer.map(|answer| serde_json::from_slice(&answer)) {
            Ok(Ok(LeaseAnswer::Granted)) => true,
            Ok(Ok(LeaseAnswer::Refused(why))) => {
                if !std::mem::replace(&mut is_told, true) {
                    tracing::warn!(
                        "the server does not give {}: {why}",
                        request.stream.subscription.topic.name()
                    );
                }
                false
            }
            Ok(Err(_)) | Err(BusError::Away | BusError::NobodyThere | BusError::Silence) => false,
        };
        let pause = if granted { RENEWAL } else { AGAIN };
        if let Ok(Err(_)) = timeout(pause, generation.changed()).await {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_seen_and_marked() {
        let (lives, _ended) = oneshot::channel();
        let mut stream =
            Stream { axis: None, latest: None, last: None, was_interrupted: false, _lives: lives };
        let arrive = |stream: &mut Stream, tap, seq| {
            let header = Header { tap, seq, ..Header::default() };
            stream.arrived(Topic::Meters, &header)
        };
        assert_eq!(arrive(&mut stream, 0, 7), (Flags::SNAPSHOT, 0), "who comes late gets the state");
        assert_eq!(arrive(&mut stream, 0, 8), (Flags::default(), 0));
        assert_eq!(arrive(&mut stream, 0, 11), (Flags::DISCONTINUITY, 2));
        assert_eq!(arrive(&mut stream, 3, 1), (Flags::default(), 0), "the track is elsewhere now");
        (stream.last, stream.was_interrupted) = (None, true);
        assert_eq!(arrive(&mut stream, 3, 1), (Flags::SNAPSHOT.with(Flags::DISCONTINUITY), 0));
    }
}
