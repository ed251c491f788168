//! Reports as golden JSON. `wasm-client/test/analyze.test.ts` compares the browser's with the same, number by number.

use std::collections::BTreeMap;

use antiphon_tests::{golden, root};
use audio_files::{FileAnalysis, PcmAnalysis};
use engine_core::analysis::report::ReportOptions;

/// Six channels of noise at 48 kHz, interleaved, with something to gate: every second 18 dB quieter than the last, four
/// levels around.
fn noise(n_frames: usize) -> Vec<Vec<f32>> {
    let mut x = 1u32;
    let mut channels = vec![Vec::new(); 6];
    for i in 0..n_frames {
        let gain = [1.0, 0.125, 0.015_625, 0.001_953_125][i / 48_000 % 4];
        for channel in &mut channels {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            // 24 bits, so that every step is exact in f32.
            channel.push(gain * ((x >> 8) as f32 / 8_388_608.0 - 1.0));
        }
    }
    channels
}

#[test]
fn reports_are_those_of_the_golden_file() {
    let options = ReportOptions::default();
    let mut reports = BTreeMap::new();
    for name in ["tone.flac", "tone.mp3", "tone.ogg"] {
        let file = std::fs::read(root().join("audio-files/tests/data").join(name)).expect("it is there");
        let mut analysis = FileAnalysis::new(file, None, &options).expect("it is audio");
        while analysis.step().expect("it is whole") {}
        reports.insert(name, analysis.finish().expect("it is whole").0);
    }
    let mut pcm = PcmAnalysis::new(48_000, 6, 0, &options).expect("six channels are allowed");
    pcm.push(&noise(480_000));
    reports.insert("noise", pcm.finish().expect("there is sound"));
    let json = serde_json::to_string_pretty(&reports).expect("numbers and strings");
    golden::check("report.json", &(json + "\n"));
}
