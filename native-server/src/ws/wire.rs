//! Bytes of one WebSocket without IO: what was received becomes messages, and what is said becomes bytes that wait.
//!
//! The parser (tungstenite) reads, and answers pings and closes. Frames from a server are unmasked, so what is said is
//! written straight into the bytes that wait; the parser would keep a buffer of its own for it.

use std::cell::RefCell;
use std::io::{self, Read, Write};

use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, WebSocket};

use super::outgoing::{Closing, Kind, Outlet};
use super::socket::close_message;

/// First bytes of final frames (RFC 6455, section 5.2).
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

/// A buffer of more bytes is given back when it is empty: thousands of connections wait for what is rare.
const MAX_KEPT: usize = 256;
/// Bytes before an answer to a ping without which it goes its way: a client that reads has no more waiting.
const MAX_BEFORE_PONG: usize = 1 << 10;
/// A thread keeps so many bytes for what it writes next: enough for all to whom it writes at once.
const MAX_SPARE: usize = 512 << 10;

thread_local! {
    /// What was given back, for the next connections that this thread writes to.
    static SPARE: RefCell<Spare> = const { RefCell::new(Spare { buffers: Vec::new(), n_bytes: 0 }) };
}

/// Buffers without content.
struct Spare {
    buffers: Vec<Vec<u8>>,
    /// Capacity of all.
    n_bytes: usize,
}

impl Spare {
    fn put(&mut self, buffer: Vec<u8>) {
        if self.n_bytes + buffer.capacity() <= MAX_SPARE {
            self.n_bytes += buffer.capacity();
            self.buffers.push(buffer);
        }
    }

    fn take(&mut self) -> Vec<u8> {
        let buffer = self.buffers.pop().unwrap_or_default();
        self.n_bytes -= buffer.capacity();
        buffer
    }
}

/// Both directions of a connection.
pub(super) struct Wire {
    parser: WebSocket<Ends>,
}

/// What the parser takes for a connection.
#[derive(Default)]
struct Ends {
    incoming: Buffer,
    outgoing: Buffer,
    /// An answer that waits for all the rest, where that is much. Only the latest counts (RFC 6455, section 5.5.3), so a
    /// client that pings and never reads has one of them wait, and not one for each ping.
    pong: Vec<u8>,
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
                SPARE.with_borrow_mut(|spare| spare.put(bytes));
            }
        }
    }
}

impl Read for Ends {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = Read::read(&mut self.incoming.rest(), buf)?;
        self.incoming.advance(n);
        if n == 0 && !self.is_over { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(n) }
    }
}

