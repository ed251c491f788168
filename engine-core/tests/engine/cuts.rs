//! What is cut off fades out at its very frame, and what is not goes on to the bit.

use std::f64::consts::TAU;
use std::sync::Arc;

use engine_core::composition::{Composition, CompositionSpec, Instrument, Note, Track, Zone};
use engine_core::control::{ActiveNote, Command, Program, Quantum, Sample};
use engine_core::dsp::smooth::Smoothed;
use engine_core::engine::{Engine, Project};
use engine_core::units::{PPQ, QUANTUM, SampleRate};
use uuid::Uuid;

use crate::common::click::click_dbfs;
use crate::common::{self, DRUMS, ORGAN, composition, note, project, track};

const RATE: f64 = 48_000.0;
/// Frames of a fade: 8 ms.
const FADE: usize = 384;

#[test]
fn a_jump_would_be_measured_as_a_click() {
    // The measure itself: a jump of 1 % of the tone is well above the limit.
    let tone = |n: usize| 0.4 * libm::sin(TAU * 50.0 * n as f64 / RATE);
    let jump: Vec<f64> = (0..40_000).map(|n| tone(n) * if n < 30_000 { 1.0 } else { 0.99 }).collect();
    assert!(click_dbfs(&jump) > -60.0, "{}", click_dbfs(&jump));
    let smooth: Vec<f64> = (0..40_000).map(tone).collect();
    assert!(click_dbfs(&smooth) < -150.0);
}

/// Left channel of a tap over `n` quanta.
fn listen(engine: &mut Engine, n: usize, tap: impl Fn(&Quantum) -> &[f32]) -> Vec<f32> {
    let mut quantum = Quantum::new();
    let mut out = Vec::new();
    for _ in 0..n {
        engine.process(None, &mut quantum);
        out.extend(tap(&quantum));
    }
    out
}

fn track_0(quantum: &Quantum) -> &[f32] {
    &quantum.tracks[0].left
}

/// Gain of the `i`-th frame after a cut.
fn fade(i: usize) -> f32 {
    let mut gain = Smoothed::with_frames(1.0, FADE as u32);
    gain.set(0.0);
    (0..=i).map(|_| gain.advance()).last().unwrap()
}

/// Tracks with ids of their own, 1 and up.
fn with_ids(c: &Composition, keep: &[usize]) -> Composition {
    let mut spec = c.clone().into_spec();
    let tracks = std::mem::take(&mut spec.tracks);
    spec.tracks = keep.iter().map(|i| tracks[*i].clone()).collect();
    Composition::new(spec).unwrap()
}

/// A sampler whose sample is a tone of 50 Hz, 0.4 at velocity 127, for as long as a key is down.
fn tone() -> (Instrument, Arc<Sample>) {
    let wave: Vec<f32> =
        (0..9_600).map(|i| (0.4 * libm::sin(TAU * 50.0 * f64::from(i) / RATE)) as f32).collect();
    let zone = Zone {
        sample: Uuid::from_u128(500),
        root_pitch: 60,
        low_pitch: 0,
        high_pitch: 127,
        loop_start: 960,
        loop_end: 8_640,
    };
    let sample = Arc::new(Sample::new(wave.clone().into(), wave.into()));
    (Instrument { zones: vec![zone], ..Instrument::default() }, sample)
}

fn with_sample(c: &Composition, sample: &Arc<Sample>) -> Box<Project> {
    let mut program = Program::compile(c);
    program.resolve(|_| Some(sample.clone()));
    Box::new(Project::new(program, SampleRate::DEFAULT))
}

fn engine_with(project: Box<Project>) -> Engine {
    let mut engine = Engine::new(SampleRate::DEFAULT);
    engine.load(project);
    engine.command(Command::Play);
    engine
}

#[test]
fn a_stolen_voice_fades_out_from_its_frame() {
    let (instrument, sample) = tone();
    let long = 16 * PPQ;
    let loud = Note { velocity: 127, ..note(60, 0, long) };
    // 127 more that nobody hears fill the pool; one more at an odd frame takes the first, the oldest.
    let silent: Vec<_> = (0..127).map(|i| note(i, PPQ, long)).collect();
    let thief = note(127, 2 * PPQ + 3, PPQ);
    let other = |notes: Vec<Note>| Track { gain_db: -120.0, ..track(ORGAN, &notes) };
    let tracks =
        |more: &[Note]| vec![track(instrument.clone(), &[loud]), other([&silent[..], more].concat())];
    let mut stolen = engine_with(with_sample(&composition(20, &[(0, 120.0)], tracks(&[thief])), &sample));
    let mut whole = engine_with(with_sample(&composition(20, &[(0, 120.0)], tracks(&[])), &sample));
    let [stolen, whole] = [&mut stolen, &mut whole].map(|engine| listen(engine, 500, track_0));
    // 120 bpm: 25 frames a tick.
    let at = (2 * PPQ as usize + 3) * 25;
    assert!(
        !at.is_multiple_of(16)
            && stolen[..at] == whole[..at]
            && whole[at..at + FADE].iter().any(|x| x.abs() > 0.3)
    );
    for i in 0..FADE {
        assert!((stolen[at + i] - whole[at + i] * fade(i)).abs() < 1e-6, "frame {i}");
    }
    assert!(stolen[at + FADE..].iter().all(|x| *x == 0.0));
    let click = click_dbfs(&stolen.iter().map(|x| f64::from(*x)).collect::<Vec<_>>());
    assert!(click < -80.0, "{click} dBFS");
}

