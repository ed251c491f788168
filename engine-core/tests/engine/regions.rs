//! Audio clips: each frame of the sample at its frame of the output, whatever happens around it.

use std::sync::Arc;

use engine_core::composition::{AudioClip, Composition, CompositionSpec, Instrument, Track};
use engine_core::control::{Command, PlayState, Program, Quantum, Sample};
use engine_core::dsp::noise::Noise;
use engine_core::dsp::smooth::Smoothed;
use engine_core::engine::{Engine, Project};
use engine_core::math::gain_from_db;
use engine_core::time::{TempoMap, TempoPoint};
use engine_core::units::{PPQ, QUANTUM, SampleRate};
use uuid::Uuid;

use crate::common::{ORGAN, composition, note, track};

const RATE: u32 = 48_000;
/// Frames of the fade into the middle of a clip: 3 ms.
const ENTRY: usize = 144;
/// Frames of the fade out of one: 8 ms.
const CUT: usize = 384;

fn sample_id(n: u128) -> Uuid {
    Uuid::from_u128(1000 + n)
}

/// Noise without zeros, other on each side.
fn sample(n: usize) -> Arc<Sample> {
    let mut noise = Noise::new(7);
    let mut channel = || (0..n).map(|_| 0.25 + 0.2 * noise.sample()).collect();
    Arc::new(Sample::new(channel(), channel()))
}

fn clip(start: u32, length_seconds: f64) -> AudioClip {
    AudioClip {
        id: Uuid::nil(),
        sample: sample_id(0),
        start,
        offset_seconds: 0.0,
        length_seconds,
        gain_db: 0.0,
        fade_in_seconds: 0.0,
        fade_out_seconds: 0.0,
    }
}

fn audio_track(clips: &[AudioClip]) -> Track {
    Track { audio_clips: clips.to_vec(), ..Track::new("Audio", Instrument::default()) }
}

fn project(c: &Composition, samples: &[Arc<Sample>]) -> Box<Project> {
    let mut program = Program::compile(c);
    program.resolve(|id| {
        let n = id.as_u128().checked_sub(1000)?;
        samples.get(usize::try_from(n).ok()?).cloned()
    });
    Box::new(Project::new(program, SampleRate::new(RATE).unwrap()))
}

fn engine(c: &Composition, samples: &[Arc<Sample>]) -> Engine {
    let mut engine = Engine::new(SampleRate::new(RATE).unwrap());
    engine.load(project(c, samples));
    engine
}

/// Renders `n` frames (whole quanta) of track 0, both sides.
fn listen(engine: &mut Engine, n: usize) -> [Vec<f32>; 2] {
    let mut q = Quantum::new();
    let mut out = [Vec::new(), Vec::new()];
    for _ in 0..n / QUANTUM {
        engine.process(None, &mut q);
        out[0].extend(q.tracks[0].left);
        out[1].extend(q.tracks[0].right);
    }
    out
}

/// What a strip at 0 dB in the centre makes of a sample: measured, since it is not this test's subject.
fn through_strip(x: f32) -> f32 {
    let constant = Arc::new(Sample::new(vec![x; QUANTUM].into(), vec![x; QUANTUM].into()));
    let c = composition(1, &[(0, 120.0)], vec![audio_track(&[clip(0, 1.0)])]);
    let mut engine = engine(&c, &[constant]);
    engine.command(Command::Play);
    listen(&mut engine, QUANTUM)[0][0]
}

/// Asserts that both sides of `heard` are those of `sample` from frame `at` on, times `gain(i)`.
fn assert_plays(
    heard: &[Vec<f32>; 2],
    from: usize,
    sample: &Sample,
    at: usize,
    n: usize,
    gain: impl Fn(usize) -> f32,
) {
    for (side, (heard, sample)) in heard.iter().zip([&sample.left, &sample.right]).enumerate() {
        for i in 0..n {
            let expected = through_strip_cached(sample[at + i] * gain(i));
            assert_eq!(
                heard[from + i],
                expected,
                "side {side}, frame {} (sample frame {})",
                from + i,
                at + i
            );
        }
    }
}

/// A strip is a factor: one measurement serves.
fn through_strip_cached(x: f32) -> f32 {
    static FACTOR: std::sync::OnceLock<f32> = std::sync::OnceLock::new();
    x * FACTOR.get_or_init(|| through_strip(1.0))
}

