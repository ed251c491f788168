//! Audio and triggers through the feed: every sample, and exactly where something happened.

mod common;

use common::{ORGAN, composition, engine, note, track};
use engine_core::analysis::trigger::TriggerKind;
use engine_core::composition::Composition;
use engine_core::control::{Command, Quantum, TapId};
use engine_core::protocol::{
    AudioFormat, Feed, Flags, Header, Payload, StreamOptions, Subscription, Topic, decode_payload,
    encode_payload,
};
use engine_core::units::{PPQ, QUANTUM, SampleRate};

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
