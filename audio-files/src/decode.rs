//! Files into planar samples.

use std::io::Cursor;
use std::ops::RangeInclusive;
use std::panic::AssertUnwindSafe;

use engine_core::control::Sample;
use engine_core::units::SampleRate;
use symphonia::core::audio::{Channels, GenericAudioBufferRef, Position};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;

use crate::resample::Resampler;

/// Longest file that is decoded: a day would be 33 GB of samples.
pub const MAX_SECONDS: u64 = 4 * 3600;
/// Longest recording that hosts keep as a sample: as stereo floats at 48 kHz it takes 0.7 GB.
pub const MAX_SAMPLE_SECONDS: u64 = 30 * 60;
/// Sample rates that files may have: those of every recorder with room to spare. Others would make the resampler
/// work for minutes.
pub const RATES: RangeInclusive<u32> = 4_000..=768_000;
/// Packets without a single frame in them, one after another, that are taken for a file that goes nowhere.
const MAX_EMPTY_PACKETS: u32 = 10_000;

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
    /// The file ends before it says.
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
    guarded(Box::new(Cursor::new(bytes)), None, max_seconds)
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
    guarded(source, extension, MAX_SECONDS)
}

fn guarded(
    source: Box<dyn MediaSource>,
    extension: Option<&str>,
    max_seconds: u64,
) -> Result<Audio, DecodeError> {
    // A hostile header can overflow the readers' arithmetic, which panics where overflow is checked. Nothing of
    // theirs outlives the call, so nothing half-done can be seen.
    std::panic::catch_unwind(AssertUnwindSafe(|| unguarded(source, extension, max_seconds)))
        .unwrap_or_else(|_| Err(DecodeError::Damaged("its numbers make no sense".into())))
}

fn unguarded(
    source: Box<dyn MediaSource>,
    extension: Option<&str>,
    max_seconds: u64,
) -> Result<Audio, DecodeError> {
    let mut hint = Hint::new();
    if let Some(extension) = extension {
        hint.with_extension(extension);
    }
    let stream = MediaSourceStream::new(source, Default::default());
    let mut format = symphonia::default::get_probe()
        .probe(&hint, stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| match error {
            Error::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
                DecodeError::Io(error)
            }
            _ => DecodeError::UnknownFormat,
        })?;
    let track = format.default_track(TrackType::Audio).ok_or(DecodeError::NoAudio)?;
    let id = track.id;
    let declared = track.num_frames;
    let parameters = track.codec_params.as_ref().and_then(|p| p.audio()).ok_or(DecodeError::NoAudio)?;
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| DecodeError::Unsupported(error.to_string()))?;
    let mut sink = Sink::new(parameters, max_seconds);
    let is_whole = read(&mut *format, &mut *decoder, id, &mut sink)?;
    let audio = sink.finish()?;
    let is_short = declared.is_some_and(|declared| (audio.len() as u64) < declared);
    Ok(Audio { is_cut_short: !is_whole || is_short, ..audio })
}

/// Decodes packet by packet; false when the file ends in the middle of one.
fn read(
    format: &mut dyn FormatReader,
    decoder: &mut dyn AudioDecoder,
    track: u32,
    sink: &mut Sink,
) -> Result<bool, DecodeError> {
    let mut n_empty = 0;
    loop {
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            // A chained stream that starts anew may have another rate: what comes after is another piece.
            Ok(None) | Err(Error::ResetRequired) => return Ok(true),
            Err(Error::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Ok(false);
            }
            Err(error) if sink.is_empty() => return Err(error.into()),
            Err(_) => return Ok(false),
        };
        if packet.track_id != track {
            continue;
        }
        let before = sink.len();
        match decoder.decode(&packet) {
            Ok(decoded) => {
                let spec = decoded.spec();
                sink.is_float =
                    matches!(decoded, GenericAudioBufferRef::F32(_) | GenericAudioBufferRef::F64(_));
                let mut planes = Vec::new();
                decoded.copy_to_vecs_planar::<f32>(&mut planes);
                sink.push(spec.rate(), spec.channels(), &planes)?;
            }
            Err(Error::DecodeError(what)) => sink.damaged(packet.dur.get(), what)?,
            Err(Error::IoError(_)) => sink.damaged(packet.dur.get(), "a packet is cut short")?,
            Err(Error::ResetRequired) => decoder.reset(),
            Err(error) => return Err(error.into()),
        }
        n_empty = if sink.len() == before { n_empty + 1 } else { 0 };
        if n_empty > MAX_EMPTY_PACKETS {
            return Err(DecodeError::Damaged("no sound in thousands of packets".into()));
        }
    }
}

