//! The transport: exact frames under tempo ramps, the metronome, count-ins and loops.

use engine_core::composition::{Composition, CompositionSpec};
use engine_core::control::{Command, PlayState, Quantum};
use engine_core::dsp::noise::Noise;
use engine_core::engine::Engine;
use engine_core::time::{SignatureMap, TempoMap, TempoPoint, TimeSignature};
use engine_core::units::{PPQ, QUANTUM};

use crate::common::{DRUMS, ORGAN, composition, engine, note, track};

const RATES: [u32; 8] = [8_000, 11_025, 22_050, 44_100, 48_000, 88_200, 96_000, 192_000];
/// A rim shot: it starts within a frame or two of its strike.
const STICK: u8 = 37;

/// Whole numbers below `limit`, always the same ones.
fn numbers(seed: u32) -> impl FnMut(u32) -> u32 {
    let mut noise = Noise::new(seed);
    move |limit| ((noise.sample() * 0.5 + 0.5) * limit as f32) as u32 % limit
}

/// A tempo map in whole microseconds per beat, so that exact times are integers: ticks · µs / 960.
struct Ramp(Vec<(u32, u64)>);

impl Ramp {
    fn new(n: u32, step: u32, mut number: impl FnMut(u32) -> u32) -> Self {
        let mut tick = 0;
        let points = (0..n).map(|_| {
            let point = (tick, u64::from(150_000 + number(1_200_000)));
            tick += 1 + number(step);
            point
        });
        Self(points.collect())
    }

    fn map(&self) -> TempoMap {
        let point = |&(tick, micros): &(u32, u64)| TempoPoint { tick, bpm: 60e6 / micros as f64 };
        TempoMap::new(self.0.iter().map(point).collect()).unwrap()
    }

    /// Time of `tick` in 1/960 µs.
    fn units(&self, tick: u32) -> u128 {
        let ends = self.0.iter().skip(1).map(|p| p.0).chain([u32::MAX]);
        let spans = self.0.iter().zip(ends).take_while(|(point, _)| point.0 < tick);
        spans.map(|(point, end)| u128::from(end.min(tick) - point.0) * u128::from(point.1)).sum()
    }
}

/// The first frame at or after an exact time; a ten-thousandth of a frame late is on time.
fn frame_at(units: u128, rate: u32) -> usize {
    let ten_thousandths = units * u128::from(rate) * 10_000 / 960_000_000;
    (ten_thousandths.saturating_sub(1)).div_ceil(10_000) as usize
}

/// First frame at which each track sounds, in `n` quanta.
fn onsets(engine: &mut Engine, n_tracks: usize, n: usize) -> Vec<Option<usize>> {
    let mut found = vec![None; n_tracks];
    let mut q = Quantum::new();
    for block in 0..n {
        engine.process(None, &mut q);
        for (found, tap) in found.iter_mut().zip(&q.tracks).filter(|(found, _)| found.is_none()) {
            *found = tap.left.iter().position(|x| *x != 0.0).map(|at| block * QUANTUM + at);
        }
    }
    found
}

#[test]
fn notes_start_at_their_frame_under_any_ramp_at_any_rate() {
    // As many as can sound at once, with room for their tails.
    const N_TRACKS: u32 = 64;
    let mut n_checked = 0;
    for (seed, &rate) in (1..).zip(RATES.iter().chain(&RATES)) {
        let mut number = numbers(seed);
        let ramp = Ramp::new(1 + number(900), 25, &mut number);
        let beats = 12;
        // One note on each track, the first at 0, so that it tells how long a strike takes to sound.
        let mut ticks: Vec<u32> = (1..N_TRACKS).map(|_| number(beats * PPQ)).collect();
        ticks.insert(0, 0);
        let tracks = ticks.iter().map(|&tick| track(DRUMS, &[note(STICK, tick, 10)])).collect();
        let spec =
            CompositionSpec { tempo: ramp.map(), ..composition(beats, &[(0, 120.0)], tracks).into_spec() };
        let mut engine = engine(rate, &Composition::new(spec).unwrap());
        engine.command(Command::Play);
        let n = frame_at(ramp.units(beats * PPQ), rate) / QUANTUM + 2;
        let got = onsets(&mut engine, ticks.len(), n);
        let delay = got[0].unwrap();
        assert!(delay < 3);
        for (&tick, got) in ticks.iter().zip(got) {
            let expected = frame_at(ramp.units(tick), rate) + delay;
            assert_eq!(got, Some(expected), "tick {tick} at {rate} Hz, seed {seed}");
            n_checked += 1;
        }
    }
    assert_eq!(n_checked, 16 * N_TRACKS);
}

