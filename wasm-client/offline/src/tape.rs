//! Where a WAV file is written: what was read from it is forgotten, so that a render of any length fits in memory.

use std::cell::RefCell;
use std::io::{Error, Result, Seek, SeekFrom, Write};
use std::rc::Rc;

/// A file's start stays, because its lengths are written last: the longest WAV header has 80 bytes.
const HEAD: usize = 128;

/// Bytes that grow at the end. Clones are the same tape.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tape(Rc<RefCell<Bytes>>);

#[derive(Debug, Default)]
struct Bytes {
    /// The first bytes, kept.
    head: Vec<u8>,
    /// Bytes since the last `take`, those of the head among them.
    fresh: Vec<u8>,
    len: u64,
    position: u64,
}

impl Tape {
    /// What was appended since the last call.
    pub(crate) fn take(&self, into: &mut Vec<u8>) {
        let fresh = &mut self.0.borrow_mut().fresh;
        into.clear();
        core::mem::swap(into, fresh);
    }

    /// The first bytes as they are now.
    pub(crate) fn head(&self) -> Vec<u8> {
        self.0.borrow().head.clone()
    }
}

impl Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let Bytes { head, fresh, len, position } = &mut *self.0.borrow_mut();
        let n = bytes.len();
        if *position == *len {
            fresh.extend_from_slice(bytes);
            head.extend(bytes.iter().take(HEAD.saturating_sub(head.len())));
            *len += n as u64;
        } else {
            let at = *position as usize;
            let place =
                head.get_mut(at..at + n).ok_or_else(|| Error::other("only the header is rewritten"))?;
            place.copy_from_slice(bytes);
        }
        *position += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Seek for Tape {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let Bytes { len, position, .. } = &mut *self.0.borrow_mut();
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => len.checked_add_signed(by),
            SeekFrom::Current(by) => position.checked_add_signed(by),
        };
        *position = target.filter(|at| at <= len).ok_or_else(|| Error::other("outside of the tape"))?;
        Ok(*position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_can_be_rewritten_and_the_rest_is_handed_out_once() {
        let mut tape = Tape::default();
        let mut piece = Vec::new();
        tape.write_all(&[1; 100]).unwrap();
        tape.write_all(&[2; 100]).unwrap();
        tape.take(&mut piece);
        assert_eq!(piece, [[1; 100], [2; 100]].concat());
        tape.write_all(&[3; 10]).unwrap();
        tape.seek(SeekFrom::Start(4)).unwrap();
        tape.write_all(&[9; 4]).unwrap();
        assert_eq!(tape.seek(SeekFrom::End(0)).unwrap(), 210);
        tape.write_all(&[4]).unwrap();
        tape.take(&mut piece);
        assert_eq!(piece, [3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4]);
        assert_eq!(&tape.head()[..10], [1, 1, 1, 1, 9, 9, 9, 9, 1, 1]);
        tape.seek(SeekFrom::Start(150)).unwrap();
        assert!(tape.write_all(&[0]).is_err() && tape.seek(SeekFrom::Start(212)).is_err());
    }
}
