//! Reports of files and samples, in steps.

use audio_files::{AnalysisError, FileAnalysis, PcmAnalysis};
use engine_core::analysis::report::{Report, ReportError, ReportOptions};

use crate::Failure;

/// A report on its way.
pub(crate) enum Analysis {
    File(Box<FileAnalysis>),
    Pcm { pcm: Box<PcmAnalysis>, n_channels: usize, n_frames: u64, n_done: u64 },
}

/// What is asked for, from JSON.
pub(crate) fn options(json: &[u8]) -> Result<ReportOptions, Failure> {
    serde_json::from_slice(json).map_err(|error| Failure::new("invalid-option", error))
}

impl Analysis {
    pub(crate) fn of_file(file: Vec<u8>, options: &ReportOptions) -> Result<Self, Failure> {
        Ok(Self::File(Box::new(FileAnalysis::new(file, None, options)?)))
    }

    pub(crate) fn of_pcm(
        hz: u32,
        n_channels: usize,
        n_frames: u64,
        options: &ReportOptions,
    ) -> Result<Self, Failure> {
        let pcm = Box::new(PcmAnalysis::new(hz, n_channels, n_frames, options)?);
        Ok(Self::Pcm { pcm, n_channels, n_frames, n_done: 0 })
    }

    /// Takes samples: f32 in little-endian bytes, as many of each channel, one channel after the other.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let Self::Pcm { pcm, n_channels, n_done, .. } = self else {
            return Err(Failure::new("internal", "a file brings its own samples"));
        };
        let (samples, _) = bytes.as_chunks::<4>();
        let n_frames = samples.len() / *n_channels;
        let plane = |idx| {
            let samples = &samples[idx * n_frames..(idx + 1) * n_frames];
            samples.iter().map(|&sample| f32::from_le_bytes(sample)).collect()
        };
        let planes: Vec<Vec<f32>> = (0..*n_channels).map(plane).collect();
        pcm.push(&planes);
        *n_done += n_frames as u64;
        Ok(())
    }

    /// Decodes and measures at most `n_packets` of a file. False after the last.
    pub(crate) fn step(&mut self, n_packets: u32) -> Result<bool, Failure> {
        let Self::File(file) = self else { return Ok(false) };
        for _ in 0..n_packets {
            if !file.step()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(crate) fn progress(&self) -> f64 {
        match self {
            Self::File(file) => file.progress(),
            Self::Pcm { n_frames: 0, .. } => 0.0,
            Self::Pcm { n_frames, n_done, .. } => (*n_done as f64 / *n_frames as f64).min(1.0),
        }
    }

    pub(crate) fn finish(self) -> Result<Report, Failure> {
        Ok(match self {
            Self::File(file) => file.finish()?.0,
            Self::Pcm { pcm, .. } => pcm.finish()?,
        })
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        Self::of_field("invalid-value", error.field(), format!("must be {}", error.allowed()))
    }
}

impl From<AnalysisError> for Failure {
    fn from(error: AnalysisError) -> Self {
        match error {
            AnalysisError::Report(error) => error.into(),
            AnalysisError::Decode(error) => error.into(),
            AnalysisError::CutShort(..) | AnalysisError::Sizes(..) => Self::new(
                "invalid-audio",
                format!("{error}; pass {{ partial: true }} to measure what is there"),
            ),
        }
    }
}
