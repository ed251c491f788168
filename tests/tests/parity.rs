//! The same bits natively and in WebAssembly: ten seconds of the bundled composition, all audio and all
//! encoded frames, compared byte for byte. `e2e/parity.spec.ts` does the same in Chromium, and `cargo xtask test`
//! runs this once more with all that the processor has (`-Ctarget-cpu=native`).

use std::process::Command;
use std::sync::OnceLock;
use std::{env, fs};

use antiphon_tests::recording::{Piece, Recording};
use antiphon_tests::scenario::Scenario;
use antiphon_tests::{golden, root, scratch};
use engine_core::protocol::{Topic, decode_payload};

/// The native performance; also left in `target/tests` for the browser test, next to its scenario.
fn native() -> &'static (Scenario, Recording) {
    static NATIVE: OnceLock<(Scenario, Recording)> = OnceLock::new();
    NATIVE.get_or_init(|| {
        let midi_file = fs::read(root().join("www/public/antiphon.mid")).expect("the composition is there");
        let scenario = Scenario::new(&midi_file);
        let recording = scenario.play();
        let json = serde_json::to_vec(&scenario).expect("a scenario has JSON");
        fs::write(scratch().join("parity.json"), json).expect("target can be written");
        fs::write(scratch().join("parity.native.bin"), &recording.0).expect("target can be written");
        golden::note(&env::var("ANTIPHON_TARGET").unwrap_or("native".into()), &recording);
        (scenario, recording)
    })
}

#[test]
fn wasm_in_node_gives_the_same_bytes() {
    native();
    let wasm = in_node("parity", &[]);
    golden::note("wasm in Node", &wasm);
    if let Some(difference) = native().1.difference(&wasm) {
        panic!("native and wasm differ: {difference}");
    }
}

/// What Node makes of the scenario of that name, with these parts of the worklet or all.
fn in_node(scenario: &str, parts: &[&str]) -> Recording {
    let modules = root().join("wasm-client/pkg");
    assert!(modules.join("antiphon_worklet.wasm").exists(), "run `cargo xtask wasm` first");
    let out = scratch().join(format!("{scenario}.node.bin"));
    let run = Command::new("node")
        .arg(root().join("tests/parity/run.mjs"))
        .args([&modules, &scratch().join(format!("{scenario}.json")), &out])
        .args(parts)
        .output()
        .expect("node can be started");
    assert!(run.status.success(), "{scenario} with {parts:?}: {}", String::from_utf8_lossy(&run.stderr));
    Recording(fs::read(&out).expect("the script wrote it"))
}

/// The build guesses which data belongs to which part (xtask/src/split/data.rs). A part that is not there leaves zeros in
/// the place of its data, which nothing but wrong values tells.
#[test]
fn parts_give_the_same_bytes_without_those_that_their_streams_do_not_need() {
    let base = [Topic::Transport, Topic::Meters, Topic::Audio];
    let scope = [Topic::Waveform, Topic::Stereo, Topic::Trigger, Topic::Analytics];
    let cases: [(&[&str], &[Topic]); 4] = [
        (&[], &[]),
        (&["spectrum"], &[Topic::Spectrum]),
        (&["spectrum", "music"], &[Topic::Spectrum, Topic::Music]),
        (&["scope"], &scope),
    ];
    for (parts, topics) in cases {
        for scenario in native().0.of(&[&base, topics].concat()) {
            let kind = if scenario.has_engine { "played" } else { "measured" };
            let name = [&["parity", kind], parts].concat().join("-");
            let json = serde_json::to_vec(&scenario).expect("a scenario has JSON");
            fs::write(scratch().join(format!("{name}.json")), json).expect("target can be written");
            let engine = scenario.has_engine.then_some("worklet");
            let parts: Vec<_> = ["analysis"].iter().chain(parts).copied().chain(engine).collect();
            let difference = scenario.play().difference(&in_node(&name, &parts));
            assert_eq!(difference, None, "native and {parts:?} differ");
        }
    }
}

#[test]
fn a_second_performance_gives_the_same_bytes() {
    let (scenario, first) = native();
    assert_eq!(first.difference(&scenario.play()), None);
}

#[test]
fn the_bytes_are_those_of_the_golden_file() {
    golden::check("parity.txt", &golden::hashes(&native().1));
}

/// What is compared is worth comparing: sound in both channels, every topic, frames that decode.
#[test]
fn the_performance_has_sound_and_frames_of_every_topic() {
    let (scenario, recording) = native();
    let pieces = recording.pieces();
    let mut peak = [0.0f32; 2];
    let mut n_frames = [0usize; 16];
    let mut n_quanta = 0;
    for piece in &pieces {
        match piece {
            Piece::Audio { bytes, .. } => {
                n_quanta += 1;
                let (left, right) = bytes.split_at(bytes.len() / 2);
                for (channel, bytes) in [left, right].into_iter().enumerate() {
                    for sample in bytes.chunks_exact(4) {
                        let sample = f32::from_le_bytes(sample.try_into().expect("four bytes"));
                        assert!(sample.is_finite());
                        peak[channel] = peak[channel].max(sample.abs());
                    }
                }
            }
            Piece::Frame { header, bytes, .. } => {
                n_frames[usize::from(header.topic)] += 1;
                assert_eq!(header.epoch, scenario.epoch);
                decode_payload(header, &bytes[engine_core::protocol::HEADER_LEN..])
                    .expect("it was just encoded");
            }
        }
    }
    assert_eq!(n_quanta, scenario.n_quanta);
    assert!(peak.iter().all(|peak| (0.1..=1.0).contains(peak)), "peaks {peak:?}");
    // Ten seconds at 30 a second, 60 for what was asked so; transport comes five times a second at least.
    for (topic, at_least) in [
        (Topic::Transport, 50),
        (Topic::Meters, 295),
        (Topic::Spectrum, 3000),
        (Topic::Waveform, 1400),
        (Topic::Axis, 6),
        (Topic::Stereo, 295),
        (Topic::Music, 295),
        (Topic::Trigger, 1),
        (Topic::Audio, 295),
    ] {
        let n = n_frames[topic as usize];
        assert!(n >= at_least, "{n} frames of {}, expected {at_least}", topic.name());
    }
    assert!(n_frames[Topic::Analytics as usize] > 0);
}
