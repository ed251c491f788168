//! A file, block by block, so that hours need no more memory than seconds.

use std::panic::AssertUnwindSafe;

use symphonia::core::audio::{Channels, GenericAudioBufferRef};
use symphonia::core::codecs::audio::well_known::CODEC_ID_VORBIS;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;

use crate::decode::{DecodeError, RATES};
use crate::head::{self, Head};
use crate::layout::places_of;

/// Packets without a single frame in them, one after another, that are taken for a file that goes nowhere.
const MAX_EMPTY_PACKETS: u32 = 10_000;
/// Frames of silence at a time.
const SILENCE: u64 = 4_096;

/// Some frames of a file.
pub(crate) struct Block<'a> {
    /// Where the channels belong.
    pub(crate) places: &'a Channels,
    /// The channels, of equal length; another number than before in rare files.
    pub(crate) planes: &'a [Vec<f32>],
}

/// Reads the first audio track.
pub(crate) struct Reader {
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    head: Head,
    declared: Option<u64>,
    max_seconds: u64,
    /// Rate and places of the first packet that could be decoded.
    found: Option<(u32, Channels)>,
    planes: Vec<Vec<f32>>,
    silence: Vec<Vec<f32>>,
    /// `planes` wait to be handed out, after the silence.
    is_waiting: bool,
    /// Frames of damaged packets that are to be handed out.
    n_silent: u64,
    n_frames: u64,
    n_empty: u32,
    is_float: bool,
    is_at_end: bool,
    is_whole: bool,
    n_damaged: u32,
    damage: Option<&'static str>,
}

impl Reader {
    /// Reads the header.
    pub(crate) fn open(
        source: Box<dyn MediaSource>,
        extension: Option<&str>,
        max_seconds: u64,
    ) -> Result<Self, DecodeError> {
        guarded(|| Self::open_unguarded(source, extension, max_seconds))
    }

