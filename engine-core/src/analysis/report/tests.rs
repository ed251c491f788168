use super::*;
use crate::analysis::test_signals::{CHUNKS, Noise, sine};
use crate::units::FLOOR_DB;

fn report_of(channels: &[&[f32]], mix: [&[f32]; 2], chunk: usize) -> Report {
    let n = mix[0].len();
    let layout = Layout::of_channels(channels.len()).unwrap();
    let mut analyzer = Analyzer::new(SampleRate::DEFAULT, layout, 0, &SpectrumConfig::default()).unwrap();
    for start in (0..n).step_by(chunk) {
        let part = start..n.min(start + chunk);
        let channels: Vec<&[f32]> = channels.iter().map(|ch| &ch[part.clone()]).collect();
        analyzer.process(&channels, mix.map(|ch| &ch[part.clone()]));
    }
    analyzer.finish().unwrap()
}

#[test]
fn a_tone_is_told_as_what_it_is() {
    // 997 Hz at −20 dBFS on the left, −26 on the right, with an offset and one spike.
    let mut left = sine(480_000, 997.0 / 48_000.0, 0.1, 0.0);
    let right: Vec<f32> = left.iter().map(|x| 0.5 * x + 0.01).collect();
    left[100_000] = -0.5;
    let report = report_of(&[&left, &right], [&left, &right], 4_800);
    let near =
        |got: f32, wanted: f32, tolerance: f32| assert!((got - wanted).abs() <= tolerance, "{got} {wanted}");
    assert_eq!((report.sample_rate, report.frames, report.duration_seconds), (48_000, 480_000, 10.0));
    let [l, r] = report.channels[..] else { panic!("two channels") };
    near(l.peak, -6.0206, 0.001);
    assert_eq!(l.peak_position, 100_000);
    near(l.rms, -23.01, 0.01);
    near(l.crest, 16.99, 0.02);
    near(r.dc_offset, 0.01, 1e-5);
    near(r.peak, 20.0 * libm::log10f(0.06), 0.01);
    // BS.1770: −3.01 for 0 dBFS in one channel; the offset is filtered out.
    let power = (0.01 + 0.0025) / 1.0;
    near(report.loudness.integrated, -3.01 + 10.0 * libm::log10f(power), 0.02);
    assert_eq!(report.loudness.history.len(), 10);
    near(report.loudness.history[9], report.loudness.integrated, 0.02);
    near(report.loudness.range, 0.0, 0.05);
    near(report.stereo.balance, -1.0 / 3.0, 0.02);
    // l·r = 0.0025 over √(0.005 · 0.00135).
    near(report.stereo.correlation, 0.9622, 0.001);
    let top = (0..report.spectrum.mean.len())
        .max_by(|&a, &b| report.spectrum.mean[a].total_cmp(&report.spectrum.mean[b]));
    let top = top.unwrap();
    near(report.spectrum.frequencies[top], 997.0, 20.0);
    // Mean power of both channels.
    near(report.spectrum.mean[top], 10.0 * libm::log10f(0.00625), 0.3);
    assert!(report.spectrum.max.iter().zip(&report.spectrum.mean).all(|(max, mean)| max >= mean));
    assert!(
        report.overview.points.len() / 2 <= MAX_OVERVIEW
            && report.overview.points.len() / 2 > MAX_OVERVIEW / 2 - 1
    );
    let (least, greatest) =
        (report.overview.points.iter().min().unwrap(), report.overview.points.iter().max().unwrap());
    assert!(*least < -7_000 && (2_500..2_800).contains(greatest), "{least} {greatest}");
}

#[test]
fn the_bits_do_not_depend_on_blocks() {
    let channels: Vec<Vec<f32>> = (1..=5).map(|seed| Noise(seed).take(130_000)).collect();
    let channels: Vec<&[f32]> = channels.iter().map(Vec::as_slice).collect();
    let whole = report_of(&channels, [channels[0], channels[1]], 130_000);
    assert!(whole.loudness.integrated > -20.0 && whole.spectrum.mean[100] > -60.0);
    for chunk in CHUNKS {
        assert!(report_of(&channels, [channels[0], channels[1]], chunk) == whole, "chunks of {chunk}");
    }
}

#[test]
fn short_files_bad_samples_and_bad_options() {
    let clicks = [1.0, 1.0, 1.0, f32::NAN, -1.0, f32::INFINITY, -1.0, -1.0, -1.0, -1.0];
    let report = report_of(&[&clicks], [&clicks, &clicks], 3);
    assert_eq!((report.bad_samples, report.channels[0].clips, report.frames), (2, 2, 10));
    assert!(report.spectrum.mean.iter().any(|&db| db > FLOOR_DB));
    let with_silence = clicks.map(|x| if x.is_finite() { x } else { 0.0 });
    let silent = report_of(&[&with_silence], [&with_silence, &with_silence], 3);
    assert!(Report { bad_samples: 0, ..report.clone() } == silent);
    // So large that its square is infinite; found by fuzzing a file of floats.
    let damaged = with_silence.map(|x| if x == 0.0 { -1e38 } else { x });
    let damaged = report_of(&[&damaged], [&damaged, &damaged], 3);
    assert!(Report { bad_samples: 0, ..damaged.clone() } == silent && damaged.bad_samples == 2);
    // What a careless converter leaves is only loud.
    let loud = [2_147_483_648.0; 64];
    let loud = report_of(&[&loud], [&loud, &loud], 64);
    assert!(
        (loud.channels[0].rms - 186.64).abs() < 0.01 && loud.bad_samples == 0,
        "{}",
        loud.channels[0].rms
    );
    assert!(loud.spectrum.mean.iter().chain(&loud.spectrum.max).all(|db| db.is_finite()));
    assert_eq!((report.music.bpm, report.music.key, report.loudness.history.len()), (None, None, 0));
    let silence = [0.0; 1_000];
    let report = report_of(&[&silence], [&silence, &silence], 1_000);
    assert_eq!((report.channels[0].peak, report.channels[0].crest), (FLOOR_DB, 0.0));
    assert_eq!(report.stereo, StereoReport { correlation: 0.0, balance: 0.0 });

    let error = |config: &SpectrumConfig| {
        let analyzer = Analyzer::new(SampleRate::DEFAULT, Layout::MONO, 10, config);
        analyzer.and_then(Analyzer::finish).err().unwrap()
    };
    assert_eq!(error(&SpectrumConfig::default()), ReportError::Empty);
    let config = SpectrumConfig { fft_size: 100, ..Default::default() };
    assert_eq!(
        alloc::string::ToString::to_string(&error(&config)),
        "fft_size must be a power of two, 256 to 32768"
    );
}

#[test]
fn a_report_does_not_depend_on_the_announced_length() {
    // Clicks twice a second for longer than room is made for.
    let clicks: Vec<f32> = (0..480_000).map(|i| if i % 24_000 < 50 { 0.9 } else { 0.0 }).collect();
    let with = |n_frames| {
        let mut analyzer =
            Analyzer::new(SampleRate::DEFAULT, Layout::MONO, n_frames, &SpectrumConfig::default()).unwrap();
        analyzer.process(&[&clicks], [&clicks, &clicks]);
        analyzer.finish().unwrap()
    };
    let report = with(480_000);
    assert!(report.music.onsets.len() > 15, "{}", report.music.onsets.len());
    assert!(report == with(0) && report == with(100_000_000));
}
