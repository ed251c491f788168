//! The connection to NATS: made once, mended for ever, and never waited for.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event, RequestErrorKind, ServerAddr, Subscriber};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::api::metrics::{counters, gauges};

/// Time for the first connection, after which we go on without.
const PATIENCE: Duration = Duration::from_secs(3);
/// Between attempts to connect again, at most.
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// A connection on which nothing comes back is given up after two of these.
const PING: Duration = Duration::from_secs(5);
/// Messages that may wait for the connection's writer. What comes while it is full waits where it merges.
const MAX_OUTGOING: usize = 64;
/// Messages of a subscription that may wait for us; later ones are lost, and seen to be missing.
const MAX_INCOMING: usize = 256;

/// Where NATS is, and what we are called there.
#[derive(Clone, Debug)]
pub struct NatsOptions {
    /// One server, or several of one cluster.
    pub servers: Vec<ServerAddr>,
    /// Tells servers on one NATS apart.
    pub name: String,
    /// A `.creds` file with a JWT and its key.
    pub credentials: Option<PathBuf>,
}

impl NatsOptions {
    /// The servers as one may show them: without passwords.
    pub fn shown(&self) -> String {
        let shown = self.servers.iter().map(|s| format!("{}://{}:{}", s.scheme(), s.host(), s.port()));
        shown.collect::<Vec<_>>().join(",")
    }
}

/// Checks the name of a server, which is a part of a subject.
///
/// # Errors
/// Says what a name may hold.
pub fn server_name(text: &str) -> Result<String, String> {
    let is_sign = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if (1..=64).contains(&text.len()) && text.chars().all(is_sign) {
        Ok(text.to_string())
    } else {
        Err(String::from("use 1 to 64 letters, digits, - and _"))
    }
}

/// Why there will be no connection however long one waits. The text says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NatsError {
    /// The credentials cannot be read.
    Credentials(PathBuf, String),
    /// Another server has the name.
    NameTaken(String, String),
    /// NATS does not know us, or cannot speak as we are to.
    Refused(String, String),
}

impl fmt::Display for NatsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credentials(path, why) => {
                write!(
                    f,
                    "{} holds no NATS credentials ({why}); give a .creds file to --nats-creds",
                    path.display()
                )
            }
            Self::NameTaken(server, name) => write!(
                f,
                "another server is called {name} on NATS at {server}; choose another name with --nats-name"
            ),
            Self::Refused(server, why) => write!(
                f,
                "NATS at {server} refuses us ({why}); check user and password in --nats, or --nats-creds"
            ),
        }
    }
}

impl std::error::Error for NatsError {}

/// What went over the connection.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    pub(super) frames: AtomicU64,
    pub(super) bytes: AtomicU64,
    /// Frames that were missing on their way to a relay.
    pub(super) lost: AtomicU64,
}

/// A connection to NATS. Clones share it.
#[derive(Clone)]
pub struct Bus {
    client: Client,
    is_connected: watch::Receiver<bool>,
    name: Arc<str>,
    shown: Arc<str>,
    pub(super) traffic: Arc<Traffic>,
}

/// NATS is away, or nobody answers there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BusError {
    /// There is no connection.
    Away,
    /// There is nobody who takes such messages.
    NobodyThere,
    /// No answer came in time.
    Silence,
}