#[test]
fn after_a_locate_time_counts_from_there() {
    for (seed, &rate) in (100..).zip(&RATES) {
        let mut number = numbers(seed);
        let ramp = Ramp::new(500, 20, &mut number);
        let from = 960 + number(2000);
        let ticks: Vec<u32> = [from].into_iter().chain((0..40).map(|_| from + number(4000))).collect();
        let tracks = ticks.iter().map(|&tick| track(DRUMS, &[note(STICK, tick, 10)])).collect();
        let spec = CompositionSpec { tempo: ramp.map(), ..composition(8, &[(0, 120.0)], tracks).into_spec() };
        let mut engine = engine(rate, &Composition::new(spec).unwrap());
        engine.command(Command::Locate { tick: f64::from(from) });
        engine.command(Command::Play);
        let n = frame_at(ramp.units(8 * PPQ) - ramp.units(from), rate) / QUANTUM + 2;
        let got = onsets(&mut engine, ticks.len(), n);
        for (&tick, frame) in ticks.iter().zip(&got) {
            let expected = frame_at(ramp.units(tick) - ramp.units(from), rate) + got[0].unwrap();
            assert_eq!(*frame, Some(expected), "tick {tick} from {from} at {rate} Hz");
        }
    }
}

/// Frames at which clicks start, and whether they are the higher ones of a downbeat.
fn clicks(engine: &mut Engine, n: usize, rate: u32) -> Vec<(usize, bool)> {
    let mut q = Quantum::new();
    let mut sound = Vec::new();
    for _ in 0..n {
        engine.process(None, &mut q);
        sound.extend(q.master.left);
    }
    let mut found = Vec::new();
    let mut n_zeros = usize::MAX;
    for (at, x) in sound.iter().enumerate() {
        if *x != 0.0 && n_zeros > 50 {
            // 10 ms of 1,500 or 1,000 Hz: 30 or 20 half waves.
            let burst = &sound[at..(at + rate as usize / 100).min(sound.len())];
            let n_turns = burst.windows(2).filter(|w| (w[0] < 0.0) != (w[1] < 0.0)).count();
            found.push((at, n_turns > 25));
        }
        n_zeros = if *x == 0.0 { n_zeros.saturating_add(1) } else { 0 };
    }
    let first = found.first().map_or(0, |f| f.0);
    found.iter().map(|(at, downbeat)| (at - first, *downbeat)).collect()
}

fn with_signatures(beats: u32, bpm: f64, signatures: &[(u32, u8, u8)]) -> CompositionSpec {
    let point = |&(tick, numerator, denominator)| TimeSignature { tick, numerator, denominator };
    CompositionSpec {
        time_signatures: SignatureMap::new(signatures.iter().map(point).collect()).unwrap(),
        ..composition(beats, &[(0, bpm)], vec![]).into_spec()
    }
}

#[test]
fn the_metronome_follows_signatures_also_inside_bars() {
    // 4/4 that is cut inside its sixth beat by 3/8, which is cut after two eighths by 2/2.
    let spec = with_signatures(14, 60.0, &[(0, 4, 4), (5280, 3, 8), (6240, 2, 2)]);
    let ticks = [0u64, 960, 1920, 2880, 3840, 4800, 5280, 5760, 6240, 8160, 10_080, 12_000];
    let downbeats = [0, 3840, 5280, 6240, 10_080];
    for rate in [11_025, 44_100, 48_000, 192_000] {
        let mut engine = engine(rate, &Composition::new(spec.clone()).unwrap());
        engine.command(Command::SetMetronome { enabled: true });
        engine.command(Command::Play);
        let expected: Vec<_> = ticks
            .iter()
            .map(|tick| ((tick * u64::from(rate)).div_ceil(960) as usize, downbeats.contains(tick)))
            .collect();
        assert_eq!(clicks(&mut engine, 13 * rate as usize / QUANTUM, rate), expected, "{rate} Hz");
    }
}

