//! A report for people.

use std::fmt::Write;

use engine_core::analysis::report::Report;

/// The lines, with a line feed after the last.
pub(super) fn of(file: &str, report: &Report) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut out, file, report);
    out
}

fn write(out: &mut String, file: &str, report: &Report) -> std::fmt::Result {
    let Report { sample_rate, frames, channels, loudness, stereo, music, .. } = report;
    let n = channels.len();
    let plural = if n == 1 { "" } else { "s" };
    writeln!(out, "{file}")?;
    writeln!(
        out,
        "  {}, {sample_rate} Hz, {n} channel{plural}, {frames} frames",
        duration(report.duration_seconds)
    )?;
    for (name, value, unit) in [
        ("Integrated loudness", loudness.integrated, "LUFS"),
        ("Loudness range", loudness.range, "LU"),
        ("Max. momentary", loudness.max_momentary, "LUFS"),
        ("Max. short-term", loudness.max_short_term, "LUFS"),
        ("True peak", loudness.true_peak, "dBTP"),
    ] {
        writeln!(out, "  {name:<20} {value:>8.1} {unit}")?;
    }
    if n > 1 {
        writeln!(out, "  {:<20} {:>8.2}", "Correlation", stereo.correlation)?;
        writeln!(out, "  {:<20} {:>8.2}", "Balance", stereo.balance)?;
    }
    let tempo = music.bpm.map_or_else(
        || String::from("       –"),
        |bpm| format!("{bpm:>8.1} bpm ({:.0} % sure)", 100.0 * music.bpm_strength),
    );
    writeln!(out, "  {:<20} {tempo}", "Tempo")?;
    let key = match music.key {
        None => String::from("       –"),
        Some(_) => {
            let (name, cents) = (&music.key_name, music.tuning_cents);
            format!("{name:>8} (correlation {:.2}, tuning {cents:+.0} cents)", music.key_strength)
        }
    };
    writeln!(out, "  {:<20} {key}", "Key")?;
    writeln!(out, "  {:<20} {:>8}", "Onsets", music.onsets.len())?;
    writeln!(out, "  Channel   Peak dBFS  at second  True peak dBTP  RMS dBFS  Crest dB   DC offset  Clips")?;
    for (idx, ch) in channels.iter().enumerate() {
        let at = ch.peak_position as f64 / f64::from(*sample_rate);
        writeln!(
            out,
            "  {:<7} {:>11.2} {at:>10.2} {:>15.2} {:>9.2} {:>9.2} {:>11.6} {:>6}",
            channel_name(idx, n),
            ch.peak,
            ch.true_peak,
            ch.rms,
            ch.crest,
            ch.dc_offset,
            ch.clips
        )?;
    }
    for (n, what) in [
        (report.bad_samples, "samples are NaN, infinite or beyond +240 dBFS, and were taken for silence"),
        (u64::from(report.damaged_packets), "parts could not be decoded and were taken for silence"),
    ] {
        if n > 0 {
            writeln!(out, "  Note: {n} {what}")?;
        }
    }
    if report.is_cut_short {
        writeln!(out, "  Note: the file is not as long as it says; this is what is there")?;
    }
    Ok(())
}

fn duration(seconds: f64) -> String {
    let whole = seconds as u64;
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, seconds - (whole / 60 * 60) as f64);
    match (hours, minutes) {
        (0, 0) => format!("{rest:.3} s"),
        (0, _) => format!("{minutes} min {rest:.1} s"),
        _ => format!("{hours} h {minutes} min {rest:.0} s"),
    }
}

/// Names where there is no doubt.
fn channel_name(idx: usize, n: usize) -> String {
    let name = match n {
        1 => Some("Mono"),
        2 => ["Left", "Right"].get(idx).copied(),
        _ => None,
    };
    name.map_or_else(|| (idx + 1).to_string(), String::from)
}
