//! One request and its answer over NATS: two inboxes, and bodies in pieces that flow only with the other end's credit.
//!
//! A message is a kind and what belongs to it. The relay opens with a head, to which the server's line answers; each
//! end says something every few seconds, so that the other knows that it is still there. Each may send eight pieces,
//! and more as the reader of the body takes them.
//!
//! ```text
//! relay ── head ────────────────────────▶ server
//!       ◀─ alive ────────────────────────         (where to send the body)
//!       ── piece …, end, credit … ───────▶
//!       ◀─ head, piece …, end, credit … ─
//! ```

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use async_nats::{StatusCode, Subscriber};
use axum::body::{Body, BodyDataStream};
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::sync::mpsc::{self, OwnedPermit};
use tokio::time::{Instant, sleep_until, timeout};

use super::bus::Bus;

/// Pieces that may be on their way at first.
const WINDOW: usize = 8;
/// Longest piece, bytes, where NATS takes that much.
const MAX_PIECE: usize = 128 << 10;
/// An end that has nothing to say says so.
const SIGN_OF_LIFE: Duration = Duration::from_secs(4);
/// Without any message the other end is gone.
const SILENCE: Duration = Duration::from_secs(15);
/// Time for a slow reader to learn that its body was cut.
const CUT: Duration = Duration::from_secs(30);

mod kind {
    pub(super) const HEAD: u8 = 1;
    /// Number of the piece (u32), bytes.
    pub(super) const PIECE: u8 = 2;
    pub(super) const END: u8 = 3;
    /// How many more pieces may come (u32).
    pub(super) const CREDIT: u8 = 4;
    /// Why it is over.
    pub(super) const ABORT: u8 = 5;
    pub(super) const ALIVE: u8 = 6;
}

/// What a body is read from.
type Pieces = mpsc::Sender<io::Result<Bytes>>;

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// It was never begun.
    pub(super) is_undone: bool,
    pub(super) why: String,
}

impl Broken {
    pub(super) fn undone(why: impl Into<String>) -> Self {
        Self { is_undone: true, why: why.into() }
    }

    fn amid(why: impl Into<String>) -> Self {
        Self { is_undone: false, why: why.into() }
    }
}

/// What the other end said.
#[derive(Debug)]
pub(super) enum Said {
    /// The head of a request or an answer, JSON.
    Head(Bytes),
    /// All of its body has come, and is on its way to the reader.
    End,
    /// It is over.
    Broken(Broken),
}

/// One end.
pub(super) struct Line {
    bus: Bus,
    inbox: Subscriber,
    own: String,
    peer: Option<String>,
    outbox: VecDeque<Bytes>,
    /// The body that we send, what of it did not fit into a piece, and how many pieces the other end has room for.
    outgoing: Option<BodyDataStream>,
    rest: Bytes,
    n_sent: u32,
    credit: u32,
    /// The body that we get, and the room that is there for it.
    incoming: Option<Pieces>,
    room: Vec<OwnedPermit<io::Result<Bytes>>>,
    n_received: u32,
    /// To go on without a reader is of no use.
    needs_reader: bool,
    max_piece: usize,
    heard: Instant,
    said: Instant,
}

impl Line {
    /// An end, and the body that comes from the other one: the server's with the address of the relay's, which is not
    /// known the other way round. `None` when the process ends.
    pub(super) async fn new(bus: &Bus, peer: Option<String>) -> Option<(Self, Body)> {
        let peer_is_unknown = peer.is_none();
        let own = bus.new_inbox();
        let inbox = bus.subscribe(own.clone()).await?;
        let (incoming, pieces) = mpsc::channel(WINDOW);
        let body = futures_util::stream::unfold(pieces, async |mut pieces| {
            let piece = pieces.recv().await?;
            Some((piece, pieces))
        });
        let now = Instant::now();
        let mut line = Self {
            bus: bus.clone(),
            inbox,
            own,
            peer,
            outbox: VecDeque::new(),
            needs_reader: peer_is_unknown,
            outgoing: None,
            rest: Bytes::new(),
            n_sent: 0,
            credit: WINDOW as u32,
            incoming: Some(incoming),
            room: Vec::new(),
            n_received: 0,
            max_piece: MAX_PIECE.min(bus.max_payload().saturating_sub(64).max(1)),
            heard: now,
            said: now,
        };
        line.take_room();
        Some((line, Body::from_stream(body)))
    }

