//! Files of every format in, WAV files out.
//!
//! `data/tone.*` are 17,640 frames at 44.1 kHz: 1 kHz at −6.02 dBFS on the left, 441 Hz at −12.04 dBFS on the right,
//! written by the reference encoders (flac 1.4 -8, lame 3.100 -V 2, oggenc 1.4 -q 6) from the 16-bit samples of
//! [`tone`].

use std::f64::consts::TAU;
use std::io::{Cursor, Read, Seek, SeekFrom};

use audio_files::{
    Audio, DecodeError, FileAnalysis, SampleFormat, WavFile, decode_bytes, decode_within, media_type,
};
use engine_core::analysis::report::ReportOptions;
use engine_core::buffer::StereoBlock;
use engine_core::units::{QUANTUM, SampleRate};
use symphonia::core::io::MediaSource;

const N: usize = 17_640;
const FLAC: &[u8] = include_bytes!("data/tone.flac");
const MP3: &[u8] = include_bytes!("data/tone.mp3");
const OGG: &[u8] = include_bytes!("data/tone.ogg");

/// The tone as 16-bit steps.
fn tone(side: usize, i: usize) -> i16 {
    let (level, hz) = [(16_384.0, 1000.0), (8192.0, 441.0)][side];
    (level * (TAU * hz * i as f64 / 44_100.0).sin()).round() as i16
}

/// A WAV file of 16-bit samples.
fn wav(channels: u16, rate: u32, samples: &[i16]) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let spec = hound::WavSpec {
        channels,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::new(&mut file, spec).unwrap();
    samples.iter().for_each(|x| writer.write_sample(*x).unwrap());
    writer.finalize().unwrap();
    file.into_inner()
}

fn stereo_wav() -> Vec<u8> {
    wav(2, 44_100, &(0..2 * N).map(|i| tone(i % 2, i / 2)).collect::<Vec<_>>())
}

/// An AIFF file by its specification: big-endian, the rate as an 80-bit float.
fn aiff() -> Vec<u8> {
    let mut sound = vec![0; 8];
    (0..2 * N).for_each(|i| sound.extend(tone(i % 2, i / 2).to_be_bytes()));
    let mut common = Vec::new();
    common.extend(2u16.to_be_bytes());
    common.extend((N as u32).to_be_bytes());
    common.extend(16u16.to_be_bytes());
    // 44,100 = 0xac44 · 2⁰: exponent 16383 + 15, the mantissa left-aligned.
    common.extend([0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0]);
    let chunk = |id: &[u8], data: &[u8]| [id, &(data.len() as u32).to_be_bytes(), data].concat();
    let form = [&b"AIFF"[..], &chunk(b"COMM", &common), &chunk(b"SSND", &sound)].concat();
    chunk(b"FORM", &form)
}

fn decode(bytes: &[u8]) -> Audio {
    decode_bytes(bytes.to_vec(), None).unwrap()
}

#[test]
fn lossless_formats_give_the_samples_to_the_bit() {
    for (name, bytes) in [("wav", stereo_wav()), ("aiff", aiff()), ("flac", FLAC.to_vec())] {
        let audio = decode(&bytes);
        assert_eq!((audio.rate, audio.channels.len(), audio.len()), (44_100, 2, N), "{name}");
        assert_eq!((audio.n_damaged, audio.is_cut_short), (0, false), "{name}");
        for (side, channel) in audio.channels.iter().enumerate() {
            for (i, x) in channel.iter().enumerate() {
                assert_eq!(*x, f32::from(tone(side, i)) / 32_768.0, "{name}: side {side}, frame {i}");
            }
        }
    }
}

#[test]
fn vorbis_of_more_than_two_channels_is_refused_and_not_heard_wrong() {
    // Written by oggenc, too.
    let error = decode_bytes(include_bytes!("data/six.ogg"), None).unwrap_err().to_string();
    assert!(error.contains("OGG Vorbis of 6 channels; one or two are"), "{error}");
}

