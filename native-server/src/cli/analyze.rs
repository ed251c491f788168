//! `antiphon analyze`: what there is to say about audio files, as tables, JSON and pictures.

mod output;
mod pictures;
mod table;

use std::fs::File;
use std::io::IsTerminal;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use audio_files::{AnalysisError, FileAnalysis};
use clap::Args;
use engine_core::analysis::report::{Report, ReportOptions};
use engine_core::analysis::spectrum::{Scale, Weighting};
use engine_core::analysis::waveform_data::WaveformData;
use engine_core::dsp::window::Window;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::output::{Output, OverviewFormat, SpectrumFormat};
use super::Failure;
use super::say::say;

/// Steps of the progress bar: finer than any terminal shows.
const STEPS: u64 = 1000;

#[derive(Debug, Args)]
pub(super) struct AnalyzeArgs {
    /// Audio files: WAV, AIFF, FLAC, MP3, OGG Vorbis, one to six channels (OGG: one or two), up to four hours.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// JSON on stdout instead of tables: for one FILE an object, for several an array of objects. Each has a
    /// `file`, and the fields that `POST /api/analysis` answers with, or an `error`.
    #[arg(long)]
    json: bool,
    /// Draws the spectrum. With several files the name holds {name}, which stands for each file's.
    #[arg(long, value_name = "OUT.png|svg", value_parser = Output::<SpectrumFormat>::parse)]
    spectrum: Option<Output<SpectrumFormat>>,
    /// Draws the overview, or writes it as waveform data, as audiowaveform does (256 frames a pixel, 16 bits). With
    /// several files the name holds {name}.
    #[arg(long, value_name = "OUT.png|svg|dat|json", value_parser = Output::<OverviewFormat>::parse)]
    overview: Option<Output<OverviewFormat>>,
    /// FFT size of the spectrum: a power of two, 256 to 32768 [default: 4096].
    #[arg(long, value_name = "FRAMES")]
    fft_size: Option<u32>,
    /// Window of the spectrum: hann, hamming, blackman, blackman_harris, flat_top or rectangular [default: hann].
    #[arg(long, value_parser = named::<Window>)]
    window: Option<Window>,
    /// How bands are spread: linear, log, mel, bark or octave [default: log].
    #[arg(long, value_parser = named::<Scale>)]
    scale: Option<Scale>,
    /// Number of bands, 1 to 8192, or 0 on the linear scale for every bin [default: 256].
    #[arg(long, value_name = "N")]
    bands: Option<u16>,
    /// Bands in an octave, 1 to 24, for --scale octave [default: 3].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=24))]
    fraction: Option<u8>,
    /// Frequency weighting: none, a, c or z [default: none].
    #[arg(long, value_parser = named::<Weighting>)]
    weighting: Option<Weighting>,
    /// Lowest frequency of the spectrum [default: 20].
    #[arg(long, value_name = "HZ")]
    min_hz: Option<f32>,
    /// Highest frequency of the spectrum [default: 20000].
    #[arg(long, value_name = "HZ")]
    max_hz: Option<f32>,
    /// Measures what is there of a file that ends before it says, which is an error otherwise.
    #[arg(long)]
    partial: bool,
}

/// One of the names that the REST interface uses.
fn named<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}

/// What is printed of a file with `--json`.
#[derive(Serialize)]
struct Entry<'a> {
    file: String,
    #[serde(flatten)]
    report: Option<&'a Report>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

type Measured = (Report, Option<WaveformData>);