    /// Where the other end answers.
    pub(super) fn own(&self) -> &str {
        &self.own
    }

    /// A head as a message.
    pub(super) fn head(json: &[u8]) -> Bytes {
        message(kind::HEAD, json)
    }

    /// The head that a message is.
    pub(super) fn read_head(message: &Bytes) -> Option<Bytes> {
        (message.first() == Some(&kind::HEAD)).then(|| message.slice(1..))
    }

    /// Tells the other end where to send its body.
    pub(super) fn greet(&mut self) {
        self.outbox.push_back(message(kind::ALIVE, &[]));
    }

    /// Says a head, and then a body.
    pub(super) fn say(&mut self, head: &[u8], body: Body) {
        self.outbox.push_back(Self::head(head));
        self.send(body);
    }

    /// Sends a body.
    pub(super) fn send(&mut self, body: Body) {
        self.outgoing = Some(body.into_data_stream());
    }

    /// Whether all was said.
    pub(super) fn is_done(&self) -> bool {
        self.outgoing.is_none() && self.outbox.is_empty()
    }

    /// The last word.
    pub(super) async fn abort(&mut self, why: &str) {
        self.outbox.clear();
        self.outbox.push_back(message(kind::ABORT, why.as_bytes()));
        let _ = self.flush().await;
    }

    /// The reader of the body that was coming is told that it is cut.
    pub(super) async fn cut(mut self, why: String) {
        let cut = Err(io::Error::other(why));
        match (self.room.pop(), self.incoming.take()) {
            (Some(room), _) => _ = room.send(cut),
            (None, Some(incoming)) => _ = timeout(CUT, incoming.send(cut)).await,
            (None, None) => {}
        }
    }

    /// Moves both bodies until the other end says something, or `is_done`. Dropped in between, nothing is lost.
    pub(super) async fn next(&mut self) -> Option<Said> {
        let was_done = self.is_done();
        loop {
            if let Err(broken) = self.flush().await {
                return Some(Said::Broken(broken));
            }
            if self.is_done() && !was_done {
                return None;
            }
            if !self.rest.is_empty() && self.credit > 0 && self.peer.is_some() {
                self.say_piece();
                continue;
            }
            let is_ready = self.rest.is_empty() && self.credit > 0 && self.peer.is_some();
            let deadline = (self.heard + SILENCE).min(self.said + SIGN_OF_LIFE);
            tokio::select! {
                message = self.inbox.next() => {
                    let Some(message) = message else { return Some(Said::Broken(Broken::amid("the process ends"))) };
                    if message.status == Some(StatusCode::NO_RESPONDERS) {
                        return Some(Said::Broken(Broken::undone("no server answers")));
                    }
                    if let Some(answers) = message.reply {
                        self.peer = Some(answers.to_string());
                    }
                    self.heard = Instant::now();
                    if let Some(said) = self.hear(&message.payload) {
                        return Some(said);
                    }
                }
                piece = next_of(&mut self.outgoing), if is_ready => match piece {
                    Some(Ok(bytes)) => self.rest = bytes,
                    Some(Err(error)) => return Some(Said::Broken(Broken::amid(error.to_string()))),
                    None => {
                        self.outgoing = None;
                        self.outbox.push_back(message(kind::END, &[]));
                    }
                },
                room = room_of(self.incoming.as_ref(), self.room.len()), if self.peer.is_some() || self.needs_reader => match room {
                    Some(room) => {
                        self.room.push(room);
                        let n = 1 + self.take_room();
                        self.outbox.push_back(message(kind::CREDIT, &n.to_le_bytes()));
                    }
                    None if self.needs_reader => {
                        return Some(Said::Broken(Broken::amid("nobody reads the answer any more")));
                    }
                    None => (self.incoming, self.room) = (None, Vec::new()),
                },
                () = sleep_until(deadline) => {
                    if Instant::now() >= self.heard + SILENCE {
                        return Some(Said::Broken(Broken::amid("the other end fell silent")));
                    }
                    self.said = Instant::now();
                    if self.peer.is_some() {
                        self.outbox.push_back(message(kind::ALIVE, &[]));
                    }
                }
                () = self.bus.lost() => return Some(Said::Broken(Broken::amid("NATS went away"))),
            }
        }
    }

