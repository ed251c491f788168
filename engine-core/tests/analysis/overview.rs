//! The overview of a file against files that audiowaveform wrote; see `data/overview/README.md`.

use std::path::PathBuf;

use engine_core::analysis::overview::{Overview, OverviewConfig, OverviewError, SampleKind};
use engine_core::analysis::waveform_data::{WaveformBits, WaveformData, WaveformDataError};
use proptest::prelude::*;

const N: usize = 5_000;
/// Lengths to cut the file into.
const CHUNKS: [usize; 7] = [1, 7, 64, 256, 257, 1_009, N];

/// xorshift32, seeded by the channel, softer by 6 dB every 300 frames and loud again after eight of them.
fn signal(channel: u32) -> Vec<i32> {
    let mut x = channel + 1;
    (0..N)
        .map(|i| {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            x.cast_signed() >> (i / 300 % 8)
        })
        .collect()
}

/// A file of the data folder: its samples as they are decoded.
struct Case {
    name: &'static str,
    rate: u32,
    kind: SampleKind,
    channels: Vec<Vec<f32>>,
}

fn cases() -> Vec<Case> {
    let case = |name: &'static str, n_channels: u32, rate, kind, bits: u32| {
        let unused = 32 - bits;
        let full_scale = f64::from(1u32 << (bits - 1));
        let decoded = |x: &i32| (f64::from(x >> unused) / full_scale) as f32;
        let channels = (0..n_channels).map(|ch| signal(ch).iter().map(decoded).collect()).collect();
        Case { name, rate, kind, channels }
    };
    vec![
        case("s16_1", 1, 44_100, SampleKind::Integer, 16),
        case("s16_2", 2, 44_100, SampleKind::Integer, 16),
        case("s16_3", 3, 96_000, SampleKind::Integer, 16),
        case("s24_2", 2, 48_000, SampleKind::Integer, 24),
        case("f32_2", 2, 48_000, SampleKind::Float, 32),
    ]
}

fn overview(case: &Case, split_channels: bool, chunk: usize, announced: u64) -> Overview {
    let config = OverviewConfig {
        sample_rate: case.rate,
        n_channels: case.channels.len() as u16,
        samples_per_pixel: 256,
        split_channels,
        kind: case.kind,
    };
    let mut overview = Overview::new(&config, announced).unwrap();
    for start in (0..N).step_by(chunk) {
        let end = N.min(start + chunk);
        let block: Vec<&[f32]> = case.channels.iter().map(|ch| &ch[start..end]).collect();
        overview.process(&block);
    }
    overview
}

