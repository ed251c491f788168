//! Nothing that runs on the audio thread allocates.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use common::{DRUMS, ORGAN, composition, engine, note, track};
use engine_core::buffer::StereoBlock;
use engine_core::control::{Command, Program, Quantum, StripChange, StripTarget, TapId};
use engine_core::protocol::{Feed, StreamOptions, Subscription, Topic, encode_payload};
use engine_core::units::{PPQ, SampleRate};

/// The system's allocator, counting calls on threads that ask for it.
struct Counting;

thread_local! {
    static CALLS: Cell<Option<u64>> = const { Cell::new(None) };
}

fn count() {
    // A thread that is being torn down has no counter any more.
    let _ = CALLS.try_with(|calls| calls.set(calls.get().map(|n| n + 1)));
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(f: impl FnOnce()) -> u64 {
    CALLS.set(Some(0));
    f();
    CALLS.take().unwrap()
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 2);
}

#[test]
fn playing_measuring_and_encoding_allocate_nothing() {
    let notes: Vec<_> = (0..200).map(|i| note(30 + (i % 60) as u8, i * 96, 200)).collect();
    let tracks = vec![track(ORGAN, &notes), track(DRUMS, &notes), track(ORGAN, &notes)];
    let c = composition(24, &[(0, 120.0), (960, 200.0)], tracks);
    let mut engine = engine(48_000, &c);
    let mut feed = Feed::new(SampleRate::DEFAULT);
    for topic in Topic::STREAMS {
        for tap in [TapId::MASTER, TapId::track(1), TapId::INPUT] {
            let sub = Subscription::new(topic, tap, Some(60), &StreamOptions::default()).unwrap();
            feed.subscribe(&sub).unwrap();
        }
    }
    let mut bytes = Vec::with_capacity(1 << 16);
    let mut quantum = Quantum::new();
    let input = StereoBlock::SILENCE;
    let mut next =
        Some(Box::new(Program::compile(&composition(8, &[(0, 90.0)], vec![track(ORGAN, &notes[..9])]))));
    let mut retired = None;
    let mut n_frames = 0;
    let calls = allocations(|| {
        engine.command(Command::SetLoop { enabled: true, start: 0, end: 8 * PPQ });
        engine.command(Command::SetMetronome { enabled: true });
        engine.command(Command::Play);
        for n in 0..2000 {
            match n {
                500 => engine.command(Command::SetTempo { at_tick: 0.0, bpm: 333.0 }),
                600 => engine.command(Command::Locate { tick: 17.0 }),
                700 => engine.command(Command::SetStrip {
                    target: StripTarget::Track(0),
                    change: StripChange::Solo(true),
                }),
                800 => engine.command(Command::NoteOn { track: 2, pitch: 64, velocity: 99 }),
                1500 => retired = next.take().map(|program| engine.load(program)),
                1510 => engine.command(Command::Play),
                _ => {}
            }
            engine.process(Some(&input), &mut quantum);
            bytes.clear();
            feed.process(&quantum, &mut |_, frame| {
                n_frames += 1;
                encode_payload(&frame.payload, &mut bytes);
            });
        }
    });
    assert!(retired.is_some() && n_frames > 1000);
    assert_eq!(calls, 0);
}