/// Measures all files, several at once, and prints them in order.
///
/// # Errors
/// The last file that is bad; those before it are told on the way, and those that are good are printed all the same.
pub(super) fn run(args: &AnalyzeArgs) -> Result<(), Failure> {
    output::check(&args.files, args.spectrum.as_ref(), args.overview.as_ref())?;
    let bars = MultiProgress::with_draw_target(if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    });
    let mut failures = Vec::new();
    let mut results = Vec::new();
    let mut said = Ok(true);
    in_order(
        args.files.len(),
        |idx| one(args, &args.files[idx], &bars),
        |idx, result| {
            let shown = args.files[idx].display();
            if let Err(error) = &result {
                failures.push(format!("{shown}: {error}"));
            }
            match result {
                Ok(report) if !args.json => {
                    let gap = if idx > 0 { "\n" } else { "" };
                    let table = table::of(&shown.to_string(), &report);
                    said = bars.suspend(|| say(format_args!("{gap}{table}")));
                }
                result => results.push((idx, result)),
            }
            said.as_ref().is_ok_and(|is_read| *is_read)
        },
    );
    if args.json {
        let entries: Vec<Entry<'_>> = results
            .iter()
            .map(|(idx, result)| Entry {
                file: args.files[*idx].display().to_string(),
                report: result.as_ref().ok(),
                error: result.as_ref().err().map(String::as_str),
            })
            .collect();
        let json = match &entries[..] {
            [only] => serde_json::to_string_pretty(only),
            all => serde_json::to_string_pretty(all),
        };
        said = say(format_args!("{}\n", json.map_err(|error| Failure(error.to_string()))?));
    }
    said?;
    let Some(last) = failures.pop() else { return Ok(()) };
    failures.iter().for_each(|line| eprintln!("antiphon: {}", Failure(line.clone())));
    Err(Failure(last))
}

/// Does `n` pieces of work on all cores, and takes the results in order as soon as they are there, for as long as `take`
/// wants more.
fn in_order<T: Send>(n: usize, work: impl Fn(usize) -> T + Sync, mut take: impl FnMut(usize, T) -> bool) {
    let n_workers = thread::available_parallelism().map_or(1, NonZero::get).min(n);
    let next = AtomicUsize::new(0);
    let (sender, results) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..n_workers {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let idx = next.fetch_add(1, Ordering::Relaxed);
                    if idx >= n || sender.send((idx, work(idx))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut early = std::collections::BTreeMap::new();
        let mut wanted = 0;
        for (idx, result) in results {
            early.insert(idx, result);
            while let Some(result) = early.remove(&wanted) {
                if !take(wanted, result) {
                    return;
                }
                wanted += 1;
            }
        }
    });
}

/// Measures a file, and writes what was asked for of it.
fn one(args: &AnalyzeArgs, path: &Path, bars: &MultiProgress) -> Result<Report, String> {
    let bar = bars.add(progress_bar(path));
    let measured = measure(args, path, &bar);
    bars.remove(&bar);
    let (report, data) = measured.map_err(|error| match error {
        AnalysisError::CutShort(..) | AnalysisError::Sizes(..) => {
            format!("{error}; add --partial to measure what is there")
        }
        other => other.to_string(),
    })?;
    let title = path.file_name().unwrap_or_default().to_string_lossy();
    if let Some(output) = &args.spectrum {
        output.write(path, |format| match format {
            SpectrumFormat::Png => pictures::png(|area| pictures::spectrum(area, &report.spectrum, &title)),
            SpectrumFormat::Svg => pictures::svg(|area| pictures::spectrum(area, &report.spectrum, &title)),
        })?;
    }
    if let (Some(output), Some(data)) = (&args.overview, data) {
        output.write(path, |format| match format {
            OverviewFormat::Png => pictures::png(|area| pictures::overview(area, &report, &title)),
            OverviewFormat::Svg => pictures::svg(|area| pictures::overview(area, &report, &title)),
            OverviewFormat::Dat => Ok(data.to_dat()),
            OverviewFormat::Json => {
                let mut json = serde_json::to_vec(&data).map_err(|error| error.to_string())?;
                json.push(b'\n');
                Ok(json)
            }
        })?;
    }
    Ok(report)
}

fn measure(args: &AnalyzeArgs, path: &Path, bar: &ProgressBar) -> Result<Measured, AnalysisError> {
    let options = ReportOptions {
        fft_size: args.fft_size,
        window: args.window,
        scale: args.scale,
        bands: args.bands,
        fraction: args.fraction,
        weighting: args.weighting,
        min_hz: args.min_hz,
        max_hz: args.max_hz,
        partial: Some(args.partial),
    };
    let file = File::open(path).map_err(audio_files::DecodeError::Io)?;
    let extension = path.extension().and_then(|extension| extension.to_str());
    let mut analysis = FileAnalysis::open(Box::new(file), extension, &options)?;
    if args.overview.is_some() {
        analysis = analysis.with_waveform_data();
    }
    while analysis.step()? {
        bar.set_position((analysis.progress() * STEPS as f64) as u64);
    }
    analysis.finish()
}

fn progress_bar(path: &Path) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}");
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    ProgressBar::new(STEPS)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(name)
}
