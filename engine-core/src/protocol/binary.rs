//! Payloads in binary, little-endian: encoder and decoder side by side.

use alloc::vec::Vec;

use super::frame::Payload;
use super::header::Header;

/// Appends a payload's bytes to `out`.
pub fn encode_payload(_payload: &Payload, _out: &mut Vec<u8>) {}

/// Why a payload could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The topic is not known; skip it.
    UnknownTopic(u8),
    /// The payload ends before its last value.
    Short,
    /// A field has a value that the format does not allow.
    Value,
}

/// Reads a payload. Survives any bytes; bytes after the last field are ignored, so that fields can be added.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode_payload(_header: &Header, _payload: &[u8]) -> Result<Payload, DecodeError> {
    Err(DecodeError::Short)
}
