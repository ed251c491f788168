//! Waveform data files of BBC audiowaveform, written from their public description: `.dat`, versions 1 (one
//! channel) and 2, and `.json`. <https://github.com/bbc/audiowaveform/blob/master/doc/DataFormat.md>

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// Channels that waveform data may have; audiowaveform reads no more.
pub const CHANNELS_RANGE: RangeInclusive<u16> = 1..=24;
/// Least frames per pair.
const MIN_SAMPLES_PER_PIXEL: i32 = 2;
/// Bit 0 of the flags: 8 bits.
const FLAG_8_BIT: u32 = 1;

/// Resolution of the points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum WaveformBits {
    /// −128 to 127.
    Eight,
    /// −32768 to 32767.
    Sixteen,
}

impl From<WaveformBits> for u8 {
    fn from(bits: WaveformBits) -> u8 {
        match bits {
            WaveformBits::Eight => 8,
            WaveformBits::Sixteen => 16,
        }
    }
}

impl TryFrom<u8> for WaveformBits {
    type Error = WaveformDataError;

    fn try_from(bits: u8) -> Result<Self, WaveformDataError> {
        match bits {
            8 => Ok(Self::Eight),
            16 => Ok(Self::Sixteen),
            other => Err(WaveformDataError::Bits(other)),
        }
    }
}

impl WaveformBits {
    /// At this resolution: eight bits are x/256, cut off towards zero.
    pub(super) fn scaled(self, x: i16) -> i16 {
        match self {
            Self::Eight => x / 256,
            Self::Sixteen => x,
        }
    }
}

/// Minima and maxima of a file, as `.dat` and `.json` hold them. As JSON it has audiowaveform's fields in its
/// order; its file ends with a line feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Json", try_from = "Json")]
pub struct WaveformData {
    /// Frames per second of the file, 1 to 2³¹ − 1.
    pub sample_rate: u32,
    /// Frames that a pair covers, 2 to 2³¹ − 1.
    pub samples_per_pixel: u32,
    /// Resolution of the points.
    pub bits: WaveformBits,
    /// Channels of the points, 1 to 24.
    pub n_channels: u16,
    /// Minimum, maximum of the first channel, then of the next, pair by pair.
    pub points: Vec<i16>,
}

/// Bytes or JSON that are no waveform data, with the value that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaveformDataError {
    /// Fewer bytes than the header.
    Header(usize),
    /// Neither 1 nor 2.
    Version(i32),
    /// Below 1.
    SampleRate(i32),
    /// Below 2.
    SamplesPerPixel(i32),
    /// Not 1 to 24.
    Channels(i32),
    /// Neither 8 nor 16.
    Bits(u8),
    /// The header says another number of pairs per channel than there are points for.
    Length(u32),
    /// A point that its resolution does not have.
    Point(i16),
}

impl WaveformDataError {
    /// Name of the field in the file.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Header(_) => "header",
            Self::Version(_) => "version",
            Self::SampleRate(_) => "sample_rate",
            Self::SamplesPerPixel(_) => "samples_per_pixel",
            Self::Channels(_) => "channels",
            Self::Bits(_) => "bits",
            Self::Length(_) => "length",
            Self::Point(_) => "data",
        }
    }

    /// What is allowed.
    pub const fn allowed(self) -> &'static str {
        match self {
            Self::Header(_) => "20 bytes long, or 24 in version 2",
            Self::Version(_) => "1 or 2",
            Self::SampleRate(_) => "at least 1",
            Self::SamplesPerPixel(_) => "at least 2",
            Self::Channels(_) => "1 to 24",
            Self::Bits(_) => "8 or 16",
            Self::Length(_) => "the number of pairs per channel that the file has",
            Self::Point(_) => "-128 to 127 for 8 bits",
        }
    }
}

impl core::fmt::Display for WaveformDataError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.field())?;
        f.write_str(" must be ")?;
        f.write_str(self.allowed())
    }
}

impl core::error::Error for WaveformDataError {}

