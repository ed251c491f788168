//! The middle of a relay: what the server is, which streams clients have, and who gets what. The same registry and the
//! same mailboxes as in the server, fed by NATS.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use engine_core::control::TapId;
use engine_core::protocol::json::ServerMessage;
use engine_core::protocol::{
    Directory, FeedId, Flags, Frame, Header, Payload, Selection, Subscription, Topic, VERSION, decode_payload,
};
use engine_core::units::SampleRate;
use futures_util::StreamExt;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use uuid::Uuid;

use super::bus::{Bus, BusError};
use super::letters::{ServerInfo, id_of_taps};
use super::players::FarPlayer;
use super::uplink::Uplink;
use crate::listener::until;
use crate::publisher::{EncodedFrame, Registry, Sink, SubscribeError, unix_ms, wake_all};
use crate::ws::{Clock, Origin, Player};

/// Between questions whether the server is there.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// Time for the answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between questions because of frames that make no sense yet.
const MIN_PAUSE: Duration = Duration::from_millis(50);
/// Unanswered questions that mean that the server is gone. When NATS knows of none, one is enough.
const MAX_SILENT: u32 = 2;

/// See the module.
pub(super) struct Hub {
    bus: Bus,
    inner: Mutex<Inner>,
    clock: Arc<Mutex<FarClock>>,
    /// A frame came that does not fit to what we know of the server.
    is_puzzled: Notify,
}

struct Inner {
    registry: Registry,
    uplink: Uplink,
    /// The server as it was seen last.
    server: Option<Seen>,
    /// Why it cannot be reached.
    away: Option<String>,
}

#[derive(Clone, Copy)]
struct Seen {
    epoch: u16,
    sample_rate: u32,
    taps: Uuid,
}

impl Hub {
    /// A hub that knows no server yet.
    pub(super) fn new(bus: Bus) -> Arc<Self> {
        Arc::new_cyclic(|hub| Self {
            inner: Mutex::new(Inner {
                registry: Registry::default(),
                uplink: Uplink::new(hub.clone(), bus.clone()),
                server: None,
                away: Some(String::from("the server has not been found yet")),
            }),
            bus,
            clock: Arc::default(),
            is_puzzled: Notify::new(),
        })
    }

    /// Keeps knowing what the server is, until `shutdown` turns true.
    pub(super) async fn watch(self: Arc<Self>, mut shutdown: watch::Receiver<bool>) {
        let Some(mut changes) = self.bus.subscribe(self.bus.subject("changed")).await else { return };
        let mut is_connected = self.bus.watch();
        let mut n_silent = 0;
        loop {
            let sent = unix_ms();
            let asked = self.bus.ask(self.bus.subject("info"), Bytes::new(), PATIENCE);
            let answer = tokio::select! {
                answer = asked => answer,
                () = until(&mut shutdown) => return,
            };
            n_silent = if answer == Err(BusError::Silence) { n_silent + 1 } else { 0 };
            match answer {
                Ok(bytes) => {
                    if let Some(info) = self.learn(&bytes) {
                        self.clock().observe(sent, info.server_time, unix_ms());
                    }
                }
                Err(BusError::Away) => self.lose(format!("NATS is away at {}", self.bus.shown())),
                Err(BusError::Silence) if n_silent < MAX_SILENT => continue,
                Err(_) => {
                    let why = format!(
                        "no server answers at {}; start one: antiphon serve --nats … --nats-name {}",
                        self.bus.shown(),
                        self.bus.name()
                    );
                    self.lose(why);
                }
            }
            let puzzled = async {
                self.is_puzzled.notified().await;
                tokio::time::sleep(MIN_PAUSE).await;
            };
            tokio::select! {
                () = tokio::time::sleep(HEARTBEAT) => {}
                () = puzzled => {}
                Ok(()) = is_connected.changed() => {}
                Some(message) = changes.next() => {
                    self.learn(&message.payload);
                }
                () = until(&mut shutdown) => return,
            }
        }
    }

    /// Waits for the server for a while. Returns why it is not there then.
    pub(super) async fn wait(&self, patience: Duration) -> Option<String> {
        let _ = timeout(patience, async {
            while self.away().is_some() {
                tokio::time::sleep(MIN_PAUSE).await;
            }
        })
        .await;
        self.away()
    }

