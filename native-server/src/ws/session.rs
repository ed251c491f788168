//! One connection after the upgrade: carries out what [`Client`] says is due. One task, which reads and writes
//! at the same time, so that neither waits for the other.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use futures_util::{SinkExt, StreamExt};
use tokio::sync::watch;
use tokio::time::sleep_until;
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::client::{Client, Due, Timing};
use super::mailbox::{Batch, Closing, Mailbox, Outgoing};
use super::messages::Messages;
use super::socket::{Reading, Socket, Writing, close_message, closing_of, say_goodbye};
use crate::listener::until;
use crate::publisher::StreamStats;

/// Serves a connection until all is said. What is left to do, if anything, is [`finish`](super::socket::finish).
pub(super) async fn run(
    socket: Socket,
    mailbox: Arc<Mailbox>,
    messages: Messages,
    stats: Arc<StreamStats>,
    timing: Timing,
    mut shutdown: watch::Receiver<bool>,
) -> Option<(Writing, Reading)> {
    let (mut writing, mut reading) = socket.split();
    let mut client = Client::new(timing, Instant::now());
    let mut queue = Queue::default();
    loop {
        tokio::select! {
            received = reading.next() => match received {
                Some(Ok(Message::Close(_))) => client.leave(Instant::now()),
                Some(Ok(message)) => match (client.received(Instant::now()), message) {
                    (Err(closing), _) => mailbox.close(closing),
                    (Ok(true), Message::Text(text)) => messages.handle(&text).await,
                    (Ok(true), Message::Binary(_)) => mailbox.close(Closing::TEXT_ONLY),
                    _ => {}
                },
                Some(Err(error)) => {
                    if let Some(closing) = closing_of(&error).filter(|_| !client.is_leaving()) {
                        say_goodbye(&mut writing, &closing).await;
                    }
                    break;
                }
                None => break,
            },
            () = mailbox.changed(), if client.is_free() => {
                queue.fill(mailbox.take());
                if queue.is_pending {
                    client.write_began(Instant::now());
                }
            }
            sent = queue.send(&mut writing), if queue.is_pending => {
                if sent.is_err() {
                    break;
                }
                stats.frames_sent.fetch_add(std::mem::take(&mut queue.n_frames), Ordering::Relaxed);
                client.write_ended();
                if queue.is_last {
                    client.leave(Instant::now());
                }
            }
            () = sleep_until(client.deadline().into()) => match client.due(Instant::now()) {
                Some(Due::Ping) => {
                    queue.push(Message::Ping(Bytes::new()));
                    client.write_began(Instant::now());
                }
                Some(Due::Close(closing)) => {
                    queue.end(&closing);
                    client.leave(Instant::now());
                }
                Some(Due::Abort) => return None,
                None => {}
            },
            () = until(&mut shutdown), if !client.is_leaving() && !queue.is_last => {
                queue.end(&Closing::GOING_AWAY);
                client.write_began(Instant::now());
            }
        }
    }
    Some((writing, reading))
}

/// What is to be written, and did not fit into the socket yet.
#[derive(Default)]
struct Queue {
    messages: VecDeque<Message>,
    n_frames: u64,
    /// Not everything has reached the system's buffer.
    is_pending: bool,
    /// The close frame is among it, or gone.
    is_last: bool,
}

impl Queue {
    fn fill(&mut self, batch: Batch) {
        self.n_frames += batch.n_frames;
        for message in batch.messages {
            self.push(match message {
                Outgoing::Text(text) => Message::text(text),
                Outgoing::Binary(bytes) => Message::binary(bytes),
            });
        }
        if let Some(closing) = batch.closing {
            self.end(&closing);
        }
    }

    fn push(&mut self, message: Message) {
        self.messages.push_back(message);
        self.is_pending = true;
    }

    fn end(&mut self, closing: &Closing) {
        if !self.is_last {
            self.push(close_message(closing));
            self.is_last = true;
        }
    }

    /// Writes all of it. Dropped in between, it goes on where it was.
    async fn send(&mut self, writing: &mut Writing) -> Result<(), Error> {
        while !self.messages.is_empty() {
            poll_fn(|cx| writing.poll_ready_unpin(cx)).await?;
            if self.is_last && self.messages.len() == 1 {
                // A pong that waits below us would follow the close frame.
                poll_fn(|cx| writing.poll_flush_unpin(cx)).await?;
            }
            if let Some(message) = self.messages.pop_front() {
                writing.start_send_unpin(message)?;
            }
        }
        poll_fn(|cx| writing.poll_flush_unpin(cx)).await?;
        self.is_pending = false;
        Ok(())
    }
}
