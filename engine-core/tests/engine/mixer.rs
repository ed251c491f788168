//! The mixer of a whole engine: effects, sends and updates of what plays.

use engine_core::analysis::true_peak::TruePeak;
use engine_core::composition::{
    BandShape, Bus, Composition, Compressor, Delay, Effect, EqualiserBand, Reverb, Send, Track,
};
use engine_core::control::{Command, PlayState, Quantum, StripChange, StripTarget};
use engine_core::engine::Engine;
use engine_core::units::PPQ;
use uuid::Uuid;

use crate::common::true_peak::reference_dbtp;
use crate::common::{DRUMS, ORGAN, composition, engine, note, project, track};

const BUS: Uuid = Uuid::from_u128(0xb);

fn bus(effects: Vec<Effect>) -> Bus {
    Bus { id: BUS, name: "Bus".into(), gain_db: 0.0, pan: 0.0, mute: false, effects }
}

fn changed(
    c: &Composition,
    change: impl FnOnce(&mut engine_core::composition::CompositionSpec),
) -> Composition {
    let mut spec = c.clone().into_spec();
    change(&mut spec);
    Composition::new(spec).unwrap()
}

/// Organ on one track, drums on another, the first sending to a reverb; every kind of effect.
fn busy() -> Composition {
    let chords: Vec<_> =
        (0..32).flat_map(|i| [60, 64, 67].map(|p| note(p + i as u8 % 5, i * 240, 200))).collect();
    let beats: Vec<_> = (0..32).map(|i| note(if i % 2 == 0 { 36 } else { 38 }, i * 240, 100)).collect();
    let band = |shape, hz, gain_db| EqualiserBand { shape, hz, gain_db, q: 0.8 };
    let bands = vec![band(BandShape::LowShelf, 200.0, 3.0), band(BandShape::Bell, 2_000.0, -4.0)];
    let tracks = vec![
        Track {
            effects: vec![Effect::Equaliser { bands }, Effect::Delay(Delay::default())],
            ..track(ORGAN, &chords)
        },
        Track { effects: vec![Effect::Compressor(Compressor::default())], ..track(DRUMS, &beats) },
    ];
    changed(&composition(8, &[(0, 120.0)], tracks), |spec| {
        spec.buses = vec![bus(vec![Effect::Reverb(Reverb { mix: 1.0, ..Reverb::default() })])];
        spec.tracks[0].sends = vec![Send { bus: BUS, gain_db: -6.0, pre_fader: false }];
        spec.master.effects = vec![Effect::Compressor(Compressor::default())];
        spec.master.gain_db = 3.0;
    })
}

/// Left and right of the master over `n` quanta.
fn run(engine: &mut Engine, n: usize) -> [Vec<f32>; 2] {
    let (mut quantum, mut out) = (Quantum::new(), [Vec::new(), Vec::new()]);
    for _ in 0..n {
        engine.process(None, &mut quantum);
        out[0].extend(quantum.master.left);
        out[1].extend(quantum.master.right);
    }
    out
}

fn rms(samples: &[f32]) -> f32 {
    (samples.iter().map(|x| x * x).sum::<f32>() / samples.len() as f32).sqrt()
}

#[test]
fn an_update_to_the_same_changes_not_a_bit() {
    let c = busy();
    let (mut updated, mut left_alone) = (engine(48_000, &c), engine(48_000, &c));
    for engine in [&mut updated, &mut left_alone] {
        engine.command(Command::SetMetronome { enabled: true });
        engine.command(Command::SetLoop { enabled: true, start: 0, end: 5 * PPQ + 7 });
        engine.command(Command::Play);
    }
    for n in 0..1_500 {
        if n % 7 == 3 {
            drop(updated.update(project(48_000, &c)));
        }
        assert!(run(&mut updated, 1) == run(&mut left_alone, 1), "quantum {n}");
    }
}

#[test]
fn an_update_changes_what_plays_and_goes_on() {
    let c = busy();
    let mut engine = engine(48_000, &c);
    engine.command(Command::Play);
    let _ = run(&mut engine, 300);
    let mut quantum = Quantum::new();
    engine.process(None, &mut quantum);
    let (tick, revision) = (quantum.transport.tick, quantum.transport.revision);
    let louder = changed(&c, |spec| spec.tracks[0].gain_db = -120.0);
    drop(engine.update(project(48_000, &louder)));
    engine.process(None, &mut quantum);
    assert_eq!(quantum.transport.state, PlayState::Playing);
    assert!(!quantum.discontinuity && quantum.transport.revision != revision);
    // 120 bpm: 1,920 ticks a second.
    assert!((quantum.transport.tick - tick - 128.0 * 1_920.0 / 48_000.0).abs() < 1e-6);
    let _ = run(&mut engine, 20);
    engine.process(None, &mut quantum);
    assert_eq!(rms(&quantum.tracks[0].left), 0.0, "the fader of the new composition");
    assert!(rms(&quantum.master.left) > 0.0);
}

