//! Why a file cannot be read or written.

use super::super::validate::CompositionError;
use super::import::MAX_TICK;
use crate::units::PPQ;

/// Why a file is not a composition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MidiError {
    /// Not a Standard MIDI File at all.
    NotMidi,
    /// Type 2 (independent patterns) cannot be played as one composition.
    Type2,
    /// The header's ticks per beat are 0, or its SMPTE rate is none.
    NoResolution,
    /// This track (from 1) ends before its end-of-track event: the file is cut short or damaged.
    Damaged(usize),
    /// The header promises so many tracks, and only so many are there.
    MissingTracks {
        /// Tracks that the header promises.
        declared: usize,
        /// Tracks that are there.
        found: usize,
    },
    /// No track has a note.
    NoNotes,
    /// An event is later than a composition can be.
    TooLong,
    /// A value that a composition may not have.
    Invalid(CompositionError),
}

impl core::fmt::Display for MidiError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NotMidi => f.write_str("not a Standard MIDI File (it does not start with an MThd header)"),
            Self::Type2 => f.write_str("a MIDI file of type 2; only types 0 and 1 can be played"),
            Self::NoResolution => {
                f.write_str("the MIDI header has no usable time division (ticks per beat, or SMPTE rate)")
            }
            Self::Damaged(track) => {
                write!(f, "track {track} has no end: the MIDI file is cut short or damaged")
            }
            Self::MissingTracks { declared, found } => write!(
                f,
                "the MIDI header promises {declared} tracks but {found} are there: the file is cut short"
            ),
            Self::NoNotes => f.write_str("the MIDI file has no notes"),
            Self::TooLong => write!(f, "the MIDI file is longer than {} beats", MAX_TICK / u64::from(PPQ)),
            Self::Invalid(error) => write!(f, "the MIDI file cannot be played: {error}"),
        }
    }
}

impl core::error::Error for MidiError {}

/// Why a composition cannot be written as a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportError {
    /// Type 0 has one chunk, and that has 15 channels for instruments and one for drums.
    TooManyTracks {
        /// Tracks with instruments.
        melodic: usize,
        /// Tracks with drums.
        drums: usize,
    },
}

impl core::fmt::Display for ExportError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::TooManyTracks { melodic, drums } => write!(
                f,
                "a MIDI file of type 0 has 15 channels for instruments and one for drums; the composition has \
                 {melodic} and {drums} tracks: export it as type 1"
            ),
        }
    }
}

impl core::error::Error for ExportError {}
