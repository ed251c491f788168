//! Files into planar samples.

use std::io::Cursor;
use std::ops::RangeInclusive;

use engine_core::control::Sample;
use engine_core::units::SampleRate;
use symphonia::core::errors::Error;
use symphonia::core::io::MediaSource;

use crate::layout::mix_down;
use crate::reader::Reader;
use crate::resample::Resampler;

/// Longest file that is decoded: a day would be 33 GB of samples.
pub const MAX_SECONDS: u64 = 4 * 3600;
/// Longest recording that hosts keep as a sample: as stereo floats at 48 kHz it takes 0.7 GB.
pub const MAX_SAMPLE_SECONDS: u64 = 30 * 60;
/// Sample rates that files may have: those of every recorder with room to spare. Others would make the resampler
/// work for minutes.
pub const RATES: RangeInclusive<u32> = 4_000..=768_000;

/// A decoded file.
#[derive(Clone, Debug, PartialEq)]
pub struct Audio {
    /// Frames per second.
    pub rate: u32,
    /// One or two channels of equal length, linear, full scale ±1. Files with more are mixed down.
    pub channels: Vec<Vec<f32>>,
    /// The file (or its decoder) has floating-point samples, not integers.
    pub is_float: bool,
    /// Packets that could not be decoded; silence stands in for them.
    pub n_damaged: u32,
    /// The file is not as long as it says.
    pub is_cut_short: bool,
}

impl Audio {
    /// Frames.
    pub fn len(&self) -> usize {
        self.channels[0].len()
    }

    /// Whether there is no frame.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What an engine at `rate` plays: stereo, resampled. One channel becomes both.
    pub fn into_sample(self, rate: SampleRate) -> Sample {
        let resampler = Resampler::new(self.rate, rate.hz());
        let mut channels =
            self.channels.into_iter().map(|channel| resampler.process(&channel).into_boxed_slice());
        let left = channels.next().unwrap_or_default();
        let right = channels.next().unwrap_or_else(|| left.clone());
        Sample::new(left, right)
    }
}

/// Why a file cannot be decoded.
#[derive(Debug)]
pub enum DecodeError {
    /// None of the formats that are known, or the header is damaged.
    UnknownFormat,
    /// A known container without a track that can be decoded.
    NoAudio,
    /// The format or codec has something that is not supported.
    Unsupported(String),
    /// Nothing of it could be decoded.
    Damaged(String),
    /// Longer than so many seconds.
    TooLong(u64),
    /// The source could not be read.
    Io(std::io::Error),
}

impl core::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::UnknownFormat => {
                f.write_str("not an audio file of a known format (WAV, AIFF, FLAC, MP3, OGG Vorbis), or its header is damaged")
            }
            Self::NoAudio => f.write_str("the file has no audio track that can be decoded"),
            Self::Unsupported(what) => {
                write!(f, "the audio file has something that is not supported: {what}")
            }
            Self::Damaged(what) => write!(f, "the audio file is damaged: {what}"),
            Self::TooLong(seconds) => write!(f, "the audio file is longer than {} minutes", seconds / 60),
            Self::Io(error) => write!(f, "the audio file cannot be read: {error}"),
        }
    }
}

impl core::error::Error for DecodeError {}

impl From<Error> for DecodeError {
    fn from(error: Error) -> Self {
        match error {
            Error::Unsupported(what) => Self::Unsupported(what.to_string()),
            Error::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => Self::Io(error),
            other => Self::Damaged(other.to_string()),
        }
    }
}

/// Decodes a file in memory. `extension` (without the dot) helps where the contents are ambiguous.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode_bytes(
    bytes: impl AsRef<[u8]> + Send + Sync + 'static,
    extension: Option<&str>,
) -> Result<Audio, DecodeError> {
    decode(Box::new(Cursor::new(bytes)), extension)
}

/// Decodes a file in memory that may last `max_seconds` at most: a small file can hold hours.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode_within(
    bytes: impl AsRef<[u8]> + Send + Sync + 'static,
    max_seconds: u64,
) -> Result<Audio, DecodeError> {
    gathered(Box::new(Cursor::new(bytes)), None, max_seconds)
}

/// The media type of an audio file of a known format, by its first bytes. MP3 has none of its own, so what is
/// nothing else is taken for it.
pub fn media_type(file: &[u8]) -> &'static str {
    match file.get(..4) {
        Some(b"RIFF") => "audio/wav",
        Some(b"FORM") => "audio/aiff",
        Some(b"fLaC") => "audio/flac",
        Some(b"OggS") => "audio/ogg",
        _ => "audio/mpeg",
    }
}

/// Decodes the first audio track of a file: WAV, AIFF, FLAC, MP3 or OGG Vorbis. What encoders put before and after
/// the sound is left out where the file says how much it is.
///
/// # Errors
/// See [`DecodeError`]. Damage inside a file that is otherwise readable is not an error; see [`Audio`].
pub fn decode(source: Box<dyn MediaSource>, extension: Option<&str>) -> Result<Audio, DecodeError> {
    gathered(source, extension, MAX_SECONDS)
}

fn gathered(
    source: Box<dyn MediaSource>,
    extension: Option<&str>,
    max_seconds: u64,
) -> Result<Audio, DecodeError> {
    let mut reader = Reader::open(source, extension, max_seconds)?;
    let mut channels: Vec<Vec<f32>> = Vec::new();
    while let Some(block) = reader.next()? {
        if channels.is_empty() {
            channels = vec![Vec::new(); block.planes.len().min(2)];
        }
        // One channel of a file that is stereo elsewhere goes to both sides.
        for (side, channel) in channels.iter_mut().enumerate() {
            mix_down(side, block.places, block.planes, channel);
        }
    }
    Ok(Audio {
        rate: reader.rate(),
        channels,
        is_float: reader.is_float(),
        n_damaged: reader.n_damaged(),
        is_cut_short: reader.is_cut_short(),
    })
}
