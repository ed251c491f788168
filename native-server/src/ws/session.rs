//! One connection after the upgrade: moves bytes and time between a socket and its [`Conversation`]. One task,
//! which reads and writes at the same time, so that neither waits for the other.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use futures_util::{SinkExt, StreamExt};
use tokio::sync::watch;
use tokio::time::sleep_until;
use tokio_tungstenite::tungstenite::error::Error;

use super::client::Timing;
use super::conversation::Conversation;
use super::mailbox::Mailbox;
use super::messages::Messages;
use super::socket::{Reading, Socket, Writing, say_goodbye};
use crate::listener::until;
use crate::publisher::StreamStats;

/// Serves a connection until all is said. What is left to do, if anything, is [`finish`](super::socket::finish).
pub(super) async fn run(
    socket: Socket,
    mailbox: Arc<Mailbox>,
    messages: &mut Messages,
    stats: Arc<StreamStats>,
    timing: Timing,
    mut shutdown: watch::Receiver<bool>,
) -> Option<(Writing, Reading)> {
    let (mut writing, mut reading) = socket.split();
    let mut talk = Conversation::new(mailbox.clone(), timing, Instant::now());
    loop {
        let deadline = talk.deadline();
        tokio::select! {
            received = reading.next() => match received {
                Some(Ok(message)) => {
                    if let Some(text) = talk.heard(message, Instant::now()) {
                        messages.handle(&text).await;
                    }
                }
                Some(Err(error)) => {
                    if let Some(closing) = talk.broke(&error) {
                        say_goodbye(&mut writing, &closing).await;
                    }
                    break;
                }
                None => break,
            },
            () = mailbox.changed(), if talk.can_collect() => talk.collect(Instant::now()),
            sent = send(&mut talk, &mut writing), if talk.is_pending() => {
                if sent.is_err() {
                    break;
                }
                stats.frames_sent.fetch_add(talk.sent(Instant::now()), Ordering::Relaxed);
            }
            () = sleep_until(deadline.into()) => {
                if !talk.tick(Instant::now()) {
                    return None;
                }
            }
            () = until(&mut shutdown), if talk.is_open() => talk.shut_down(Instant::now()),
        }
    }
    Some((writing, reading))
}

/// Writes all that is pending. Dropped in between, it goes on where it was.
async fn send(talk: &mut Conversation, writing: &mut Writing) -> Result<(), Error> {
    loop {
        poll_fn(|cx| writing.poll_ready_unpin(cx)).await?;
        if talk.is_ending() {
            // A pong that waits below us would follow the close frame.
            poll_fn(|cx| writing.poll_flush_unpin(cx)).await?;
        }
        match talk.next() {
            Some(message) => writing.start_send_unpin(message)?,
            None => return poll_fn(|cx| writing.poll_flush_unpin(cx)).await,
        }
    }
}
