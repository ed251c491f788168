//! The life of one stream connection, without a socket, a clock or a random number of its own.
//!
//! ```text
//! connecting ──hello──▶ live ──close, silence──▶ waiting (full-jitter back-off) ──▶ connecting …
//!      └────────timeout, close────────▶ waiting       │ refused for good ──▶ failed
//! ```
//!
//! The shell hands in events with the time at which they happened and carries out the [`Action`]s; what it gets
//! for one event it must do in order.

mod wanted;

use engine_core::analysis::trigger::TriggerKind;
use engine_core::protocol::rest::LiveNote;
use engine_core::protocol::{ClientMessage, StreamOptions, Topic};

use self::wanted::{Wanted, has_options, unsubscribe};

/// From opening the socket to `hello`.
pub const CONNECT_TIMEOUT_MS: f64 = 8_000.0;
/// Silence after which the other end is asked for a sign of life, and time that it has to give one.
pub const HEARTBEAT_MS: f64 = 5_000.0;
/// The first wait is up to this long; each later one up to twice the one before.
pub const BACK_OFF_BASE_MS: f64 = 500.0;
/// No wait is longer.
pub const BACK_OFF_MAX_MS: f64 = 15_000.0;
/// A server that has no room is left alone for this long at least.
pub const BUSY_MS: f64 = 2_000.0;
/// A connection that lived this long was good: the next wait starts from the base again.
pub const SETTLED_MS: f64 = 10_000.0;

/// Round trips that follow one another at once when the connection is there, to know the server's clock soon.
pub const FIRST_PINGS: u32 = 4;
/// Between those that follow, until the clock is known well.
pub const CLOCK_MS: f64 = 250.0;
/// Round trips until it is.
pub const CLOCK_PINGS: u32 = 16;
/// From then on: clocks drift. Less than the heartbeat's, so that one answer serves both.
pub const DRIFT_MS: f64 = 4_000.0;

/// What a subscriber sees of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// On the way to the first `hello`.
    Connecting,
    /// Frames come.
    Live,
    /// Lost, or not reached; it is tried again.
    Reconnecting,
    /// Closed on request.
    Closed,
    /// Refused; it is not tried again.
    Failed,
}

/// What the shell has to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Open a socket; one that is there was abandoned.
    Connect,
    /// Send a message.
    Send(ClientMessage),
    /// Close the socket and forget it: no more events come from it.
    Abandon,
}

/// Why a connection is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Stable name. Tried again: `unreachable`, `timeout`, `stale`, `closed`, `restarting`, `busy`, `too-many`,
    /// `too-slow`. Final: `unauthorized`, `forbidden`, `protocol`.
    pub code: &'static str,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub hint: &'static str,
}

/// Which stream: topic, and tap as JSON frames name it.
pub type StreamKey = (Topic, String);

#[derive(Clone, Copy, Debug)]
enum State {
    Idle,
    Connecting { since: f64 },
    Live { since: f64, heard: f64, pinged: Option<f64>, clock: ClockPings },
    Waiting { until: f64 },
    Closed,
    Failed,
}

/// The round trips that measure the server's clock.
#[derive(Clone, Copy, Debug, Default)]
struct ClockPings {
    n_pongs: u32,
    next: Option<f64>,
}

/// The state machine. `R` gives random numbers in 0…1.
pub struct Session<R> {
    state: State,
    random: R,
    /// Attempts that failed since a connection settled.
    n_failures: u32,
    wanted: Vec<Wanted>,
    /// Streams that this connection sent though nobody wants them, and that were declined.
    declined: Vec<StreamKey>,
    epoch: Option<u16>,
    loss: Option<Loss>,
    keeps_time: bool,
    n_fences: u32,
}

impl<R: FnMut() -> f64> Session<R> {
    /// A session that has not been opened.
    pub fn new(random: R) -> Self {
        Self {
            state: State::Idle,
            random,
            n_failures: 0,
            wanted: Vec::new(),
            declined: Vec::new(),
            epoch: None,
            loss: None,
            keeps_time: false,
            n_fences: 0,
        }
    }

    /// Measures the server's clock on this connection, from the next `hello` on.
    pub fn keep_time(&mut self) {
        self.keeps_time = true;
    }

