//! The jobs: decode a file; measure one, in steps; render a composition, in steps; write a MIDI file.

use std::collections::HashMap;
use std::sync::Arc;

use audio_files::{MAX_SAMPLE_SECONDS, SampleFormat, WavFile, decode_within};
use engine_core::analysis::report::ReportOptions;
use engine_core::composition::midi::{self, FileType};
use engine_core::composition::{Composition, CompositionSpec};
use engine_core::control::Sample;
use engine_core::engine::offline::Render;
use engine_core::units::SampleRate;
use uuid::Uuid;

use crate::Failure;
use crate::report::{Analysis, options};
use crate::tape::Tape;

/// A decoded file.
struct Decoded {
    rate: u32,
    planes: Vec<Box<[f32]>>,
    is_damaged: bool,
    /// Of the file, at its own rate.
    seconds: f64,
}

struct Rendering {
    render: Render,
    wav: WavFile<Tape>,
    tape: Tape,
}

/// One job's state.
#[derive(Default)]
pub struct Offline {
    decoded: Option<Decoded>,
    samples: HashMap<Uuid, Arc<Sample>>,
    rendering: Option<Rendering>,
    options: ReportOptions,
    analysis: Option<Analysis>,
    output: Vec<u8>,
}

impl Offline {
    /// What the last call made: bytes of a file, or JSON.
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// Puts an error where results are.
    pub fn set_failure(&mut self, failure: &Failure) {
        self.output = serde_json::to_vec(failure).unwrap_or_default();
    }

    /// Decodes a file; see [`planes`](Self::planes). At `hz` 0 as it is, one or two channels; else what an engine at
    /// that rate plays: two.
    ///
    /// # Errors
    /// Not audio that can be decoded, or a rate that no engine has.
    pub fn decode(&mut self, file: Vec<u8>, hz: u32) -> Result<(), Failure> {
        let rate = if hz == 0 { None } else { Some(engine_rate(hz)?) };
        let audio = decode_within(file, MAX_SAMPLE_SECONDS)?;
        let seconds = audio.len() as f64 / f64::from(audio.rate);
        let is_damaged = audio.n_damaged > 0 || audio.is_cut_short;
        let (rate, planes) = match rate {
            None => (audio.rate, audio.channels.into_iter().map(Vec::into_boxed_slice).collect()),
            Some(rate) => {
                let Sample { left, right } = audio.into_sample(rate);
                (rate.hz(), vec![left, right])
            }
        };
        self.decoded = Some(Decoded { rate, planes, is_damaged, seconds });
        Ok(())
    }

    /// Frames per second of what was decoded; 0 before.
    pub fn sample_rate(&self) -> u32 {
        self.decoded.as_ref().map_or(0, |decoded| decoded.rate)
    }

    /// Channels of what was decoded, of equal length.
    pub fn planes(&self) -> &[Box<[f32]>] {
        self.decoded.as_ref().map_or(&[], |decoded| &decoded.planes)
    }

    /// Whether the decoded file ends too early or has parts that could not be decoded.
    pub fn is_damaged(&self) -> bool {
        self.decoded.as_ref().is_some_and(|decoded| decoded.is_damaged)
    }

    /// The composition that plays what was decoded as sample `id`, as JSON in the output.
    ///
    /// # Errors
    /// A name or tempo out of range, or nothing was decoded.
    pub fn compose(&mut self, id: Uuid, name: &str, bpm: f64) -> Result<(), Failure> {
        let seconds = self.decoded.as_ref().map_or(0.0, |decoded| decoded.seconds);
        let composition = Composition::from_audio(name, id, seconds, bpm)?;
        self.output = serde_json::to_vec(&*composition).map_err(|error| Failure::new("internal", error))?;
        Ok(())
    }