#[test]
fn lossy_formats_give_the_sound_at_its_place() {
    for (name, bytes, error_db) in [("mp3", MP3, -40.0), ("ogg", OGG, -40.0)] {
        let audio = decode(bytes);
        assert_eq!((audio.rate, audio.channels.len(), audio.len()), (44_100, 2, N), "{name}");
        for (side, channel) in audio.channels.iter().enumerate() {
            // In the middle, away from what the encoder's windows do at the ends.
            let (mut error, mut power) = (0.0, 0.0);
            for (i, x) in channel.iter().enumerate().take(N - 2000).skip(2000) {
                let exact = f64::from(tone(side, i)) / 32_768.0;
                error += (f64::from(*x) - exact).powi(2);
                power += exact * exact;
            }
            let db = 10.0 * (error / power).log10();
            assert!(db < error_db, "{name}, side {side}: error at {db} dB");
        }
    }
}

#[test]
fn samples_come_at_the_engines_rate_in_stereo() {
    let mono = wav(1, 44_100, &(0..N).map(|i| tone(0, i)).collect::<Vec<_>>());
    let sample = decode(&mono).into_sample(SampleRate::DEFAULT);
    assert_eq!(sample.len(), (N * 160).div_ceil(147));
    assert_eq!(sample.left, sample.right);
    for i in 1000..sample.len() - 1000 {
        let exact = 0.5 * (TAU * 1000.0 * i as f64 / 48_000.0).sin();
        // The file's own steps of 16 bits remain.
        assert!((f64::from(sample.left[i]) - exact).abs() < 1.5 / 32_768.0, "frame {i}");
    }
    let same = decode(&stereo_wav()).into_sample(SampleRate::new(44_100).unwrap());
    assert_eq!(same.right[100], f32::from(tone(1, 100)) / 32_768.0);
}

#[test]
fn surround_is_folded_as_bs_775_says() {
    // Left, right, centre, effects, left and right surround, one level each.
    let frame = [8000i16, 4000, 2000, 30_000, 1000, 500];
    let mut file = wav(6, 48_000, &frame.repeat(1000));
    // The channel mask in hound's extensible header: 5.1 with rear surrounds.
    assert_eq!(file[40..44], 0x3fu32.to_le_bytes());
    let half = 0.5f32.sqrt();
    let expected = [8000.0 + half * (2000.0 + 1000.0), 4000.0 + half * (2000.0 + 500.0)];
    for mask in [0x3fu32, 0x60f] {
        file[40..44].copy_from_slice(&mask.to_le_bytes());
        let audio = decode(&file);
        for (channel, expected) in audio.channels.iter().zip(expected) {
            assert!((channel[500] * 32_768.0 - expected).abs() < 0.01, "mask {mask:x}: {}", channel[500]);
        }
    }
}

#[test]
fn bad_files_are_named_and_survived() {
    assert!(matches!(decode_bytes(Vec::new(), None), Err(DecodeError::UnknownFormat)));
    assert!(matches!(
        decode_bytes(b"MThd\0\0\0\x06".repeat(200), Some("wav")),
        Err(DecodeError::UnknownFormat)
    ));
    let nothing = decode_bytes(wav(2, 44_100, &[]), None).unwrap_err();
    assert!(nothing.to_string().contains("no sound"), "{nothing}");
    // Cut short: what is there is played, and it is said.
    for (name, bytes) in [("wav", &stereo_wav()[..]), ("flac", FLAC), ("mp3", MP3)] {
        let audio = decode(&bytes[..bytes.len() * 3 / 4]);
        assert!(audio.is_cut_short && audio.len() > N / 3 && audio.len() < N, "{name}: {}", audio.len());
    }
    // The page that holds the sound of an OGG file this short is not whole, nor is an AIFF file's one chunk.
    for bytes in [OGG, &aiff()] {
        let cut = decode_bytes(bytes[..bytes.len() * 2 / 3].to_vec(), None).unwrap_err();
        assert!(matches!(&cut, DecodeError::Damaged(why) if why.contains("ends too early")), "{cut}");
    }
}

/// A file of whose sizes only some are right: that of the whole, and that of the sound.
fn with_sizes(riff: Option<u32>, data: Option<u32>, after: &[u8]) -> Vec<u8> {
    let mut file = stereo_wav();
    let at = file.windows(4).position(|id| id == b"data").unwrap();
    for (size, at) in [(riff, 4), (data, at + 4)] {
        if let Some(size) = size {
            file[at..at + 4].copy_from_slice(&size.to_le_bytes());
        }
    }
    file.extend(after);
    file
}

