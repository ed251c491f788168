//! Streams over WebSocket: [`WebSocketManager`] makes a session of a request.
//!
//! ```text
//! Upgrade + StreamQuery ─▶ Mailbox ◀─frames── Origin
//!                          │    ▲ answers
//!                    writer▼    │reader ─▶ Messages ─▶ Origin: Publisher and EngineQueue
//! ```
//!
//! What decides has no IO, no clock and no chance in it: `mailbox` (slots and merging), `client` (pings, stalls,
//! rates), `conversation` (what is said, and when it is over), `messages::interpret`, `inspector`, and the
//! publisher's registry. `wire` makes bytes of it. `session` and `socket` are the thin shell that moves them, `together`
//! and `ring` those of many clients at once; `simulation` is another one, with thousands of clients and a clock of its
//! own.
//!
//! Architecture invariant: no queue of frames but for what cannot be merged: half a second of audio, 64 triggers.
//! Of all else a client that is slow finds the newest frame, merged.

mod client;
mod conversation;
mod echo;
mod handshake;
mod inspector;
mod mailbox;
mod messages;
mod origin;
mod outgoing;
mod query;
mod ring;
mod session;
#[cfg(test)]
mod simulation;
mod slot;
mod socket;
mod together;
mod wire;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use axum::response::Response;
use engine_core::protocol::json::{Hello, Limits, TopicInfo};
use engine_core::protocol::{Directory, Subscription, Topic, VERSION};
use tokio::sync::watch;
use uuid::Uuid;

pub use self::client::Timing;
pub use self::handshake::{Encoding, TOKEN_PREFIX, Upgrade, offered_token};
pub use self::mailbox::{Clock, Mailbox};
pub use self::origin::{Local, Origin, Player};
pub use self::outgoing::{Batch, Closing, Kind, Outgoing, Outlet, Taken};
pub use self::query::StreamQuery;
pub(crate) use self::ring::AT_ONCE;
pub use self::session::Turn;
pub(crate) use self::together::wake_together;

use self::messages::Messages;
use crate::api::ApiError;
use crate::publisher::{Sink, StreamStats, SubscribeError, new_sink_id};
use crate::services::LiveEvent;

/// Makes stream sessions, one per connection.
pub struct WebSocketManager {
    origin: Arc<dyn Origin>,
    stats: Arc<StreamStats>,
    timing: Timing,
    shutdown: watch::Receiver<bool>,
    /// As the last connection had it.
    hello: Mutex<Option<Arc<Hello>>>,
}

impl WebSocketManager {
    /// A manager whose sessions end when `shutdown` turns true.
    pub fn new(
        origin: Arc<dyn Origin>,
        stats: Arc<StreamStats>,
        timing: Timing,
        shutdown: watch::Receiver<bool>,
    ) -> Self {
        tracing::info!("streams are written by {}", together::manner());
        Self { origin, stats, timing, shutdown, hello: Mutex::default() }
    }

    /// Streams spectra.
    ///
    /// # Errors
    /// An option that is out of range.
    pub async fn connect_spectrum(
        &self,
        upgrade: Upgrade,
        query: &StreamQuery,
    ) -> Result<Response, ApiError> {
        self.connect(upgrade, query, &[Topic::Spectrum]).await
    }

    /// Streams waveforms.
    ///
    /// # Errors
    /// An option that is out of range.
    pub async fn connect_waveform(
        &self,
        upgrade: Upgrade,
        query: &StreamQuery,
    ) -> Result<Response, ApiError> {
        self.connect(upgrade, query, &[Topic::Waveform]).await
    }

    /// Streams meters and loudness.
    ///
    /// # Errors
    /// An option that is out of range.
    pub async fn connect_meters(&self, upgrade: Upgrade, query: &StreamQuery) -> Result<Response, ApiError> {
        self.connect(upgrade, query, &[Topic::Meters]).await
    }

    /// Streams the transport.
    ///
    /// # Errors
    /// An option that is out of range.
    pub async fn connect_transport(
        &self,
        upgrade: Upgrade,
        query: &StreamQuery,
    ) -> Result<Response, ApiError> {
        self.connect(upgrade, query, &[Topic::Transport]).await
    }

    /// Streams the server's own load.
    ///
    /// # Errors
    /// An option that is out of range.
    pub async fn connect_analytics(
        &self,
        upgrade: Upgrade,
        query: &StreamQuery,
    ) -> Result<Response, ApiError> {
        self.connect(upgrade, query, &[Topic::Analytics]).await
    }

    /// Streams the stereo image.
    ///
    /// # Errors
    /// An option that is out of range.
    pub async fn connect_stereo(&self, upgrade: Upgrade, query: &StreamQuery) -> Result<Response, ApiError> {
        self.connect(upgrade, query, &[Topic::Stereo]).await
    }

    /// Streams pitch, chroma, key, onsets and tempo.
    ///
    /// # Errors
    /// An option that is out of range.
    pub async fn connect_music(&self, upgrade: Upgrade, query: &StreamQuery) -> Result<Response, ApiError> {
        self.connect(upgrade, query, &[Topic::Music]).await
    }