#[test]
fn a_choked_hat_fades_out_from_its_frame() {
    let open = note(46, 0, PPQ);
    // Hardly heard itself.
    let closed = Note { velocity: 1, ..note(42, 101, PPQ) };
    let play = |notes: &[Note]| {
        let mut engine = common::engine(48_000, &composition(4, &[(0, 120.0)], vec![track(DRUMS, notes)]));
        engine.command(Command::Play);
        listen(&mut engine, 60, track_0)
    };
    let (choked, whole) = (play(&[open, closed]), play(&[open]));
    let at = 101 * 25usize;
    assert!(!at.is_multiple_of(16) && choked[..at] == whole[..at]);
    for i in 0..FADE {
        let expected = whole[at + i] * fade(i);
        assert!((choked[at + i] - expected).abs() < 3e-5, "frame {i}: {}, not {expected}", choked[at + i]);
    }
    let power = |sound: &[f32]| sound.iter().map(|x| x * x).sum::<f32>();
    assert!(power(&whole[at + FADE..]) > 1e4 * power(&choked[at + FADE..]));
}

/// Organs on three tracks, the last with a delay, controllers and a send; long notes.
fn three() -> Composition {
    use engine_core::composition::{Bus, Control, ControlKind, Delay, Effect, Send};
    let part = |pitch| track(ORGAN, &[note(pitch, 0, 12 * PPQ), note(pitch + 7, PPQ, 8 * PPQ)]);
    let bus = |id: u128| Bus {
        id: Uuid::from_u128(id),
        name: "bus".into(),
        gain_db: -3.0,
        pan: 0.2,
        mute: false,
        effects: vec![Effect::Delay(Delay::default())],
    };
    let mut last = part(67);
    last.effects = vec![Effect::Delay(Delay::default())];
    let control = |kind, value| Control { tick: 5, kind, value };
    last.clips[0].controls = vec![
        control(ControlKind::Volume, 0.5),
        control(ControlKind::Pan, -0.5),
        control(ControlKind::PitchBend, 1.0),
    ];
    let c = composition(16, &[(0, 120.0)], vec![part(48), part(55), last]);
    let mut spec = CompositionSpec { buses: vec![bus(900), bus(901)], ..c.into_spec() };
    spec.tracks[2].sends = vec![Send { bus: Uuid::from_u128(901), gain_db: -6.0, pre_fader: false }];
    Composition::new(spec).unwrap()
}

#[test]
fn tracks_and_buses_go_on_to_the_bit_when_others_come_and_go() {
    let all = three();
    let fewer = |keep: &[usize]| {
        let mut spec = with_ids(&all, keep).into_spec();
        spec.buses.remove(0);
        Composition::new(spec).unwrap()
    };
    assert_eq!(all.buses.len(), 2);
    for keep in [&[2][..], &[0, 2], &[2, 0], &[1, 2]] {
        let (mut changed, mut left_alone) = (common::engine(48_000, &all), common::engine(48_000, &all));
        for engine in [&mut changed, &mut left_alone] {
            engine.command(Command::Play);
            engine.command(Command::NoteOn { track: 2, pitch: 90, velocity: 80 });
            listen(engine, 300, track_0);
        }
        drop(changed.update(project(48_000, &fewer(keep))));
        let place = keep.iter().position(|i| *i == 2).unwrap();
        let now = listen(&mut changed, 300, |quantum| &quantum.tracks[place].left);
        assert!(now == listen(&mut left_alone, 300, |quantum| &quantum.tracks[2].left), "{keep:?}");
        // And back in the old order.
        drop(changed.update(project(48_000, &all)));
        let now = listen(&mut changed, 300, |quantum| &quantum.tracks[2].left);
        assert!(now == listen(&mut left_alone, 300, |quantum| &quantum.tracks[2].left), "{keep:?}, back");
        let mut quantum = Quantum::new();
        changed.process(None, &mut quantum);
        let held = ActiveNote { track: 2, pitch: 90, velocity: 80 };
        assert!(quantum.transport.active_notes[..quantum.transport.n_active_notes].contains(&held));
    }
}

#[test]
fn a_track_that_is_taken_away_fades_out() {
    let (instrument, sample) = tone();
    let loud = track(instrument, &[Note { velocity: 127, ..note(60, 0, 16 * PPQ) }]);
    let all = composition(16, &[(0, 120.0)], vec![track(ORGAN, &[]), loud]);
    let mut engine = engine_with(with_sample(&all, &sample));
    let mut out = listen(&mut engine, 203, |quantum| &quantum.master.left);
    assert!(out[out.len() - 960..].iter().any(|x| x.abs() > 0.3));
    drop(engine.update(with_sample(&with_ids(&all, &[0]), &sample)));
    let mut quantum = Quantum::new();
    engine.process(None, &mut quantum);
    assert_eq!((quantum.n_tracks, quantum.transport.n_active_notes), (1, 0));
    out.extend(quantum.master.left);
    out.extend(listen(&mut engine, 100, |quantum| &quantum.master.left));
    // 20 ms and the limiter's delay.
    assert!(out[203 * QUANTUM + 1_200..].iter().all(|x| *x == 0.0));
    let click = click_dbfs(&out.iter().map(|x| f64::from(*x)).collect::<Vec<_>>());
    assert!(click < -80.0, "{click} dBFS");
    engine.process(None, &mut quantum);
    assert_eq!(quantum.n_voices, 0);
}