impl Write for Ends {
    /// Takes an answer of the parser: always a whole frame, since it is always taken whole.
    fn write(&mut self, frame: &[u8]) -> io::Result<usize> {
        self.pong.clear();
        let is_pong = frame.first() == Some(&PONG);
        let waits = is_pong && self.outgoing.rest().len() > MAX_BEFORE_PONG;
        let to = if waits { &mut self.pong } else { &mut self.outgoing.bytes };
        to.extend_from_slice(frame);
        Ok(frame.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Wire {
    /// A wire that takes messages of so many bytes.
    pub(super) fn new(max_message: usize) -> Self {
        Self { parser: WebSocket::from_raw_socket(Ends::default(), Role::Server, Some(config(max_message))) }
    }

    /// Bytes came in; none: nothing follows.
    pub(super) fn receive(&mut self, bytes: &[u8]) {
        let ends = self.parser.get_mut();
        ends.is_over = bytes.is_empty();
        ends.incoming.bytes.extend_from_slice(bytes);
    }

    /// The next message, if the bytes so far have one.
    ///
    /// # Errors
    /// They are no WebSocket, or it is over: `ConnectionClosed` and `AlreadyClosed`.
    pub(super) fn read(&mut self) -> Result<Option<Message>, Error> {
        match self.parser.read() {
            Ok(message) => Ok(Some(message)),
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Says a ping.
    pub(super) fn ping(&mut self) {
        self.parser.get_mut().outgoing.bytes.extend_from_slice(&[PING, 0]);
    }

    /// Says a close frame, the last one. Not if one was said.
    pub(super) fn close(&mut self, closing: &Closing) {
        // An answer that the parser has not given yet would follow it.
        if self.parser.flush().is_ok() {
            let _ = self.parser.write(close_message(closing));
        }
    }

    /// What is to be sent.
    pub(super) fn rest(&self) -> &[u8] {
        self.parser.get_ref().outgoing.rest()
    }

    /// So many bytes of it were.
    pub(super) fn advance(&mut self, n: usize) {
        let Ends { outgoing, pong, .. } = self.parser.get_mut();
        outgoing.advance(n);
        if !pong.is_empty() && outgoing.rest().is_empty() {
            outgoing.bytes.append(pong);
        }
    }
}

impl Outlet for Wire {
    fn message(&mut self, kind: Kind, len: usize) -> &mut Vec<u8> {
        let out = &mut self.parser.get_mut().outgoing.bytes;
        if out.capacity() == 0 {
            *out = SPARE.with_borrow_mut(Spare::take);
        }
        out.reserve(10 + len);
        let first = match kind {
            Kind::Text => TEXT,
            Kind::Binary => BINARY,
        };
        match len {
            0..126 => out.extend_from_slice(&[first, len as u8]),
            126..0x1_0000 => {
                out.extend_from_slice(&[first, 126]);
                out.extend_from_slice(&(len as u16).to_be_bytes());
            }
            _ => {
                out.extend_from_slice(&[first, 127]);
                out.extend_from_slice(&(len as u64).to_be_bytes());
            }
        }
        out
    }
}

/// Small buffers: measured, they make a connection twenty times cheaper than the defaults, and what waits in a
/// buffer is old when it arrives.
pub(super) fn config(max_message: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(128)
        .write_buffer_size(0)
        .max_message_size(Some(max_message))
        .max_frame_size(Some(max_message))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A masked frame of a client, whose mask is zero.
    fn from_client(first: u8, payload: &[u8]) -> Vec<u8> {
        [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat()
    }

    #[test]
    fn of_pings_that_are_never_read_the_latest_is_answered() {
        let mut wire = Wire::new(4096);
        wire.message(Kind::Binary, 2_000).extend_from_slice(&[5; 2_000]);
        for n in 0..10_000u16 {
            wire.receive(&from_client(0x89, &[&n.to_le_bytes()[..], &[7; 123]].concat()));
            assert!(matches!(wire.read(), Ok(Some(Message::Ping(_)))));
            assert!(wire.read().unwrap().is_none());
            assert_eq!(wire.rest().len(), 2_004);
        }
        wire.advance(2_000);
        assert_eq!(wire.rest(), [5; 4], "what is on its way is not cut");
        wire.advance(4);
        let (head, payload) = wire.rest().split_at(2);
        assert_eq!(
            (head, &payload[..2], payload.len()),
            (&[0x8a, 125][..], &9_999u16.to_le_bytes()[..], 125)
        );
        wire.advance(127);
        assert_eq!(wire.rest(), b"");
    }

    #[test]
    fn pongs_go_in_their_turn_and_never_after_a_close() {
        let mut wire = Wire::new(4096);
        wire.receive(&[from_client(0x89, b"a"), from_client(0x89, b"b")].concat());
        wire.read().unwrap();
        wire.read().unwrap();
        assert!(wire.read().unwrap().is_none());
        wire.message(Kind::Text, 1).extend_from_slice(b"t");
        assert_eq!(wire.rest(), b"\x8a\x01a\x8a\x01b\x81\x01t");
        wire.advance(9);
        wire.message(Kind::Binary, 2_000).extend_from_slice(&[5; 2_000]);
        wire.receive(&from_client(0x89, b"c"));
        wire.read().unwrap();
        wire.close(&Closing::new(1001, "x"));
        wire.advance(2_004);
        assert_eq!(wire.rest(), b"\x88\x03\x03\xe9x");
        wire.advance(5);
        assert_eq!(wire.rest(), b"");
    }

    #[test]
    fn lengths_have_three_forms() {
        for (len, head) in [
            (125, &[0x82, 125][..]),
            (126, &[0x82, 126, 0, 126]),
            (0xffff, &[0x82, 126, 0xff, 0xff]),
            (0x1_0000, &[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let mut wire = Wire::new(4096);
            wire.message(Kind::Binary, len);
            assert_eq!(wire.rest(), head);
        }
    }
}
