//! The engine plays a composition at the right samples, and obeys its commands.

use engine_core::buffer::StereoBlock;
use engine_core::control::{Command, PlayState, Quantum, StripChange, StripTarget};
use engine_core::units::{PPQ, QUANTUM};

use crate::common::{DRUMS, ORGAN, composition, engine, note, play, project, track};

/// A rim shot, whose first sample after the strike is not 0.
const STICK: u8 = 37;

/// Frames at which sound starts after at least 2,000 frames of near silence.
fn onsets(samples: &[f32]) -> Vec<usize> {
    let mut quiet = 10_000;
    let mut found = Vec::new();
    for (at, x) in samples.iter().enumerate() {
        if x.abs() > 1e-3 {
            if quiet > 2_000 {
                found.push(at);
            }
            quiet = 0;
        } else {
            quiet += 1;
        }
    }
    found
}

#[test]
fn notes_start_at_the_sample_that_the_tempo_map_says() {
    let ticks = [0, 700, 1437, 2000, 2881, 4001];
    let notes: Vec<_> = ticks.iter().map(|&tick| note(STICK, tick, 10)).collect();
    let tempo = [(0, 97.3), (1500, 61.7), (2880, 143.9)];
    let c = composition(6, &tempo, vec![track(DRUMS, &notes)]);
    for rate in [44_100, 48_000, 96_000] {
        let mut engine = engine(rate, &c);
        engine.command(Command::Play);
        let got = onsets(&play(&mut engine, 6 * rate as usize / QUANTUM));
        let exact = ticks.map(|tick| c.tempo.seconds_from_ticks(f64::from(tick)) * f64::from(rate));
        assert_eq!(got.len(), ticks.len(), "{got:?}");
        for (got, exact) in got.iter().zip(exact) {
            // The first frame at or after the exact time, and one more where a strike starts at phase 0.
            let late = *got as f64 - exact;
            assert!((-1e-3..3.0).contains(&late), "{rate} Hz: frame {got} for {exact}");
        }
    }
}

#[test]
fn a_loop_keeps_time_however_often_it_wraps() {
    // A region of 1.7 beats at 133 bpm is not a whole number of frames; 60 wraps must not add up their rests.
    let (bpm, end) = (133.0, 1632);
    let c = composition(4, &[(0, bpm)], vec![track(DRUMS, &[note(STICK, 0, 10)])]);
    let mut engine = engine(48_000, &c);
    engine.command(Command::SetLoop { enabled: true, start: 0, end });
    engine.command(Command::Play);
    let period = f64::from(end) / f64::from(PPQ) * 60.0 / bpm * 48_000.0;
    let got = onsets(&play(&mut engine, (60.0 * period) as usize / QUANTUM));
    assert!(got.len() >= 60);
    for (count, &frame) in got.iter().enumerate() {
        let late = frame as f64 - count as f64 * period;
        assert!((-1e-3..3.0).contains(&late), "wrap {count}: frame {frame}");
    }
}

#[test]
fn transport_states_follow_the_commands() {
    let c = composition(4, &[(0, 120.0)], vec![track(ORGAN, &[note(60, 0, 4 * PPQ)])]);
    let mut engine = engine(48_000, &c);
    let mut q = Quantum::new();
    let mut step = |engine: &mut engine_core::engine::Engine, n: usize| {
        for _ in 0..n {
            engine.process(None, &mut q);
        }
        q.clone()
    };
    assert_eq!(step(&mut engine, 3).transport.tick, 0.0);

    engine.command(Command::Play);
    let playing = step(&mut engine, 376);
    assert_eq!(playing.transport.state, PlayState::Playing);
    // The snapshot is of the quantum's first frame: 375 quanta are 48,000 frames, one second, two beats.
    assert!((playing.transport.tick - 2.0 * f64::from(PPQ)).abs() < 1e-6);
    assert!((playing.transport.seconds - 1.0).abs() < 1e-9);
    assert_eq!(playing.transport.active_notes[0].pitch, 60);
    assert_eq!(playing.transport.n_active_notes, 1);

    engine.command(Command::Pause);
    let paused = step(&mut engine, 100);
    assert_eq!(paused.transport.state, PlayState::Paused);
    assert_eq!(paused.transport.n_active_notes, 0);
    assert_eq!(step(&mut engine, 10).transport.tick, paused.transport.tick);

    engine.command(Command::Resume);
    assert!(step(&mut engine, 10).transport.tick > paused.transport.tick);

    engine.command(Command::Locate { tick: 100.5 });
    let located = step(&mut engine, 1);
    assert!(located.discontinuity);
    assert_eq!(located.transport.tick, 100.5);
    assert!(!step(&mut engine, 1).discontinuity);

    engine.command(Command::Stop);
    let stopped = step(&mut engine, 1);
    assert_eq!((stopped.transport.state, stopped.transport.tick), (PlayState::Stopped, 0.0));

    engine.command(Command::Locate { tick: f64::NAN });
    engine.command(Command::Locate { tick: 1e12 });
    assert_eq!(step(&mut engine, 1).transport.tick, f64::from(4 * PPQ), "held at the end");
    engine.command(Command::Play);
    assert_eq!(step(&mut engine, 1).transport.state, PlayState::Stopped, "nothing is left to play");
}

