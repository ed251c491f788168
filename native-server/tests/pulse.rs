//! The whole path through a real sound system: the server plays a note through cpal into a PulseAudio null
//! sink, cpal records the sink's monitor, and the note is found in the recording.
//!
//! Sound systems are found through the environment, so the test runs itself again in one of its own.

#![cfg(target_os = "linux")]

mod common;
#[path = "common/pulse.rs"]
mod pulse;
#[path = "common/ready.rs"]
mod ready;

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine_core::composition::{Composition, CompositionSpec, Instrument, Note};
use native_server::audio::{DeviceChoice, Input, InputChoice};
use native_server::priority::Priority;
use native_server::server::{Config, Server};
use native_server::services::Opened;
use pulse::Pulse;

/// A4.
const PITCH: u8 = 69;
const HZ: f64 = 440.0;
const INSIDE: &str = "ANTIPHON_TEST_INSIDE_PULSE";

#[test]
fn a_note_is_heard_through_the_sound_system() {
    if std::env::var_os(INSIDE).is_some() {
        play_and_listen();
        return;
    }
    let pulse = Pulse::start();
    let test = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_note_is_heard_through_the_sound_system", "--nocapture"])
        .env(INSIDE, "1")
        .envs(pulse.environment())
        .env_remove("PULSE_SERVER")
        .output()
        .unwrap();
    drop(pulse);
    let said = format!("{}{}", String::from_utf8_lossy(&test.stdout), String::from_utf8_lossy(&test.stderr));
    assert!(test.status.success(), "{said}");
    println!("{said}");
}

fn play_and_listen() {
    tracing_subscriber::fmt().with_test_writer().init();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut track = common::track("A", PITCH);
    track.instrument = Instrument::program(19);
    track.clips[0].notes = vec![Note { pitch: PITCH, velocity: 110, start: 0, length: 64 * 960 }];
    let spec = CompositionSpec { tracks: vec![track], ..common::composition(Vec::new()).into_spec() };
    let composition = Composition::new(spec).unwrap();
    // By its name, since the default may be replaced by the null device, and the failure would not be told.
    let device = DeviceChoice::Named(String::from("default"));
    let opened = Opened { composition, samples: vec![] };
    let config = Config { device, opened, ..common::config() };
    let server = runtime.block_on(Server::start(config)).expect("the server starts");
    let device = server.device();

    let listening =
        Input::start(InputChoice::Default, device.rate, Arc::default(), Priority::Normal).unwrap();
    let (_listening, mut frames) = listening.expect("a thread that listens");
    let rate = f64::from(device.rate.hz());
    let mut record = |seconds: f64| {
        let n_frames = (seconds * rate) as usize;
        let mut recorded = Vec::with_capacity(n_frames);
        let start = Instant::now();
        while recorded.len() < n_frames {
            match frames.pop() {
                Ok([left, right]) => recorded.push(f64::from(0.5 * (left + right))),
                // cpal's thread fills the queue; it has no way to say when.
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "{} of {n_frames} frames arrived",
                recorded.len()
            );
        }
        recorded
    };

    // One clean second is enough: on a busy machine, sound cards and their readers stutter.
    let mut heard = Vec::new();
    let note = (0..15).find_map(|_| {
        let sound = record(1.0);
        let note = level(&sound, HZ, rate);
        // Between the harmonics there is nothing: a third above, a sixth above, and so on.
        let others = (0..8).flat_map(|n| [1.26, 1.5, 1.68].map(|ratio| HZ * (f64::from(n) + ratio)));
        let rest = others.map(|hz| level(&sound, hz, rate)).max_by(f64::total_cmp).unwrap();
        heard.push(format!("A4 {note:.1} dBFS, loudest of the rest {rest:.1} dBFS"));
        (note > -50.0 && note > rest + 20.0).then_some(note)
    });
    println!("{} at {} Hz, second by second: {heard:?}", device.name, device.rate.hz());
    let note = note.expect("A4, 20 dB above everything else");

    // What is heard is ours: it ends with the server.
    runtime.block_on(server.shutdown());
    record(1.0);
    let silence = level(&record(1.0), HZ, rate);
    assert!(silence < note - 40.0, "A4 is still at {silence:.1} dBFS");
}

/// Level of a sine of `hz` in dBFS: one bin of a DFT with a Hann window.
fn level(signal: &[f64], hz: f64, rate: f64) -> f64 {
    let n = signal.len() as f64;
    let (mut re, mut im) = (0.0, 0.0);
    for (i, x) in signal.iter().enumerate() {
        let window = 0.5 - 0.5 * (std::f64::consts::TAU * i as f64 / n).cos();
        let (sin, cos) = (std::f64::consts::TAU * hz * i as f64 / rate).sin_cos();
        re += x * window * cos;
        im -= x * window * sin;
    }
    // The window halves the sum, and a sine has half of its amplitude at its positive frequency.
    20.0 * (4.0 * re.hypot(im) / n).max(1e-9).log10()
}
