//! Looks at a client's bytes before the frame parser does, and stops at the first byte that is wrong.
//!
//! The parser waits for the end of a frame, and for UTF-8 for the end of a message. RFC 6455, section 8.1, and
//! the Autobahn suite (6.4.3, 6.4.4) ask for the failure at once; so does thrift, since a frame may be long.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Why a client's bytes are no messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WireError {
    /// A header that RFC 6455 does not allow.
    Protocol,
    /// A text message that is not UTF-8.
    NotUtf8,
    /// A message of more frames than it may have bytes.
    TooManyFrames,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Protocol => "not the WebSocket protocol",
            Self::NotUtf8 => "text that is not UTF-8",
            Self::TooManyFrames => "a message of too many frames",
        })
    }
}

impl std::error::Error for WireError {}

/// Follows frames through a stream of bytes, however it is cut.
#[derive(Debug)]
pub(super) struct Inspector {
    header: [u8; 14],
    n_header: usize,
    /// Of the present frame, once its header is complete.
    payload: Option<Payload>,
    /// The message that waits for a continuation.
    message: Option<Message>,
    max_frames: usize,
}

#[derive(Debug)]
struct Payload {
    mask: [u8; 4],
    n_done: u64,
    len: u64,
    is_text: bool,
    ends_message: bool,
}

#[derive(Debug, Default)]
struct Message {
    is_text: bool,
    n_frames: usize,
    /// The beginning of a character whose end is still to come.
    partial: [u8; 4],
    n_partial: usize,
}

impl Inspector {
    /// An inspector that allows so many frames in a message.
    pub(super) fn new(max_frames: usize) -> Self {
        Self { header: [0; 14], n_header: 0, payload: None, message: None, max_frames }
    }

    /// Looks at the bytes that follow.
    ///
    /// # Errors
    /// What is wrong, and how many bytes before it may be passed on.
    pub(super) fn look(&mut self, bytes: &[u8]) -> Result<(), (usize, WireError)> {
        let mut at = 0;
        while at < bytes.len() {
            match &mut self.payload {
                None => {
                    self.header[self.n_header] = bytes[at];
                    self.n_header += 1;
                    at += 1;
                    if self.n_header == header_len(&self.header[..self.n_header]) {
                        self.n_header = 0;
                        self.begin().map_err(|error| (at, error))?;
                    }
                }
                Some(payload) => {
                    let left = usize::try_from(payload.len - payload.n_done).unwrap_or(usize::MAX);
                    let piece = &bytes[at..][..left.min(bytes.len() - at)];
                    if payload.is_text {
                        let message = self.message.get_or_insert_default();
                        message.read(piece, payload).map_err(|error| (at, error))?;
                    }
                    payload.n_done += piece.len() as u64;
                    at += piece.len();
                }
            }
            if let Some(done) = self.payload.take_if(|payload| payload.n_done == payload.len)
                && done.ends_message
            {
                // Whether its last character is complete is for the parser to see.
                self.message = None;
            }
        }
        Ok(())
    }

    /// A header is complete.
    fn begin(&mut self) -> Result<(), WireError> {
        let [first, second, ..] = self.header;
        let (is_final, opcode, is_masked) = (first & 0x80 != 0, first & 0x0f, second & 0x80 != 0);
        let n = header_len(&self.header);
        let len = match second & 0x7f {
            126 => u64::from(u16::from_be_bytes([self.header[2], self.header[3]])),
            127 => u64::from_be_bytes(self.header[2..10].try_into().unwrap_or_default()),
            len => u64::from(len),
        };
        let is_control = opcode >= 8;
        let is_known = matches!(opcode, 0 | 1 | 2 | 8 | 9 | 10);
        let is_in_order = is_control || (opcode == 0) == self.message.is_some();
        let fits = if is_control { is_final && len <= 125 } else { len < 1 << 63 };
        if first & 0x70 != 0 || !is_known || !is_masked || !is_in_order || !fits {
            return Err(WireError::Protocol);
        }
        let mut is_text = false;
        if !is_control {
            let new = || Message { is_text: opcode == 1, ..Message::default() };
            let message = self.message.get_or_insert_with(new);
            message.n_frames += 1;
            is_text = message.is_text;
            if message.n_frames > self.max_frames {
                return Err(WireError::TooManyFrames);
            }
        }
        let mask = self.header[n - 4..n].try_into().unwrap_or_default();
        self.payload = Some(Payload { mask, n_done: 0, len, is_text, ends_message: is_final && !is_control });
        Ok(())
    }
}

/// Length of a frame's header, as far as its first bytes tell: 2 until they say more.
fn header_len(header: &[u8]) -> usize {
    let &[_, second, ..] = header else { return 2 };
    let extended = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    2 + extended + if second & 0x80 != 0 { 4 } else { 0 }
}

impl Message {
    /// Checks a masked piece of its text.
    fn read(&mut self, piece: &[u8], payload: &Payload) -> Result<(), WireError> {
        let mut text = [0; 1024];
        // A copy, since the parser wants the bytes masked. What is partial comes first.
        for (n_before, masked) in (payload.n_done..).step_by(1000).zip(piece.chunks(1000)) {
            let n_partial = self.n_partial;
            text[..n_partial].copy_from_slice(&self.partial[..n_partial]);
            let len = n_partial + masked.len();
            for ((to, from), position) in text[n_partial..len].iter_mut().zip(masked).zip(n_before..) {
                *to = from ^ payload.mask[(position & 3) as usize];
            }
            let valid_up_to = match std::str::from_utf8(&text[..len]) {
                Ok(_) => len,
                Err(error) if error.error_len().is_none() => error.valid_up_to(),
                Err(_) => return Err(WireError::NotUtf8),
            };
            self.n_partial = len - valid_up_to;
            self.partial[..self.n_partial].copy_from_slice(&text[valid_up_to..len]);
        }
        Ok(())
    }
}

