//! Reports of files: all channels, however they are decoded.

use std::io::Cursor;

use audio_files::{AnalysisError, FileAnalysis, PcmAnalysis};
use engine_core::analysis::report::{Report, ReportError, ReportOptions};

const RATE: u32 = 48_000;

fn wav(n_channels: u16, samples: impl IntoIterator<Item = f32>) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let spec = hound::WavSpec {
        channels: n_channels,
        sample_rate: RATE,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut writer = hound::WavWriter::new(&mut file, spec).unwrap();
    samples.into_iter().for_each(|x| writer.write_sample(x).unwrap());
    writer.finalize().unwrap();
    file.into_inner()
}

/// 1 kHz for five seconds at a peak level for each channel.
fn tones(levels_db: &[f64]) -> Vec<f32> {
    let tone = |i: usize| (std::f64::consts::TAU * 1_000.0 * i as f64 / f64::from(RATE)).sin();
    (0..5 * RATE as usize)
        .flat_map(|i| levels_db.iter().map(move |db| (10f64.powf(db / 20.0) * tone(i)) as f32))
        .collect()
}

fn report(file: Vec<u8>) -> Result<Report, AnalysisError> {
    let mut analysis = FileAnalysis::new(file, Some("wav"), &ReportOptions::default())?;
    while analysis.step()? {}
    Ok(analysis.finish()?.0)
}

#[test]
fn surround_counts_as_bs_1770_says() {
    // Tech 3341, case 6: L, R −28, C −24, Ls, Rs −30 are −23 LUFS. The effects do not count, however loud.
    let levels = [-28.0, -28.0, -24.0, -3.0, -30.0, -30.0];
    let mut file = wav(6, tones(&levels));
    for mask in [0x3fu32, 0x60f] {
        file[40..44].copy_from_slice(&mask.to_le_bytes());
        let report = report(file.clone()).unwrap();
        assert!((report.loudness.integrated + 23.0).abs() < 0.1, "{}", report.loudness.integrated);
        for (channel, level) in report.channels.iter().zip(levels) {
            assert!((f64::from(channel.peak) - level).abs() < 0.01, "{} {level}", channel.peak);
        }
        assert!((report.loudness.true_peak + 3.0).abs() < 0.1);
        // Players hear neither the effects: the spectrum is that of the mix.
        let mix: f64 = [(-28.0, 1.0), (-24.0, 0.5f64.sqrt()), (-30.0, 0.5f64.sqrt())]
            .map(|(db, gain)| gain * 10f64.powf(db / 20.0))
            .iter()
            .sum();
        let stereo = self::report(wav(2, tones(&[20.0 * mix.log10(); 2]))).unwrap();
        let top = |report: &Report| report.spectrum.mean.iter().fold(-120.0, |a: f32, &b| a.max(b));
        assert!((top(&report) - top(&stereo)).abs() < 0.01, "{} {}", top(&report), top(&stereo));
    }
    // 2.1: the third channel is what the mask says.
    let mut file = wav(3, tones(&[-23.0, -23.0, -3.0]));
    file[40..44].copy_from_slice(&0x0bu32.to_le_bytes());
    let report = report(file).unwrap();
    assert!((report.loudness.integrated + 23.0).abs() < 0.1, "{}", report.loudness.integrated);
}