fn silent(heard: &[Vec<f32>; 2], range: core::ops::Range<usize>) -> bool {
    heard.iter().all(|side| side[range.clone()].iter().all(|x| *x == 0.0))
}

/// First frame of `tick` at a constant tempo.
fn frame(tick: u32, bpm: f64) -> usize {
    (f64::from(tick) * 60.0 / (bpm * f64::from(PPQ)) * f64::from(RATE) - 1e-4).ceil() as usize
}

#[test]
fn a_clip_plays_its_stretch_frame_for_frame() {
    let s = sample(60_000);
    for start in [0, 1, 959, 1000, 2881] {
        let clip = AudioClip { offset_seconds: 0.25, ..clip(start, 0.5) };
        let c = composition(8, &[(0, 133.7)], vec![audio_track(&[clip])]);
        let mut engine = engine(&c, core::slice::from_ref(&s));
        engine.command(Command::Play);
        let heard = listen(&mut engine, 150_016);
        let at = frame(start, 133.7);
        assert!(silent(&heard, 0..at) && silent(&heard, at + 24_000..150_016));
        assert_plays(&heard, at, &s, 12_000, 24_000, |_| 1.0);
    }
}

#[test]
fn gain_and_fades_are_linear_and_a_short_sample_ends_its_clip() {
    let s = sample(30_000);
    let clip = AudioClip {
        offset_seconds: 0.125,
        gain_db: -6.0,
        fade_in_seconds: 0.05,
        fade_out_seconds: 0.1,
        ..clip(500, 3.0)
    };
    let c = composition(8, &[(0, 120.0)], vec![audio_track(&[clip])]);
    let mut engine = engine(&c, core::slice::from_ref(&s));
    engine.command(Command::Play);
    let heard = listen(&mut engine, 100 * QUANTUM * 4);
    let at = frame(500, 120.0);
    // The sample has 24,000 frames after the offset; the fade-out ends with it.
    let gain = |i: usize| {
        let fade_in = if i < 2400 { (i as f64 / 2400.0) as f32 } else { 1.0 };
        let fade_out = if 24_000 - i < 4800 { ((24_000 - i) as f64 / 4800.0) as f32 } else { 1.0 };
        gain_from_db(-6.0) * fade_in * fade_out
    };
    assert_plays(&heard, at, &s, 6000, 24_000, gain);
    assert!(silent(&heard, 0..at) && silent(&heard, at + 24_000..at + 26_000));
}

#[test]
fn fades_of_neighbours_add_up_to_one() {
    let ones = Arc::new(Sample::new(vec![0.5; 96_000].into(), vec![0.5; 96_000].into()));
    let first = AudioClip { fade_out_seconds: 0.25, ..clip(0, 1.0) };
    let second = AudioClip { fade_in_seconds: 0.25, offset_seconds: 0.5, ..clip(1440, 1.0) };
    let c = composition(8, &[(0, 120.0)], vec![audio_track(&[first, second])]);
    let mut engine = engine(&c, &[ones]);
    engine.command(Command::Play);
    let heard = listen(&mut engine, 84_000 / QUANTUM * QUANTUM);
    let expected = through_strip_cached(0.5);
    assert!(heard[0].iter().all(|x| (x - expected).abs() < 1e-6));
}

/// Fades in over the entry, then 1.
fn entering(i: usize) -> f32 {
    if i < ENTRY { (i as f64 / ENTRY as f64) as f32 } else { 1.0 }
}

/// Fades out over a cut, then 0.
fn leaving(i: usize) -> f32 {
    let mut gain = Smoothed::with_frames(1.0, CUT as u32);
    gain.set(0.0);
    (0..=i).map(|_| gain.advance()).last().unwrap()
}