#[test]
fn sizes_that_were_not_known_yet_mean_to_the_end() {
    let whole = decode(&stereo_wav());
    let odd = |pad: &[u8]| {
        let mut file = stereo_wav();
        let at = file.windows(4).position(|id| id == b"data").unwrap();
        file.splice(at..at, [&b"note\x03\0\0\0abc"[..], pad].concat());
        let riff = file.len() as u32 - 8;
        file[4..8].copy_from_slice(&riff.to_le_bytes());
        file
    };
    for (what, file) in [
        ("a pipe", with_sizes(Some(u32::MAX), Some(u32::MAX), &[])),
        ("zeros", with_sizes(Some(0), Some(0), &[])),
        ("no size of the whole", with_sizes(Some(0), None, &[])),
        ("no size of the sound", with_sizes(None, Some(u32::MAX), &[])),
        ("half a frame at the end", with_sizes(Some(0), Some(0), &[1, 2])),
        ("what follows the sound", with_sizes(None, None, b"LIST\x04\0\0\0abcd")),
        ("an odd chunk", odd(&[0])),
        ("an odd chunk and any byte", odd(b"!")),
        ("an odd chunk and no byte", odd(&[])),
    ] {
        assert_eq!(decode(&file), whole, "{what}");
    }
    // Nothing to seek in, and of no length, as the system says of a pipe.
    struct Pipe(Cursor<Vec<u8>>);
    impl Read for Pipe {
        fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
            self.0.read(to)
        }
    }
    impl Seek for Pipe {
        fn seek(&mut self, _: SeekFrom) -> std::io::Result<u64> {
            Err(std::io::ErrorKind::Unsupported.into())
        }
    }
    impl MediaSource for Pipe {
        fn is_seekable(&self) -> bool {
            false
        }
        fn byte_len(&self) -> Option<u64> {
            Some(0)
        }
    }
    let piped = with_sizes(Some(u32::MAX), Some(u32::MAX), &[]);
    assert_eq!(audio_files::decode(Box::new(Pipe(Cursor::new(piped))), None).unwrap(), whole);
}

#[test]
fn sizes_that_disagree_are_told() {
    let len = stereo_wav().len() as u32;
    let whole = decode(&stereo_wav());
    for (what, file, says) in [
        ("a recorder that crashed", with_sizes(Some(36), None, &[]), [44, len]),
        ("one that had written nothing yet", with_sizes(Some(36), Some(0), &[]), [44, len]),
        ("sound beyond the end", with_sizes(None, Some(len), &[]), [len, len + 44]),
    ] {
        let audio = decode(&file);
        assert!(audio.is_cut_short && audio.channels == whole.channels, "{what}: {}", audio.len());
        let measure = |partial| {
            let options = ReportOptions { partial: Some(partial), ..ReportOptions::default() };
            let mut analysis = FileAnalysis::new(file.clone(), None, &options).unwrap();
            while analysis.step().unwrap() {}
            analysis.finish().map(|(report, _)| report)
        };
        let error = measure(false).unwrap_err().to_string();
        let [riff, sound] = says.map(|at| format!("at byte {at}"));
        assert!(
            error.contains("damaged") && error.contains(&riff) && error.contains(&sound),
            "{what}: {error}"
        );
        let report = measure(true).unwrap();
        assert_eq!((report.frames, report.is_cut_short), (N as u64, true), "{what}");
    }
}

#[test]
fn a_small_file_cannot_hold_hours_nor_odd_rates() {
    // 17,640 frames are 0.4 s; of a FLAC file of a few hundred bytes they could be hours.
    assert!(matches!(decode_within(FLAC, 0), Err(DecodeError::TooLong(0))));
    assert_eq!(decode_within(FLAC, 1).unwrap(), decode(FLAC));
    for rate in [1, 3_999, 768_001, u32::MAX] {
        let mut file = wav(1, 8_000, &[1; 64]);
        file[24..28].copy_from_slice(&rate.to_le_bytes());
        let refused = decode_bytes(file, None).unwrap_err();
        assert!(matches!(&refused, DecodeError::Unsupported(_)), "{rate}: {refused}");
        assert!(refused.to_string().contains(&format!("{rate} Hz")), "{refused}");
    }
}

