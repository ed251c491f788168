//! The socket under a session: what is accepted, how it fails, how it ends.

use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};

use super::inspector::{Inspected, Inspector, WireError};
use super::mailbox::Closing;

/// Longest message from a client of a stream, bytes.
pub(super) const MAX_MESSAGE: usize = 4096;
/// Time for the client to take our last words.
const GOODBYE: Duration = Duration::from_secs(2);

/// A WebSocket over an upgraded HTTP connection.
pub(super) type Socket = WebSocketStream<Inspected<TokioIo<Upgraded>>>;
/// Its reading half.
pub(super) type Reading = SplitStream<Socket>;
/// Its writing half.
pub(super) type Writing = SplitSink<Socket, Message>;

/// The socket that a connection becomes; `None` when it breaks before.
pub(super) async fn open(on_upgrade: OnUpgrade, max_message: usize) -> Option<Socket> {
    let upgraded = on_upgrade.await.ok()?;
    let inspected = Inspected::new(TokioIo::new(upgraded), Inspector::new(max_message));
    Some(WebSocketStream::from_raw_socket(inspected, Role::Server, Some(config(max_message))).await)
}

/// Small buffers: measured, they make a connection twenty times cheaper than the defaults, and what waits in a
/// buffer is old when it arrives.
pub(super) fn config(max_message: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(1024)
        .write_buffer_size(0)
        .max_write_buffer_size(max_message.max(4 << 20) + 1024)
        .max_message_size(Some(max_message))
        .max_frame_size(Some(max_message))
}

/// How a connection is to be closed whose client broke a rule; `None` when it just broke.
pub(super) fn closing_of(error: &Error) -> Option<Closing> {
    match error {
        Error::Capacity(CapacityError::MessageTooLong { .. }) => Some(Closing::TOO_LONG),
        Error::Utf8(_) => Some(Closing::NOT_UTF8),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Protocol(_) => Some(Closing::PROTOCOL),
        Error::Io(error) => match error.get_ref()?.downcast_ref()? {
            WireError::Protocol => Some(Closing::PROTOCOL),
            WireError::NotUtf8 => Some(Closing::NOT_UTF8),
            WireError::TooManyFrames => Some(Closing::TOO_LONG),
        },
        _ => None,
    }
}

/// The last frame of a connection.
pub(super) fn close_message(closing: &Closing) -> Message {
    Message::Close(Some(CloseFrame {
        code: CloseCode::from(closing.code),
        reason: closing.reason.as_ref().into(),
    }))
}

/// Sends the last frame, unless the client takes too long to make room for it.
pub(super) async fn say_goodbye(writing: &mut Writing, closing: &Closing) {
    let _ = timeout(GOODBYE, writing.send(close_message(closing))).await;
}

/// Ends a connection on which all is said. Closed while bytes lie unread, the system would reset it, and the
/// client might never see the close frame.
pub(super) async fn finish(writing: Writing, reading: Reading) {
    let Ok(mut socket) = writing.reunite(reading) else { return };
    let stream = socket.get_mut().stream();
    let _ = timeout(GOODBYE, async {
        stream.shutdown().await?;
        let mut ignored = [0; 1024];
        while stream.read(&mut ignored).await? > 0 {}
        std::io::Result::Ok(())
    })
    .await;
}

/// Opens a socket only to close it.
pub(super) async fn refuse(on_upgrade: OnUpgrade, closing: &Closing) {
    if let Some(socket) = open(on_upgrade, MAX_MESSAGE).await {
        let (mut writing, reading) = socket.split();
        say_goodbye(&mut writing, closing).await;
        finish(writing, reading).await;
    }
}