#[test]
fn a_locate_into_the_middle_goes_on_where_it_would_be() {
    let s = sample(200_000);
    let bpm = 91.3;
    for tick in [700.0, 1200.25, 3000.0] {
        let c = composition(16, &[(0, bpm)], vec![audio_track(&[clip(650, 4.0)])]);
        let mut engine = engine(&c, core::slice::from_ref(&s));
        engine.command(Command::Locate { tick });
        engine.command(Command::Play);
        let heard = listen(&mut engine, 12_800);
        let into = (tick - 650.0) * 60.0 / (bpm * 960.0) * f64::from(RATE);
        assert_plays(&heard, 0, &s, into.floor() as usize, 12_800, entering);
    }
    // While it plays, too: what sounded fades out meanwhile.
    let c = composition(16, &[(0, 120.0)], vec![audio_track(&[clip(0, 4.0)])]);
    let mut engine = engine(&c, core::slice::from_ref(&s));
    engine.command(Command::Play);
    let _ = listen(&mut engine, 1280);
    engine.command(Command::Locate { tick: 960.0 });
    let heard = listen(&mut engine, 1280);
    for (i, x) in heard[0].iter().enumerate() {
        let expected = s.left[1280 + i] * leaving(i) + s.left[24_000 + i] * entering(i);
        assert!((x - through_strip_cached(expected)).abs() < 1e-6, "frame {i}: {x}");
    }
}

#[test]
fn pause_cuts_and_resume_goes_on() {
    let s = sample(100_000);
    let c = composition(16, &[(0, 77.0)], vec![audio_track(&[clip(10, 2.0)])]);
    let mut engine = engine(&c, core::slice::from_ref(&s));
    engine.command(Command::Play);
    let at = frame(10, 77.0);
    let before = listen(&mut engine, 6400);
    assert_plays(&before, at, &s, 0, 6400 - at, |_| 1.0);
    engine.command(Command::Pause);
    let paused = listen(&mut engine, 1280);
    assert_plays(&paused, 0, &s, 6400 - at, 1280, leaving);
    engine.command(Command::Resume);
    let after = listen(&mut engine, 6400);
    assert_plays(&after, 0, &s, 6400 - at, 6400, entering);
    engine.command(Command::Stop);
    let stopped = listen(&mut engine, 12_800);
    assert_plays(&stopped, 0, &s, 12_800 - at, 1280, leaving);
    assert!(silent(&stopped, CUT..12_800));
}

#[test]
fn a_loop_restarts_what_lies_in_it_and_enters_what_reaches_into_it() {
    let s = sample(200_000);
    // The region is 0.5 s; one clip starts in it, the other (quieter) before it.
    let inside = clip(1440, 3.0);
    let c = composition(16, &[(0, 120.0)], vec![audio_track(&[inside]), audio_track(&[clip(0, 4.0)])]);
    let mut engine = engine(&c, core::slice::from_ref(&s));
    engine.command(Command::SetLoop { enabled: true, start: 960, end: 1920 });
    engine.command(Command::Locate { tick: 960.0 });
    engine.command(Command::Play);
    let (mut q, mut heard) = (Quantum::new(), [[Vec::new(), Vec::new()], [Vec::new(), Vec::new()]]);
    for _ in 0..96_000 / QUANTUM {
        engine.process(None, &mut q);
        for (heard, tap) in heard.iter_mut().zip(&q.tracks) {
            heard[0].extend(tap.left);
            heard[1].extend(tap.right);
        }
    }
    for wrap in 0..4 {
        let at = wrap * 24_000;
        assert_plays(&heard[0], at + 12_000, &s, 0, 12_000, |_| 1.0);
        assert!(silent(&heard[0], at + CUT..at + 12_000));
        // The pass before fades out into this one; after that it is the sample alone.
        assert_plays(&heard[1], at + CUT, &s, 24_000 + CUT, 24_000 - CUT, |_| 1.0);
    }
    assert_plays(&heard[0], 24_000, &s, 12_000, CUT, leaving);
}

#[test]
fn tempo_stretches_no_audio_and_other_tracks_change_no_bit() {
    let s = sample(96_000);
    let alone = composition(16, &[(0, 120.0)], vec![audio_track(&[clip(480, 2.0)])]);
    let mut engine_alone = engine(&alone, core::slice::from_ref(&s));
    engine_alone.command(Command::Play);
    let heard = listen(&mut engine_alone, 96_000);
    assert_plays(&heard, frame(480, 120.0), &s, 0, 80_000, |_| 1.0);

    let points = (0..400).map(|i| TempoPoint { tick: 480 + i, bpm: 100.0 + f64::from(i) / 2.0 });
    let points = std::iter::once(TempoPoint { tick: 0, bpm: 120.0 }).chain(points).collect();
    let notes: Vec<_> = (0..64).map(|i| note(40 + i as u8 % 40, i * 37, 200)).collect();
    let busy = CompositionSpec {
        tempo: TempoMap::new(points).unwrap(),
        tracks: vec![
            audio_track(&[clip(480, 2.0)]),
            track(ORGAN, &notes),
            audio_track(&[clip(480, 1.0), clip(500, 1.0)]),
        ],
        ..alone.into_spec()
    };
    let mut busy = engine(&Composition::new(busy).unwrap(), &[s]);
    busy.command(Command::SetMetronome { enabled: true });
    busy.command(Command::Play);
    let mut other = listen(&mut busy, 48_000);
    busy.command(Command::SetTempo { at_tick: 5000.0, bpm: 33.3 });
    let rest = listen(&mut busy, 48_000);
    other.iter_mut().zip(rest).for_each(|(side, rest)| side.extend(rest));
    assert!(heard == other);
}