    /// Why the server cannot be reached, if it cannot.
    pub(super) fn away(&self) -> Option<String> {
        self.with(|inner| inner.away.clone())
    }

    fn learn(&self, bytes: &Bytes) -> Option<ServerInfo> {
        let info: ServerInfo = serde_json::from_slice(bytes).ok()?;
        let rate = SampleRate::new(info.directory.sample_rate)?;
        if info.protocol_version != VERSION {
            let (theirs, ours) = (info.protocol_version, VERSION);
            self.lose(format!("the server speaks version {theirs} of the protocol and this relay {ours}"));
            return None;
        }
        let now = Seen { epoch: info.epoch, sample_rate: rate.hz(), taps: id_of_taps(&info.directory) };
        let new = Arc::new(info.directory.clone());
        self.with(|inner| {
            let Inner { registry, uplink, server, away } = inner;
            let before = server.replace(now);
            let is_back = away.take().is_some();
            if before.is_none_or(|before| before.sample_rate != now.sample_rate) {
                // Axes and hellos of clients hold for one rate: they are closed, and come again.
                *registry = Registry::default();
                uplink.set_rate(rate);
            }
            let is_other = before.is_some_and(|before| before.epoch != now.epoch);
            if is_other {
                registry.sinks().iter().for_each(|sink| sink.restart(now.epoch));
            }
            if is_other || before.is_none_or(|before| before.taps != now.taps) {
                let old = uplink.taps().clone();
                uplink.set_taps(new.clone());
                registry.retap(uplink, &old, &new, |_, _| {});
            }
            if is_back || is_other {
                tracing::info!(epoch = now.epoch, "the server is there");
                uplink.begin_anew();
            }
        });
        Some(info)
    }

    fn lose(&self, why: String) {
        self.with(|inner| {
            let before = inner.away.replace(why.clone());
            // That NATS is away was told already.
            if before.as_ref() != Some(&why) && self.bus.is_connected() {
                tracing::warn!("{why}");
            }
            if before.is_none() {
                let message = ServerMessage::error("server_away", why);
                inner.registry.sinks().iter().for_each(|sink| sink.tell(&message));
            }
        });
    }

    /// Hands out the frames of a message.
    pub(super) fn arrived(&self, id: FeedId, message: &[u8]) {
        let Some((taps, mut frames)) = message.split_first_chunk() else { return };
        let traffic = &self.bus.traffic;
        let mut awake = Vec::new();
        self.with(|inner| {
            let Inner { registry, uplink, server, .. } = inner;
            while let Some((header, payload, rest)) = Header::split(frames) {
                frames = rest;
                // The axis is known already; others are of a later version.
                let Some(topic) = Topic::from_id(header.topic).filter(|topic| *topic != Topic::Axis) else {
                    continue;
                };
                let is_known =
                    |seen: Seen| seen.epoch == header.epoch && seen.taps == Uuid::from_bytes(*taps);
                if !server.is_some_and(is_known) {
                    self.is_puzzled.notify_one();
                    continue;
                }
                let Ok(values) = decode_payload(&header, payload) else { continue };
                let taps = uplink.taps().clone();
                let Some(stream) = uplink.stream(id) else { return };
                let (marks, n_missing) = stream.arrived(topic, &header);
                traffic.frames.fetch_add(1, Ordering::Relaxed);
                traffic.lost.fetch_add(n_missing.into(), Ordering::Relaxed);
                let is_over = matches!(&values, Payload::Text(Topic::Trigger, text) if is_last(text));
                let (tap, sample_position) = (TapId(header.tap), header.sample_position);
                let frame = Frame { tap, flags: header.flags.with(marks), sample_position, payload: values };
                let encode = |axis| EncodedFrame::new(frame, taps, axis).received(payload, header.dropped);
                let delivered = registry.deliver_encoded(id, encode, None, &mut awake);
                stream.latest = delivered.filter(|_| !topic.is_queued());
                if is_over {
                    registry.end(uplink, id);
                }
            }
        });
        traffic.bytes.fetch_add(message.len() as u64, Ordering::Relaxed);
        wake_all(&mut awake, &Handle::current());
    }

