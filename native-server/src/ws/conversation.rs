//! All that a session decides, without IO: what is said next, and when it is over. The session moves the bytes
//! and tells the time; the simulation does the same with thousands of clients and a clock of its own.

use std::time::Instant;

use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::client::{Client, Due, Timing};
use super::mailbox::Mailbox;
use super::outgoing::Closing;
use super::socket::closing_of;
use super::wire::Wire;

/// One client's conversation.
pub(super) struct Conversation {
    client: Client,
    n_frames: u64,
    /// Not everything has reached the system's buffer.
    is_pending: bool,
    /// The close frame was said.
    is_last: bool,
}

impl Conversation {
    /// Begins; the hello waits in the mailbox.
    pub(super) fn new(timing: Timing, now: Instant) -> Self {
        let client = Client::new(timing, now);
        Self { client, n_frames: 0, is_pending: false, is_last: false }
    }

    /// A message came in. Returns the text that is to be carried out, if it is one.
    pub(super) fn heard(&mut self, message: Message, mailbox: &Mailbox, now: Instant) -> Option<Utf8Bytes> {
        if let Message::Close(_) = message {
            self.client.leave(now);
            return None;
        }
        match (self.client.received(now), message) {
            (Ok(true), Message::Text(text)) => return Some(text),
            (Ok(true), Message::Binary(_)) => mailbox.close(Closing::TEXT_ONLY),
            (Err(closing), _) => mailbox.close(closing),
            _ => {}
        }
        None
    }

    /// Reading failed. Returns the last word, if there is one to say.
    pub(super) fn broke(&self, error: &Error) -> Option<Closing> {
        closing_of(error).filter(|_| !self.client.is_leaving())
    }

    /// Nothing is said any more.
    pub(super) fn leave(&mut self, now: Instant) {
        self.client.leave(now);
    }

    /// Whether there is room for what waits in the mailbox. All of it: what does not fit stays there, and merges.
    pub(super) fn can_collect(&self) -> bool {
        self.client.is_free()
    }

    /// Says what waits in the mailbox.
    pub(super) fn collect(&mut self, mailbox: &Mailbox, wire: &mut Wire, now: Instant) {
        let taken = mailbox.take_into(wire);
        self.n_frames += taken.n_frames;
        if taken.n_messages > 0 {
            self.said(now);
        }
        if let Some(closing) = taken.closing {
            self.end(&closing, wire, now);
        }
    }

    /// Whether something is to be written.
    pub(super) fn is_pending(&self) -> bool {
        self.is_pending
    }

    /// All was written. Returns the number of frames among it.
    pub(super) fn sent(&mut self, wire: &mut Wire, now: Instant) -> u64 {
        self.is_pending = false;
        let owes_ping = self.client.write_ended();
        if self.is_last {
            self.client.leave(now);
        } else if owes_ping && !self.client.is_leaving() {
            self.ping(wire, now);
        }
        std::mem::take(&mut self.n_frames)
    }

    /// When `tick` is to be called.
    pub(super) fn deadline(&self) -> Instant {
        self.client.deadline()
    }

    /// Does what is due. False when the connection is to be dropped.
    pub(super) fn tick(&mut self, wire: &mut Wire, now: Instant) -> bool {
        match self.client.due(now) {
            Some(Due::Ping) => self.ping(wire, now),
            Some(Due::Close(closing)) => {
                self.end(&closing, wire, now);
                self.client.leave(now);
            }
            Some(Due::Abort) => return false,
            None => {}
        }
        true
    }

    /// Whether no close frame was said or heard yet.
    pub(super) fn is_open(&self) -> bool {
        !self.is_last && !self.client.is_leaving()
    }

    /// The server ends.
    pub(super) fn shut_down(&mut self, wire: &mut Wire, now: Instant) {
        self.end(&Closing::GOING_AWAY, wire, now);
    }

    fn ping(&mut self, wire: &mut Wire, now: Instant) {
        wire.ping();
        self.said(now);
    }

    fn said(&mut self, now: Instant) {
        self.is_pending = true;
        self.client.write_began(now);
    }

    fn end(&mut self, closing: &Closing, wire: &mut Wire, now: Instant) {
        if !self.is_last {
            wire.close(closing);
            self.is_last = true;
            self.said(now);
        }
    }
}
