//! The head of a WAV file, made right before the decoder reads it: recorders that crash, and programs that write to a
//! pipe, leave sizes in it that are not those of the file.
//!
//! ```text
//! RIFF size WAVE · LIST … · fmt … · fact … · data size · sound ─▶ RIFF ∞ WAVE · fmt … · data right size · sound
//! ```
//!
//! 0 and 0xffff_ffff are what a program writes that does not know yet: such a file goes on to its end.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use symphonia::core::io::MediaSource;

/// The longest head that is read: pictures in it may take some megabytes.
const MAX_LEN: usize = 16 << 20;
/// A size that stands for "to the end", for us and for the decoder.
const OPEN: u32 = u32::MAX;

/// What the first bytes said.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Head {
    /// They are those of a container that we know.
    pub(crate) is_known: bool,
    /// The sound goes on to the end of the file, and only that says where it is.
    pub(crate) is_open: bool,
    /// A WAV file that does not say where its channels belong.
    pub(crate) is_without_places: bool,
    /// Where the file ends by its first size, and where the sound does by its own, which is later.
    pub(crate) disagreement: Option<(u64, u64)>,
}

/// A source with another head: what the decoder reads.
pub(crate) struct Source {
    head: Vec<u8>,
    /// Of the next byte that is read.
    at: u64,
    inner: Box<dyn MediaSource>,
    /// Where the rest begins in it.
    rest: u64,
}

/// Reads the head of a file; what is no WAV file comes out as it is.
pub(crate) fn mended(mut inner: Box<dyn MediaSource>) -> io::Result<(Source, Head)> {
    let mut bytes = Vec::new();
    let (format, size) = scan(&mut inner, &mut bytes)?;
    let mut head = Head { is_known: is_known(&bytes), ..Head::default() };
    let rest = bytes.len() as u64;
    if let (Some(format), Some(size)) = (format, size) {
        let size = sound_size(&mut head, u32_at(&bytes, 4), rest, size, len_of(&*inner));
        let format = &bytes[format];
        head.is_without_places = !has_places(format);
        let pad = &[0][..format.len() % 2];
        bytes =
            [&b"RIFF"[..], &OPEN.to_le_bytes(), b"WAVE", format, pad, b"data", &size.to_le_bytes()].concat();
    }
    Ok((Source { head: bytes, at: 0, inner, rest }, head))
}

/// Reads up to where the sound of a WAV file begins. Returns where the chunk is that says what it is like, and how many
/// bytes there are to be.
fn scan(
    inner: &mut Box<dyn MediaSource>,
    bytes: &mut Vec<u8>,
) -> io::Result<(Option<Range<usize>>, Option<u32>)> {
    let mut read_to = |bytes: &mut Vec<u8>, end: usize| {
        let n = end.saturating_sub(bytes.len()) as u64;
        inner.by_ref().take(n).read_to_end(bytes).map(|read| read as u64 == n)
    };
    let (mut format, mut at) = (None, 12);
    if !read_to(bytes, at)? || !bytes.starts_with(b"RIFF") || !bytes.ends_with(b"WAVE") {
        return Ok((None, None));
    }
    while read_to(bytes, at + 8)? {
        let (id, size) = (&bytes[at..at + 4], u32_at(bytes, at + 4));
        if id == b"data" {
            return Ok((format, Some(size)));
        }
        let is_format = id == b"fmt ";
        let end = at + 8 + (size as usize).min(MAX_LEN);
        if end > MAX_LEN || !read_to(bytes, end)? {
            break;
        }
        if is_format {
            format = Some(at..end);
        }
        at = end;
        if size % 2 == 1 {
            at += usize::from(read_to(bytes, end + 5)? && !is_unpadded(&bytes[end..]));
        }
    }
    Ok((None, None))
}

/// Whether the next chunk follows at once where a byte should lie between.
fn is_unpadded(next: &[u8]) -> bool {
    let is_next_padded = matches!(&next[1..5], b"data" | b"fmt " | b"LIST" | b"fact");
    next[..4].iter().all(|byte| matches!(byte, b' '..=b'~')) && !is_next_padded
}

/// The system says of a pipe that it has no bytes.
fn len_of(source: &dyn MediaSource) -> Option<u64> {
    source.byte_len().filter(|_| source.is_seekable())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |number| u32::from_le_bytes(*number))
}

/// Whether a format chunk is extensible and has a channel mask.
fn has_places(chunk: &[u8]) -> bool {
    chunk.get(8..10) == Some(&[0xfe, 0xff]) && chunk.get(28..32).is_some_and(|mask| mask != [0; 4])
}

fn is_known(bytes: &[u8]) -> bool {
    let form = bytes.get(8..12).unwrap_or_default();
    match bytes.get(..4) {
        Some(b"RIFF") => form == b"WAVE",
        Some(b"FORM") => form == b"AIFF" || form == b"AIFC",
        magic => magic == Some(b"fLaC") || magic == Some(b"OggS"),
    }
}

/// The bytes of sound in a file of which these are the sizes.
fn sound_size(head: &mut Head, riff: u32, start: u64, size: u32, end: Option<u64>) -> u32 {
    let file_end = u64::from(riff) + 8;
    let knows_its_end = riff != 0 && riff != OPEN;
    // A file without sound says 0 too, and then its end is right.
    head.is_open = size == OPEN || size == 0 && !(knows_its_end && end.is_some_and(|end| file_end >= end));
    if head.is_open {
        if size == 0 && knows_its_end {
            head.disagreement = end.map(|end| (file_end, end));
        }
        return end.and_then(|end| u32::try_from(end.checked_sub(start)?).ok()).unwrap_or(OPEN);
    }
    let sound_end = start + u64::from(size);
    head.disagreement = (knows_its_end && sound_end > file_end).then_some((file_end, sound_end));
    size
}

impl Read for Source {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let head = usize::try_from(self.at).ok().and_then(|at| self.head.get(at..)).unwrap_or_default();
        let n = if head.is_empty() { self.inner.read(to)? } else { (&*head).read(to)? };
        self.at += n as u64;
        Ok(n)
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let from = |base: Option<u64>, by: i64| base.and_then(|base| base.checked_add_signed(by));
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => from(Some(self.at), by),
            SeekFrom::End(by) => from(self.byte_len(), by),
        };
        let at = at.ok_or(io::ErrorKind::InvalidInput)?;
        self.inner.seek(SeekFrom::Start(self.rest + at.saturating_sub(self.head.len() as u64)))?;
        self.at = at;
        Ok(at)
    }
}

impl MediaSource for Source {
    fn is_seekable(&self) -> bool {
        self.inner.is_seekable()
    }

    fn byte_len(&self) -> Option<u64> {
        Some(len_of(&*self.inner)?.saturating_sub(self.rest) + self.head.len() as u64)
    }
}