    /// For display.
    pub fn status(&self) -> Status {
        match self.state {
            State::Live { .. } => Status::Live,
            State::Closed => Status::Closed,
            State::Failed => Status::Failed,
            State::Idle | State::Connecting { .. } | State::Waiting { .. } => {
                if self.loss.is_none() {
                    Status::Connecting
                } else {
                    Status::Reconnecting
                }
            }
        }
    }

    /// Why it is not live; `None` once it is.
    pub fn loss(&self) -> Option<&Loss> {
        self.loss.as_ref()
    }

    /// When [`tick`](Self::tick) is to be called at the latest.
    pub fn wake_at(&self) -> Option<f64> {
        match self.state {
            State::Connecting { since } => Some(since + CONNECT_TIMEOUT_MS),
            State::Live { heard, pinged, clock, .. } => {
                let heartbeat = pinged.unwrap_or(heard) + HEARTBEAT_MS;
                Some(clock.next.map_or(heartbeat, |next| next.min(heartbeat)))
            }
            State::Waiting { until } => Some(until),
            State::Idle | State::Closed | State::Failed => None,
        }
    }

    /// Opens the first socket.
    pub fn open(&mut self, now: f64) -> Vec<Action> {
        self.connect(now)
    }

    /// Tries now instead of at the end of a wait: the network came back, or the page became visible.
    pub fn nudge(&mut self, now: f64) -> Vec<Action> {
        if matches!(self.state, State::Waiting { .. }) { self.connect(now) } else { Vec::new() }
    }

    /// `hello` came. All wanted streams are asked for, and what was missed in between.
    pub fn hello(&mut self, epoch: u16, now: f64) -> Vec<Action> {
        let is_first_on_connection = !matches!(self.state, State::Live { .. });
        if matches!(self.state, State::Closed | State::Failed) {
            return Vec::new();
        }
        if is_first_on_connection {
            let clock = ClockPings { n_pongs: 0, next: None };
            self.state = State::Live { since: now, heard: now, pinged: None, clock };
            self.loss = None;
        }
        // A second hello announces other taps: streams of the old ones are gone, the rest is confirmed.
        let mut actions = Vec::new();
        if is_first_on_connection {
            // An endpoint begins a trigger by itself, and one of another kind would be one more.
            let triggers = self.wanted.iter().filter(|wanted| wanted.key.0 == Topic::Trigger);
            actions.extend(triggers.map(|wanted| Action::Send(unsubscribe(&wanted.key, None))));
        }
        actions.extend(self.wanted.iter().map(|wanted| Action::Send(wanted.subscribe())));
        if is_first_on_connection {
            // An endpoint begins by itself, with the default options.
            let is_other = |wanted: &Wanted| wanted.options != StreamOptions::default();
            actions.extend(self.fence(is_other));
        }
        if let Some(before) = self.epoch.replace(epoch).filter(|_| is_first_on_connection) {
            let last_seq =
                |wanted: &mut Wanted| Some((wanted.key.0.name().to_owned(), wanted.last_seq.take()?));
            let topics = self.wanted.iter_mut().filter_map(last_seq).collect();
            actions.push(Action::Send(ClientMessage::Resume { epoch: before, topics }));
        }
        if is_first_on_connection && self.keeps_time {
            actions.push(Action::Send(ClientMessage::Ping { t0: now }));
        }
        actions
    }

    /// A pong came. The next ping follows at once while the clock is new, and later now and then.
    pub fn pong(&mut self, t0: f64, now: f64) -> Vec<Action> {
        if is_fence(t0) {
            self.wanted.iter_mut().filter(|it| it.fence == Some(t0)).for_each(|it| it.fence = None);
            return Vec::new();
        }
        let State::Live { clock, .. } = &mut self.state else { return Vec::new() };
        // One that answers a sign of life does not start a second row.
        if !self.keeps_time || clock.next.is_some() {
            return Vec::new();
        }
        clock.n_pongs += 1;
        if clock.n_pongs < FIRST_PINGS {
            return vec![Action::Send(ClientMessage::Ping { t0: now })];
        }
        clock.next = Some(now + if clock.n_pongs < CLOCK_PINGS { CLOCK_MS } else { DRIFT_MS });
        Vec::new()
    }

    /// Something came: the other end is alive.
    pub fn heard(&mut self, now: f64) {
        if let State::Live { heard, pinged, .. } = &mut self.state {
            *heard = now;
            *pinged = None;
        }
    }

