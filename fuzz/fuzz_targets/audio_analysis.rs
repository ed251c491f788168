//! Any bytes are refused, or are a file whose report and waveform data are finite, and fit to its length.
#![no_main]

use audio_files::FileAnalysis;
use engine_core::analysis::report::ReportOptions;
use libfuzzer_sys::fuzz_target;

/// A few bytes can hold hours of silence: so many packets are looked at.
const MAX_PACKETS: usize = 64;

fuzz_target!(|bytes: &[u8]| {
    let options = ReportOptions { partial: Some(true), ..ReportOptions::default() };
    let Ok(analysis) = FileAnalysis::new(bytes.to_vec(), None, &options) else { return };
    let mut analysis = analysis.with_waveform_data();
    let mut n_packets = 0;
    while n_packets < MAX_PACKETS && analysis.step().unwrap_or(false) {
        n_packets += 1;
        assert!((0.0..=1.0).contains(&analysis.progress()));
    }
    let Ok((report, overview)) = analysis.finish() else { return };
    let shown = format!("{report:?}");
    let mut words = shown.split(|c: char| !c.is_ascii_alphanumeric());
    assert!(!words.any(|word| word == "NaN" || word == "inf"), "{shown}");
    assert!(!report.channels.is_empty() && report.frames > 0);
    assert!(report.channels.iter().all(|channel| channel.peak_position < report.frames));
    let overview = overview.expect("it was asked for");
    let n_pixels = report.frames.div_ceil(u64::from(overview.samples_per_pixel));
    assert_eq!(overview.points.len() as u64, 2 * n_pixels * u64::from(overview.n_channels));
});
