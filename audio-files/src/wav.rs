//! WAV files out.

use std::io::{Cursor, Seek, Write};

use engine_core::buffer::StereoBlock;
use engine_core::units::{QUANTUM, SampleRate};

/// How samples are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SampleFormat {
    /// 16-bit integers with triangular dither of ±1 step: what is quieter than a step is still there, and the
    /// error is noise, not distortion. The dither is the same in every file.
    Pcm16,
    /// 24-bit integers, rounded: their steps lie below any dither that could be heard.
    #[default]
    Pcm24,
    /// 32-bit floats: the engine's own bits.
    Float32,
}

impl SampleFormat {
    /// The format of so many bits: 16, 24 or 32.
    pub const fn from_bits(bits: u16) -> Option<Self> {
        match bits {
            16 => Some(Self::Pcm16),
            24 => Some(Self::Pcm24),
            32 => Some(Self::Float32),
            _ => None,
        }
    }

    /// Bits of one sample.
    pub const fn bits(self) -> u16 {
        match self {
            Self::Pcm16 => 16,
            Self::Pcm24 => 24,
            Self::Float32 => 32,
        }
    }

    /// Stereo frames that a file has room for: its lengths have 32 bits.
    pub const fn max_frames(self) -> u64 {
        // The longest header there is has 80 bytes.
        (u32::MAX as u64 - 80) / (self.bits() as u64 / 4)
    }
}

/// Why a WAV file cannot be written.
#[derive(Debug)]
pub enum WavError {
    /// The file would not fit its 32-bit lengths: more than 4 GiB.
    TooLarge,
    /// The destination could not be written.
    Io(std::io::Error),
}

impl core::fmt::Display for WavError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::TooLarge => f.write_str("a WAV file cannot be larger than 4 GiB"),
            Self::Io(error) => write!(f, "the WAV file cannot be written: {error}"),
        }
    }
}

impl core::error::Error for WavError {}

impl From<hound::Error> for WavError {
    fn from(error: hound::Error) -> Self {
        match error {
            hound::Error::IoError(error) => Self::Io(error),
            other => Self::Io(std::io::Error::other(other.to_string())),
        }
    }
}

/// A stereo WAV file that grows block by block. [`finish`](Self::finish) it: only then its header is right.
pub struct WavFile<W: Write + Seek> {
    writer: hound::WavWriter<W>,
    samples: Quantiser,
    /// Frames that still fit.
    room: u64,
}

impl<W: Write + Seek> WavFile<W> {
    /// # Errors
    /// See [`WavError`].
    pub fn new(to: W, rate: SampleRate, format: SampleFormat) -> Result<Self, WavError> {
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: rate.hz(),
            bits_per_sample: format.bits(),
            sample_format: match format {
                SampleFormat::Float32 => hound::SampleFormat::Float,
                SampleFormat::Pcm16 | SampleFormat::Pcm24 => hound::SampleFormat::Int,
            },
        };
        let room = format.max_frames();
        Ok(Self { writer: hound::WavWriter::new(to, spec)?, samples: Quantiser::new(format), room })
    }

    /// Appends a block.
    ///
    /// # Errors
    /// See [`WavError`].
    pub fn write(&mut self, block: &StereoBlock) -> Result<(), WavError> {
        self.room = self.room.checked_sub(QUANTUM as u64).ok_or(WavError::TooLarge)?;
        for x in interleaved(block) {
            match self.samples.next(x) {
                Quantised::Steps(steps) => self.writer.write_sample(steps)?,
                Quantised::Float(x) => self.writer.write_sample(x)?,
            }
        }
        Ok(())
    }

    /// Writes the lengths into the header.
    ///
    /// # Errors
    /// See [`WavError`].
    pub fn finish(self) -> Result<(), WavError> {
        Ok(self.writer.finalize()?)
    }
}

/// The bytes of a stereo WAV file whose length nobody knows yet: its header says the greatest there is, which players and
/// FFmpeg read as "until the end".
pub struct WavStream {
    samples: Quantiser,
}

impl WavStream {
    /// A stream, and its header.
    ///
    /// # Errors
    /// None that is known: the header is written into memory.
    pub fn new(rate: SampleRate, format: SampleFormat) -> Result<(Self, Vec<u8>), WavError> {
        let mut header = Cursor::new(Vec::new());
        WavFile::new(&mut header, rate, format)?.finish()?;
        let mut header = header.into_inner();
        // The length of the file is in its fifth byte, that of the samples at the end.
        let data = header.len() - 4;
        for at in [4, data] {
            header[at..at + 4].fill(0xff);
        }
        Ok((Self { samples: Quantiser::new(format) }, header))
    }

    /// The bytes of the next block.
    pub fn encode(&mut self, block: &StereoBlock) -> Vec<u8> {
        let n_bytes = usize::from(self.samples.format.bits() / 8);
        let mut bytes = Vec::with_capacity(2 * QUANTUM * n_bytes);
        for x in interleaved(block) {
            match self.samples.next(x) {
                Quantised::Steps(steps) => bytes.extend_from_slice(&steps.to_le_bytes()[..n_bytes]),
                Quantised::Float(x) => bytes.extend_from_slice(&x.to_le_bytes()),
            }
        }
        bytes
    }
}

fn interleaved(block: &StereoBlock) -> impl Iterator<Item = f32> {
    block.left.iter().zip(&block.right).flat_map(|(&left, &right)| [left, right])
}

/// Samples as a file stores them.
struct Quantiser {
    format: SampleFormat,
    dither: Dither,
}

enum Quantised {
    /// Of 16 or 24 bits.
    Steps(i32),
    Float(f32),
}

impl Quantiser {
    fn new(format: SampleFormat) -> Self {
        Self { format, dither: Dither(1) }
    }

    fn next(&mut self, x: f32) -> Quantised {
        let steps =
            |full: f64, dither: f64| libm::rint(f64::from(x) * full + dither).clamp(-full, full - 1.0) as i32;
        match self.format {
            SampleFormat::Pcm16 => Quantised::Steps(steps(32_768.0, self.dither.triangle())),
            SampleFormat::Pcm24 => Quantised::Steps(steps(8_388_608.0, 0.0)),
            SampleFormat::Float32 => Quantised::Float(x),
        }
    }
}

/// Noise with a triangular distribution: the sum of two uniform numbers makes the error's mean and power
/// independent of the signal (Lipshitz, Wannamaker, Vanderkooy: Quantization and Dither, 1992).
struct Dither(u64);

impl Dither {
    /// −1 to 1 steps.
    fn triangle(&mut self) -> f64 {
        // Knuth's generator of 64 bits, its upper halves.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (a, b) = ((self.0 >> 48) as u16, (self.0 >> 32) as u16);
        (f64::from(a) - f64::from(b)) / 65_536.0
    }
}
