//! From a WAV file to waveform data: the bytes that audiowaveform writes for the same file. Its files and their
//! signal are those of `engine-core/tests/analysis/overview.rs`.

use std::io::Cursor;

use audio_files::decode_bytes;
use engine_core::analysis::overview::{Overview, OverviewConfig, SampleKind};
use engine_core::analysis::waveform_data::WaveformBits;

const N: usize = 5_000;

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

fn wav(n_channels: u16, sample_rate: u32, bits: u16) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let sample_format = if bits == 32 { hound::SampleFormat::Float } else { hound::SampleFormat::Int };
    let spec = hound::WavSpec { channels: n_channels, sample_rate, bits_per_sample: bits, sample_format };
    let mut writer = hound::WavWriter::new(&mut file, spec).unwrap();
    let channels: Vec<_> = (0..u32::from(n_channels)).map(signal).collect();
    for i in 0..N {
        for channel in &channels {
            let written = match bits {
                32 => writer.write_sample((f64::from(channel[i]) / 2_147_483_648.0) as f32),
                _ => writer.write_sample(channel[i] >> (32 - bits)),
            };
            written.unwrap();
        }
    }
    writer.finalize().unwrap();
    file.into_inner()
}

#[test]
fn wav_files_have_audiowaveforms_overview() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../engine-core/tests/data/overview");
    for (name, n_channels, rate, bits) in [
        ("s16_1", 1, 44_100, 16),
        ("s16_2", 2, 44_100, 16),
        ("s24_2", 2, 48_000, 24),
        ("f32_2", 2, 48_000, 32),
    ] {
        let audio = decode_bytes(wav(n_channels, rate, bits), Some("wav")).unwrap();
        assert_eq!(audio.is_float, bits == 32);
        let channels: Vec<&[f32]> = audio.channels.iter().map(|channel| &channel[..]).collect();
        for split_channels in [false, true] {
            let config = OverviewConfig {
                sample_rate: audio.rate,
                n_channels,
                split_channels,
                kind: if audio.is_float { SampleKind::Float } else { SampleKind::Integer },
                ..OverviewConfig::default()
            };
            let mut overview = Overview::new(&config, audio.len() as u64).unwrap();
            overview.process(&channels);
            let form = if split_channels && n_channels > 1 { "_split" } else { "" };
            for (bits, n) in [(WaveformBits::Eight, 8), (WaveformBits::Sixteen, 16)] {
                let expected = std::fs::read(format!("{data}/{name}_z256_b{n}{form}.dat")).unwrap();
                assert!(overview.snapshot(0, bits).to_dat() == expected, "{name} in {n} bits{form}");
            }
        }
    }
}
