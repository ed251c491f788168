//! The real-time callback never allocates and never frees, whatever happens in it.

#[path = "../../engine-core/tests/common/allocations.rs"]
mod allocations;

use std::sync::Arc;

use allocations::allocations;
use engine_core::composition::{ControlKind, midi};
use engine_core::control::{Command, Program, StripChange, StripTarget};
use engine_core::engine::Project;
use engine_core::units::SampleRate;
use native_server::audio::{Lease, Renderer, ToEngine, connect};

#[test]
fn the_callback_neither_allocates_nor_frees() {
    assert!(allocations(|| drop(std::hint::black_box(Box::new(1)))) >= 2, "the counter counts");

    let file = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../www/public/antiphon.mid")).unwrap();
    let program = Program::compile(&midi::import(&file, "x").unwrap());
    let (queue, ends, mut publisher) = connect(16);
    let (mut input_tx, input_rx) = rtrb::RingBuffer::new(4096);
    let mut renderer = Renderer::new(SampleRate::DEFAULT, ends, Arc::default());
    renderer.feed(input_rx);
    let mut out = vec![0.0f32; 2 * 1000];
    let mut shorts = vec![0i16; 6 * 333];
    for round in 0..400u32 {
        // What the host does between callbacks may allocate.
        if round % 50 == 0 {
            queue
                .send([
                    ToEngine::Load(Box::new(Project::new(program.clone(), SampleRate::DEFAULT))),
                    ToEngine::Command(Command::Play),
                ])
                .unwrap();
        }
        if round % 50 == 25 {
            queue
                .send([ToEngine::Update(Box::new(Project::new(program.clone(), SampleRate::DEFAULT)))])
                .unwrap();
        }
        let change = StripChange::GainDb(-(round as f32 % 40.0));
        let commands = [
            Command::SetStrip { target: StripTarget::Track(0), change },
            Command::Locate { tick: f64::from(round) * 300.0 },
            Command::SetLoop { enabled: round % 2 == 0, start: 0, end: 9600 },
            Command::SetTempo { at_tick: 0.0, bpm: 60.0 + f64::from(round % 200) },
            Command::SetMetronome { enabled: round % 3 == 0 },
            Command::NoteOn { track: 0, pitch: (round % 128) as u8, velocity: 100 },
            Command::NoteOff { track: 0, pitch: (round % 64) as u8 },
            Command::Control { track: 0, kind: ControlKind::PitchBend, value: round as f32 % 3.0 },
            Command::Arm { track: Some((round % 2) as u16) },
            Command::Record { count_in_bars: 0 },
        ];
        queue.send(commands.map(ToEngine::Command)).unwrap();
        while input_tx.push([0.1, -0.1]).is_ok() {}
        let n_calls = allocations(|| {
            renderer.render(&mut out, 2, |x| x);
            renderer.render(&mut shorts, 6, |x| (x * 32767.0) as i16);
        });
        assert_eq!(n_calls, 0, "round {round}");
        // The publisher is late in every other round: the pool runs dry.
        if round % 2 == 1 {
            while let Ok(rendered) = publisher.full.pop() {
                publisher.free.push(rendered.quantum).unwrap();
            }
            while publisher.retired.pop().is_ok() {}
            // What was played live waits far longer for room.
            while round % 100 == 99 && publisher.played.pop().is_ok() {}
        }
    }
    assert!(renderer.stats().xruns.load(std::sync::atomic::Ordering::Relaxed) > 0, "the pool did run dry");

    // Nor does a device of another rate, whose callbacks are of any length.
    let (home, _returned) = std::sync::mpsc::sync_channel(1);
    let mut lease = Lease::new(Box::new(renderer), SampleRate::new(44_100).unwrap(), home);
    for n_frames in [1, 441, 1024, 5000] {
        let mut out = vec![0.0f32; 2 * n_frames];
        assert_eq!(allocations(|| lease.render(&mut out, 2, |x| x)), 0, "{n_frames} frames");
    }
}
