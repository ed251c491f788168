//! Recordings as files.
//!
//! Little-endian: `"ANTIFREC", version u16 (1), 0 u16, sample_rate u32, n u16, n × {tap u16, is_track u8, id u8×16 (0 for
//! no track), name_len u16, name UTF-8}`, then wire frames (an axis, then meters and spectra, positions never
//! falling), then the CRC-32 of all that as u32.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use uuid::Uuid;

use super::checksum::checksum;
use super::frame_from;
use crate::control::TapId;
use crate::protocol::binary::decode_payload;
use crate::protocol::directory::{Directory, Tap};
use crate::protocol::frame::{Axis, Frame, Payload};
use crate::protocol::header::Header;
use crate::protocol::reader::{DecodeError, Reader};
use crate::units::{MAX_TRACKS, SampleRate};

const MAGIC: [u8; 8] = *b"ANTIFREC";
const VERSION: u16 = 1;
/// A recorder has one; more leave room for others that write this format.
const MAX_AXES: usize = 16;

/// The head of a file: everything before the frames.
pub(super) fn head(directory: &Directory) -> Vec<u8> {
    let mut out = Vec::from(MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&directory.sample_rate.to_le_bytes());
    out.extend_from_slice(&(directory.taps.len() as u16).to_le_bytes());
    for tap in &directory.taps {
        out.extend_from_slice(&tap.id.to_le_bytes());
        out.push(u8::from(tap.track_id.is_some()));
        out.extend_from_slice(tap.track_id.unwrap_or_default().as_bytes());
        // Names of tracks have at most 200 characters.
        out.extend_from_slice(&(tap.name.len() as u16).to_le_bytes());
        out.extend_from_slice(tap.name.as_bytes());
    }
    out
}

/// Why bytes are no recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingError {
    /// They do not begin like one.
    Magic,
    /// Of a newer program.
    Version(u16),
    /// Bytes were changed, or are missing at the end.
    Checksum,
    /// A rate that the engine does not play.
    SampleRate(u32),
    /// The list of taps is broken.
    Taps,
    /// The frame that begins at this byte cannot be read.
    Frame(usize, DecodeError),
    /// The frame that begins at this byte is older than the one before it.
    Order(usize),
    /// The spectrum that begins at this byte has no axis before it, or the axis is one too many.
    Axis(usize),
}

impl core::fmt::Display for RecordingError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Magic => f.write_str("this is no Antiphon recording"),
            Self::Version(version) => {
                write!(f, "the recording has version {version}; this program reads version {VERSION}")
            }
            Self::Checksum => f.write_str("the recording is damaged or cut off: its checksum is wrong"),
            Self::SampleRate(hz) => write!(f, "{hz} Hz is not between 8,000 and 192,000 Hz"),
            Self::Taps => f.write_str("the recording's list of taps is broken"),
            Self::Frame(at, error) => write!(f, "the frame at byte {at} cannot be read: {error}"),
            Self::Order(at) => write!(f, "the frame at byte {at} is older than the one before it"),
            Self::Axis(at) => write!(
                f,
                "the spectrum at byte {at} has no axis of its length before it, or \
                the axis there is one of too many"
            ),
        }
    }
}

impl core::error::Error for RecordingError {}

/// A recording that was opened: the frames of a [`Recorder`](super::Recorder), from a file.
#[derive(Debug)]
pub struct Recording {
    bytes: Vec<u8>,
    directory: Directory,
    axes: Vec<Axis>,
    /// Positions, and where the first frame of each begins; rising.
    ticks: Vec<(u64, usize)>,
    /// Where frames end.
    end: usize,
}

impl Recording {
    /// Opens a file. Every frame is checked once; memory is bounded by the number of bytes.
    ///
    /// # Errors
    /// See [`RecordingError`]; any bytes end in one or are a recording.
    pub fn open(bytes: Vec<u8>) -> Result<Self, RecordingError> {
        let end = bytes.len().saturating_sub(4);
        let (body, sum) = bytes.split_at(end);
        if !body.starts_with(&MAGIC) {
            return Err(RecordingError::Magic);
        }
        let mut reader = Reader(&body[MAGIC.len()..]);
        let version = reader.u16().map_err(|_| RecordingError::Checksum)?;
        if version != VERSION {
            return Err(RecordingError::Version(version));
        }
        if sum != checksum(0, body).to_le_bytes() {
            return Err(RecordingError::Checksum);
        }
        let directory = directory(&mut reader)?;
        let (mut axes, mut ticks) = (Vec::<Axis>::new(), Vec::<(u64, usize)>::new());
        let mut rest = reader.0;
        while !rest.is_empty() {
            let at = end - rest.len();
            let (header, payload, after) =
                Header::split(rest).ok_or(RecordingError::Frame(at, DecodeError::Short))?;
            rest = after;
            match decode_payload(&header, payload) {
                // A newer program's; who reads it skips it.
                Err(DecodeError::UnknownTopic(_)) => continue,
                Err(error) => return Err(RecordingError::Frame(at, error)),
                Ok(Payload::Axis(axis)) => {
                    if axes.iter().any(|known| known.id == axis.id) {
                        continue;
                    }
                    if axes.len() == MAX_AXES {
                        return Err(RecordingError::Axis(at));
                    }
                    axes.push(axis);
                    continue;
                }
                Ok(Payload::Spectrum(spectrum)) => {
                    let n_bands =
                        axes.iter().find(|axis| axis.id == spectrum.axis).map(|a| a.frequencies.len());
                    if n_bands.map(|n| n * usize::from(spectrum.channels)) != Some(spectrum.magnitudes.len())
                    {
                        return Err(RecordingError::Axis(at));
                    }
                }
                Ok(_) => {}
            }
            match ticks.last() {
                Some((newest, _)) if *newest > header.sample_position => {
                    return Err(RecordingError::Order(at));
                }
                Some((newest, _)) if *newest == header.sample_position => {}
                _ => ticks.push((header.sample_position, at)),
            }
        }
        Ok(Self { bytes, directory, axes, ticks, end })
    }

