//! The 24 bytes before every binary payload, little-endian:
//! `{topic u8, flags u8, tap u16, seq u32, sample_position u64, payload_len u32, epoch u16, dropped u16}`.

/// Length of an encoded [`Header`].
pub const HEADER_LEN: usize = 24;

/// Bits of a header's `flags`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Flags {
    /// A full state, sent after a subscription or a reconnection.
    pub const SNAPSHOT: Self = Self(1);
    /// The sound or the playhead jumped since the frame before; of meters also: loudness was started anew.
    pub const DISCONTINUITY: Self = Self(2);
    /// Levels are i16 in 0.01 dB instead of u8 in 0.5 dB.
    pub const WIDE: Self = Self(4);

    /// Whether every bit of `other` is set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets of bits.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What stands before every binary payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Number of the topic; a reader skips those that it does not know.
    pub topic: u8,
    /// See [`Flags`].
    pub flags: Flags,
    /// Which tap the payload is of; 0 (master) where it is of all.
    pub tap: u16,
    /// Counts frames of one topic and tap on one connection, strictly increasing.
    pub seq: u32,
    /// Engine frames at the end of what was measured.
    pub sample_position: u64,
    /// Bytes that follow.
    pub payload_len: u32,
    /// Changes when the server restarts.
    pub epoch: u16,
    /// Frames that were merged into this one because the connection was slow; saturates.
    pub dropped: u16,
}

impl Header {
    /// The header's bytes.
    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[0] = self.topic;
        bytes[1] = self.flags.0;
        bytes[2..4].copy_from_slice(&self.tap.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.seq.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.sample_position.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.payload_len.to_le_bytes());
        bytes[20..22].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[22..24].copy_from_slice(&self.dropped.to_le_bytes());
        bytes
    }

    /// The header at the start of `bytes` and the payload after it; `None` when either is cut short.
    pub fn split(bytes: &[u8]) -> Option<(Self, &[u8], &[u8])> {
        let (head, rest) = bytes.split_first_chunk::<HEADER_LEN>()?;
        let header = Self::decode(head);
        let len = usize::try_from(header.payload_len).ok()?;
        let (payload, rest) = rest.split_at_checked(len)?;
        Some((header, payload, rest))
    }

    /// The header that these bytes hold. Every pattern is one.
    pub fn decode(b: &[u8; HEADER_LEN]) -> Self {
        Self {
            topic: b[0],
            flags: Flags(b[1]),
            tap: u16::from_le_bytes([b[2], b[3]]),
            seq: u32::from_le_bytes([b[4], b[5], b[6], b[7]]),
            sample_position: u64::from_le_bytes([b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]]),
            payload_len: u32::from_le_bytes([b[16], b[17], b[18], b[19]]),
            epoch: u16::from_le_bytes([b[20], b[21]]),
            dropped: u16::from_le_bytes([b[22], b[23]]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_has_the_documented_layout() {
        let header = Header {
            topic: 3,
            flags: Flags::SNAPSHOT.with(Flags::WIDE),
            tap: 0x0102,
            seq: 0x0304_0506,
            sample_position: 0x0708_090a_0b0c_0d0e,
            payload_len: 1,
            epoch: 0x0f10,
            dropped: 0x1112,
        };
        let bytes = header.encode();
        assert_eq!(bytes[..8], [3, 5, 2, 1, 6, 5, 4, 3]);
        assert_eq!(bytes[8..16], [0x0e, 0x0d, 0x0c, 0x0b, 0x0a, 9, 8, 7]);
        assert_eq!(bytes[16..], [1, 0, 0, 0, 0x10, 0x0f, 0x12, 0x11]);
        let message = [&bytes[..], &[42, 99]].concat();
        assert_eq!(Header::split(&message), Some((header, &[42][..], &[99][..])));
        assert_eq!(Header::split(&message[..24]), None);
    }
}
