//! `antiphon render`: a composition into a WAV file, faster than it sounds.

use std::collections::HashMap;
use std::io::{BufWriter, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;

use audio_files::{SampleFormat, WavError, WavFile};
use clap::Args;
use engine_core::engine::offline::{DEFAULT_TAIL_SECONDS, Render};
use engine_core::units::SampleRate;
use indicatif::{ProgressBar, ProgressStyle};

use super::say::say;
use super::whole_file::WholeFile;
use super::{Failure, open, sample_rate};
use crate::services::sample;

/// Steps of the progress bar: finer than any terminal shows.
const STEPS: u64 = 1000;

#[derive(Debug, Args)]
pub(super) struct RenderArgs {
    /// The Standard MIDI File, or the recording of up to 30 minutes, to render.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Where the sound goes. A file that is there is replaced once the new one is complete.
    #[arg(short, long, value_name = "OUT.wav")]
    output: PathBuf,
    /// 16 (dithered), 24, or 32 (floats, the engine's own bits).
    #[arg(long, default_value = "24", value_parser = format)]
    bits: SampleFormat,
    /// Frames per second, 8000 to 192000.
    #[arg(long, value_name = "HZ", default_value = "48000", value_parser = sample_rate)]
    sample_rate: SampleRate,
    /// Longest time, in seconds, in which notes and echoes may ring out after the end.
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_TAIL_SECONDS, value_parser = tail,
        allow_negative_numbers = true)]
    tail: f64,
}

fn format(text: &str) -> Result<SampleFormat, String> {
    let format = text.parse().ok().and_then(SampleFormat::from_bits);
    format.ok_or_else(|| String::from("use 16, 24 or 32"))
}

fn tail(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.0..=600.0).contains(seconds));
    seconds.ok_or_else(|| String::from("use seconds from 0 to 600"))
}

/// Renders. The file appears under its name only when it is complete.
///
/// # Errors
/// A file that cannot be read, played or written.
pub(super) fn run(args: &RenderArgs) -> Result<(), Failure> {
    let opened = open(&args.file, "as FILE")?;
    let composition = &opened.composition;
    let mut samples = HashMap::new();
    for new in &opened.samples {
        let decoded = sample(new.file.clone(), args.sample_rate);
        let decoded = decoded.map_err(|error| Failure(format!("{}: {error}", args.file.display())))?;
        samples.insert(new.info.id, Arc::new(decoded));
    }
    let shown = args.output.display();
    let cannot_write = |error: &dyn std::fmt::Display| {
        Failure(format!("cannot write {shown} ({error}); choose another place with -o"))
    };
    let file = WholeFile::new(&args.output).map_err(|error| cannot_write(&error))?;
    let to = BufWriter::new(file.file());
    let mut wav = WavFile::new(to, args.sample_rate, args.bits).map_err(|error| cannot_write(&error))?;
    let mut render = Render::new(composition, |id| samples.get(id).cloned(), args.sample_rate, args.tail);
    if render.n_frames() > args.bits.max_frames() {
        return Err(cannot_write(&WavError::TooLarge));
    }
    let bar = progress_bar();
    let mut n_frames = 0u64;
    while let Some(block) = render.next() {
        wav.write(&block).map_err(|error| cannot_write(&error))?;
        n_frames += block.left.len() as u64;
        bar.set_position((render.progress() * STEPS as f64) as u64);
    }
    wav.finish().map_err(|error| cannot_write(&error))?;
    file.finish().map_err(|error| cannot_write(&error))?;
    bar.finish_and_clear();
    let seconds = n_frames as f64 / args.sample_rate.as_f64();
    let (name, hz) = (&composition.name, args.sample_rate.hz());
    say(format_args!("{shown}: {seconds:.1} s of \"{name}\" at {hz} Hz\n")).map(drop)
}

/// Drawn on a terminal only.
fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {percent} %  {eta} left");
    ProgressBar::new(STEPS).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