/// Gathers what is decoded, mixed down.
struct Sink {
    rate: Option<u32>,
    channels: Vec<Vec<f32>>,
    is_float: bool,
    n_damaged: u32,
    damage: Option<&'static str>,
    /// Frames of silence for packets before the first that could be decoded.
    n_lost: u64,
    max_seconds: u64,
}

impl Sink {
    fn new(parameters: &AudioCodecParameters, max_seconds: u64) -> Self {
        let rate = parameters.sample_rate;
        Self {
            rate,
            channels: Vec::new(),
            is_float: false,
            n_damaged: 0,
            damage: None,
            n_lost: 0,
            max_seconds,
        }
    }

    fn len(&self) -> usize {
        self.channels.first().map_or(0, Vec::len)
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn push(&mut self, rate: u32, layout: &Channels, planes: &[Vec<f32>]) -> Result<(), DecodeError> {
        let Some(first) = planes.first() else { return Ok(()) };
        if self.channels.is_empty() {
            if !RATES.contains(&rate) {
                let (low, high) = (RATES.start(), RATES.end());
                let what = format!("a sample rate of {rate} Hz; {low} to {high} Hz are");
                return Err(DecodeError::Unsupported(what));
            }
            self.rate = Some(rate);
            self.channels = vec![Vec::new(); planes.len().min(2)];
            let lost = core::mem::take(&mut self.n_lost);
            self.silence(lost)?;
        } else if self.rate != Some(rate) {
            return Err(DecodeError::Unsupported("its sample rate changes on the way".into()));
        }
        self.check_len(first.len() as u64)?;
        // One channel of a file that is stereo elsewhere goes to both sides.
        for (side, channel) in self.channels.iter_mut().enumerate() {
            mix_down(side, layout, planes, channel);
        }
        Ok(())
    }

    fn damaged(&mut self, frames: u64, what: &'static str) -> Result<(), DecodeError> {
        self.n_damaged = self.n_damaged.saturating_add(1);
        self.damage = Some(what);
        self.silence(frames)
    }

    fn silence(&mut self, frames: u64) -> Result<(), DecodeError> {
        if self.channels.is_empty() {
            self.n_lost = self.n_lost.saturating_add(frames);
            return Ok(());
        }
        self.check_len(frames)?;
        let len = self.len() + frames as usize;
        self.channels.iter_mut().for_each(|channel| channel.resize(len, 0.0));
        Ok(())
    }

    fn check_len(&self, more: u64) -> Result<(), DecodeError> {
        let max = u64::from(self.rate.unwrap_or(1)) * self.max_seconds;
        let len = (self.len() as u64).saturating_add(more);
        if len > max { Err(DecodeError::TooLong(self.max_seconds)) } else { Ok(()) }
    }

    fn finish(self) -> Result<Audio, DecodeError> {
        let rate = self.rate.filter(|_| !self.is_empty());
        let Some(rate) = rate else {
            return Err(DecodeError::Damaged(self.damage.unwrap_or("it has no sound").into()));
        };
        let Self { channels, is_float, n_damaged, .. } = self;
        Ok(Audio { rate, channels, is_float, n_damaged, is_cut_short: false })
    }
}

/// Adds one side of a packet to `out`. More than two channels are folded as ITU-R BS.775 says: the centre and the
/// surrounds at −3 dB on their sides, without the low-frequency effects. Channels without places: the first two.
fn mix_down(side: usize, layout: &Channels, planes: &[Vec<f32>], out: &mut Vec<f32>) {
    const HALF: f32 = core::f32::consts::FRAC_1_SQRT_2;
    let front = &planes[side.min(planes.len() - 1)];
    let Channels::Positioned(positions) = layout else { return out.extend(front) };
    if planes.len() <= 2 {
        return out.extend(front);
    }
    let [near, rear, aside] = if side == 0 {
        [Position::FRONT_LEFT, Position::REAR_LEFT, Position::SIDE_LEFT]
    } else {
        [Position::FRONT_RIGHT, Position::REAR_RIGHT, Position::SIDE_RIGHT]
    };
    let centres = [Position::FRONT_CENTER, Position::REAR_CENTER];
    let start = out.len();
    out.resize(start + front.len(), 0.0);
    let gains = [(near, 1.0), (rear, HALF), (aside, HALF), (centres[0], HALF), (centres[1], 0.5)];
    for (position, gain) in gains.into_iter().filter(|(position, _)| positions.contains(*position)) {
        let plane = layout.get_canonical_index_for_positioned_channel(position).and_then(|at| planes.get(at));
        for (sum, x) in out[start..].iter_mut().zip(plane.into_iter().flatten()) {
            *sum += gain * x;
        }
    }
}