#[test]
fn missing_and_empty_samples_are_silent() {
    let empty = Arc::new(Sample::new([].into(), [].into()));
    let missing = AudioClip { sample: sample_id(9), ..clip(0, 1.0) };
    let after_its_end = AudioClip { offset_seconds: 80_000.0, length_seconds: 80_000.0, ..clip(0, 1.0) };
    let c = composition(4, &[(0, 120.0)], vec![audio_track(&[clip(0, 1.0), missing, after_its_end])]);
    for samples in [&[][..], &[empty]] {
        let mut engine = engine(&c, samples);
        engine.command(Command::Play);
        assert!(silent(&listen(&mut engine, 24_960), 0..24_960));
        engine.command(Command::Locate { tick: 100.0 });
        assert!(silent(&listen(&mut engine, 24_960), 0..24_960));
    }
    // Numbers that are none are silence, too.
    let broken =
        Sample::new([f32::NAN, f32::INFINITY, 0.5].into(), [0.5, f32::NEG_INFINITY, f32::NAN].into());
    assert_eq!((&*broken.left, &*broken.right), (&[0.0, 0.0, 0.5][..], &[0.5, 0.0, 0.0][..]));
}

#[test]
fn clips_that_start_when_256_sound_are_not_heard() {
    let ones = Arc::new(Sample::new(vec![1e-3; 48_000].into(), vec![1e-3; 48_000].into()));
    let clips = vec![clip(0, 0.5); 257];
    let c = composition(4, &[(0, 120.0)], vec![audio_track(&clips)]);
    let mut engine = engine(&c, &[ones]);
    engine.command(Command::Play);
    let heard = listen(&mut engine, 48_000);
    assert!((heard[0][100] - through_strip_cached(0.256)).abs() < 1e-5, "{}", heard[0][100]);
    assert!(silent(&heard, 24_000..48_000));
}

#[test]
fn an_update_lets_play_what_stays_and_fades_what_goes() {
    let s = [sample(100_000), sample(90_000)];
    let other = AudioClip { sample: sample_id(1), ..clip(0, 1.5) };
    let before = composition(16, &[(0, 120.0)], vec![audio_track(&[clip(0, 1.5)]), audio_track(&[other])]);
    let mut engine = engine(&before, &s);
    engine.command(Command::Play);
    let mut heard = listen(&mut engine, 12_800);
    // The order of samples changes, a clip goes, another comes in the middle of which the playhead stands.
    let second = AudioClip { gain_db: -6.0, offset_seconds: 0.1, ..clip(480, 1.0) };
    let after = composition(16, &[(0, 120.0)], vec![audio_track(&[clip(0, 1.5)]), audio_track(&[second])]);
    let spec = CompositionSpec { name: "renamed".into(), ..after.into_spec() };
    engine.update(project(&Composition::new(spec).unwrap(), &s));
    let mut q = Quantum::new();
    let mut second_track = Vec::new();
    for _ in 0..100 {
        engine.process(None, &mut q);
        heard[0].extend(q.tracks[0].left);
        heard[1].extend(q.tracks[0].right);
        second_track.extend(q.tracks[1].left);
    }
    assert_plays(&heard, 0, &s[0], 0, 25_600, |_| 1.0);
    let gain = gain_from_db(-6.0);
    for (i, x) in second_track.iter().enumerate() {
        let expected = s[1].left[12_800 + i] * leaving(i) + s[0].left[4800 + 800 + i] * gain * entering(i);
        assert!((x - through_strip_cached(expected)).abs() < 1e-6, "frame {i}: {x}");
    }
    assert_eq!(q.transport.state, PlayState::Playing);
}
