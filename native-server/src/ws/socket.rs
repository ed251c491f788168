//! The socket under a session: what is accepted, how it fails, how it ends.

use std::cell::Cell;
use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, WebSocket};

use super::inspector::{Inspected, Inspector, WireError};
use super::mailbox::Closing;

/// Longest message from a client of a stream, bytes.
pub(super) const MAX_MESSAGE: usize = 4096;
/// Time for the client to take our last words.
const GOODBYE: Duration = Duration::from_secs(2);
/// A buffer of more bytes is given back when it is empty: thousands of connections wait for what is rare.
const MAX_KEPT: usize = 256;
/// A thread keeps at most so much for what it writes next.
const MAX_SPARE: usize = 64 << 10;

thread_local! {
    /// What was given back last, for the next connection that this thread writes to.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A WebSocket over an upgraded HTTP connection. The parser (tungstenite) knows no IO: it reads what was received,
/// and what it answers waits in order with all else that is to be sent.
pub(super) struct Socket {
    parser: WebSocket<Wire>,
    stream: Inspected<TokioIo<Upgraded>>,
}

/// What the parser takes for a connection.
#[derive(Default)]
struct Wire {
    incoming: Buffer,
    outgoing: Buffer,
    /// Nothing follows what came in.
    is_over: bool,
}

/// Bytes that wait.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    n_done: usize,
}

impl Buffer {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.n_done..]
    }

    fn advance(&mut self, n: usize) {
        self.n_done += n;
        if self.n_done == self.bytes.len() {
            self.n_done = 0;
            self.bytes.clear();
            if self.bytes.capacity() > MAX_KEPT {
                let bytes = std::mem::take(&mut self.bytes);
                if bytes.capacity() <= MAX_SPARE {
                    SPARE.set(bytes);
                }
            }
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = Read::read(&mut self.incoming.rest(), buf)?;
        self.incoming.advance(n);
        if n == 0 && !self.is_over { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(n) }
    }
}

impl Write for Wire {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Write::write(&mut self.outgoing.bytes, buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket {
    /// The socket that a connection becomes; `None` when it breaks before.
    pub(super) async fn open(on_upgrade: OnUpgrade, max_message: usize) -> Option<Self> {
        let upgraded = on_upgrade.await.ok()?;
        let stream = Inspected::new(TokioIo::new(upgraded), Inspector::new(max_message));
        let parser = WebSocket::from_raw_socket(Wire::default(), Role::Server, Some(config(max_message)));
        Some(Self { parser, stream })
    }

    /// The next message; `None` after the last. Pings are answered, and so is the client's close.
    pub(super) fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, Error>>> {
        loop {
            match self.parser.read() {
                Ok(message) => return Poll::Ready(Some(Ok(message))),
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(Error::ConnectionClosed | Error::AlreadyClosed) => return Poll::Ready(None),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
            let mut bytes = [0; 2048];
            let mut buf = ReadBuf::new(&mut bytes);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) => {
                    let wire = self.parser.get_mut();
                    wire.is_over = buf.filled().is_empty();
                    wire.incoming.bytes.extend_from_slice(buf.filled());
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                // What the parser answered.
                Poll::Pending if self.parser.get_ref().outgoing.rest().is_empty() => return Poll::Pending,
                Poll::Pending => match self.poll_flush(cx) {
                    Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                    _ => return Poll::Pending,
                },
            }
        }
    }

    /// Puts a message behind those that wait to be sent.
    ///
    /// # Errors
    /// A close frame was sent.
    pub(super) fn push(&mut self, message: Message) -> Result<(), Error> {
        match &message {
            Message::Text(text) => self.push_frame(0x81, text.as_bytes()),
            Message::Binary(bytes) => self.push_frame(0x82, bytes),
            _ => {
                // Answers that wait in the parser would follow a close frame.
                self.parser.flush()?;
                self.parser.write(message)?;
            }
        }
        Ok(())
    }

    /// An unmasked frame (RFC 6455, section 5.2). The parser would keep a buffer of its size.
    fn push_frame(&mut self, first: u8, payload: &[u8]) {
        let out = &mut self.parser.get_mut().outgoing.bytes;
        if out.capacity() == 0 {
            *out = SPARE.take();
        }
        out.reserve(10 + payload.len());
        match payload.len() {
            len @ 0..126 => out.extend_from_slice(&[first, len as u8]),
            len @ 126..0x1_0000 => {
                out.extend_from_slice(&[first, 126]);
                out.extend_from_slice(&(len as u16).to_be_bytes());
            }
            len => {
                out.extend_from_slice(&[first, 127]);
                out.extend_from_slice(&(len as u64).to_be_bytes());
            }
        }
        out.extend_from_slice(payload);
    }

    /// Writes all that waits.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outgoing = &mut self.parser.get_mut().outgoing;
        while !outgoing.rest().is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, outgoing.rest()))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => outgoing.advance(n),
            }
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Sends the last frame, unless the client takes too long to make room for it.
    pub(super) async fn say_goodbye(&mut self, closing: &Closing) {
        if self.push(close_message(closing)).is_ok() {
            let _ = timeout(GOODBYE, poll_fn(|cx| self.poll_flush(cx))).await;
        }
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

/// Small buffers: measured, they make a connection twenty times cheaper than the defaults, and what waits in a
/// buffer is old when it arrives.
pub(super) fn config(max_message: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(128)
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

/// Opens a socket only to close it.
pub(super) async fn refuse(on_upgrade: OnUpgrade, closing: &Closing) {
    if let Some(mut socket) = Socket::open(on_upgrade, MAX_MESSAGE).await {
        socket.say_goodbye(closing).await;
        socket.finish().await;
    }
}