    /// Offers what is known of a stream to a sink, which is to be woken if it is among `awake` then. When nothing is
    /// known yet, the marks are the first frame's.
    fn show_latest(inner: &mut Inner, id: FeedId, sink: u64, marks: Flags, awake: &mut Vec<Arc<dyn Sink>>) {
        let Some(stream) = inner.uplink.stream(id) else { return };
        let Some(latest) = stream.latest.clone() else {
            stream.was_interrupted |= marks.contains(Flags::DISCONTINUITY);
            return;
        };
        inner.registry.deliver_encoded(id, |_| latest.marked(marks), Some(sink), awake);
    }

    fn clock(&self) -> std::sync::MutexGuard<'_, FarClock> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        act(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether a trigger fired for the last time.
fn is_last(trigger: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Fired {
        ended: bool,
    }
    serde_json::from_str::<Fired>(trigger).is_ok_and(|fired| fired.ended)
}

#[async_trait]
impl Origin for Hub {
    fn epoch(&self) -> Result<u16, String> {
        self.with(|inner| match (&inner.away, inner.server) {
            (None, Some(server)) => Ok(server.epoch),
            (why, _) => Err(why.clone().unwrap_or_default()),
        })
    }

    fn taps(&self) -> Arc<Directory> {
        self.with(|inner| inner.uplink.taps().clone())
    }

    fn clock(&self) -> Clock {
        let clock = self.clock.clone();
        Arc::new(move || unix_ms() + clock.lock().unwrap_or_else(PoisonError::into_inner).offset())
    }

    fn join(&self, sink: Arc<dyn Sink>) {
        self.with(|inner| {
            let taps = inner.uplink.taps().clone();
            inner.registry.join(sink.clone(), &taps);
        });
        sink.wake();
    }

    async fn subscribe(&self, subscription: Subscription, sink: Arc<dyn Sink>) -> Result<(), SubscribeError> {
        let mut awake = Vec::new();
        self.with(|inner| {
            let Inner { registry, uplink, .. } = inner;
            let id = registry.subscribe(uplink, &subscription, &sink)?;
            Self::show_latest(inner, id, sink.id(), Flags::SNAPSHOT, &mut awake);
            Ok(())
        })?;
        wake_all(&mut awake, &Handle::current());
        Ok(())
    }

    fn unsubscribe(&self, which: Selection, sink: u64) {
        self.with(|inner| inner.registry.unsubscribe(&mut inner.uplink, which, sink));
    }

    fn resume(&self, topics: Vec<Topic>, sink: u64) {
        let mut awake = Vec::new();
        let marks = Flags::SNAPSHOT.with(Flags::DISCONTINUITY);
        self.with(|inner| {
            for id in inner.registry.resumed(sink, &topics) {
                Self::show_latest(inner, id, sink, marks, &mut awake);
            }
        });
        wake_all(&mut awake, &Handle::current());
    }

    fn leave(&self, sink: u64) {
        self.with(|inner| inner.registry.leave(&mut inner.uplink, sink));
    }

    fn player(&self) -> Box<dyn Player> {
        Box::new(FarPlayer::new(self.bus.clone()))
    }
}

/// How far the server's clock is ahead of ours: as the quickest of the last answers said, since delays only add.
#[derive(Debug, Default)]
struct FarClock {
    /// Round trip and offset, ms; the newest last.
    readings: VecDeque<(f64, f64)>,
}

impl FarClock {
    const MAX_READINGS: usize = 8;

    fn observe(&mut self, sent: f64, server_time: f64, received: f64) {
        if self.readings.len() == Self::MAX_READINGS {
            self.readings.pop_front();
        }
        self.readings.push_back((received - sent, server_time - (sent + received) / 2.0));
    }

    /// Milliseconds.
    fn offset(&self) -> f64 {
        let quickest = self.readings.iter().min_by(|a, b| a.0.total_cmp(&b.0));
        quickest.map_or(0.0, |(_, offset)| *offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quickest_answer_tells_the_time() {
        let mut clock = FarClock::default();
        assert_eq!(clock.offset(), 0.0);
        clock.observe(1000.0, 5100.0, 1200.0);
        assert_eq!(clock.offset(), 4000.0);
        clock.observe(2000.0, 6001.0, 2002.0);
        clock.observe(3000.0, 7900.0, 4000.0);
        assert_eq!(clock.offset(), 4000.0, "the one that took 2 ms");
        for n in 0..8 {
            clock.observe(f64::from(n), f64::from(n) + 50.0, f64::from(n));
        }
        assert_eq!(clock.offset(), 50.0, "old ones are forgotten");
    }
}
