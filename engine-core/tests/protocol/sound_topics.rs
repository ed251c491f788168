//! Audio and triggers through the feed: every sample, and exactly where something happened.

use engine_core::analysis::trigger::TriggerKind;
use engine_core::composition::Composition;
use engine_core::control::{Command, Quantum, TapId};
use engine_core::protocol::{
    AudioFormat, Feed, FeedId, Flags, Frame, Header, Meters, Payload, StreamOptions, Subscription, Topic,
    decode_payload, encode_payload,
};
use engine_core::units::{FLOOR_DB, MAX_TRACKS, PPQ, QUANTUM, SampleRate};

use crate::common::tones::{gain, sine};
use crate::common::{ORGAN, composition, engine, note, track};

const RATE: SampleRate = SampleRate::DEFAULT;

fn subscription(topic: Topic, tap: TapId, fps: u16, options: &StreamOptions) -> Subscription {
    Subscription::new(topic, tap, Some(fps), options).unwrap()
}

fn song() -> Composition {
    composition(16, &[(0, 120.0)], vec![track(ORGAN, &[note(69, 0, 16 * PPQ)])])
}

#[test]
fn every_sample_of_audio_arrives_once_and_in_order() {
    let floats = StreamOptions { format: Some(AudioFormat::F32), ..StreamOptions::default() };
    for (fps, format) in [(1, &floats), (30, &floats), (120, &floats), (50, &StreamOptions::default())] {
        let mut engine = engine(48_000, &song());
        engine.command(Command::Play);
        let mut feed = Feed::new(RATE);
        let id = feed.subscribe(&subscription(Topic::Audio, TapId::track(0), fps, format)).unwrap();
        let (mut quantum, mut played, mut heard, mut end) = (Quantum::new(), Vec::new(), Vec::new(), 0);
        for n in 0..1500 {
            engine.process(None, &mut quantum);
            // Five quanta are lost: sound ends before them and goes on, marked, after them.
            if (700..705).contains(&n) {
                continue;
            }
            quantum.discontinuity = n == 705;
            let left = &quantum.tracks[0].left;
            played.extend(left.iter().zip(&quantum.tracks[0].right).flat_map(|(&l, &r)| [l, r]));
            feed.snapshot(id, &mut |_, _| panic!("sound has no snapshot"));
            feed.process(&quantum, &mut |_, frame| {
                let mut bytes = Vec::new();
                encode_payload(&frame.payload, &mut bytes);
                let header = Header { topic: Topic::Audio as u8, ..Header::default() };
                let Ok(Payload::Audio(audio)) = decode_payload(&header, &bytes) else { panic!() };
                let start = frame.sample_position - audio.n_frames() as u64;
                let is_marked = frame.flags.contains(Flags::DISCONTINUITY);
                assert_eq!(start == end, !is_marked, "{fps} fps: {start} after {end}");
                end = frame.sample_position;
                heard.extend(audio.samples);
            });
        }
        assert!(played.len() - heard.len() < 2 * 48_000 / usize::from(fps).min(6), "{fps} fps");
        let step = if format.format.is_some() { 0.0 } else { 0.5 / 32767.0 + 1e-7 };
        assert!(heard.iter().zip(&played).all(|(a, b)| (a - b).abs() <= step), "{fps} fps");
        assert!(played.iter().any(|x| x.abs() > 0.01));
    }
}

