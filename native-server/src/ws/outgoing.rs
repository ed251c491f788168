//! What goes out to a client: messages, where they go, and the last one of them.

use std::borrow::Cow;

/// Why the server closes a socket: a close code and a reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// WebSocket close code.
    pub code: u16,
    /// For people; at most 123 bytes.
    pub reason: Cow<'static, str>,
}

impl Closing {
    pub(super) const GOING_AWAY: Self = Self::of(1001, "the server is shutting down");
    pub(super) const PROTOCOL: Self = Self::of(1002, "not the WebSocket protocol");
    pub(super) const TEXT_ONLY: Self = Self::of(1003, "messages to the server are JSON text");
    pub(super) const NOT_UTF8: Self = Self::of(1007, "text that is not UTF-8");
    pub(super) const UNREAD: Self = Self::of(1008, "too many answers were left unread");
    pub(super) const TOO_LONG: Self = Self::of(1009, "the message is too long; a stream takes 4096 bytes");
    pub(super) const FAILED: Self = Self::of(1011, "the server's measuring ended; see its log");
    pub(super) const STALLED: Self = Self::of(4408, "the client stopped reading");
    pub(super) const SILENT: Self = Self::of(4408, "no sign of life for too long");
    pub(super) const TOO_FAST: Self = Self::of(4429, "more than 100 messages a second");

    const fn of(code: u16, reason: &'static str) -> Self {
        Self { code, reason: Cow::Borrowed(reason) }
    }

    /// A close frame holds 123 bytes of reason: a longer one is cut.
    pub fn new(code: u16, reason: &str) -> Self {
        let end = (0..=reason.len().min(123)).rev().find(|&end| reason.is_char_boundary(end));
        Self { code, reason: Cow::Owned(reason[..end.unwrap_or(0)].to_string()) }
    }
}

/// What a message is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// JSON.
    Text,
    /// Headers and payloads.
    Binary,
}

/// Where messages go: straight to where their bytes wait to be sent, since a copy for each client would cost more than
/// all else that is done for it.
pub trait Outlet {
    /// Begins a message of so many bytes, which are to be appended to the result.
    fn message(&mut self, kind: Kind, len: usize) -> &mut Vec<u8>;
}

/// What was taken out of a mailbox.
#[derive(Debug, Default)]
pub struct Taken {
    /// Messages that went to the outlet.
    pub n_messages: usize,
    /// Frames in them.
    pub n_frames: u64,
    /// The last thing to send.
    pub closing: Option<Closing>,
}

/// One message, by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// JSON.
    Text(String),
    /// Headers and payloads.
    Binary(Vec<u8>),
}

/// Everything that is due at once.
#[derive(Debug, Default)]
pub struct Batch {
    /// In the order in which they go out.
    pub messages: Vec<Outgoing>,
    /// Frames in them.
    pub n_frames: u64,
    /// The last thing to send.
    pub closing: Option<Closing>,
}

impl Outlet for Vec<(Kind, Vec<u8>)> {
    fn message(&mut self, kind: Kind, len: usize) -> &mut Vec<u8> {
        self.push((kind, Vec::with_capacity(len)));
        let idx = self.len() - 1;
        &mut self[idx].1
    }
}
