//! Reports of files and of samples, a piece at a time.

use std::io::Cursor;

use engine_core::analysis::is_sound;
use engine_core::analysis::overview::{Overview, OverviewConfig, SampleKind};
use engine_core::analysis::report::{Analyzer, Report, ReportError, ReportOptions};
use engine_core::analysis::waveform_data::{WaveformBits, WaveformData};
use engine_core::units::SampleRate;
use symphonia::core::audio::Channels;
use symphonia::core::io::MediaSource;

use crate::decode::{DecodeError, MAX_SECONDS};
use crate::layout::{layout, mix_down, places_of};
use crate::reader::Reader;

/// Seconds that room is made for at first, whatever a header says.
const ROOM_SECONDS: u64 = 600;

/// Why there is no report.
#[derive(Debug)]
pub enum AnalysisError {
    /// The file cannot be decoded.
    Decode(DecodeError),
    /// The file ends before it says: frames that are there, and the frames that it says it has, if it does.
    CutShort(u64, Option<u64>),
    /// The sizes in the file's header disagree: where the file ends by the first, and where its sound does, bytes.
    Sizes(u64, u64),
    /// An option, or a property of the file.
    Report(ReportError),
}

impl core::fmt::Display for AnalysisError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Decode(error) => error.fmt(f),
            Self::CutShort(is, Some(says)) => {
                write!(f, "the audio file ends too early: it has {is} of {says} frames")
            }
            Self::CutShort(is, None) => write!(f, "the audio file ends too early, after {is} frames"),
            Self::Sizes(file, sound) => write!(
                f,
                "the audio file is damaged: by its header it ends at byte {file}, and its sound at byte {sound}"
            ),
            Self::Report(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for AnalysisError {}

impl From<DecodeError> for AnalysisError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl From<ReportError> for AnalysisError {
    fn from(error: ReportError) -> Self {
        Self::Report(error)
    }
}

/// The report of samples, one to six channels: L R C LFE Ls Rs, without LFE below six and without C for four.
pub struct PcmAnalysis {
    analyzer: Analyzer,
    n_channels: usize,
    mix: [Vec<f32>; 2],
}

impl PcmAnalysis {
    /// Allocates for about `n_frames`.
    ///
    /// # Errors
    /// The number of channels, the sample rate, or an option, which is out of range.
    pub fn new(
        rate: u32,
        n_channels: usize,
        n_frames: u64,
        options: &ReportOptions,
    ) -> Result<Self, ReportError> {
        let places = places_of(n_channels).ok_or(ReportError::Channels(n_channels))?;
        Self::with_places(&places, n_channels, rate, n_frames, options)
    }

    fn with_places(
        places: &Channels,
        n_channels: usize,
        hz: u32,
        n_frames: u64,
        options: &ReportOptions,
    ) -> Result<Self, ReportError> {
        let rate = SampleRate::new(hz).ok_or(ReportError::SampleRate(hz))?;
        let layout = layout(places, n_channels).ok_or(ReportError::Channels(n_channels))?;
        let n_frames = n_frames.min(ROOM_SECONDS * u64::from(hz));
        let analyzer = Analyzer::new(rate, layout, n_frames, &options.spectrum())?;
        Ok(Self { analyzer, n_channels, mix: Default::default() })
    }

    /// Takes frames of every channel; linear, full scale ±1. NaN, infinity and what is
    /// beyond 240 dBFS count as 0, and are counted.
    ///
    /// # Panics
    /// When the channels differ in length, or are not as many as announced.
    pub fn push(&mut self, channels: &[Vec<f32>]) {
        if let Some(places) = places_of(self.n_channels) {
            self.push_at(&places, channels);
        }
    }

    fn push_at(&mut self, places: &Channels, channels: &[Vec<f32>]) {
        let slices: Vec<&[f32]> = channels.iter().map(Vec::as_slice).collect();
        let mix = match channels {
            [one] => [one, one],
            [left, right] => [left, right],
            _ => {
                let finite: Vec<Vec<f32>> = channels.iter().map(|channel| finite(channel)).collect();
                for (side, out) in self.mix.iter_mut().enumerate() {
                    out.clear();
                    mix_down(side, places, &finite, out);
                }
                let [left, right] = &self.mix;
                [left, right]
            }
        };
        self.analyzer.process(&slices, mix.map(Vec::as_slice));
    }

    /// What was measured.
    ///
    /// # Errors
    /// There was no frame.
    pub fn finish(self) -> Result<Report, ReportError> {
        self.analyzer.finish()
    }
}

/// A bad sample of one channel must not silence the others in the mix.
fn finite(channel: &[f32]) -> Vec<f32> {
    channel.iter().map(|&x| if is_sound(x) { x } else { 0.0 }).collect()
}

/// The report of a file, which is decoded on the way: a file of hours takes hardly more memory than its bytes.
pub struct FileAnalysis {
    reader: Reader,
    options: ReportOptions,
    /// Pixels of an overview are wanted besides the report's.
    wants_overview: bool,
    begun: Option<Begun>,
}

struct Begun {
    pcm: PcmAnalysis,
    overview: Option<Overview>,
}

impl FileAnalysis {
    /// Reads the header of a file in memory. `extension` (without the dot) helps where the contents are ambiguous.
    ///
    /// # Errors
    /// Not audio, or an option which is out of range for every file.
    pub fn new(
        bytes: impl AsRef<[u8]> + Send + Sync + 'static,
        extension: Option<&str>,
        options: &ReportOptions,
    ) -> Result<Self, AnalysisError> {
        Self::open(Box::new(Cursor::new(bytes)), extension, options)
    }

    /// As [`new`](Self::new), from a file.
    ///
    /// # Errors
    /// As [`new`](Self::new); or the file cannot be read.
    pub fn open(
        source: Box<dyn MediaSource>,
        extension: Option<&str>,
        options: &ReportOptions,
    ) -> Result<Self, AnalysisError> {
        let reader = Reader::open(source, extension, MAX_SECONDS)?;
        Ok(Self { reader, options: options.clone(), wants_overview: false, begun: None })
    }

    /// Makes waveform data too; see [`finish`](Self::finish).
    #[must_use]
    pub fn with_waveform_data(mut self) -> Self {
        self.wants_overview = true;
        self
    }

    /// Decodes and measures the next packet. False after the last.
    ///
    /// # Errors
    /// See [`AnalysisError`].
    pub fn step(&mut self) -> Result<bool, AnalysisError> {
        let declared = self.reader.declared().unwrap_or(0);
        let Some(block) = self.reader.next()? else { return Ok(false) };
        let (places, n_channels) = (block.places.clone(), block.planes.len());
        let mut planes = block.planes.to_vec();
        let begun = match &mut self.begun {
            Some(begun) => begun,
            begun @ None => {
                let rate = self.reader.rate();
                let pcm = PcmAnalysis::with_places(&places, n_channels, rate, declared, &self.options)?;
                let config = OverviewConfig {
                    sample_rate: rate,
                    n_channels: n_channels as u16,
                    kind: if self.reader.is_float() { SampleKind::Float } else { SampleKind::Integer },
                    ..OverviewConfig::default()
                };
                let overview = self.wants_overview.then(|| Overview::new(&config, 0)).transpose();
                let overview =
                    overview.map_err(|error| AnalysisError::Report(ReportError::Overview(error)))?;
                begun.insert(Begun { pcm, overview })
            }
        };
        // A part in another number of channels: what is missing is the last one's, what is too much is left out.
        let last = planes.last().cloned().unwrap_or_default();
        planes.resize(begun.pcm.n_channels, last);
        begun.pcm.push_at(&places, &planes);
        if let Some(overview) = &mut begun.overview {
            overview.process(&planes.iter().map(Vec::as_slice).collect::<Vec<_>>());
        }
        Ok(true)
    }

    /// How much of the file is measured, 0 to 1; 0 for a file that does not say how long it is.
    pub fn progress(&self) -> f64 {
        match self.reader.declared() {
            Some(declared) if declared > 0 => (self.reader.n_frames() as f64 / declared as f64).min(1.0),
            _ => 0.0,
        }
    }

    /// What was measured, after the last [`step`](Self::step), and the waveform data that were asked for: mixed to one
    /// channel, with a pair of 16 bits for every 256 frames, audiowaveform's defaults.
    ///
    /// # Errors
    /// The file has no frame, or ends before it says and `partial` was not asked for.
    pub fn finish(self) -> Result<(Report, Option<WaveformData>), AnalysisError> {
        let is_cut_short = self.reader.is_cut_short();
        if self.options.partial != Some(true) {
            if let Some((file, sound)) = self.reader.disagreement() {
                return Err(AnalysisError::Sizes(file, sound));
            }
            if is_cut_short {
                return Err(AnalysisError::CutShort(self.reader.n_frames(), self.reader.declared()));
            }
        }
        let Begun { pcm, overview } = self.begun.ok_or(ReportError::Empty)?;
        let report = Report { is_cut_short, damaged_packets: self.reader.n_damaged(), ..pcm.finish()? };
        Ok((report, overview.map(|overview| overview.snapshot(0, WaveformBits::Sixteen))))
    }
}