    /// A message that was published is no longer in the outbox; one that was not still is.
    async fn flush(&mut self) -> Result<(), Broken> {
        let Some(peer) = &self.peer else { return Ok(()) };
        while let Some(message) = self.outbox.front() {
            let published = self.bus.publish(peer, Some(&self.own), message.clone()).await;
            published.map_err(|_| Broken::amid("NATS went away"))?;
            self.outbox.pop_front();
            self.said = Instant::now();
        }
        Ok(())
    }

    fn say_piece(&mut self) {
        let piece = self.rest.split_to(self.rest.len().min(self.max_piece));
        let mut bytes = BytesMut::with_capacity(5 + piece.len());
        bytes.put_u8(kind::PIECE);
        bytes.put_u32_le(self.n_sent);
        bytes.put_slice(&piece);
        self.outbox.push_back(bytes.freeze());
        self.n_sent += 1;
        self.credit -= 1;
    }

    /// All the room that is there besides.
    fn take_room(&mut self) -> u32 {
        let Some(incoming) = &self.incoming else { return 0 };
        let more = std::iter::from_fn(|| incoming.clone().try_reserve_owned().ok());
        let before = self.room.len();
        self.room.extend(more);
        (self.room.len() - before) as u32
    }

    fn hear(&mut self, said: &Bytes) -> Option<Said> {
        let broken = |why: &str| Some(Said::Broken(Broken::amid(why)));
        let (&what, content) = said.split_first()?;
        match what {
            kind::HEAD => return Some(Said::Head(said.slice(1..))),
            kind::PIECE => {
                let Some((number, _)) = content.split_first_chunk() else { return broken("a piece was cut") };
                if u32::from_le_bytes(*number) != self.n_received {
                    return broken("a piece was lost");
                }
                self.n_received += 1;
                match self.room.pop() {
                    Some(room) => _ = room.send(Ok(said.slice(5..))),
                    // Nobody wants it.
                    None if self.incoming.is_none() => {}
                    None => return broken("more came than there was room for"),
                }
            }
            kind::END => {
                (self.incoming, self.room) = (None, Vec::new());
                return Some(Said::End);
            }
            kind::CREDIT => {
                let n = content.first_chunk().map_or(0, |n| u32::from_le_bytes(*n));
                self.credit = self.credit.saturating_add(n);
            }
            kind::ABORT => return broken(&String::from_utf8_lossy(content)),
            // A sign of life, or what a later version says.
            _ => {}
        }
        None
    }
}

fn message(kind: u8, content: &[u8]) -> Bytes {
    [&[kind], content].concat().into()
}

async fn next_of(body: &mut Option<BodyDataStream>) -> Option<Result<Bytes, axum::Error>> {
    match body {
        Some(body) => body.next().await,
        None => std::future::pending().await,
    }
}

/// Room for one more piece; `None` when nobody reads.
async fn room_of(incoming: Option<&Pieces>, n_held: usize) -> Option<OwnedPermit<io::Result<Bytes>>> {
    match incoming {
        Some(incoming) if n_held < WINDOW => incoming.clone().reserve_owned().await.ok(),
        Some(incoming) => {
            incoming.closed().await;
            None
        }
        None => std::future::pending().await,
    }
}