/// A connection whose incoming bytes are inspected. After an error nothing more is read, but writing goes on.
pub(super) struct Inspected<S> {
    stream: S,
    inspector: Inspector,
    error: Option<WireError>,
}

impl<S> Inspected<S> {
    /// Inspects what comes in by `stream`.
    pub(super) fn new(stream: S, inspector: Inspector) -> Self {
        Self { stream, inspector, error: None }
    }

    /// The connection itself.
    pub(super) fn stream(&mut self) -> &mut S {
        &mut self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Inspected<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let n_before = buf.filled().len();
        if this.error.is_none() {
            ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
            let Err((n_good, error)) = this.inspector.look(&buf.filled()[n_before..]) else {
                return Poll::Ready(Ok(()));
            };
            // What came before is still answered.
            buf.set_filled(n_before + n_good);
            this.error = Some(error);
            if n_good > 0 {
                return Poll::Ready(Ok(()));
            }
        }
        let error = this.error.unwrap_or(WireError::Protocol);
        Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Inspected<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASK: [u8; 4] = [0x5a, 0xff, 0x00, 0x81];

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first];
        match payload.len() {
            len @ 0..126 => bytes.push(0x80 | len as u8),
            len @ 126..65536 => {
                bytes.push(0x80 | 126);
                bytes.extend_from_slice(&(len as u16).to_be_bytes());
            }
            len => {
                bytes.push(0x80 | 127);
                bytes.extend_from_slice(&(len as u64).to_be_bytes());
            }
        }
        bytes.extend_from_slice(&MASK);
        bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        bytes
    }

    /// The error, and the byte at which it was seen, when bytes come in chops.
    fn look(bytes: &[u8], chop: usize) -> Option<(usize, WireError)> {
        let mut inspector = Inspector::new(8);
        let mut chops = bytes.chunks(chop).enumerate();
        chops.find_map(|(idx, chop_bytes)| Some((idx * chop, inspector.look(chop_bytes).err()?.1)))
    }

    #[test]
    fn good_messages_pass_in_any_chops() {
        let long = "κόσμε€🎵".repeat(4000);
        let mut bytes = frame(0x81, long.as_bytes());
        bytes.extend(frame(0x01, &long.as_bytes()[..301]));
        bytes.extend(frame(0x89, b"\xff ping"));
        bytes.extend(frame(0x00, &long.as_bytes()[301..302]));
        bytes.extend(frame(0x80, &long.as_bytes()[302..]));
        bytes.extend(frame(0x82, &[0xff; 70_000]));
        bytes.extend(frame(0x81, b""));
        bytes.extend(frame(0x88, b"\x03\xe8"));
        for chop in [1, 2, 3, 7, 999, 1000, 1001, 1 << 20] {
            assert_eq!(look(&bytes, chop), None, "chops of {chop}");
        }
    }

    #[test]
    fn text_fails_at_the_first_wrong_byte() {
        // κόσμε, then the beginning of what would be U+110000: wrong from its second byte on.
        let text = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80edited";
        assert_eq!(look(&frame(0x81, text), 1), Some((6 + 12, WireError::NotUtf8)));
        let mut fragments = frame(0x01, &text[..12]);
        let first_wrong = fragments.len() + 6;
        fragments.extend(frame(0x80, &text[12..]));
        assert_eq!(look(&fragments, 1), Some((first_wrong, WireError::NotUtf8)));
        assert_eq!(look(&frame(0x82, text), 1), None, "binary may be anything");
    }

    #[test]
    fn what_came_before_an_error_may_be_passed_on() {
        let mut bytes = frame(0x89, b"hello");
        let n_good = bytes.len();
        bytes.extend(frame(0x81, b"\xff"));
        let (n, error) = Inspector::new(8).look(&bytes).unwrap_err();
        assert!((n_good..bytes.len()).contains(&n) && error == WireError::NotUtf8, "{n}");
    }

    #[test]
    fn headers_that_are_not_allowed() {
        let unmasked = vec![0x81, 0x01, b'x'];
        let cases = [
            frame(0xc1, b"x"),
            frame(0xa1, b"x"),
            frame(0x91, b"x"),
            frame(0x83, b"x"),
            frame(0x8b, b"x"),
            frame(0x09, b"x"),
            frame(0x89, &[0; 126]),
            frame(0x80, b"x"),
            [frame(0x01, b"x"), frame(0x81, b"y")].concat(),
            unmasked,
        ];
        for bytes in cases {
            assert_eq!(look(&bytes, 1).map(|(_, error)| error), Some(WireError::Protocol), "{bytes:x?}");
        }
        let drip: Vec<u8> = (0..9).flat_map(|idx| frame(if idx == 0 { 0x01 } else { 0x00 }, b"")).collect();
        assert_eq!(look(&drip, 1 << 20).map(|(_, error)| error), Some(WireError::TooManyFrames));
    }
}
