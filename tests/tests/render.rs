//! The bytes of a rendered WAV file. `wasm-client/test/offline.test.ts` compares the browser's with the same hashes.

use std::fmt::Write;
use std::io::Cursor;
use std::sync::Arc;

use antiphon_tests::{golden, root};
use audio_files::{SampleFormat, WavFile, decode_bytes};
use engine_core::composition::Composition;
use engine_core::engine::offline::{DEFAULT_TAIL_SECONDS, Render};
use engine_core::units::SampleRate;
use sha2::{Digest, Sha256};

/// Synth, drums, an audio clip and a sampler of a FLAC file, a send to a reverb, a change of tempo.
#[test]
fn a_render_has_the_bytes_of_the_golden_file() {
    let read = |path: &str| std::fs::read(root().join(path)).expect("it is in the repository");
    let composition: Composition =
        serde_json::from_slice(&read("tests/data/render.json")).expect("every value is in range");
    let file = read("audio-files/tests/data/tone.flac");
    let mut lines = String::new();
    for (hz, bits) in [(48_000, 16), (48_000, 24), (48_000, 32), (44_100, 32)] {
        let rate = SampleRate::new(hz).expect("it is in range");
        let tone = Arc::new(decode_bytes(file.clone(), None).expect("it is audio").into_sample(rate));
        let mut wav = Cursor::new(Vec::new());
        let format = SampleFormat::from_bits(bits).expect("there is a format");
        let mut to = WavFile::new(&mut wav, rate, format).expect("memory takes it");
        for block in Render::new(&composition, |_| Some(tone.clone()), rate, DEFAULT_TAIL_SECONDS) {
            to.write(&block).expect("memory takes it");
        }
        to.finish().expect("memory takes it");
        let wav = wav.into_inner();
        let _ = writeln!(lines, "{hz} {bits} {} {}", wav.len(), sha256(&wav));
    }
    golden::check("render.txt", &lines);
}

/// Decoded and resampled for an engine, left then right.
#[test]
fn decoded_files_have_the_bytes_of_the_golden_file() {
    let mut lines = String::new();
    for name in ["tone.flac", "tone.mp3", "tone.ogg"] {
        let file = std::fs::read(root().join("audio-files/tests/data").join(name)).expect("it is there");
        let sample = decode_bytes(file, None).expect("it is audio").into_sample(SampleRate::DEFAULT);
        let bytes: Vec<u8> = sample.left.iter().chain(&sample.right).flat_map(|x| x.to_le_bytes()).collect();
        let _ = writeln!(lines, "{name} {} {}", sample.len(), sha256(&bytes));
    }
    golden::check("decode.txt", &lines);
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
