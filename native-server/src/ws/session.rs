//! One connection after the upgrade: a reader, and a writer that never waits for the reader.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::mailbox::{Batch, Closing, Mailbox, Outgoing};
use super::messages::Messages;
use crate::listener::until;
use crate::publisher::StreamStats;

/// Longest message from a client, bytes.
const MAX_MESSAGE: usize = 4096;
/// Time for the client's answer to our close.
const GOODBYE: Duration = Duration::from_secs(2);

/// How long a connection may be silent or stuck.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Between pings.
    pub ping: Duration,
    /// Without any message or pong the connection is dead.
    pub silence: Duration,
    /// A write that takes longer means that the client stopped reading: close code 4408.
    pub stall: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            ping: Duration::from_secs(20),
            silence: Duration::from_secs(45),
            stall: Duration::from_secs(10),
        }
    }
}

/// Small buffers: measured, they make a connection twenty times cheaper than the defaults, and what waits in
/// a buffer is old when it arrives.
pub(super) fn socket_config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(1024)
        .write_buffer_size(0)
        .max_write_buffer_size(4 << 20)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
}

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Serves a connection until it ends.
pub(super) async fn run(
    socket: Socket,
    mailbox: Arc<Mailbox>,
    messages: Messages,
    stats: Arc<StreamStats>,
    timing: Timing,
    mut shutdown: watch::Receiver<bool>,
) {
    let (sink, mut stream) = socket.split();
    let mut writer = tokio::spawn(write(sink, mailbox.clone(), stats, timing));
    let mut is_closing = false;
    let mut deadline = Instant::now() + timing.silence;
    loop {
        tokio::select! {
            received = stream.next() => {
                if !is_closing {
                    deadline = Instant::now() + timing.silence;
                }
                match received {
                    Some(Ok(Message::Text(text))) => messages.handle(&text).await,
                    Some(Ok(Message::Binary(_))) => mailbox.close(Closing::TEXT_ONLY),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => match closing_of(&error) {
                        Some(closing) => {
                            mailbox.close(closing);
                            let _ = timeout(GOODBYE, &mut writer).await;
                            break;
                        }
                        None => break,
                    },
                    None => break,
                }
            }
            _ = &mut writer => {
                finish(&mut stream).await;
                return;
            }
            () = sleep_until(deadline) => {
                if is_closing {
                    break;
                }
                is_closing = true;
                deadline = Instant::now() + GOODBYE;
                mailbox.close(Closing::SILENT);
            }
            () = until(&mut shutdown), if !is_closing => {
                is_closing = true;
                deadline = Instant::now() + GOODBYE;
                mailbox.close(Closing::GOING_AWAY);
            }
        }
    }
    writer.abort();
}

/// Waits for the client's answer to our close, so that the code arrives before the connection ends.
async fn finish(stream: &mut SplitStream<Socket>) {
    let _ = timeout(GOODBYE, async { while let Some(Ok(_)) = stream.next().await {} }).await;
}

fn closing_of(error: &Error) -> Option<Closing> {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => Some(Closing::TOO_LONG),
        Error::Utf8(_) => Some(Closing::NOT_UTF8),
        Error::Protocol(_) => Some(Closing::PROTOCOL),
        _ => None,
    }
}

/// Sends what is due, all of one moment at once, until the connection ends or is to be closed.
async fn write(
    mut sink: SplitSink<Socket, Message>,
    mailbox: Arc<Mailbox>,
    stats: Arc<StreamStats>,
    timing: Timing,
) {
    let mut pings = interval_at(Instant::now() + timing.ping, timing.ping);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let batch = tokio::select! {
            () = mailbox.changed() => mailbox.take(),
            _ = pings.tick() => {
                let ping = sink.send(Message::Ping(Bytes::new()));
                if !matches!(timeout(timing.stall, ping).await, Ok(Ok(()))) {
                    return;
                }
                continue;
            }
        };
        let Batch { messages, n_frames, closing } = batch;
        match timeout(timing.stall, send_all(&mut sink, messages)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => {
                let _ = timeout(GOODBYE, sink.send(close_message(Closing::STALLED))).await;
                return;
            }
        }
        stats.frames_sent.fetch_add(n_frames, Ordering::Relaxed);
        if let Some(closing) = closing {
            let _ = timeout(GOODBYE, sink.send(close_message(closing))).await;
            return;
        }
    }
}

async fn send_all(sink: &mut SplitSink<Socket, Message>, messages: Vec<Outgoing>) -> Result<(), Error> {
    for message in messages {
        let message = match message {
            Outgoing::Text(text) => Message::text(text),
            Outgoing::Binary(bytes) => Message::binary(bytes),
        };
        sink.feed(message).await?;
    }
    sink.flush().await
}

fn close_message(closing: Closing) -> Message {
    Message::Close(Some(CloseFrame { code: CloseCode::from(closing.code), reason: closing.reason.into() }))
}