#[test]
fn notes_that_an_update_takes_away_end_and_live_ones_stay() {
    let held = |notes: &[_]| composition(16, &[(0, 120.0)], vec![track(ORGAN, notes)]);
    let mut engine = engine(48_000, &held(&[note(60, 0, 8 * PPQ), note(64, 0, 8 * PPQ)]));
    engine.command(Command::Play);
    engine.command(Command::NoteOn { track: 0, pitch: 72, velocity: 90 });
    let _ = run(&mut engine, 50);
    // 60 is gone, 64 is shorter but still sounds, 67 starts later.
    drop(engine.update(project(48_000, &held(&[note(64, 0, 4 * PPQ), note(67, 2 * PPQ, PPQ)]))));
    let mut quantum = Quantum::new();
    let mut pitches = |engine: &mut Engine| {
        engine.process(None, &mut quantum);
        let t = &quantum.transport;
        let mut pitches: Vec<u8> = t.active_notes[..t.n_active_notes].iter().map(|n| n.pitch).collect();
        pitches.sort_unstable();
        pitches
    };
    assert_eq!(pitches(&mut engine), [64, 72]);
    let _ = run(&mut engine, 375);
    assert_eq!(pitches(&mut engine), [64, 67, 72]);
    let _ = run(&mut engine, 400);
    assert_eq!(pitches(&mut engine), [72]);
    engine.command(Command::NoteOff { track: 0, pitch: 72 });
    assert_eq!(pitches(&mut engine), [0u8; 0]);
}

#[test]
fn an_update_without_a_track_ends_its_notes() {
    let part = |pitch| track(ORGAN, &[note(pitch, 0, 8 * PPQ)]);
    let mut engine = engine(48_000, &composition(8, &[(0, 120.0)], vec![part(60), part(67)]));
    engine.command(Command::Play);
    let _ = run(&mut engine, 50);
    drop(engine.update(project(48_000, &composition(8, &[(0, 120.0)], vec![part(60)]))));
    let mut quantum = Quantum::new();
    engine.process(None, &mut quantum);
    assert_eq!((quantum.n_tracks, quantum.transport.n_active_notes), (1, 1));
    // It fades out meanwhile.
    let _ = run(&mut engine, 10);
    engine.process(None, &mut quantum);
    assert_eq!((quantum.n_tracks, quantum.n_voices), (1, 1));
}

#[test]
fn a_track_reaches_its_bus_and_a_bus_the_master() {
    let part = track(ORGAN, &[note(48, 0, 16 * PPQ)]);
    let c = changed(&composition(16, &[(0, 120.0)], vec![part]), |spec| {
        spec.tracks[0].sends = vec![Send { bus: BUS, gain_db: 0.0, pre_fader: true }];
        spec.tracks[0].gain_db = -120.0;
        spec.buses = vec![bus(vec![])];
    });
    let mut engine = engine(48_000, &c);
    engine.command(Command::Play);
    let _ = run(&mut engine, 200);
    let [left, right] = run(&mut engine, 100);
    assert!(rms(&left) > 0.01 && left == right);
    engine.command(Command::SetStrip { target: StripTarget::Bus(0), change: StripChange::Pan(1.0) });
    let _ = run(&mut engine, 20);
    let [left, right_only] = run(&mut engine, 100);
    assert_eq!(rms(&left), 0.0);
    assert!((rms(&right_only) / rms(&right) - 2f32.sqrt()).abs() < 0.02);
    engine.command(Command::SetSend { track: 0, bus: 0, gain_db: 0.0, pre_fader: false });
    let _ = run(&mut engine, 20);
    assert_eq!(rms(&run(&mut engine, 100)[1]), 0.0, "after a closed fader");
}

#[test]
fn the_loudest_mix_holds_the_true_peak() {
    let loud = changed(&busy(), |spec| {
        spec.master.gain_db = 12.0;
        spec.tracks.iter_mut().for_each(|track| track.gain_db = 12.0);
    });
    for rate in [44_100, 48_000, 96_000] {
        let mut engine = engine(rate, &loud);
        engine.command(Command::Play);
        for channel in run(&mut engine, rate as usize / 32) {
            // The meter may read a little more than there is: what it finds is measured exactly.
            let loudest = channel
                .windows(4_096)
                .step_by(2_048)
                .map(|part| (TruePeak::new().process(part), part))
                .max_by(|a, b| a.0.total_cmp(&b.0));
            let dbtp = reference_dbtp(loudest.unwrap().1);
            assert!(dbtp <= -1.0 && dbtp > -3.0, "{dbtp} dBTP at {rate}");
        }
    }
}

#[test]
fn every_effect_falls_silent_in_the_end() {
    let mut engine = engine(48_000, &busy());
    engine.command(Command::Play);
    let _ = run(&mut engine, 400);
    engine.command(Command::Pause);
    // The delay's echoes take longest: 9.1 dB every 0.375 s, down to the flush at −300 dB.
    let _ = run(&mut engine, 14 * 375);
    for channel in run(&mut engine, 10) {
        assert!(channel.iter().all(|x| *x == 0.0));
    }
}
