//! The wire: what a subscriber may ask for, and the frames it gets, as JSON and as binary.
//!
//! ```text
//! ClientMessage ─▶ Subscription ─▶ Feed ◀─ Quantum
//!                                    │
//!                                    ▼ Frame (values) ─▶ binary::encode_payload, or json::* for serde
//! ```

mod binary;
mod client;
mod directory;
mod feed;
mod frame;
mod header;
pub mod json;
mod reader;
pub mod recorder;
pub mod rest;
mod subscription;
mod text;

pub use binary::{decode_payload, encode_payload};
pub use client::{ClientMessage, object};
pub use directory::{Directory, Tap};
pub use feed::{Feed, FeedId, StreamError};
pub use frame::{
    Analytics, Audio, Axis, Frame, Loudness, MAX_AUDIO_FRAMES, MeterNeedles, Meters, Payload, Spectrum,
    Stereo, Transport, TriggerEvent, Waveform,
};
pub use header::{Flags, HEADER_LEN, Header};
pub use reader::DecodeError;
pub use subscription::{
    AudioFormat, DEFAULT_FPS, FPS_RANGE, OptionError, Selection, StreamOptions, Subscription, Topic,
};

/// Version of the protocol, in `hello` and in the subprotocols' names.
pub const VERSION: u32 = 1;
/// Subprotocol whose frames are JSON text.
pub const SUBPROTOCOL_JSON: &str = "antiphon.v1.json";
/// Subprotocol whose frames are binary.
pub const SUBPROTOCOL_BINARY: &str = "antiphon.v1.binary";