    /// Sample rate and taps.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The bands of a spectrum, by its `axis`.
    pub fn axis(&self, id: u32) -> Option<&Axis> {
        self.axes.iter().find(|axis| axis.id == id)
    }

    /// Positions of the first and the last tick; `None` when nothing was recorded.
    pub fn range(&self) -> Option<RangeInclusive<u64>> {
        Some(self.ticks.first()?.0..=self.ticks.last()?.0)
    }

    /// The position of the tick that measured the frame of that number: the first that ends after it, or the last.
    pub fn at(&self, sample_position: u64) -> Option<u64> {
        let idx = self.ticks.partition_point(|(position, _)| *position <= sample_position);
        self.ticks.get(idx).or(self.ticks.last()).map(|(position, _)| *position)
    }

    /// The frames of the ticks in `positions`, in order, as [`Recorder::frames`](super::Recorder::frames) gives them.
    pub fn frames(&self, positions: &RangeInclusive<u64>, tap: Option<TapId>) -> impl Iterator<Item = Frame> {
        let start = self.ticks.partition_point(|(position, _)| position < positions.start());
        let start = self.ticks.get(start).map_or(self.end, |(_, at)| *at);
        let (mut rest, last) = (&self.bytes[start..self.end], *positions.end());
        core::iter::from_fn(move || {
            loop {
                let (header, _, after) = Header::split(rest)?;
                let read = frame_from(rest);
                rest = after;
                match read {
                    Some((frame, _)) if matches!(frame.payload, Payload::Axis(_)) => {}
                    _ if header.sample_position > last => return None,
                    Some((frame, _)) => {
                        if let Some(frame) = of_tap(frame, tap) {
                            return Some(frame);
                        }
                    }
                    None => {}
                }
            }
        })
    }

    /// The bytes of the file.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// What of a frame is left for a reader of one tap: see [`Recorder::read`](super::Recorder::read).
fn of_tap(mut frame: Frame, tap: Option<TapId>) -> Option<Frame> {
    let Some(tap) = tap else { return Some(frame) };
    match &mut frame.payload {
        Payload::Meters(meters) => {
            let is_kept: Vec<bool> =
                meters.taps.iter().map(|(id, _)| *id == TapId::MASTER || *id == tap).collect();
            let mut kept = is_kept.iter();
            meters.taps.retain(|_| kept.next() == Some(&true));
            let mut kept = is_kept.iter();
            meters.tap_loudness.retain(|_| kept.next() == Some(&true));
            Some(frame)
        }
        _ => (frame.tap == tap).then_some(frame),
    }
}

fn directory(reader: &mut Reader<'_>) -> Result<Directory, RecordingError> {
    let broken = |_| RecordingError::Taps;
    reader.u16().map_err(broken)?;
    let sample_rate = reader.u32().map_err(broken)?;
    SampleRate::new(sample_rate).ok_or(RecordingError::SampleRate(sample_rate))?;
    let n = usize::from(reader.u16().map_err(broken)?);
    if n > MAX_TRACKS + 2 {
        return Err(RecordingError::Taps);
    }
    let mut taps = Vec::with_capacity(n);
    for _ in 0..n {
        let id = reader.u16().map_err(broken)?;
        let is_track = reader.u8().map_err(broken)? != 0;
        let uuid = Uuid::from_bytes(reader.bytes().map_err(broken)?);
        let len = usize::from(reader.u16().map_err(broken)?);
        let (name, rest) = reader.0.split_at_checked(len).ok_or(RecordingError::Taps)?;
        reader.0 = rest;
        let name = core::str::from_utf8(name).map_err(|_| RecordingError::Taps)?;
        taps.push(Tap { id, name: String::from(name), track_id: is_track.then_some(uuid) });
    }
    Ok(Directory { sample_rate, taps })
}
