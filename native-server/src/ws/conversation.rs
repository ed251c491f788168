//! All that a session decides, without IO: what is said next, and when it is over. The session moves the bytes
//! and tells the time; the simulation does the same with thousands of clients and a clock of its own.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};

use super::client::{Client, Due, Timing};
use super::mailbox::{Batch, Closing, Mailbox, Outgoing};
use super::socket::{close_message, closing_of};

/// One client's conversation.
pub(super) struct Conversation {
    mailbox: Arc<Mailbox>,
    client: Client,
    /// What is to be written, and did not fit into the socket yet.
    queue: VecDeque<Message>,
    n_frames: u64,
    /// Not everything has reached the system's buffer.
    is_pending: bool,
    /// The close frame is in the queue, or gone.
    is_last: bool,
}

impl Conversation {
    /// Begins; the hello waits in the mailbox.
    pub(super) fn new(mailbox: Arc<Mailbox>, timing: Timing, now: Instant) -> Self {
        let client = Client::new(timing, now);
        Self {
            mailbox,
            client,
            queue: VecDeque::with_capacity(1),
            n_frames: 0,
            is_pending: false,
            is_last: false,
        }
    }

    /// A message came in. Returns the text that is to be carried out, if it is one.
    pub(super) fn heard(&mut self, message: Message, now: Instant) -> Option<Utf8Bytes> {
        if let Message::Close(_) = message {
            self.client.leave(now);
            return None;
        }
        match (self.client.received(now), message) {
            (Ok(true), Message::Text(text)) => return Some(text),
            (Ok(true), Message::Binary(_)) => self.mailbox.close(Closing::TEXT_ONLY),
            (Err(closing), _) => self.mailbox.close(closing),
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

    /// Takes what waits in the mailbox.
    pub(super) fn collect(&mut self, now: Instant) {
        let Batch { messages, n_frames, closing } = self.mailbox.take();
        self.n_frames += n_frames;
        for message in messages {
            let message = match message {
                Outgoing::Text(text) => Message::text(text),
                Outgoing::Binary(bytes) => Message::binary(bytes),
            };
            self.say(message, now);
        }
        if let Some(closing) = closing {
            self.end(&closing, now);
        }
    }

    /// Whether something is to be written.
    pub(super) fn is_pending(&self) -> bool {
        self.is_pending
    }

    /// The next message to write.
    pub(super) fn next(&mut self) -> Option<Message> {
        self.queue.pop_front()
    }

    /// All was written. Returns the number of frames among it.
    pub(super) fn sent(&mut self, now: Instant) -> u64 {
        self.is_pending = false;
        let owes_ping = self.client.write_ended();
        if self.is_last {
            self.client.leave(now);
        } else if owes_ping {
            self.say(Message::Ping(Bytes::new()), now);
        }
        std::mem::take(&mut self.n_frames)
    }

    /// When `tick` is to be called.
    pub(super) fn deadline(&self) -> Instant {
        self.client.deadline()
    }

    /// Does what is due. False when the connection is to be dropped.
    pub(super) fn tick(&mut self, now: Instant) -> bool {
        match self.client.due(now) {
            Some(Due::Ping) => self.say(Message::Ping(Bytes::new()), now),
            Some(Due::Close(closing)) => {
                self.end(&closing, now);
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
    pub(super) fn shut_down(&mut self, now: Instant) {
        self.end(&Closing::GOING_AWAY, now);
    }

    fn say(&mut self, message: Message, now: Instant) {
        self.queue.push_back(message);
        self.is_pending = true;
        self.client.write_began(now);
    }

    fn end(&mut self, closing: &Closing, now: Instant) {
        if !self.is_last {
            self.say(close_message(closing), now);
            self.is_last = true;
        }
    }

    /// Messages that wait, besides what the mailbox holds.
    #[cfg(test)]
    pub(super) fn n_waiting(&self) -> usize {
        self.queue.len()
    }
}