#[test]
fn four_and_five_channels_count_all_of_them() {
    // A file without a mask has surrounds as its last two. A sine of 1 kHz at 0 dBFS in one channel is −3.01 LUFS. Those at the sides have 1.41 times the energy; one
    // straight behind, as in 4.0, once (BS.1770-5, Table 3).
    let levels = [-30.0, -33.0, -24.0, -20.0, -26.0];
    let quad = [1.0, 1.0, 1.41, 1.41];
    let five = [1.0, 1.0, 1.0, 1.41, 1.41];
    let with_lfe = [1.0, 1.0, 1.0, 0.0];
    for (mask, weights) in [
        (0, &quad[..]),
        (0x33u32, &quad),
        (0x603, &quad),
        (0x107, &[1.0; 4]),
        (0xf, &with_lfe),
        (0, &five),
        (0x37, &five),
        (0x607, &five),
    ] {
        let levels = &levels[..weights.len()];
        let mut file = wav(weights.len() as u16, tones(levels));
        file[40..44].copy_from_slice(&mask.to_le_bytes());
        let energy: f64 = weights.iter().zip(levels).map(|(weight, db)| weight * 10f64.powf(db / 10.0)).sum();
        let expected = 10.0 * energy.log10() - 3.01;
        let mut files = vec![file.clone()];
        if mask == 0 {
            // The same without the extensible part: 16 bytes of format, which say floats (3).
            let plain = [&file[..16], &[16, 0, 0, 0, 3, 0], &file[22..36], &file[60..]];
            files.push(plain.concat());
        }
        for file in files {
            let read = f64::from(report(file).unwrap().loudness.integrated);
            assert!(
                (read - expected).abs() < 0.05,
                "{mask:#x}, {} channels: {read} {expected}",
                levels.len()
            );
        }
    }
}

#[test]
fn samples_have_the_report_of_their_file_however_they_are_cut() {
    let samples: Vec<f32> = tones(&[-20.0, -26.0, -23.0, -30.0, -12.0]);
    let mut file = wav(5, samples.iter().copied());
    file[40..44].copy_from_slice(&0x37u32.to_le_bytes());
    let of_file = report(file).unwrap();
    let planes: Vec<Vec<f32>> =
        (0..5).map(|ch| samples.iter().skip(ch).step_by(5).copied().collect()).collect();
    for chunk in [1_000, 240_000] {
        let mut pcm = PcmAnalysis::new(RATE, 5, 240_000, &ReportOptions::default()).unwrap();
        for start in (0..240_000).step_by(chunk) {
            let part: Vec<Vec<f32>> =
                planes.iter().map(|plane| plane[start..start + chunk].to_vec()).collect();
            pcm.push(&part);
        }
        assert!(pcm.finish().unwrap() == of_file);
    }
}

#[test]
fn bad_samples_are_silence_and_are_counted() {
    let mut samples = tones(&[-20.0, -20.0, -20.0]);
    let clean = report(wav(3, samples.iter().copied())).unwrap();
    samples[300] = f32::NAN;
    samples[601] = f32::INFINITY;
    let spoiled = report(wav(3, samples.iter().copied())).unwrap();
    samples[300] = 0.0;
    samples[601] = 0.0;
    let silent = report(wav(3, samples)).unwrap();
    assert_eq!((clean.bad_samples, spoiled.bad_samples), (0, 2));
    assert!(Report { bad_samples: 0, ..spoiled } == silent);
}

#[test]
fn what_cannot_be_measured_is_named() {
    let whole = wav(2, tones(&[-20.0, -20.0]));
    let half = whole[..whole.len() / 2].to_vec();
    assert!(matches!(report(half.clone()), Err(AnalysisError::CutShort(n, Some(240_000))) if n < 121_000));
    let partial = ReportOptions { partial: Some(true), ..ReportOptions::default() };
    let mut analysis = FileAnalysis::new(half, None, &partial).unwrap();
    while analysis.step().unwrap() {}
    assert!(analysis.finish().unwrap().0.is_cut_short);
    let eight = report(wav(8, vec![0.1; 800])).unwrap_err();
    assert!(matches!(eight, AnalysisError::Report(ReportError::Channels(8))), "{eight}");
    let mut fast = wav(2, vec![0.1; 800]);
    fast[24..28].copy_from_slice(&200_000u32.to_le_bytes());
    assert_eq!(report(fast).unwrap_err().to_string(), "sample_rate must be 8000 to 192000");
    assert!(PcmAnalysis::new(RATE, 0, 0, &ReportOptions::default()).is_err());
    let none = PcmAnalysis::new(RATE, 1, 0, &ReportOptions::default()).unwrap().finish();
    assert_eq!(none.unwrap_err(), ReportError::Empty);
}