#[test]
fn formats_are_known_by_their_first_bytes() {
    let types = [&stereo_wav()[..], &aiff(), FLAC, OGG, MP3].map(media_type);
    assert_eq!(types, ["audio/wav", "audio/aiff", "audio/flac", "audio/ogg", "audio/mpeg"]);
    assert_eq!(media_type(b"RI"), "audio/mpeg");
}

#[test]
fn damaged_files_never_panic() {
    let mut state = 7u32;
    let mut next = |limit: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (u64::from(state >> 4) as usize) % limit
    };
    let mut decoded = 0;
    for bytes in [&wav(2, 44_100, &[5; 2000])[..], &aiff()[..4000], &FLAC[..8000], MP3, &OGG[..6000]] {
        for _ in 0..400 {
            let mut bytes = bytes.to_vec();
            for _ in 0..1 + next(6) {
                // Headers are the dangerous part.
                let at = if next(2) == 0 { next(100.min(bytes.len())) } else { next(bytes.len()) };
                bytes[at] = next(256) as u8;
            }
            if let Ok(audio) = decode_bytes(bytes, None) {
                assert!(audio.channels.iter().all(|channel| channel.len() == audio.len()));
                decoded += 1;
            }
        }
    }
    assert!(decoded > 200, "{decoded}");
}

fn written(format: SampleFormat, blocks: &[StereoBlock]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut file = WavFile::new(&mut bytes, SampleRate::DEFAULT, format).unwrap();
    blocks.iter().for_each(|block| file.write(block).unwrap());
    file.finish().unwrap();
    bytes.into_inner()
}

fn blocks(n: usize, f: impl Fn(usize) -> f32) -> Vec<StereoBlock> {
    let block = |b: usize| {
        let mut block = StereoBlock::SILENCE;
        for i in 0..QUANTUM {
            block.left[i] = f(b * QUANTUM + i);
            block.right[i] = -block.left[i];
        }
        block
    };
    (0..n).map(block).collect()
}

#[test]
fn floats_and_24_bits_come_back() {
    let blocks = blocks(50, |i| 1.2 * (i as f32 * 0.01).sin());
    for (format, step) in [(SampleFormat::Float32, 0.0), (SampleFormat::Pcm24, 0.5 / 8_388_608.0)] {
        let audio = decode(&written(format, &blocks));
        assert_eq!((audio.rate, audio.len()), (48_000, 50 * QUANTUM));
        for (i, (left, right)) in audio.channels[0].iter().zip(&audio.channels[1]).enumerate() {
            let mut exact = blocks[i / QUANTUM].left[i % QUANTUM];
            if format == SampleFormat::Pcm24 {
                exact = exact.clamp(-1.0, 1.0 - 1.0 / 8_388_608.0);
            }
            assert!(
                (left - exact).abs() <= step && (right + exact).abs() <= 2.0 * step.max(1e-6),
                "{i}: {left}"
            );
        }
    }
}

#[test]
fn sixteen_bits_are_dithered_always_alike() {
    // A sine of a third of a step: without dither it would be silence.
    let third = blocks(2000, |i| (i as f32 * 0.05).sin() / 32_768.0 / 3.0);
    let bytes = written(SampleFormat::Pcm16, &third);
    assert_eq!(bytes, written(SampleFormat::Pcm16, &third), "deterministic");
    let audio = decode(&bytes);
    let (mut correlation, mut power, mut mean, mut noise) = (0.0, 0.0, 0.0, 0.0);
    for (i, x) in audio.channels[0].iter().enumerate() {
        let exact = f64::from(third[i / QUANTUM].left[i % QUANTUM]) * 32_768.0;
        let x = f64::from(*x) * 32_768.0;
        correlation += x * exact;
        power += exact * exact;
        mean += x - exact;
        noise += (x - exact).powi(2);
    }
    let n = audio.len() as f64;
    assert!((correlation / power - 1.0).abs() < 0.02, "the sine is there: {}", correlation / power);
    // Triangular dither of ±1 and rounding: a variance of 1/6 + 1/12, and no mean.
    assert!((noise / n - 0.25).abs() < 0.005 && (mean / n).abs() < 0.005, "{} {}", noise / n, mean / n);
    assert_eq!((SampleFormat::from_bits(16), SampleFormat::from_bits(20)), (Some(SampleFormat::Pcm16), None));
}