    /// A frame came. `false`: nobody wants it; the actions decline the stream.
    pub fn frame(&mut self, key: StreamKey, seq: u32) -> (bool, Vec<Action>) {
        if let Some(wanted) = self.wanted.iter_mut().find(|wanted| wanted.key == key) {
            wanted.last_seq = Some(seq);
            return (wanted.fence.is_none(), Vec::new());
        }
        if self.declined.contains(&key) {
            return (false, Vec::new());
        }
        let message = unsubscribe(&key, None);
        self.declined.push(key);
        (false, vec![Action::Send(message)])
    }

    /// Starts a stream, or changes its rate and options. A tap has a trigger of each kind.
    pub fn subscribe(&mut self, key: StreamKey, fps: Option<u16>, options: StreamOptions) -> Vec<Action> {
        self.declined.retain(|declined| *declined != key);
        let new = Wanted { key, fps, options, last_seq: None, fence: None };
        let message = new.subscribe();
        let key = new.key.clone();
        let is_its = |wanted: &&mut Wanted| wanted.is(&new.key, new.options.kind);
        let (is_same, says_the_same) = match self.wanted.iter_mut().find(is_its) {
            Some(old) => {
                let says_the_same = old.options == new.options;
                let is_same = says_the_same && old.fps == new.fps;
                (old.fps, old.options) = (new.fps, new.options);
                (is_same, says_the_same)
            }
            None => {
                self.wanted.push(new);
                (false, false)
            }
        };
        let mut actions = self.if_live(!is_same, message);
        if !says_the_same && self.status() == Status::Live {
            actions.extend(self.fence(|wanted| wanted.key == key));
        }
        actions
    }

    /// Keeps frames away that were on their way when these streams were asked for: they are of other options. The
    /// server answers in order, so a ping's answer is where the new ones begin.
    fn fence(&mut self, is_it: impl Fn(&Wanted) -> bool) -> Option<Action> {
        let t0 = -f64::from(self.n_fences + 1);
        let mut is_needed = false;
        for wanted in self.wanted.iter_mut().filter(|wanted| has_options(wanted.key.0) && is_it(wanted)) {
            wanted.fence = Some(t0);
            is_needed = true;
        }
        self.n_fences += u32::from(is_needed);
        is_needed.then_some(Action::Send(ClientMessage::Ping { t0 }))
    }

    /// What came at first cannot be read: another attempt would bring the same.
    pub fn misread(&mut self, why: &str) -> Vec<Action> {
        let actions = self.close();
        self.state = State::Failed;
        self.loss = Some(Loss {
            code: "protocol",
            message: format!("the server's hello cannot be read: {why}"),
            hint: "use the same version of the package and of the server",
        });
        actions
    }

    /// Ends a stream; of a tap's triggers, the one of that kind.
    pub fn unsubscribe(&mut self, key: &StreamKey, kind: Option<TriggerKind>) -> Vec<Action> {
        let n_before = self.wanted.len();
        self.wanted.retain(|wanted| !wanted.is(key, kind));
        // Older servers know no kinds: it is named only where another one stays.
        let kind = kind.filter(|_| self.wanted.iter().any(|wanted| wanted.key == *key));
        self.if_live(self.wanted.len() < n_before, unsubscribe(key, kind))
    }

    /// The socket closed, or could not be opened (code 1006).
    pub fn closed(&mut self, code: u16, reason: &str, now: f64) -> Vec<Action> {
        let was_live = matches!(self.state, State::Live { .. });
        let said = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        let loss = |code, message: String, hint| Loss { code, message, hint };
        let refused = match code {
            4401 => Some(loss(
                "unauthorized",
                format!("the server wants a token{said}"),
                "pass { token } to connect()",
            )),
            4403 => Some(loss(
                "forbidden",
                format!("the server does not serve this page{said}"),
                "start the server with --allow-origin and this page's origin",
            )),
            1002 | 1003 | 1007 | 1008 | 1009 => Some(loss(
                "protocol",
                format!("the server did not understand this client ({code}){said}"),
                "use the same version of the package and of the server",
            )),
            _ => None,
        };
        if let Some(loss) = refused {
            self.loss = Some(loss);
            self.state = State::Failed;
            return Vec::new();
        }
        let (loss, at_least_ms) = match code {
            1001 => (
                loss(
                    "restarting",
                    format!("the server is ending or restarting{said}"),
                    "it is reached again by itself as soon as it is back",
                ),
                0.0,
            ),
            1013 => (
                loss(
                    "busy",
                    format!("the server has no room for another client{said}"),
                    "close other pages, or start the server with higher limits; it is tried again",
                ),
                BUSY_MS,
            ),
            4408 => (
                loss(
                    "too-slow",
                    format!("this page did not read what the server sent{said}"),
                    "subscribe to fewer streams, or at a lower rate; it is being reopened",
                ),
                0.0,
            ),
            4429 => (
                loss(
                    "too-many",
                    format!("the server saw too many connections or messages from here{said}"),
                    "use one socket for all topics (multiplex: true), and close other pages; it is tried again",
                ),
                BUSY_MS,
            ),
            _ if was_live => (
                loss(
                    "closed",
                    format!("the server closed the connection ({code}){said}"),
                    "it is being reopened",
                ),
                0.0,
            ),
            _ => (
                loss(
                    "unreachable",
                    format!("no stream connection ({code}){said}"),
                    "start the server, check the address, and that it allows this page's origin",
                ),
                0.0,
            ),
        };
        self.lose(loss, now, at_least_ms);
        Vec::new()
    }

