//! The socket under a session: what is accepted, how it fails, how it ends.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::upgrade::{OnUpgrade, Parts, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::inspector::{Inspected, Inspector, WireError};
use super::outgoing::Closing;
use super::ring::Outlet;
use super::wire::Wire;
use crate::listener::Connection;

/// Longest message from a client of a stream, bytes.
pub(super) const MAX_MESSAGE: usize = 4096;
/// Time for the client to take our last words.
const GOODBYE: Duration = Duration::from_secs(2);

/// A WebSocket over an upgraded HTTP connection.
pub(super) struct Socket {
    /// What was received, and what waits to be sent.
    pub(super) wire: Wire,
    stream: Inspected<Stream>,
}

/// What carries the bytes.
enum Stream {
    /// TCP, without the layers that HTTP had put around it, and what those had read beyond the request.
    Plain(Connection, Bytes),
    /// TLS.
    Other(TokioIo<Upgraded>),
}

impl Stream {
    fn new(upgraded: Upgraded) -> Self {
        match upgraded.downcast::<TokioIo<Connection>>() {
            // A slice without bytes keeps none of HTTP's buffer.
            Ok(Parts { io, read_buf, .. }) => Self::Plain(io.into_inner(), read_buf.slice(..)),
            Err(upgraded) => Self::Other(TokioIo::new(upgraded)),
        }
    }

    fn as_io(&mut self) -> Pin<&mut dyn Io> {
        match self {
            Self::Plain(connection, _) => Pin::new(connection),
            Self::Other(upgraded) => Pin::new(upgraded),
        }
    }
}

trait Io: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Io for T {}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Self::Plain(_, early) = this
            && !early.is_empty()
        {
            let n = early.len().min(buf.remaining());
            buf.put_slice(&early[..n]);
            *early = early.slice(n..);
            return Poll::Ready(Ok(()));
        }
        this.as_io().poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().as_io().poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().as_io().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().as_io().poll_shutdown(cx)
    }
}

impl Socket {
    /// The socket that a connection becomes; `None` when it breaks before.
    pub(super) async fn open(on_upgrade: OnUpgrade, max_message: usize) -> Option<Self> {
        Some(Self::over(Stream::new(on_upgrade.await.ok()?), max_message))
    }

    fn over(stream: Stream, max_message: usize) -> Self {
        Self { wire: Wire::new(max_message), stream: Inspected::new(stream, Inspector::new(max_message)) }
    }

    /// A socket that was upgraded before.
    #[cfg(test)]
    pub(super) fn over_tcp(connection: Connection) -> Self {
        Self::over(Stream::Plain(connection, Bytes::new()), MAX_MESSAGE)
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

    /// The system's socket and what waits for it, if bytes go out as they are, without TLS.
    pub(super) fn outlet(&mut self) -> Option<Outlet<'_>> {
        match self.stream.stream() {
            Stream::Plain(connection, _) => Some((connection.socket(), self.wire.rest())),
            Stream::Other(_) => None,
        }
    }

    /// So many bytes of it went there.
    pub(super) fn advance(&mut self, n: usize) {
        self.wire.advance(n);
        if let Stream::Plain(connection, _) = self.stream.stream()
            && n > 0
        {
            connection.has_progressed();
        }
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
