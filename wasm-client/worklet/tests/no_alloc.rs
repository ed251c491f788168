//! `render` never allocates: not for frames, not for axes, not for snapshots.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use antiphon_worklet::Worklet;
use engine_core::composition::{Clip, Composition, CompositionSpec, Instrument, Note, Track};
use engine_core::control::{Command, Program, TapId};
use engine_core::protocol::{StreamOptions, Subscription, Topic};

struct Counting;

thread_local! {
    static N_CALLS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: it hands everything on to the system's allocator and only counts.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        N_CALLS.with(|n_calls| n_calls.set(n_calls.get() + 1));
        // SAFETY: the caller's promise is the system allocator's too.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        N_CALLS.with(|n_calls| n_calls.set(n_calls.get() + 1));
        // SAFETY: the caller's promise is the system allocator's too.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

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
    let before = N_CALLS.with(Cell::get);
    for quantum in 0..2_000u32 {
        worklet.render(None, f64::from(quantum));
        n_bytes += worklet.frames(0).len() + worklet.frames(1).len();
    }
    let n_calls = N_CALLS.with(Cell::get) - before;
    assert!(n_bytes > 100_000, "it made frames: {n_bytes} bytes");
    assert_eq!(n_calls, 0);
}