#[test]
fn triggers_fire_at_their_sample_on_their_tap_and_are_over() {
    let options = |kind| StreamOptions { kind: Some(kind), ..StreamOptions::default() };
    let silence = StreamOptions { seconds: Some(0.1), ..options(TriggerKind::Silence) };
    let again = StreamOptions { once: Some(false), ..options(TriggerKind::Clip) };
    let mut feed = Feed::new(RATE);
    let mut subscribe = |tap, options: &StreamOptions| {
        feed.subscribe(&subscription(Topic::Trigger, tap, 1, options)).unwrap()
    };
    let clip = subscribe(TapId::INPUT, &options(TriggerKind::Clip));
    let clips = subscribe(TapId::INPUT, &again);
    let silent = subscribe(TapId::INPUT, &silence);
    let elsewhere = subscribe(TapId::MASTER, &options(TriggerKind::Clip));
    let mut quantum = Quantum::new();
    quantum.sample_position = 1 << 40;
    let start = quantum.sample_position;
    let mut seen = Vec::new();
    for n in 0..1000 {
        let loud = if n < 20 { 0.5 } else { 0.0 };
        quantum.input.left = [loud; QUANTUM];
        if n == 10 || n == 900 {
            quantum.input.left[77..80].fill(1.0);
        }
        feed.process(&quantum, &mut |id, frame| {
            let Payload::Trigger(event) = &frame.payload else { panic!() };
            seen.push((id, frame.sample_position - start, event.config.once, event.value));
        });
        quantum.sample_position += QUANTUM as u64;
    }
    assert!(!seen.iter().any(|(id, ..)| *id == elsewhere));
    let at = |n: u64| n * QUANTUM as u64 + 79;
    assert_eq!(
        seen,
        [
            (clip, at(10), true, 0.0),
            (clips, at(10), false, 0.0),
            (silent, 20 * QUANTUM as u64 + 4_799, true, -120.0),
            (clips, at(900), false, 0.0)
        ]
    );
}

