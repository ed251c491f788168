//! The socket under a session: what is accepted, how it fails, how it ends.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::inspector::{Inspected, Inspector, WireError};
use super::outgoing::Closing;
use super::wire::Wire;

/// Longest message from a client of a stream, bytes.
pub(super) const MAX_MESSAGE: usize = 4096;
/// Time for the client to take our last words.
const GOODBYE: Duration = Duration::from_secs(2);
/// A WebSocket over an upgraded HTTP connection.
pub(super) struct Socket {
    /// What was received, and what waits to be sent.
    pub(super) wire: Wire,
    stream: Inspected<TokioIo<Upgraded>>,
}

impl Socket {
    /// The socket that a connection becomes; `None` when it breaks before.
    pub(super) async fn open(on_upgrade: OnUpgrade, max_message: usize) -> Option<Self> {
        let upgraded = on_upgrade.await.ok()?;
        let stream = Inspected::new(TokioIo::new(upgraded), Inspector::new(max_message));
        Some(Self { wire: Wire::new(max_message), stream })
    }

    /// The next message; `None` after the last. Pings are answered, and so is the client's close.
    pub(super) fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, Error>>> {
        loop {
            match self.wire.read() {
                Ok(Some(message)) => return Poll::Ready(Some(Ok(message))),
                Ok(None) => {}
                Err(Error::ConnectionClosed | Error::AlreadyClosed) => return Poll::Ready(None),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
            let mut bytes = [0; 2048];
            let mut buf = ReadBuf::new(&mut bytes);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) => self.wire.receive(buf.filled()),
                Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                // What the parser answered.
                Poll::Pending if self.wire.rest().is_empty() => return Poll::Pending,
                Poll::Pending => match self.poll_flush(cx) {
                    Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                    _ => return Poll::Pending,
                },
            }
        }
    }

    /// Writes all that waits.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.wire.rest().is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, self.wire.rest()))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => self.wire.advance(n),
            }
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Sends the last frame, unless the client takes too long to make room for it.
    pub(super) async fn say_goodbye(&mut self, closing: &Closing) {
        self.wire.close(closing);
        let _ = timeout(GOODBYE, poll_fn(|cx| self.poll_flush(cx))).await;
    }

    /// Ends a connection on which all is said. Closed while bytes lie unread, the system would reset it, and the
    /// client might never see the close frame.
    pub(super) async fn finish(mut self) {
        let _ = timeout(GOODBYE, async {
            poll_fn(|cx| self.poll_flush(cx)).await?;
            let stream = self.stream.stream();
            stream.shutdown().await?;
            let mut ignored = [0; 1024];
            while stream.read(&mut ignored).await? > 0 {}
            io::Result::Ok(())
        })
        .await;
    }
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

/// Opens a socket only to close it.
pub(super) async fn refuse(on_upgrade: OnUpgrade, closing: &Closing) {
    if let Some(mut socket) = Socket::open(on_upgrade, MAX_MESSAGE).await {
        socket.say_goodbye(closing).await;
        socket.finish().await;
    }
}
