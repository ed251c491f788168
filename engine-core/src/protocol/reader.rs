//! Numbers out of untrusted bytes.

use alloc::vec::Vec;

use crate::units::ticks_from_beats;

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

impl core::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::UnknownTopic(id) => write!(f, "topic {id} is not known"),
            Self::Short => f.write_str("the payload ends before its last value"),
            Self::Value => f.write_str("a field has a value that the format does not allow"),
        }
    }
}

impl core::error::Error for DecodeError {}

/// The bytes that were not read yet.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl Reader<'_> {
    pub(super) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(DecodeError::Short)?;
        self.0 = rest;
        Ok(*head)
    }

    pub(super) fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(self.bytes::<1>()?[0])
    }

    pub(super) fn u16(&mut self) -> Result<u16, DecodeError> {
        self.bytes().map(u16::from_le_bytes)
    }

    pub(super) fn i16(&mut self) -> Result<i16, DecodeError> {
        self.bytes().map(i16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.bytes().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, DecodeError> {
        self.bytes().map(u64::from_le_bytes)
    }

    pub(super) fn f32(&mut self) -> Result<f32, DecodeError> {
        self.bytes().map(f32::from_le_bytes)
    }

    /// A number that was encoded from a finite one.
    pub(super) fn f64(&mut self) -> Result<f64, DecodeError> {
        self.bytes()
            .map(f64::from_le_bytes)
            .and_then(|x| if x.is_finite() { Ok(x) } else { Err(DecodeError::Value) })
    }

    /// A position in beats, as ticks: finite in both.
    pub(super) fn ticks(&mut self) -> Result<f64, DecodeError> {
        let ticks = ticks_from_beats(self.f64()?);
        if ticks.is_finite() { Ok(ticks) } else { Err(DecodeError::Value) }
    }

    /// Room for `n` values of `size` bytes: refused before anything is allocated when they are not there.
    pub(super) fn room<T>(&self, n: usize, size: usize) -> Result<Vec<T>, DecodeError> {
        if self.0.len() / size >= n { Ok(Vec::with_capacity(n)) } else { Err(DecodeError::Short) }
    }
}