#[test]
fn trigger_options_are_checked_by_name() {
    let bad = |change: &dyn Fn(&mut StreamOptions)| {
        let mut options = StreamOptions { kind: Some(TriggerKind::Loudness), ..StreamOptions::default() };
        change(&mut options);
        Subscription::new(Topic::Trigger, TapId::MASTER, None, &options).unwrap_err().field
    };
    assert_eq!(bad(&|o| o.kind = None), "kind");
    assert_eq!(bad(&|_| ()), "above_lufs");
    assert_eq!(bad(&|o| (o.above_lufs, o.below_lufs) = (Some(-9.0), Some(-9.0))), "below_lufs");
    assert_eq!(bad(&|o| o.above_lufs = Some(21.0)), "above_lufs");
    assert_eq!(bad(&|o| o.seconds = Some(1.0)), "seconds");
    assert_eq!(bad(&|o| (o.kind, o.seconds) = (Some(TriggerKind::Silence), Some(0.0))), "seconds");
    assert_eq!(bad(&|o| (o.kind, o.below_lufs) = (Some(TriggerKind::Clip), Some(0.0))), "below_lufs");
    assert_eq!(bad(&|o| (o.above_lufs, o.points) = (Some(-9.0), Some(1))), "points");
    let options = StreamOptions { points: Some(1025), ..StreamOptions::default() };
    let points = Subscription::new(Topic::Stereo, TapId::MASTER, None, &options);
    assert_eq!(points.unwrap_err().field, "points");
    // A tap may have one trigger of each kind.
    let of = |kind: &str, tap| {
        let options = serde_json::from_str(&format!(r#"{{"kind":"{kind}"}}"#)).unwrap();
        Subscription::new(Topic::Trigger, tap, None, &options).unwrap()
    };
    let clip = of("clip", TapId::MASTER);
    assert!(of("clip", TapId::MASTER).is_instead_of(&clip));
    assert!(!of("silence", TapId::MASTER).is_instead_of(&clip));
    assert!(!of("clip", TapId::INPUT).is_instead_of(&clip));
}

/// Feeds a 997 Hz sine of that peak to master and last track for so many seconds, and returns the last meters with
/// their flags.
fn play_tone(
    feed: &mut Feed,
    quantum: &mut Quantum,
    peak_db: f64,
    seconds: f64,
    mut saw: impl FnMut(FeedId, &Frame),
) -> Meters {
    let n_quanta = (seconds * 48_000.0 / QUANTUM as f64) as usize;
    let tone = sine(n_quanta * QUANTUM, 997.0 / 48_000.0, gain(peak_db), 0.0);
    let mut last = None;
    for samples in tone.chunks(QUANTUM) {
        for block in [&mut quantum.master, &mut quantum.tracks[usize::from(quantum.n_tracks) - 1]] {
            block.left.copy_from_slice(samples);
            block.right.copy_from_slice(samples);
        }
        feed.process(quantum, &mut |id, frame| {
            saw(id, frame);
            if let Payload::Meters(meters) = &frame.payload {
                last = Some(meters.clone());
            }
        });
        quantum.sample_position += QUANTUM as u64;
    }
    last.expect("meters came")
}

#[test]
fn loudness_starts_anew_for_one_tap_or_for_all_and_everybody_is_told() {
    let mut feed = Feed::new(RATE);
    let options = StreamOptions { tap_loudness: Some(true), ..StreamOptions::default() };
    feed.subscribe(&subscription(Topic::Meters, TapId::MASTER, 10, &options)).unwrap();
    let spectrum = subscription(Topic::Spectrum, TapId::MASTER, 10, &StreamOptions::default());
    let spectrum = feed.subscribe(&spectrum).unwrap();
    let mut quantum = Quantum::new();
    quantum.n_tracks = 1;
    // BS.1770: a sine of 997 Hz at full scale in one channel is −3.01 LUFS, in both of them 0.
    let expect = |meters: &Meters, master: f32, track: f32| {
        for (loudness, expected) in [(&meters.loudness, master), (&meters.tap_loudness[1], track)] {
            assert!((loudness.integrated - expected).abs() < 0.05, "{} not {expected}", loudness.integrated);
        }
    };
    let meters = play_tone(&mut feed, &mut quantum, -20.0, 4.0, |_, frame| {
        assert!(!frame.flags.contains(Flags::DISCONTINUITY));
    });
    expect(&meters, -20.0, -20.0);
    assert_eq!(meters.loudness_resets, 0);

    feed.reset_loudness(Some(TapId::track(0)));
    let mut marks = Vec::new();
    let meters = play_tone(&mut feed, &mut quantum, -30.0, 4.0, |id, frame| {
        marks.push((id == spectrum, frame.flags.contains(Flags::DISCONTINUITY)));
    });
    // Half of the master's blocks are of each, and their mean is 10·log10((0.01 + 0.001) / 2); the gate, 10 LU below it,
    // takes none.
    let mean = -22.6;
    assert!((meters.loudness.integrated - mean).abs() < 0.3, "{}", meters.loudness.integrated);
    assert!((meters.tap_loudness[1].integrated + 30.0).abs() < 0.05);
    assert_eq!(meters.loudness_resets, 0, "the master's went on");
    let marked: Vec<_> = marks.iter().filter(|(_, is_marked)| *is_marked).collect();
    assert_eq!(marked, [&(false, true)], "the first meters, and no spectrum");

    feed.reset_loudness(None);
    let meters = play_tone(&mut feed, &mut quantum, -26.0, 4.0, |_, _| {});
    expect(&meters, -26.0, -26.0);
    assert!(meters.loudness.range < 0.1, "{}", meters.loudness.range);
    assert_eq!(meters.loudness_resets, 1);
}

#[test]
fn all_tracks_of_a_large_composition_have_their_loudness() {
    let mut feed = Feed::new(RATE);
    let options = StreamOptions { tap_loudness: Some(true), ..StreamOptions::default() };
    feed.subscribe(&subscription(Topic::Meters, TapId::MASTER, 10, &options)).unwrap();
    let mut quantum = Quantum::new();
    quantum.n_tracks = MAX_TRACKS as u16;
    feed.make_room(MAX_TRACKS);
    let meters = play_tone(&mut feed, &mut quantum, -20.0, 1.0, |_, _| {});
    // Master, tracks, input.
    let [first, last] = [1, MAX_TRACKS].map(|at| meters.tap_loudness[at].momentary);
    assert!(first <= FLOOR_DB && (last + 20.0).abs() < 0.05, "{first}, {last}");
}

#[test]
fn a_reset_is_counted_on_the_wire() {
    let meters = Meters { loudness_resets: 0x0102, ..Meters::default() };
    let mut bytes = Vec::new();
    encode_payload(&Payload::Meters(meters.clone()), &mut bytes);
    assert_eq!(bytes[..4], [0, 0, 2, 1]);
    let header = Header { topic: Topic::Meters as u8, ..Header::default() };
    assert_eq!(decode_payload(&header, &bytes), Ok(Payload::Meters(meters)));
}
