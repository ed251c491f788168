//! The clock and the playhead against a simulated network: delays that vary by 50 ms each way, from fixed seeds.

#[path = "common/seeded.rs"]
mod seeded;

use antiphon_wasm::clock::{Clock, Heard, MAX_AHEAD_SECONDS, Playhead};
use antiphon_wasm::session::{CLOCK_PINGS, FIRST_PINGS};
use engine_core::control::{PlayState, TapId, TransportSnapshot};
use engine_core::protocol::{Flags, Frame, Payload, Transport};
use engine_core::units::QUANTUM;
use seeded::Seeded;

const JITTER_MS: f64 = 50.0;
const RATE: u32 = 48_000;
/// The server's clock minus ours: it counts from 1970.
const OFFSET_MS: f64 = 1_700_000_000_123.4;

fn trip(clock: &mut Clock, now: f64, base_ms: f64, random: &mut Seeded) -> f64 {
    let t1 = now + base_ms + random.next() * JITTER_MS;
    let t2 = t1 + 0.2;
    let t3 = t2 + base_ms + random.next() * JITTER_MS;
    clock.pong(now, t1 + OFFSET_MS, t2 + OFFSET_MS, t3);
    t3
}

fn transport(tick: f64, sample: u64, server_time: f64, state: PlayState) -> Frame {
    let snapshot = TransportSnapshot {
        state,
        tick,
        seconds: tick / 1920.0,
        loop_enabled: true,
        loop_start: 960,
        loop_end: 4800,
        ..TransportSnapshot::default()
    };
    Frame {
        tap: TapId::MASTER,
        flags: Flags::default(),
        sample_position: sample + QUANTUM as u64,
        payload: Payload::Transport(Transport { snapshot, server_time, composition_revision: 0 }),
    }
}

fn heard_at(playhead: &Playhead, sample: f64) -> Option<Heard> {
    playhead.at(sample, RATE, MAX_AHEAD_SECONDS)
}

#[test]
fn the_offset_is_found_within_10_ms_under_50_ms_of_jitter() {
    for seed in 0..500 {
        let mut random = Seeded(seed);
        let mut clock = Clock::default();
        assert_eq!(clock.offset(), None);
        let mut now = 0.0;
        for n in 1..=CLOCK_PINGS {
            now = trip(&mut clock, now, 8.0, &mut random);
            let error = (clock.offset().unwrap() - OFFSET_MS).abs();
            assert!(error <= clock.uncertainty().unwrap(), "seed {seed}: {error} ms is more than it says");
            // One trip may be half of the jitter off; of four, the least are seldom far apart.
            let bound = if n < FIRST_PINGS { JITTER_MS / 2.0 } else { JITTER_MS / 2.0 * 0.9 };
            assert!(error <= bound, "seed {seed}, pong {n}: {error} ms");
        }
        let error = (clock.offset().unwrap() - OFFSET_MS).abs();
        assert!(error <= 10.0, "seed {seed}: {error} ms");
    }
}

#[test]
fn pongs_that_make_no_sense_are_ignored() {
    let mut clock = Clock::default();
    clock.pong(0.0, f64::NAN, 1.0, 2.0);
    clock.pong(10.0, 5.0, 50.0, 12.0);
    assert_eq!((clock.offset(), clock.uncertainty()), (None, None));
}

#[test]
fn the_playhead_is_what_is_heard_within_10_ms() {
    const LATENCY_MS: f64 = 30.0;
    for seed in 0..200 {
        let mut random = Seeded(1000 + seed);
        let mut clock = Clock::default();
        let mut playhead = Playhead::default();
        let mut now = 0.0;
        for _ in 0..CLOCK_PINGS {
            now = trip(&mut clock, now, 3.0, &mut random);
        }
        // From `now` on it plays from tick 0 at 120 bpm, which is 1.92 ticks a millisecond; five frames a second,
        // each of them seen by the publisher up to 4 ms late, and by us up to 50 ms later.
        let begin = now;
        for n in 0..9 {
            let at = 200.0 * f64::from(n);
            let server_time = begin + at + random.next() * 4.0 + OFFSET_MS;
            playhead.observe(&transport(at * 1.92, (at * 48.0) as u64, server_time, PlayState::Playing));
        }
        for step in 0..30 {
            let at = 1600.0 + 20.0 * f64::from(step);
            let server_now = begin + at + clock.offset().unwrap();
            let sample = playhead.sample_at(server_now - LATENCY_MS, RATE).unwrap();
            let heard = heard_at(&playhead, sample).unwrap();
            let expected = (at - LATENCY_MS) / 1000.0;
            assert!(
                (heard.seconds - expected).abs() <= 0.010,
                "seed {seed}: {} at {expected}",
                heard.seconds
            );
            assert!(heard.is_playing);
        }
    }
}

#[test]
fn what_was_seeked_is_shown_when_it_is_heard() {
    let mut playhead = Playhead::default();
    playhead.observe(&transport(0.0, 0, 0.0, PlayState::Playing));
    playhead.observe(&transport(4000.0, 4800, 100.0, PlayState::Playing));
    let beats = |sample| heard_at(&playhead, sample).unwrap().beats;
    assert!((beats(4799.0) - 0.2).abs() < 1e-3);
    assert!((beats(4800.0) - 4000.0 / 960.0).abs() < 1e-9);
    // 800 ticks to the loop's end, 20,000 samples; then round.
    assert!((beats(4800.0 + 20_000.0) - 1.0).abs() < 1e-9);
    assert!((beats(4800.0 + 24_000.0) - (1.0 + 160.0 / 960.0)).abs() < 1e-9);
    // It does not guess for longer than it may, nor before what it knows.
    assert_eq!(beats(1e9), beats(4800.0 + 72_000.0));
    assert_eq!(beats(-500.0), 0.0);
}

#[test]
fn a_playhead_at_rest_stays_and_another_engine_starts_anew() {
    let mut playhead = Playhead::default();
    assert_eq!(heard_at(&playhead, 0.0), None);
    playhead.observe(&transport(960.0, 48_000, 1000.0, PlayState::Paused));
    let heard = heard_at(&playhead, 96_000.0).unwrap();
    assert_eq!((heard.beats, heard.seconds, heard.is_playing), (1.0, 0.5, false));
    playhead.observe(&transport(0.0, 128, 1100.0, PlayState::Stopped));
    assert_eq!(heard_at(&playhead, 96_000.0).unwrap().beats, 0.0);
    // 100 ms after its frame, which says where the quantum began.
    assert!((playhead.sample_at(1200.0, RATE).unwrap() - 4928.0).abs() < 1e-6);
}
