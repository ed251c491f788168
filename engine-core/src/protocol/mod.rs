//! The wire: what a subscriber may ask for, and the frames it gets, as JSON and as binary.
//!
//! ```text
//! ClientMessage ─▶ Subscription ─▶ Feed ◀─ Quantum
//!                                    │
//!                                    ▼ Frame (values) ─▶ binary::encode_payload, or json::* for serde
//! ```

mod binary;
mod client;
mod feed;
mod frame;
mod header;
pub mod json;
pub mod rest;
mod subscription;
mod text;

pub use binary::{DecodeError, decode_payload, encode_payload};
pub use client::ClientMessage;
pub use feed::{Feed, FeedId};
pub use frame::{
    Analytics, Axis, Frame, Loudness, MeterNeedles, Meters, Payload, Spectrum, Transport, Waveform,
};
pub use header::{Flags, HEADER_LEN, Header};
pub use subscription::{
    DEFAULT_FPS, Directory, FPS_RANGE, OptionError, StreamOptions, Subscription, Tap, Topic,
};

/// Version of the protocol, in `hello` and in the subprotocols' names.
pub const VERSION: u32 = 1;
/// Subprotocol whose frames are JSON text.
pub const SUBPROTOCOL_JSON: &str = "antiphon.v1.json";
/// Subprotocol whose frames are binary.
pub const SUBPROTOCOL_BINARY: &str = "antiphon.v1.binary";