impl WaveformData {
    /// Pairs per channel.
    pub fn len(&self) -> usize {
        self.points.len() / 2 / usize::from(self.n_channels)
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The bytes of a `.dat` file: version 1 for one channel, else version 2.
    pub fn to_dat(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(24 + 2 * self.points.len());
        let mut put = |value: u32| out.extend_from_slice(&value.to_le_bytes());
        put(if self.n_channels == 1 { 1 } else { 2 });
        put(if self.bits == WaveformBits::Eight { FLAG_8_BIT } else { 0 });
        put(self.sample_rate);
        put(self.samples_per_pixel);
        put(self.len() as u32);
        if self.n_channels != 1 {
            put(u32::from(self.n_channels));
        }
        match self.bits {
            WaveformBits::Eight => out.extend(self.points.iter().map(|&x| x as i8 as u8)),
            WaveformBits::Sixteen => out.extend(self.points.iter().flat_map(|x| x.to_le_bytes())),
        }
        out
    }

    /// From the bytes of a `.dat` file. Flags other than the resolution have no meaning and are ignored.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn from_dat(bytes: &[u8]) -> Result<Self, WaveformDataError> {
        let (words, _) = bytes.as_chunks::<4>();
        let word = |i: usize| {
            words.get(i).map(|&word| u32::from_le_bytes(word)).ok_or(WaveformDataError::Header(bytes.len()))
        };
        let version = word(0)? as i32;
        if !(1..=2).contains(&version) {
            return Err(WaveformDataError::Version(version));
        }
        let bits = if word(1)? & FLAG_8_BIT == 0 { WaveformBits::Sixteen } else { WaveformBits::Eight };
        let (sample_rate, samples_per_pixel, length) = (word(2)? as i32, word(3)? as i32, word(4)?);
        let channels = if version == 1 { 1 } else { word(5)? as i32 };
        let data = &bytes[if version == 1 { 20 } else { 24 }..];
        let points = match bits {
            WaveformBits::Eight => data.iter().map(|&x| i16::from(x as i8)).collect(),
            WaveformBits::Sixteen => {
                let (points, rest) = data.as_chunks::<2>();
                if !rest.is_empty() {
                    return Err(WaveformDataError::Length(length));
                }
                points.iter().map(|&x| i16::from_le_bytes(x)).collect()
            }
        };
        Self::checked(sample_rate, samples_per_pixel, bits, channels, length, points)
    }

    fn checked(
        sample_rate: i32,
        samples_per_pixel: i32,
        bits: WaveformBits,
        channels: i32,
        length: u32,
        points: Vec<i16>,
    ) -> Result<Self, WaveformDataError> {
        if sample_rate < 1 {
            return Err(WaveformDataError::SampleRate(sample_rate));
        }
        if samples_per_pixel < MIN_SAMPLES_PER_PIXEL {
            return Err(WaveformDataError::SamplesPerPixel(samples_per_pixel));
        }
        let n_channels = u16::try_from(channels).ok().filter(|n| CHANNELS_RANGE.contains(n));
        let n_channels = n_channels.ok_or(WaveformDataError::Channels(channels))?;
        if u64::from(length) * 2 * u64::from(n_channels) != points.len() as u64 {
            return Err(WaveformDataError::Length(length));
        }
        let is_wide = |x: &&i16| bits == WaveformBits::Eight && i8::try_from(**x).is_err();
        if let Some(&wide) = points.iter().find(is_wide) {
            return Err(WaveformDataError::Point(wide));
        }
        let (sample_rate, samples_per_pixel) = (sample_rate as u32, samples_per_pixel as u32);
        Ok(Self { sample_rate, samples_per_pixel, bits, n_channels, points })
    }
}

/// The JSON file, in the order of its fields. Version 1 has no `channels`.
#[derive(Serialize, Deserialize)]
struct Json {
    version: i32,
    #[serde(default = "one")]
    channels: i32,
    sample_rate: i32,
    samples_per_pixel: i32,
    bits: WaveformBits,
    length: u32,
    data: Vec<i16>,
}

fn one() -> i32 {
    1
}

impl From<WaveformData> for Json {
    fn from(data: WaveformData) -> Self {
        Self {
            version: 2,
            channels: i32::from(data.n_channels),
            sample_rate: data.sample_rate as i32,
            samples_per_pixel: data.samples_per_pixel as i32,
            bits: data.bits,
            length: data.len() as u32,
            data: data.points,
        }
    }
}

impl TryFrom<Json> for WaveformData {
    type Error = WaveformDataError;

    fn try_from(json: Json) -> Result<Self, WaveformDataError> {
        if !(1..=2).contains(&json.version) {
            return Err(WaveformDataError::Version(json.version));
        }
        Self::checked(
            json.sample_rate,
            json.samples_per_pixel,
            json.bits,
            json.channels,
            json.length,
            json.data,
        )
    }
}