impl Bus {
    /// Reads `nats://[user:password@]host[:port]`.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn server(url: &str) -> Result<ServerAddr, String> {
        let form = "use the form nats://host:4222, or tls://host:4222";
        let server = ServerAddr::from_str(url).map_err(|error| format!("{error}; {form}"))?;
        let is_fine = matches!(server.scheme(), "nats" | "tls") && !server.host().is_empty();
        if is_fine { Ok(server) } else { Err(form.to_string()) }
    }

    /// Connects; when NATS does not answer just now, goes on and connects later.
    ///
    /// # Errors
    /// See [`NatsError`].
    pub async fn connect(options: &NatsOptions) -> Result<Self, NatsError> {
        let shown = options.shown();
        let (state, is_connected) = watch::channel(false);
        let configured = || async {
            let (state, shown) = (state.clone(), shown.clone());
            let base = ConnectOptions::new()
                .name(format!("antiphon {}", options.name))
                .client_capacity(MAX_OUTGOING)
                .subscription_capacity(MAX_INCOMING)
                .ping_interval(PING)
                .reconnect_delay_callback(|attempts| {
                    MAX_PAUSE.min(Duration::from_millis(50 << attempts.min(6)))
                })
                .event_callback(move |event| {
                    note_event(&event, &state, &shown);
                    async {}
                });
            match &options.credentials {
                None => Ok(with_login(base, &options.servers)),
                Some(path) => {
                    let refused = |why: String| NatsError::Credentials(path.clone(), why);
                    let text = tokio::fs::read_to_string(path).await.map_err(|e| refused(e.to_string()))?;
                    base.credentials(&text).map_err(|error| refused(error.to_string()))
                }
            }
        };
        let first = timeout(PATIENCE, configured().await?.connect(&options.servers[..])).await;
        let client = match first {
            Ok(Ok(client)) => {
                // The event that says so comes a little later.
                state.send_replace(true);
                client
            }
            Ok(Err(error)) if is_final(error.kind()) => {
                return Err(NatsError::Refused(shown, error.to_string()));
            }
            _ => {
                tracing::warn!("NATS does not answer at {shown}; it is tried again until it does");
                let later = configured().await?.retry_on_initial_connect().connect(&options.servers[..]);
                later.await.map_err(|error| NatsError::Refused(shown.clone(), error.to_string()))?
            }
        };
        let (name, shown) = (options.name.as_str().into(), shown.into());
        Ok(Self { client, is_connected, name, shown, traffic: Arc::default() })
    }

    /// The subject of a part, such as `info`.
    pub(super) fn subject(&self, part: &str) -> String {
        format!("antiphon.{}.{part}", self.name)
    }

    /// A subject that nobody else has.
    pub(super) fn new_inbox(&self) -> String {
        self.client.new_inbox()
    }

    /// What the server is called.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Where NATS is.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// The longest message that NATS takes, bytes.
    pub(super) fn max_payload(&self) -> usize {
        self.client.max_payload()
    }

    /// Whether there is a connection.
    pub fn is_connected(&self) -> bool {
        *self.is_connected.borrow()
    }

    /// Whether there is a connection, to wait for a change.
    pub(super) fn watch(&self) -> watch::Receiver<bool> {
        self.is_connected.clone()
    }

    /// Waits until the connection is lost.
    pub(super) async fn lost(&self) {
        let _ = self.watch().wait_for(|&is_connected| !is_connected).await;
    }

    /// Gets what is said on a subject, also after interruptions. `None` when the process ends.
    pub(super) async fn subscribe(&self, subject: String) -> Option<Subscriber> {
        self.client.subscribe(subject).await.ok()
    }

    /// Says something; `answers` names where an answer is expected.
    ///
    /// # Errors
    /// NATS is away, or it takes no message that long.
    pub(super) async fn publish(
        &self,
        subject: &str,
        answers: Option<&str>,
        payload: Bytes,
    ) -> Result<(), BusError> {
        if !self.is_connected() {
            return Err(BusError::Away);
        }
        let subject = subject.to_string();
        let published = async {
            match answers {
                None => self.client.publish(subject, payload).await,
                Some(answers) => self.client.publish_with_reply(subject, answers.to_string(), payload).await,
            }
        };
        tokio::select! {
            published = published => published.map_err(|_| BusError::Away),
            () = self.lost() => Err(BusError::Away),
        }
    }

    /// Asks and waits for one answer.
    ///
    /// # Errors
    /// See [`BusError`].
    pub(super) async fn ask(
        &self,
        subject: String,
        question: Bytes,
        patience: Duration,
    ) -> Result<Bytes, BusError> {
        if !self.is_connected() {
            return Err(BusError::Away);
        }
        let asked = async { self.client.request(subject, question).await.map_err(|error| error.kind()) };
        tokio::select! {
            answer = timeout(patience, asked) => match answer {
                Ok(Ok(message)) => Ok(message.payload),
                Ok(Err(RequestErrorKind::NoResponders)) => Err(BusError::NobodyThere),
                Ok(Err(_)) => Err(BusError::Away),
                Err(_) => Err(BusError::Silence),
            },
            () = self.lost() => Err(BusError::Away),
        }
    }
}

/// The library reads no user and no password out of URLs. A user alone is a token.
fn with_login(base: ConnectOptions, servers: &[ServerAddr]) -> ConnectOptions {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let login = servers.iter().find_map(|server| Some((decoded(server.username()?), server.password())));
    match login {
        Some((user, Some(password))) => base.user_and_password(user, decoded(password)),
        Some((token, None)) => base.token(token),
        None => base,
    }
}

/// Whether to try again is of no use.
fn is_final(kind: ConnectErrorKind) -> bool {
    use ConnectErrorKind::{Authentication, AuthorizationViolation, ServerParse, Tls};
    matches!(kind, Authentication | AuthorizationViolation | ServerParse | Tls)
}

/// Keeps the state, and tells each change of it once.
fn note_event(event: &Event, state: &watch::Sender<bool>, shown: &str) {
    let changes = |to: bool| state.send_if_modified(|now| std::mem::replace(now, to) != to);
    match event {
        Event::Connected if changes(true) => tracing::info!("connected to NATS at {shown}"),
        Event::Disconnected | Event::Closed if changes(false) => {
            tracing::warn!("NATS at {shown} is away; it is tried again until it is back");
        }
        Event::ServerError(error) => tracing::warn!("NATS at {shown} complains: {error}"),
        _ => {}
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bus({} {})", self.shown, self.name)
    }
}

impl Collector for Bus {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let traffic = &self.traffic;
        counters(
            &mut encoder,
            &[
                ("nats_frames", "Frames published, or received by a relay", count(&traffic.frames)),
                ("nats_bytes", "Bytes of them", count(&traffic.bytes)),
                ("nats_frames_lost", "Frames that did not reach this relay", count(&traffic.lost)),
            ],
        )?;
        let is_connected = f64::from(u8::from(self.is_connected()));
        gauges(&mut encoder, &[("nats_connected", "1 while NATS is connected", is_connected)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_checked_before_anything_starts() {
        let servers: Vec<ServerAddr> =
            ["tls://me:secret@a.example", "b.example:5"].map(|url| Bus::server(url).unwrap()).into();
        let options = NatsOptions { servers, name: String::from("x"), credentials: None };
        assert_eq!(options.shown(), "tls://a.example:4222,nats://b.example:5");
        for bad in ["http://host", "ws://host", "nats://", "", "nats://host:port"] {
            assert!(Bus::server(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_one_token_of_a_subject() {
        assert_eq!(server_name("stage-2_b").as_deref(), Ok("stage-2_b"));
        for bad in ["", "a.b", "*", ">", "with space", "é", &"x".repeat(65)] {
            assert!(server_name(bad).is_err(), "{bad}");
        }
    }
}