    /// Time passed.
    pub fn tick(&mut self, now: f64) -> Vec<Action> {
        match &mut self.state {
            State::Connecting { since } if now >= *since + CONNECT_TIMEOUT_MS => {
                let message = format!("no answer in {} s", CONNECT_TIMEOUT_MS as u32 / 1000);
                self.lose(
                    Loss { code: "timeout", message, hint: "check that an Antiphon server listens there" },
                    now,
                    0.0,
                );
                vec![Action::Abandon]
            }
            State::Live { clock: ClockPings { next: next @ Some(_), .. }, .. }
                if next.is_some_and(|next| now >= next) =>
            {
                *next = None;
                vec![Action::Send(ClientMessage::Ping { t0: now })]
            }
            State::Live { pinged: Some(pinged), .. } if now >= *pinged + HEARTBEAT_MS => {
                let message = format!("nothing came for {} s", HEARTBEAT_MS as u32 / 500);
                self.lose(Loss { code: "stale", message, hint: "it is being reopened" }, now, 0.0);
                vec![Action::Abandon]
            }
            State::Live { heard, pinged: pinged @ None, .. } if now >= *heard + HEARTBEAT_MS => {
                *pinged = Some(now);
                vec![Action::Send(ClientMessage::Ping { t0: now })]
            }
            State::Waiting { until } if now >= *until => self.connect(now),
            _ => Vec::new(),
        }
    }

    /// Ends the session.
    pub fn close(&mut self) -> Vec<Action> {
        let had_socket = matches!(self.state, State::Connecting { .. } | State::Live { .. });
        self.state = State::Closed;
        if had_socket { vec![Action::Abandon] } else { Vec::new() }
    }

    /// Plays a note. While there is no connection it is lost: later would be wrong.
    pub fn note(&self, note: LiveNote) -> Vec<Action> {
        let LiveNote { track, pitch, velocity, on } = note;
        self.if_live(true, ClientMessage::Note { track, pitch, velocity, on })
    }

    fn connect(&mut self, now: f64) -> Vec<Action> {
        self.state = State::Connecting { since: now };
        // Their pings went with the connection.
        self.wanted.iter_mut().for_each(|wanted| wanted.fence = None);
        self.declined.clear();
        vec![Action::Connect]
    }

    fn if_live(&self, applies: bool, message: ClientMessage) -> Vec<Action> {
        if applies && self.status() == Status::Live { vec![Action::Send(message)] } else { Vec::new() }
    }

    /// Full jitter: a uniform wait between 0 and a bound that doubles, so that a thousand clients of a server
    /// that restarts do not come back at once.
    fn lose(&mut self, loss: Loss, now: f64, at_least_ms: f64) {
        if matches!(self.state, State::Closed | State::Failed | State::Waiting { .. }) {
            return;
        }
        if let State::Live { since, .. } = self.state
            && now - since >= SETTLED_MS
        {
            self.n_failures = 0;
        }
        let bound = (BACK_OFF_BASE_MS * f64::from(1 << self.n_failures.min(16))).min(BACK_OFF_MAX_MS);
        self.n_failures += 1;
        self.loss = Some(loss);
        self.state = State::Waiting { until: now + at_least_ms + (self.random)() * bound };
    }
}

/// Whether a pong is of a fence, and says nothing of the time: clocks count from the page's start.
pub fn is_fence(t0: f64) -> bool {
    t0 < 0.0
}