#[test]
fn a_tempo_change_keeps_the_position() {
    let c = composition(400, &[(0, 120.0)], vec![track(ORGAN, &[note(60, 0, PPQ)])]);
    let mut engine = engine(48_000, &c);
    let mut q = Quantum::new();
    engine.command(Command::Play);
    for _ in 0..375 {
        engine.process(None, &mut q);
    }
    engine.command(Command::SetTempo { at_tick: q.transport.tick, bpm: 240.0 });
    for _ in 0..376 {
        engine.process(None, &mut q);
    }
    // One second at 120 is two beats, one at 240 is four.
    assert!((q.transport.tick - 6.0 * f64::from(PPQ)).abs() < 1e-6, "{}", q.transport.tick);
    assert_eq!(q.transport.bpm, 240.0);
    engine.command(Command::SetTempo { at_tick: 0.0, bpm: 1e9 });
    engine.process(None, &mut q);
    assert_eq!(q.transport.bpm, 240.0, "an impossible tempo changes nothing");
}

/// RMS of both channels of track `idx` and of the master over half a second, after half a second to settle.
fn levels(commands: &[Command], idx: usize) -> ([f32; 2], [f32; 2]) {
    let part = |pitch| track(ORGAN, &[note(pitch, 0, 16 * PPQ)]);
    let c = composition(16, &[(0, 120.0)], vec![part(60), part(67)]);
    let mut engine = engine(48_000, &c);
    engine.command(Command::Play);
    commands.iter().for_each(|&command| engine.command(command));
    let mut q = Quantum::new();
    let mut sums = [0.0f32; 4];
    for n in 0..375 {
        engine.process(None, &mut q);
        if n >= 187 {
            let channels = [&q.tracks[idx].left, &q.tracks[idx].right, &q.master.left, &q.master.right];
            for (sum, channel) in sums.iter_mut().zip(channels) {
                *sum += channel.iter().map(|x| x * x).sum::<f32>();
            }
        }
    }
    let rms = sums.map(|sum| (sum / (188 * QUANTUM) as f32).sqrt());
    ([rms[0], rms[1]], [rms[2], rms[3]])
}

#[test]
fn strips_do_what_they_say() {
    let strip = |idx, change| Command::SetStrip { target: StripTarget::Track(idx), change };
    let (unity, sum) = levels(&[], 0);
    assert!(unity[0] > 0.01 && unity[0] == unity[1], "{unity:?}");

    let (half, _) = levels(&[strip(0, StripChange::GainDb(-6.0206))], 0);
    assert!((half[0] / unity[0] - 0.5).abs() < 1e-3);

    let (left, _) = levels(&[strip(0, StripChange::Pan(-1.0))], 0);
    assert!((left[0] / unity[0] - 2f32.sqrt()).abs() < 1e-3 && left[1] < 1e-6 * unity[1], "{left:?}");

    let (muted, rest) = levels(&[strip(0, StripChange::Mute(true))], 0);
    assert_eq!(muted, [0.0; 2]);
    assert!(rest[0] > 0.01 && rest[0] < sum[0]);

    let (silent, alone) = levels(&[strip(1, StripChange::Solo(true))], 0);
    assert_eq!(silent, [0.0; 2]);
    assert_eq!(alone, rest);

    let master = Command::SetStrip { target: StripTarget::Master, change: StripChange::GainDb(-120.0) };
    assert_eq!(levels(&[master], 0).1, [0.0; 2]);
    // Nobody there, or not a number: nothing happens.
    assert_eq!(
        levels(&[strip(9, StripChange::Mute(true)), strip(0, StripChange::GainDb(f32::NAN))], 0).0,
        unity
    );
}

#[test]
fn input_is_measured_and_heard_only_when_asked() {
    let c = composition(1, &[(0, 120.0)], vec![]);
    let mut engine = engine(48_000, &c);
    let mut input = StereoBlock::SILENCE;
    input.left.fill(0.25);
    input.right.fill(f32::NAN);
    let mut q = Quantum::new();
    engine.process(Some(&input), &mut q);
    assert_eq!((q.input.left[5], q.input.right[5], q.master.left[127]), (0.25, 0.0, 0.0));
    engine.command(Command::SetStrip { target: StripTarget::Input, change: StripChange::GainDb(0.0) });
    for _ in 0..100 {
        engine.process(Some(&input), &mut q);
    }
    assert!((q.master.left[127] - 0.25).abs() < 1e-4 && q.master.right[127] == 0.0);
}

#[test]
fn the_metronome_clicks_on_each_beat() {
    let c = composition(8, &[(0, 120.0)], vec![]);
    let mut engine = engine(48_000, &c);
    engine.command(Command::SetMetronome { enabled: true });
    engine.command(Command::Play);
    let got = onsets(&play(&mut engine, 3 * 375));
    assert_eq!(got.len(), 6);
    for (count, frame) in got.iter().enumerate() {
        assert!((0..4).contains(&(*frame as i64 - count as i64 * 24_000)), "{got:?}");
    }
}

#[test]
fn loading_another_program_starts_clean() {
    let long = composition(16, &[(0, 120.0)], vec![track(ORGAN, &[note(60, 0, 16 * PPQ)]); 1]);
    let mut engine = engine(48_000, &long);
    engine.command(Command::Play);
    let _ = play(&mut engine, 100);
    let empty = composition(4, &[(0, 90.0)], vec![]);
    let old = engine.load(project(48_000, &empty));
    assert_eq!(old.program().strips.len(), 1);
    let mut q = Quantum::new();
    engine.process(None, &mut q);
    assert!(q.discontinuity);
    assert_eq!((q.n_tracks, q.n_voices, q.transport.state), (0, 0, PlayState::Stopped));
    assert_eq!(q.transport.bpm, 90.0);
}
