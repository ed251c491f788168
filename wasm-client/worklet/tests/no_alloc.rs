//! `render` never allocates: not for frames, not for axes, not for snapshots.

#[path = "../../../engine-core/tests/common/allocations.rs"]
mod allocations;

use allocations::allocations;
use antiphon_worklet::Worklet;
use engine_core::composition::{Clip, Composition, CompositionSpec, Instrument, Note, Track};
use engine_core::control::{Command, Program, TapId};
use engine_core::protocol::{StreamOptions, Subscription, Topic};

fn bytes<T: serde::Serialize>(message: &T) -> Vec<u8> {
    postcard::to_stdvec(message).expect("it is plain data")
}

#[test]
fn rendering_does_not_allocate() {
    let mut worklet = Worklet::new(48_000, 1).expect("48 kHz is a rate");
    let note = Note { pitch: 64, velocity: 100, start: 0, length: 960 };
    let clips = vec![Clip::new(0, 1920, vec![note])];
    let tracks = vec![Track { clips, ..Track::new("t", Instrument::default()) }];
    let spec = CompositionSpec { name: "n".into(), length: 1920, tracks, ..CompositionSpec::default() };
    let program = Program::compile(&Composition::new(spec).expect("it is in range"));
    worklet.load(&bytes(&program)).expect("it is a program");
    for command in [Command::SetLoop { enabled: true, start: 0, end: 1920 }, Command::Play] {
        worklet.command(&bytes(&command)).expect("it is a command");
    }
    for topic in Topic::STREAMS {
        for (lane, tap) in [(0, TapId::MASTER), (1, TapId::track(0))] {
            let options = match topic {
                Topic::Spectrum => {
                    StreamOptions { wide: Some(true), channels: Some(2), ..StreamOptions::default() }
                }
                Topic::Trigger => {
                    serde_json::from_str(r#"{"kind":"loudness","above_lufs":-60,"once":false}"#)
                        .expect("they are options")
                }
                Topic::Meters => StreamOptions { tap_loudness: Some(true), ..StreamOptions::default() },
                _ => StreamOptions::default(),
            };
            let subscription = Subscription::new(topic, tap, Some(120), &options).expect("it is in range");
            worklet.subscribe(lane, &bytes(&subscription)).expect("it is fresh");
        }
    }
    let mut n_bytes = 0;
    let n_calls = allocations(|| {
        for quantum in 0..2_000u32 {
            worklet.render(None, f64::from(quantum));
            n_bytes += worklet.frames(0).len() + worklet.frames(1).len();
        }
    });
    assert!(n_bytes > 100_000, "it made frames: {n_bytes} bytes");
    assert_eq!(n_calls, 0);
}
