//! Which streams relays need: each has one mailbox, however many relays listen, and lasts as long as one asks for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};
use engine_core::protocol::Directory;
use engine_core::protocol::json::ServerMessage;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::bus::Bus;
use super::letters::{LeaseRequest, id_of_taps};
use crate::publisher::{Sink, StreamStats, new_sink_id};
use crate::ws::{Encoding, Local, Mailbox, Origin, Outgoing, first_hello};

/// Between a relay's requests for a stream that it still needs.
pub(super) const RENEWAL: Duration = Duration::from_secs(10);
/// A relay that has not asked for so long is gone.
pub(super) const LIFETIME: Duration = Duration::from_secs(30);
/// Streams on NATS at a time.
const MAX_STREAMS: usize = 1024;
/// Relays that may need one stream.
const MAX_HOLDERS: usize = 1024;

/// The streams that somebody needs.
pub(super) struct Leases {
    bus: Bus,
    origin: Arc<Local>,
    streams: HashMap<String, Stream>,
}

struct Stream {
    /// Who needs it, and when each asked last.
    holders: HashMap<Uuid, Instant>,
    sink: u64,
    writer: JoinHandle<()>,
}

impl Leases {
    pub(super) fn new(bus: Bus, origin: Arc<Local>) -> Self {
        Self { bus, origin, streams: HashMap::new() }
    }

    /// Carries out a relay's request.
    ///
    /// # Errors
    /// The text says why there is no such stream.
    pub(super) async fn take(&mut self, request: LeaseRequest, now: Instant) -> Result<(), String> {
        let key = request.stream.key();
        if !request.is_needed {
            if let Some(stream) = self.streams.get_mut(&key) {
                stream.holders.remove(&request.relay);
            }
            self.end_unneeded();
            return Ok(());
        }
        // A publisher that has ended, or a trigger that fired, is no reason to begin anew.
        if !self.streams.contains_key(&key) {
            if self.streams.len() >= MAX_STREAMS {
                return Err(format!("{MAX_STREAMS} streams are published; end one first"));
            }
            let stream = self.begin(&key, request.stream).await?;
            self.streams.insert(key.clone(), stream);
        }
        let Some(stream) = self.streams.get_mut(&key) else { return Ok(()) };
        if stream.holders.len() >= MAX_HOLDERS && !stream.holders.contains_key(&request.relay) {
            return Err(format!("{MAX_HOLDERS} relays have this stream"));
        }
        stream.holders.insert(request.relay, now);
        Ok(())
    }

    /// Ends the streams of relays that are gone.
    pub(super) fn sweep(&mut self, now: Instant) {
        for stream in self.streams.values_mut() {
            stream.holders.retain(|_, asked| now.duration_since(*asked) < LIFETIME);
        }
        self.end_unneeded();
    }

    fn end_unneeded(&mut self) {
        let origin = &self.origin;
        self.streams.retain(|_, stream| {
            let is_needed = !stream.holders.is_empty();
            if !is_needed {
                origin.leave(stream.sink);
                stream.writer.abort();
            }
            is_needed
        });
    }

    async fn begin(&self, key: &str, name: super::letters::StreamName) -> Result<Stream, String> {
        let taps = self.origin.taps();
        let mut subscription = name.subscription;
        subscription.tap = taps.find(&name.tap).map_err(|error| error.to_string())?;
        let hello = first_hello(self.origin.epoch, taps.sample_rate);
        let (sink, stats) = (new_sink_id(), Arc::<StreamStats>::default());
        let mailbox = Mailbox::new(sink, Encoding::Binary, Arc::new(hello), stats, self.origin.clock());
        let mailbox = Arc::new(mailbox);
        self.origin.join(mailbox.clone());
        if let Err(error) = self.origin.subscribe(subscription, mailbox.clone()).await {
            self.origin.leave(mailbox.id());
            return Err(error.to_string());
        }
        let subject = self.bus.subject(&format!("frames.{key}"));
        let writer = tokio::spawn(write(self.bus.clone(), subject, mailbox));
        Ok(Stream { holders: HashMap::new(), sink, writer })
    }
}

impl Drop for Leases {
    fn drop(&mut self) {
        for stream in self.streams.values_mut() {
            stream.holders.clear();
        }
        self.end_unneeded();
    }
}

/// Publishes what comes into a mailbox. While NATS is slow it waits there and merges; while NATS is away it is gone,
/// since relays begin anew then.
async fn write(bus: Bus, subject: String, mailbox: Arc<Mailbox>) {
    let mut taps = Uuid::nil();
    loop {
        mailbox.changed().await;
        let batch = mailbox.take();
        for message in batch.messages {
            match message {
                // A hello comes before the first frame that has its taps.
                Outgoing::Text(text) => {
                    if let Ok(ServerMessage::Hello(hello)) = serde_json::from_str(&text) {
                        taps = id_of_taps(&Directory { sample_rate: hello.sample_rate, taps: hello.taps });
                    }
                }
                Outgoing::Binary(frames) => {
                    let mut payload = BytesMut::with_capacity(16 + frames.len());
                    payload.put_slice(taps.as_bytes());
                    payload.put_slice(&frames);
                    let (len, payload) = (payload.len() as u64, Bytes::from(payload));
                    if bus.publish(&subject, None, payload).await.is_ok() {
                        bus.traffic.frames.fetch_add(batch.n_frames, Ordering::Relaxed);
                        bus.traffic.bytes.fetch_add(len, Ordering::Relaxed);
                    }
                }
            }
        }
        if batch.closing.is_some() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
