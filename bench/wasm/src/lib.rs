//! The worklet's feed without its engine, behind a raw ABI: what measuring costs, in WebAssembly.

mod spectrum;

use std::cell::RefCell;

use engine_core::analysis::ballistics::Ballistics;
use engine_core::control::{Quantum, TapId};
use engine_core::protocol::{Feed, StreamOptions, Subscription, Topic, encode_payload};
use engine_core::units::{QUANTUM, SampleRate};

/// Quanta of sound, which come again and again: 2 s.
const N_QUANTA: usize = 750;

struct Meters {
    feed: Feed,
    quantum: Quantum,
    left: Vec<f32>,
    right: Vec<f32>,
    bytes: Vec<u8>,
}

thread_local! {
    static METERS: RefCell<Option<Meters>> = const { RefCell::new(None) };
}

/// Noise, at a level that changes: neither silence nor full scale lets a meter off lightly.
fn sound(seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0) as f32
    };
    (0..N_QUANTA * QUANTUM).map(|i| next() * (0.1 + 0.8 * (i % 9_600) as f32 / 9_600.0)).collect()
}

/// Meters of one stereo tap, the master, at 30 frames a second: peaks, true peaks, RMS, clips, loudness in all its
/// values, correlation, and the needles of the kind of that number, or none for 0. 0, or 1 if there is no such kind.
#[unsafe(no_mangle)]
extern "C" fn meters_new(ballistics: u8) -> u32 {
    let ballistics = Ballistics::from_id(ballistics);
    let options = StreamOptions { ballistics, ..StreamOptions::default() };
    let Ok(subscription) = Subscription::new(Topic::Meters, TapId::MASTER, Some(30), &options) else {
        return 1;
    };
    let mut feed = Feed::new(SampleRate::DEFAULT);
    if feed.subscribe(&subscription).is_err() {
        return 1;
    }
    let bytes = Vec::with_capacity(1 << 12);
    let meters = Meters { feed, quantum: Quantum::new(), left: sound(1), right: sound(2), bytes };
    METERS.with(|slot| *slot.borrow_mut() = Some(meters));
    0
}

/// Measures so many quanta and encodes the frames. The number of bytes of the last one.
#[unsafe(no_mangle)]
extern "C" fn meters_run(n: u32) -> usize {
    METERS.with(|slot| {
        let mut slot = slot.borrow_mut();
        let Some(Meters { feed, quantum, left, right, bytes }) = slot.as_mut() else { return 0 };
        for _ in 0..n {
            let at = (quantum.sample_position as usize / QUANTUM) % N_QUANTA * QUANTUM;
            quantum.master.left.copy_from_slice(&left[at..][..QUANTUM]);
            quantum.master.right.copy_from_slice(&right[at..][..QUANTUM]);
            feed.process(quantum, &mut |_, frame| {
                bytes.clear();
                encode_payload(&frame.payload, bytes);
            });
            quantum.sample_position += QUANTUM as u64;
        }
        bytes.len()
    })
}