    /// Decodes a sample that the next render needs.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn add_sample(&mut self, id: Uuid, file: Vec<u8>, hz: u32) -> Result<(), Failure> {
        let rate = engine_rate(hz)?;
        let sample = decode_within(file, MAX_SAMPLE_SECONDS)?.into_sample(rate);
        self.samples.insert(id, Arc::new(sample));
        Ok(())
    }

    /// Starts to render a composition (JSON) at `hz`, as a WAV file of 16, 24 or 32 bits. What sounds on after the
    /// end may last `tail_seconds` at most.
    ///
    /// # Errors
    /// A value that is out of range, by its field; a sample that was not added.
    pub fn start(&mut self, json: &[u8], hz: u32, bits: u16, tail_seconds: f64) -> Result<(), Failure> {
        let rate = engine_rate(hz)?;
        let value = |field, message: String| Failure::of_field("invalid-value", field, message);
        let format = SampleFormat::from_bits(bits)
            .ok_or_else(|| value("bits", format!("{bits} is not 16, 24 or 32")))?;
        if !(0.0..=600.0).contains(&tail_seconds) {
            return Err(value("tailSeconds", format!("{tail_seconds} is not between 0 and 600")));
        }
        let composition = composition(json)?;
        if let Some((field, id)) = composition.sample_uses().find(|(_, id)| !self.samples.contains_key(id)) {
            return Err(Failure::of_field("missing-sample", &field, format!("sample {id} is not there")));
        }
        let tape = Tape::default();
        let wav = WavFile::new(tape.clone(), rate, format)?;
        let render = Render::new(&composition, |id| self.samples.get(id).cloned(), rate, tail_seconds);
        self.rendering = Some(Rendering { render, wav, tape });
        Ok(())
    }

    /// Renders at most `n_blocks` blocks; the output is the next piece of the file. False after the last.
    ///
    /// # Errors
    /// A file of more than 4 GiB.
    pub fn step(&mut self, n_blocks: u32) -> Result<bool, Failure> {
        let Some(Rendering { render, wav, tape }) = &mut self.rendering else { return Ok(false) };
        let mut n = 0;
        for block in render.take(n_blocks as usize) {
            wav.write(&block)?;
            n += 1;
        }
        tape.take(&mut self.output);
        Ok(n == n_blocks)
    }

    /// How much of the composition is rendered, 0 to 1.
    pub fn progress(&self) -> f64 {
        self.rendering.as_ref().map_or(0.0, |rendering| rendering.render.progress())
    }

    /// Ends the file; the output is its header, which replaces as many bytes at its start.
    ///
    /// # Errors
    /// Nothing was rendered.
    pub fn finish(&mut self) -> Result<(), Failure> {
        let nothing = || Failure::new("internal", "nothing was rendered");
        let Rendering { wav, tape, .. } = self.rendering.take().ok_or_else(nothing)?;
        wav.finish()?;
        self.output = tape.head();
        Ok(())
    }

    /// Sets the options (JSON) of the next report.
    ///
    /// # Errors
    /// An option that does not exist, or of another type.
    pub fn set_report_options(&mut self, json: &[u8]) -> Result<(), Failure> {
        self.options = options(json)?;
        Ok(())
    }

    /// Starts a report of a file; [`analyze`](Self::analyze) goes through it.
    ///
    /// # Errors
    /// Not audio that can be decoded.
    pub fn analyze_file(&mut self, file: Vec<u8>) -> Result<(), Failure> {
        self.analysis = Some(Analysis::of_file(file, &self.options)?);
        Ok(())
    }

    /// Starts a report of samples, which [`push`](Self::push) brings.
    ///
    /// # Errors
    /// A rate, a number of channels, or an option that is out of range.
    pub fn analyze_pcm(&mut self, hz: u32, n_channels: usize, n_frames: u64) -> Result<(), Failure> {
        self.analysis = Some(Analysis::of_pcm(hz, n_channels, n_frames, &self.options)?);
        Ok(())
    }

    /// Takes samples: f32 in little-endian bytes, as many of each channel, one channel after the other.
    ///
    /// # Errors
    /// No report of samples was started.
    pub fn push(&mut self, samples: &[u8]) -> Result<(), Failure> {
        self.analysis.as_mut().ok_or_else(no_report)?.push(samples)
    }

    /// Measures at most `n_packets` of the file. False after the last.
    ///
    /// # Errors
    /// A file that changes on the way, or a property of it that is out of range.
    pub fn analyze(&mut self, n_packets: u32) -> Result<bool, Failure> {
        self.analysis.as_mut().ok_or_else(no_report)?.step(n_packets)
    }

    /// How much is measured, 0 to 1.
    pub fn analysis_progress(&self) -> f64 {
        self.analysis.as_ref().map_or(0.0, Analysis::progress)
    }

    /// The report, as JSON in the output.
    ///
    /// # Errors
    /// There was no frame, or the file ends before it says.
    pub fn report(&mut self) -> Result<(), Failure> {
        let report = self.analysis.take().ok_or_else(no_report)?.finish()?;
        self.output = serde_json::to_vec(&report).map_err(|error| Failure::new("internal", error))?;
        Ok(())
    }

    /// A composition (JSON) as a Standard MIDI File of type 1, in the output.
    ///
    /// # Errors
    /// A value that is out of range, by its field.
    pub fn export_midi(&mut self, json: &[u8]) -> Result<(), Failure> {
        self.output = midi::export(&composition(json)?, FileType::MultiTrack)?;
        Ok(())
    }
}

fn no_report() -> Failure {
    Failure::new("internal", "no report was started")
}

fn engine_rate(hz: u32) -> Result<SampleRate, Failure> {
    let message = || format!("{hz} is not between 8000 and 192000");
    SampleRate::new(hz).ok_or_else(|| Failure::of_field("invalid-value", "sampleRate", message()))
}

fn composition(json: &[u8]) -> Result<Composition, Failure> {
    let spec: CompositionSpec =
        serde_json::from_slice(json).map_err(|error| Failure::new("invalid-composition", error))?;
    Ok(Composition::new(spec)?)
}