#[test]
fn a_count_in_leads_into_the_music() {
    // 7/8 at 97 bpm: no bar is a whole number of frames.
    let (bpm, rate) = (97.0, 44_100);
    let frame = |ticks: f64| (ticks * 60.0 / (bpm * 960.0) * f64::from(rate) - 1e-4).ceil().max(0.0) as usize;
    for (at, bars) in [(0u32, 1u8), (480 * 7, 2), (480 * 3, 1), (1000, 2)] {
        let mut spec = with_signatures(40, bpm, &[(0, 7, 8)]);
        spec.tracks = vec![
            track(DRUMS, &[note(STICK, at, 10)]),
            track(DRUMS, &[note(STICK, at + 1, 10)]),
            track(DRUMS, &[note(STICK, 0, 10)]),
        ];
        let c = Composition::new(spec).unwrap();
        let mut engine = engine(rate, &c);
        engine.command(Command::Locate { tick: f64::from(at) });
        engine.command(Command::PlayWithCountIn { bars });
        let from = f64::from(at) - f64::from(bars) * 7.0 * 480.0;
        let (mut q, mut left, mut n) = (Quantum::new(), Vec::new(), 0);
        let mut sounds = [None; 3];
        while n < frame(f64::from(at) - from) + 20 * QUANTUM {
            engine.process(None, &mut q);
            let is_counting = n < frame(f64::from(at) - from);
            assert_eq!(q.transport.state == PlayState::Playing, !is_counting, "frame {n}");
            assert_eq!(q.transport.count_in_beats > 0, is_counting);
            if is_counting {
                assert_eq!(q.transport.tick, f64::from(at), "the playhead waits");
                left.push(q.transport.count_in_beats);
            }
            for (sound, tap) in sounds.iter_mut().zip(&q.tracks) {
                *sound = sound.or(tap.left.iter().position(|x| *x != 0.0).map(|at| n + at));
            }
            n += QUANTUM;
        }
        assert_eq!(left[0], u16::from(bars) * 7);
        assert!(left.windows(2).all(|w| w[0] == w[1] || w[0] == w[1] + 1) && left.last() == Some(&1));
        // The music starts where the next click would be, and keeps the fraction of a frame.
        let strike = sounds[0].unwrap() - frame(f64::from(at) - from);
        assert!(strike < 3);
        assert_eq!(sounds[1].unwrap(), frame(f64::from(at + 1) - from) + strike);
        assert_eq!(sounds[2].is_some(), at == 0, "what lies before the playhead is not played");

        // The clicks are those of the metre, as if it had gone on before the playhead.
        engine.command(Command::Stop);
        for _ in 0..2000 {
            engine.process(None, &mut q);
        }
        engine.command(Command::Locate { tick: f64::from(at) });
        engine.command(Command::PlayWithCountIn { bars });
        let first = (from / 480.0).ceil();
        let expected: Vec<_> = (0..)
            .map(|k| first + f64::from(k))
            .take_while(|beat| beat * 480.0 < f64::from(at))
            .map(|beat| (frame(beat * 480.0 - from), beat.rem_euclid(7.0) == 0.0))
            .collect();
        let expected: Vec<_> = expected.iter().map(|(at, d)| (at - expected[0].0, *d)).collect();
        let got = clicks(&mut engine, frame(f64::from(at) - from) / QUANTUM, rate);
        assert_eq!(got, expected, "from {at}");
    }
}

#[test]
fn a_count_in_can_be_called_off() {
    let c = composition(16, &[(0, 120.0)], vec![track(ORGAN, &[note(60, 0, 16 * PPQ)])]);
    let mut q = Quantum::new();
    let off = [Command::Stop, Command::Pause, Command::Locate { tick: 0.0 }];
    for command in off {
        let mut engine = engine(48_000, &c);
        engine.command(Command::PlayWithCountIn { bars: 1 });
        engine.process(None, &mut q);
        assert_eq!((q.transport.state, q.transport.count_in_beats), (PlayState::Stopped, 4));
        engine.command(command);
        for _ in 0..1000 {
            engine.process(None, &mut q);
            assert_eq!((q.transport.state, q.transport.count_in_beats), (PlayState::Stopped, 0));
        }
    }
    let mut engine = engine(48_000, &c);
    for (command, beats) in [
        // Counting in while playing would stop the music; no bars are no count-in; Play does not wait.
        (Command::PlayWithCountIn { bars: 0 }, 0),
        (Command::PlayWithCountIn { bars: 3 }, 0),
        (Command::Stop, 0),
        (Command::PlayWithCountIn { bars: 255 }, 64),
        (Command::Play, 0),
    ] {
        engine.command(command);
        engine.process(None, &mut q);
        assert_eq!(q.transport.count_in_beats, beats, "{command:?}");
        let at_rest = command == Command::Stop || beats > 0;
        assert_eq!(q.transport.state == PlayState::Playing, !at_rest, "{command:?}");
    }
}