    /// Streams the sound itself.
    ///
    /// # Errors
    /// An option that is out of range.
    pub async fn connect_audio(&self, upgrade: Upgrade, query: &StreamQuery) -> Result<Response, ApiError> {
        self.connect(upgrade, query, &[Topic::Audio]).await
    }

    /// Tells when something happens; without options, whenever the master falls silent: its limiter lets it not clip.
    ///
    /// # Errors
    /// An option that is out of range.
    pub async fn connect_trigger(&self, upgrade: Upgrade, query: &StreamQuery) -> Result<Response, ApiError> {
        let silence = StreamQuery::parse("kind=silence&once=false")?;
        self.connect(upgrade, if query.is_empty() { &silence } else { query }, &[Topic::Trigger]).await
    }

    /// Streams any topics on one socket; transport and meters until the client subscribes more.
    ///
    /// # Errors
    /// An option that is out of range.
    pub async fn connect_stream(&self, upgrade: Upgrade, query: &StreamQuery) -> Result<Response, ApiError> {
        self.connect(upgrade, query, &[Topic::Transport, Topic::Meters]).await
    }

    /// Sends every message back.
    pub fn connect_echo(&self, upgrade: Upgrade) -> Response {
        let response = upgrade.response();
        tokio::spawn(echo::run(upgrade.on_upgrade));
        response
    }

    /// One for all connections, since each keeps it.
    fn hello(&self, epoch: u16, sample_rate: u32) -> Arc<Hello> {
        let mut last = self.hello.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |hello: &&mut Arc<Hello>| (hello.epoch, hello.sample_rate) == (epoch, sample_rate);
        match last.as_mut().filter(fits) {
            Some(hello) => hello.clone(),
            None => last.insert(Arc::new(first_hello(epoch, sample_rate))).clone(),
        }
    }

    async fn connect(
        &self,
        upgrade: Upgrade,
        query: &StreamQuery,
        topics: &[Topic],
    ) -> Result<Response, ApiError> {
        let epoch = self.origin.epoch().map_err(ApiError::away)?;
        let taps = self.origin.taps();
        let subscriptions = topics.iter().map(|&topic| query.subscription(topic, &taps));
        let subscriptions = subscriptions.collect::<Result<Vec<Subscription>, ApiError>>()?;
        let (hello, clock) = (self.hello(epoch, taps.sample_rate), self.origin.clock());
        let mailbox = Mailbox::new(new_sink_id(), upgrade.encoding, hello, self.stats.clone(), clock);
        let mailbox = Arc::new(mailbox);
        let membership = Membership::new(self, &mailbox);
        for subscription in subscriptions {
            let subscribed = self.origin.subscribe(subscription, mailbox.clone()).await;
            subscribed.map_err(|error| match error {
                SubscribeError::Option(error) => query::refused(&error),
                other => ApiError::unavailable(other.to_string()),
            })?;
        }
        let response = upgrade.response();
        let mut messages =
            Messages { mailbox: mailbox.clone(), origin: self.origin.clone(), player: self.origin.player() };
        let (stats, timing, shutdown) = (self.stats.clone(), self.timing, self.shutdown.clone());
        tokio::spawn(async move {
            let line = mailbox.line();
            if !Box::pin(line.open(upgrade.on_upgrade, stats, timing)).await {
                return;
            }
            let is_to_finish = session::run(&mailbox, &mut messages, shutdown).await;
            drop(membership);
            messages.player.leave().await;
            if let Some(socket) = line.end()
                && is_to_finish
            {
                Box::pin(socket.finish()).await;
            }
        });
        Ok(response)
    }
}

/// What a connection is told first; taps and time follow.
pub(crate) fn first_hello(epoch: u16, sample_rate: u32) -> Hello {
    Hello {
        version: VERSION,
        epoch,
        sample_rate,
        channels: 2,
        taps: Vec::new(),
        topics: TopicInfo::all(),
        limits: Limits::SERVER,
        server_time: 0.0,
    }
}

/// The note that a message plays, if it does.
pub(crate) fn note_of(text: &str, taps: &Directory) -> Option<(Uuid, LiveEvent)> {
    match messages::interpret(text, taps) {
        Ok(messages::Request::Play(track, event)) => Some((track, event)),
        _ => None,
    }
}

/// Counts a connection and has it join the origin, for as long as it lives.
struct Membership {
    origin: Arc<dyn Origin>,
    stats: Arc<StreamStats>,
    sink: u64,
}

impl Membership {
    fn new(manager: &WebSocketManager, mailbox: &Arc<Mailbox>) -> Self {
        manager.stats.clients.fetch_add(1, Ordering::Relaxed);
        manager.origin.join(mailbox.clone());
        Self { origin: manager.origin.clone(), stats: manager.stats.clone(), sink: mailbox.id() }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.stats.clients.fetch_sub(1, Ordering::Relaxed);
        self.origin.leave(self.sink);
    }
}