fn file(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/overview").join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

const FORMS: [(WaveformBits, bool, &str); 4] = [
    (WaveformBits::Eight, false, "b8"),
    (WaveformBits::Sixteen, false, "b16"),
    (WaveformBits::Eight, true, "b8_split"),
    (WaveformBits::Sixteen, true, "b16_split"),
];

#[test]
fn files_are_audiowaveforms_byte_for_byte_in_any_chunks() {
    let mut n_files = 0;
    for case in cases() {
        for (bits, split, form) in FORMS {
            if split && case.channels.len() == 1 {
                continue;
            }
            for chunk in CHUNKS {
                for announced in [N as u64, 0] {
                    let overview = overview(&case, split, chunk, announced);
                    let written = overview.snapshot(0, bits).to_dat();
                    assert!(
                        written == file(&format!("{}_z256_{form}.dat", case.name)),
                        "{} {form}",
                        case.name
                    );
                    if case.name == "s16_2" {
                        let zoomed = overview.snapshot(2, bits).to_dat();
                        assert!(zoomed == file(&format!("s16_2_z1024_{form}.dat")), "{form}");
                    }
                }
            }
            n_files += 1;
        }
    }
    assert_eq!(n_files, 18);
}

#[test]
fn json_is_audiowaveforms_byte_for_byte() {
    let case = &cases()[1];
    for (bits, split, form) in FORMS {
        let data = overview(case, split, N, N as u64).snapshot(0, bits);
        let json = serde_json::to_string(&data).unwrap() + "\n";
        assert_eq!(json.as_bytes(), file(&format!("s16_2_z256_{form}.json")), "{form}");
        assert_eq!(serde_json::from_str::<WaveformData>(&json).unwrap(), data);
    }
    // As older versions wrote it.
    let old = r#"{"sample_rate":16000,"samples_per_pixel":64,"bits":8,"length":1,"data":[-53,64]}"#;
    let old = old.replacen('{', r#"{"version":1,"#, 1);
    assert_eq!(serde_json::from_str::<WaveformData>(&old).unwrap().points, [-53, 64]);
    for (from, to, field) in [
        ("16000", "0", "sample_rate"),
        ("64,\"bits", "1,\"bits", "samples_per_pixel"),
        ("8", "9", "bits"),
        ("\"length\":1", "\"length\":2", "length"),
        ("-53", "-530", "data"),
        ("\"version\":1", "\"version\":3", "version"),
    ] {
        let error = serde_json::from_str::<WaveformData>(&old.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{field} must be ")), "{field}: {error}");
    }
}

#[test]
fn every_level_is_the_minimum_and_maximum_of_its_spans() {
    let case = &cases()[1];
    let i16s: Vec<Vec<i16>> =
        (0..2).map(|ch| signal(ch).iter().map(|x| (x >> 16) as i16).collect()).collect();
    for n in [0, 1, 255, 256, 257, 1_024, 1_280, 4_864, 4_865, N] {
        let config =
            OverviewConfig { sample_rate: case.rate, split_channels: true, ..OverviewConfig::default() };
        let mut overview = Overview::new(&config, n as u64).unwrap();
        overview.process_i16(&[&i16s[0][..n], &i16s[1][..n]]);
        for level in 0..overview.n_levels() {
            let data = overview.snapshot(level, WaveformBits::Sixteen);
            let span = 256usize << level;
            let expected: Vec<i16> = (0..n.div_ceil(span))
                .flat_map(|i| {
                    let span = i * span..n.min((i + 1) * span);
                    [0, 1]
                        .map(|ch| &i16s[ch][span.clone()])
                        .map(|x| [*x.iter().min().unwrap(), *x.iter().max().unwrap()])
                })
                .flatten()
                .collect();
            assert_eq!(
                (data.points.as_slice(), data.samples_per_pixel),
                (&*expected, span as u32),
                "{n} {level}"
            );
            assert_eq!((data.len(), data.is_empty()), (n.div_ceil(span), n == 0));
        }
        assert_eq!(overview.snapshot(overview.n_levels() - 1, WaveformBits::Eight).len(), usize::from(n > 0));
    }
}

#[test]
fn an_overview_within_bounds_is_what_the_whole_one_has_on_its_coarse_levels() {
    for (split_channels, max_pixels) in [(false, 7), (true, 7), (true, 8), (false, 1)] {
        let config = OverviewConfig { samples_per_pixel: 2, split_channels, ..OverviewConfig::default() };
        let mut whole = Overview::new(&config, 0).unwrap();
        let mut bounded = Overview::within(&config, 100, max_pixels).unwrap();
        // A frame at a time: at every length.
        for frame in 0..500u32 {
            let [left, right] = [1, 2].map(|n| [(frame * n * 7_919 % 60_013) as i16]);
            for overview in [&mut whole, &mut bounded] {
                overview.process_i16(&[&left, &right]);
            }
            let first = bounded.snapshot(0, WaveformBits::Sixteen);
            assert!(first.len() <= max_pixels + 1, "{} pixels of {max_pixels}", first.len());
            let skipped = (first.samples_per_pixel / 2).ilog2() as usize;
            assert_eq!(bounded.n_levels() + skipped, whole.n_levels());
            for level in 0..bounded.n_levels() {
                let [expected, seen] = [
                    whole.snapshot(level + skipped, WaveformBits::Sixteen),
                    bounded.snapshot(level, WaveformBits::Sixteen),
                ];
                assert_eq!(seen.samples_per_pixel, expected.samples_per_pixel);
                assert_eq!(seen.points, expected.points, "level {level} after {frame}");
            }
        }
    }
}

#[test]
fn what_is_beyond_full_scale_is_limited_and_nan_is_silence() {
    for kind in [SampleKind::Integer, SampleKind::Float] {
        let config =
            OverviewConfig { n_channels: 1, samples_per_pixel: 2, kind, ..OverviewConfig::default() };
        let mut overview = Overview::new(&config, 6).unwrap();
        overview.process(&[&[f32::NAN, f32::NAN, 9.0, -9.0, f32::INFINITY, f32::NEG_INFINITY]]);
        let points = overview.snapshot(0, WaveformBits::Sixteen).points;
        assert_eq!(points, [0, 0, i16::MIN, i16::MAX, i16::MIN, i16::MAX], "{kind:?}");
    }
}

#[test]
fn bad_options_are_named() {
    let error = |change: fn(&mut OverviewConfig)| {
        let mut config = OverviewConfig::default();
        change(&mut config);
        Overview::new(&config, 0).unwrap_err()
    };
    assert_eq!(error(|c| c.sample_rate = 0), OverviewError::SampleRate(0));
    assert_eq!(error(|c| c.n_channels = 25), OverviewError::Channels(25));
    assert_eq!(error(|c| c.samples_per_pixel = 1).to_string(), "samples_per_pixel must be 2 to 1048576");
}

#[test]
fn a_file_is_read_back_and_hostile_headers_are_named() {
    for case in cases() {
        let bytes = file(&format!("{}_z256_b8.dat", case.name));
        let data = WaveformData::from_dat(&bytes).unwrap();
        assert_eq!((data.sample_rate, data.samples_per_pixel, data.n_channels), (case.rate, 256, 1));
        assert_eq!((data.len(), data.bits), (20, WaveformBits::Eight));
    }
    let good = file("s16_2_z256_b16_split.dat");
    assert_eq!(WaveformData::from_dat(&good).unwrap().to_dat(), good);
    let error = |at: usize, value: i32| {
        let mut bad = good.clone();
        bad[at..at + 4].copy_from_slice(&value.to_le_bytes());
        WaveformData::from_dat(&bad).unwrap_err()
    };
    assert_eq!(error(0, 3), WaveformDataError::Version(3));
    assert_eq!(error(8, 0), WaveformDataError::SampleRate(0));
    assert_eq!(error(12, 1), WaveformDataError::SamplesPerPixel(1));
    assert_eq!(error(16, -1), WaveformDataError::Length(u32::MAX));
    assert_eq!(error(20, 25), WaveformDataError::Channels(25));
    assert_eq!(error(20, -1), WaveformDataError::Channels(-1));
    for n in 0..good.len() {
        let error = WaveformData::from_dat(&good[..n]).unwrap_err();
        let expected = if n < 24 { WaveformDataError::Header(n) } else { WaveformDataError::Length(20) };
        assert_eq!(error, expected);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), version in 0i32..4) {
        let _ = WaveformData::from_dat(&bytes);
        let headed = [&version.to_le_bytes(), &*bytes].concat();
        if let Ok(data) = WaveformData::from_dat(&headed) {
            prop_assert_eq!(WaveformData::from_dat(&data.to_dat()).unwrap(), data);
        }
    }
}