    fn open_unguarded(
        source: Box<dyn MediaSource>,
        extension: Option<&str>,
        max_seconds: u64,
    ) -> Result<Self, DecodeError> {
        let mut hint = Hint::new();
        if let Some(extension) = extension {
            hint.with_extension(extension);
        }
        let (source, head) = head::mended(source).map_err(DecodeError::Io)?;
        let stream = MediaSourceStream::new(Box::new(source), Default::default());
        let format = symphonia::default::get_probe()
            .probe(&hint, stream, FormatOptions::default(), MetadataOptions::default())
            .map_err(|error| match error {
                Error::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
                    DecodeError::Io(error)
                }
                _ if head.is_known => {
                    DecodeError::Damaged("its header makes no sense, or it ends too early".into())
                }
                _ => DecodeError::UnknownFormat,
            })?;
        let track = format.default_track(TrackType::Audio).ok_or(DecodeError::NoAudio)?;
        let parameters = track.codec_params.as_ref().and_then(|p| p.audio()).ok_or(DecodeError::NoAudio)?;
        // Its decoder undoes the coupling of channels in the wrong order, and mixes up classes of residues: one of 5.1's
        // channels would be silent, and no error would say so. Mono and stereo, which have one step at most, are right.
        if parameters.codec == CODEC_ID_VORBIS
            && let Some(n @ 3..) = parameters.channels.as_ref().map(Channels::count)
        {
            let what = format!("OGG Vorbis of {n} channels; one or two are, or FLAC and WAV of up to six");
            return Err(DecodeError::Unsupported(what));
        }
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default())
            .map_err(|error| DecodeError::Unsupported(error.to_string()))?;
        let (track, declared) = (track.id, track.num_frames);
        Ok(Self {
            format,
            decoder,
            track,
            head,
            declared,
            max_seconds,
            found: None,
            planes: Vec::new(),
            silence: Vec::new(),
            is_waiting: false,
            n_silent: 0,
            n_frames: 0,
            n_empty: 0,
            is_float: false,
            is_at_end: false,
            is_whole: false,
            n_damaged: 0,
            damage: None,
        })
    }

    /// The next frames; `None` after the last. A file without any is an error.
    pub(crate) fn next(&mut self) -> Result<Option<Block<'_>>, DecodeError> {
        let is_silent = loop {
            if self.n_silent > 0 && self.found.is_some() {
                break true;
            }
            if self.is_waiting {
                break false;
            }
            if self.is_at_end {
                return if self.n_frames > 0 {
                    Ok(None)
                } else {
                    Err(DecodeError::Damaged(self.damage.unwrap_or("it has no sound").into()))
                };
            }
            guarded(|| self.read())?;
        };
        let planes = if is_silent {
            let n = self.n_silent.min(SILENCE);
            self.n_silent -= n;
            self.silence.iter_mut().for_each(|plane| plane.resize(n as usize, 0.0));
            &self.silence
        } else {
            self.is_waiting = false;
            &self.planes
        };
        let n = planes.first().map_or(0, |plane| plane.len() as u64);
        let Some((rate, places)) = &self.found else { return Ok(None) };
        self.n_frames = self.n_frames.saturating_add(n);
        if self.n_frames > u64::from(*rate) * self.max_seconds {
            return Err(DecodeError::TooLong(self.max_seconds));
        }
        Ok(Some(Block { places, planes }))
    }

    /// Decodes the next packet.
    fn read(&mut self) -> Result<(), DecodeError> {
        let packet = match self.format.next_packet() {
            Ok(Some(packet)) => packet,
            // A chained stream that starts anew may have another rate: what comes after is another piece.
            Ok(None) | Err(Error::ResetRequired) => {
                (self.is_at_end, self.is_whole) = (true, true);
                return Ok(());
            }
            Err(Error::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                (self.is_at_end, self.is_whole) = (true, self.head.is_open);
                return Ok(());
            }
            Err(error) if self.n_frames == 0 => return Err(error.into()),
            Err(_) => {
                self.is_at_end = true;
                return Ok(());
            }
        };
        if packet.track_id != self.track {
            return Ok(());
        }
        match self.decoder.decode(&packet) {
            Ok(decoded) => {
                let spec = decoded.spec();
                self.is_float =
                    matches!(decoded, GenericAudioBufferRef::F32(_) | GenericAudioBufferRef::F64(_));
                decoded.copy_to_vecs_planar::<f32>(&mut self.planes);
                let (rate, is_empty) = (spec.rate(), self.planes.first().is_none_or(Vec::is_empty));
                // The decoder makes 3.1 of four channels without places.
                let usual = places_of(self.planes.len()).filter(|_| self.head.is_without_places);
                let places = usual.unwrap_or_else(|| spec.channels().clone());
                self.take(rate, places, is_empty)?;
            }
            Err(Error::DecodeError(what)) => self.damaged(packet.dur.get(), what),
            Err(Error::IoError(_)) => self.damaged(packet.dur.get(), "a packet is cut short"),
            Err(Error::ResetRequired) => self.decoder.reset(),
            Err(error) => return Err(error.into()),
        }
        self.n_empty = if self.is_waiting || self.n_silent > 0 { 0 } else { self.n_empty + 1 };
        if self.n_empty > MAX_EMPTY_PACKETS {
            return Err(DecodeError::Damaged("no sound in thousands of packets".into()));
        }
        Ok(())
    }

    fn take(&mut self, rate: u32, places: Channels, is_empty: bool) -> Result<(), DecodeError> {
        if self.planes.is_empty() {
            return Ok(());
        }
        match &mut self.found {
            None if !RATES.contains(&rate) => {
                let (low, high) = (RATES.start(), RATES.end());
                let what = format!("a sample rate of {rate} Hz; {low} to {high} Hz are");
                return Err(DecodeError::Unsupported(what));
            }
            None => {
                self.found = Some((rate, places));
                self.silence = vec![Vec::new(); self.planes.len()];
            }
            Some((first, _)) if *first != rate => {
                return Err(DecodeError::Unsupported("its sample rate changes on the way".into()));
            }
            Some((_, last)) => *last = places,
        }
        self.is_waiting = !is_empty;
        Ok(())
    }

    fn damaged(&mut self, frames: u64, what: &'static str) {
        self.n_damaged = self.n_damaged.saturating_add(1);
        self.damage = Some(what);
        self.n_silent = self.n_silent.saturating_add(frames);
    }

    /// Frames per second; 0 before the first block.
    pub(crate) fn rate(&self) -> u32 {
        self.found.as_ref().map_or(0, |(rate, _)| *rate)
    }

    /// Whether the samples were floating point.
    pub(crate) fn is_float(&self) -> bool {
        self.is_float
    }

    /// Frames that the header says there are.
    pub(crate) fn declared(&self) -> Option<u64> {
        self.declared
    }

    /// Frames so far.
    pub(crate) fn n_frames(&self) -> u64 {
        self.n_frames
    }

    /// Packets that could not be decoded so far.
    pub(crate) fn n_damaged(&self) -> u32 {
        self.n_damaged
    }

    /// Where the file ends by its first size and where its sound does, when that is later.
    pub(crate) fn disagreement(&self) -> Option<(u64, u64)> {
        self.head.disagreement
    }

    /// After the last block: whether the file ended before it says, anywhere.
    pub(crate) fn is_cut_short(&self) -> bool {
        !self.is_whole
            || self.declared.is_some_and(|declared| self.n_frames < declared)
            || self.disagreement().is_some()
    }
}

/// A hostile header can overflow the readers' arithmetic, which panics where overflow is checked. After an error
/// nothing of theirs is used any more, so nothing half-done can be seen.
fn guarded<T>(work: impl FnOnce() -> Result<T, DecodeError>) -> Result<T, DecodeError> {
    std::panic::catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(DecodeError::Damaged("its numbers make no sense".into())))
}