#[test]
fn loops_that_make_no_sense_never_stop_the_engine() {
    let c = composition(4, &[(0, 400.0)], vec![track(DRUMS, &[note(STICK, 0, 10), note(STICK, 1, 10)])]);
    let mut q = Quantum::new();
    // (start, end, whether it loops)
    let regions = [
        (0, 0, false),
        (960, 960, false),
        (960, 0, false),
        (u32::MAX, u32::MAX, false),
        (u32::MAX, 0, false),
        (3840, u32::MAX, false),
        (0, u32::MAX, true),
        (3839, 9000, true),
        (0, 1, true),
    ];
    for rate in [8_000, 192_000] {
        for (start, end, loops) in regions {
            let mut engine = engine(rate, &c);
            engine.command(Command::SetLoop { enabled: true, start, end });
            engine.command(Command::Play);
            engine.process(None, &mut q);
            assert_eq!(q.transport.loop_enabled, loops, "{start}..{end}");
            assert!(q.transport.loop_start <= q.transport.loop_end && q.transport.loop_end <= 4 * PPQ);
            // 600 ms is the whole composition: it has ended, or wrapped.
            for _ in 0..rate as usize / QUANTUM {
                engine.process(None, &mut q);
            }
            assert_eq!(q.transport.state == PlayState::Playing, loops, "{start}..{end}");
        }
    }
}

#[test]
fn a_loop_end_before_the_playhead_lets_it_run_out() {
    let c = composition(4, &[(0, 120.0)], vec![]);
    let mut engine = engine(48_000, &c);
    let mut q = Quantum::new();
    engine.command(Command::Locate { tick: 2000.0 });
    engine.command(Command::SetLoop { enabled: true, start: 0, end: 1920 });
    engine.command(Command::Play);
    for _ in 0..100 {
        engine.process(None, &mut q);
        assert!(q.transport.tick >= 2000.0);
    }
    // A new end ahead of the playhead is obeyed at once.
    engine.command(Command::SetLoop { enabled: true, start: 960, end: 2880 });
    let mut wrapped = false;
    for _ in 0..200 {
        engine.process(None, &mut q);
        wrapped |= q.discontinuity;
        assert!(q.transport.tick < 2880.0);
    }
    assert!(wrapped);
}

#[test]
fn a_million_wraps_keep_time() {
    // The shortest loop there is, at a tempo that no binary fraction holds.
    let c = composition(1, &[(0, 397.3)], vec![]);
    let mut engine = engine(8_000, &c);
    engine.command(Command::SetMetronome { enabled: true });
    engine.command(Command::SetLoop { enabled: true, start: 0, end: 1 });
    engine.command(Command::Play);
    let mut q = Quantum::new();
    let mut seconds = 0.0;
    let n = 10_000;
    for _ in 0..n {
        engine.process(None, &mut q);
        seconds = q.transport.seconds;
    }
    let period = 60.0 / (397.3 * 960.0);
    let exact = f64::from((n - 1) * QUANTUM as u32) / 8_000.0;
    let phase = exact - (exact / period).floor() * period;
    assert!((seconds - phase).abs() < 1e-9, "{seconds} for {phase}, after {} wraps", exact / period);
}

#[test]
fn a_tempo_command_loses_no_event() {
    // The command comes at every frame offset against the note: it sounds once, and not early.
    for offset in 0..40u32 {
        let tick = 960 + offset;
        let c = composition(4, &[(0, 120.0)], vec![track(DRUMS, &[note(STICK, tick, 5)])]);
        let mut engine = engine(8_000, &c);
        engine.command(Command::Play);
        let mut q = Quantum::new();
        let mut sounds = 0;
        for block in 0..62 {
            if block % 3 == 0 {
                let bpm = if block % 2 == 0 { 120.0 } else { 119.9 };
                engine.command(Command::SetTempo { at_tick: 0.0, bpm });
            }
            engine.process(None, &mut q);
            sounds = sounds.max(q.n_voices);
        }
        assert_eq!(sounds, 1, "note at {tick}");
    }
}
