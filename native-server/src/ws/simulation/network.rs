//! Chance, and a network that cuts anywhere.

use std::collections::VecDeque;
use std::io::{self, Read, Write};

/// SplitMix64 (Steele, Lea, Flood 2014).
pub(in super::super) struct Chance(pub(in super::super) u64);

impl Chance {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(in super::super) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// One end of a connection. Reads and writes at most so many bytes at a time as the network lets through.
#[derive(Default)]
pub(super) struct Pipe {
    pub(super) incoming: VecDeque<u8>,
    pub(super) outgoing: VecDeque<u8>,
    pub(super) room: usize,
    /// Bytes that one call may move, so that frames are cut anywhere.
    pub(super) grain: usize,
    pub(super) is_cut: bool,
}

impl Read for Pipe {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = buf.len().min(self.grain).min(self.incoming.len());
        match n {
            0 if self.is_cut => Ok(0),
            0 => Err(io::ErrorKind::WouldBlock.into()),
            n => self.incoming.read(&mut buf[..n]),
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if self.is_cut {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let n = buf.len().min(self.grain).min(self.room);
        self.room -= n;
        self.outgoing.extend(&buf[..n]);
        if n == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(n) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
