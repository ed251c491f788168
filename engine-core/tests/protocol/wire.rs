//! The feed's frames, their two encodings, and a decoder that survives anything.

use engine_core::analysis::ballistics::{Ballistics, Reading};
use engine_core::analysis::meter::MeterBlock;
use engine_core::analysis::trigger::TriggerKind;
use engine_core::buffer::StereoBlock;
use engine_core::composition::Composition;
use engine_core::control::{Command, Quantum, TapId};
use engine_core::protocol::json::{Body, MeterLevels};
use engine_core::protocol::{
    AudioFormat, Directory, Feed, Flags, Frame, HEADER_LEN, Header, Payload, StreamOptions, Subscription,
    Topic, decode_payload, encode_payload,
};
use engine_core::units::{PPQ, QUANTUM, SampleRate};
use proptest::prelude::*;

use crate::common::{ORGAN, composition, engine, note, track};

const RATE: SampleRate = SampleRate::DEFAULT;

fn subscription(topic: Topic, tap: TapId, fps: u16, options: &StreamOptions) -> Subscription {
    Subscription::new(topic, tap, Some(fps), options).unwrap()
}

fn song() -> Composition {
    composition(
        16,
        &[(0, 120.0)],
        vec![track(ORGAN, &[note(69, 0, 16 * PPQ)]), track(ORGAN, &[note(57, PPQ, PPQ)])],
    )
}

/// All frames of the given subscriptions over `n` quanta of the song.
fn frames(subscriptions: &[Subscription], n: usize) -> Vec<Frame> {
    let mut engine = engine(48_000, &song());
    engine.command(Command::Play);
    let mut feed = Feed::new(RATE);
    for s in subscriptions {
        feed.subscribe(s).unwrap();
    }
    let (mut quantum, mut out) = (Quantum::new(), Vec::new());
    for _ in 0..n {
        engine.process(None, &mut quantum);
        feed.process(&quantum, &mut |_, frame| out.push(frame.clone()));
    }
    out
}

#[test]
fn rates_are_exact_and_equal_rates_are_due_together() {
    for fps in [1, 7, 30, 60, 120] {
        let subs = [
            subscription(Topic::Meters, TapId::MASTER, fps, &StreamOptions::default()),
            subscription(Topic::Waveform, TapId::track(0), fps, &StreamOptions::default()),
        ];
        let positions: Vec<_> = frames(&subs, 3750).iter().map(|f| f.sample_position).collect();
        assert_eq!(positions.len(), 2 * 10 * usize::from(fps), "10 s at {fps} fps");
        for (k, pair) in positions.chunks_exact(2).enumerate() {
            assert_eq!(pair[0], pair[1]);
            let due = (k as u64 + 1) * 48_000 / u64::from(fps);
            assert!(pair[0] >= due && pair[0] < due + QUANTUM as u64);
        }
    }
}

#[test]
fn the_next_frame_is_foreseen() {
    let mut engine = engine(48_000, &song());
    let mut feed = Feed::new(RATE);
    assert_eq!(feed.next_due(), None);
    // Sound comes when there is no room for more, too.
    for (topic, fps) in [(Topic::Meters, 7), (Topic::Meters, 30), (Topic::Analytics, 60), (Topic::Audio, 5)] {
        feed.subscribe(&subscription(topic, TapId::MASTER, fps, &StreamOptions::default())).unwrap();
    }
    let (mut quantum, mut foreseen) = (Quantum::new(), None);
    for _ in 0..3750 {
        engine.process(None, &mut quantum);
        let end = quantum.sample_position + QUANTUM as u64;
        let next = foreseen.or_else(|| feed.next_due());
        let mut has_come = false;
        feed.process(&quantum, &mut |_, _| has_come = true);
        assert_eq!(has_come, next.is_some_and(|at| at <= end));
        foreseen = next.filter(|_| !has_come);
    }
    // Triggers fire at any time.
    let clip = StreamOptions { kind: Some(TriggerKind::Clip), ..StreamOptions::default() };
    feed.subscribe(&Subscription::new(Topic::Trigger, TapId::MASTER, None, &clip).unwrap()).unwrap();
    assert!(feed.next_due().is_some_and(|at| at <= quantum.sample_position + 2 * QUANTUM as u64));
}

#[test]
fn a_transport_at_rest_is_sent_five_times_a_second_and_changes_at_once() {
    let mut engine = engine(48_000, &song());
    let mut feed = Feed::new(RATE);
    feed.subscribe(&subscription(Topic::Transport, TapId::MASTER, 60, &StreamOptions::default())).unwrap();
    let mut quantum = Quantum::new();
    let mut count = |feed: &mut Feed, engine: &mut engine_core::engine::Engine, n| {
        let mut seen = Vec::new();
        for _ in 0..n {
            engine.process(None, &mut quantum);
            feed.process(&quantum, &mut |_, frame| seen.push(frame.clone()));
        }
        seen
    };
    // One because nothing was sent before, then five a second.
    assert_eq!(count(&mut feed, &mut engine, 750).len(), 11);
    engine.command(Command::Locate { tick: 960.0 });
    let after = count(&mut feed, &mut engine, 7);
    assert_eq!(after.len(), 1, "a 60th of a second is 6.25 quanta");
    assert!(after[0].flags.contains(Flags::DISCONTINUITY));
    // Somebody changed the composition: whoever shows it is told as soon.
    let revision_of = |frame: &Frame| match &frame.payload {
        Payload::Transport(transport) => transport.composition_revision,
        _ => unreachable!(),
    };
    assert_eq!(revision_of(&after[0]), 0);
    feed.set_composition_revision(1 << 40);
    let after = count(&mut feed, &mut engine, 7);
    assert_eq!(after.iter().map(revision_of).collect::<Vec<_>>(), [1 << 40]);
    let mut bytes = Vec::new();
    encode_payload(&after[0].payload, &mut bytes);
    let header = Header { topic: Topic::Transport as u8, ..Header::default() };
    let decode = |bytes| match decode_payload(&header, bytes) {
        Ok(Payload::Transport(transport)) => transport.composition_revision,
        other => panic!("{other:?}"),
    };
    assert_eq!(decode(&bytes), 1 << 40);
    assert_eq!(decode(&bytes[..bytes.len() - 8]), 0, "a frame of an earlier version");
}

#[test]
fn meters_of_a_slow_reader_cover_all_that_a_fast_one_saw() {
    let options = StreamOptions::default();
    let fast = frames(&[subscription(Topic::Meters, TapId::MASTER, 60, &options)], 3750);
    let slow = frames(&[subscription(Topic::Meters, TapId::MASTER, 10, &options)], 3750);
    let blocks = |frame: &Frame| match &frame.payload {
        Payload::Meters(m) => m.taps.clone(),
        _ => unreachable!(),
    };
    for (slow, fast) in slow.iter().zip(fast.chunks_exact(6)) {
        for (at, (tap, block)) in blocks(slow).into_iter().enumerate() {
            let mut merged = MeterBlock::default();
            fast.iter().for_each(|f| merged.merge(&blocks(f)[at].1));
            assert_eq!(
                (merged.peak, merged.true_peak, merged.n_frames),
                (block.peak, block.true_peak, block.n_frames)
            );
            assert!((merged.rms(0) - block.rms(0)).abs() < 1e-6, "{tap:?}");
        }
        // The same by absorbing whole frames, as a connection does.
        let mut newest = fast[5].clone();
        fast[..5].iter().rev().for_each(|older| newest.absorb(older));
        assert_eq!(blocks(&newest)[0].1.peak, blocks(slow)[0].1.peak);
    }
}

fn with_needles(ballistics: Ballistics) -> StreamOptions {
    StreamOptions { ballistics: Some(ballistics), ..StreamOptions::default() }
}

#[test]
fn needles_of_a_slow_reader_cover_all_that_a_fast_one_saw() {
    for ballistics in Ballistics::ALL {
        let options = with_needles(ballistics);
        let fast = frames(&[subscription(Topic::Meters, TapId::MASTER, 60, &options)], 1500);
        let slow = frames(&[subscription(Topic::Meters, TapId::MASTER, 10, &options)], 1500);
        let readings = |frame: &Frame| match &frame.payload {
            Payload::Meters(m) => m.needles.clone().unwrap().readings,
            _ => unreachable!(),
        };
        for (n, (slow, fast)) in slow.iter().zip(fast.chunks_exact(6)).enumerate() {
            assert_eq!(readings(slow).len(), 4, "master, two tracks, input");
            for (at, reading) in readings(slow).into_iter().enumerate() {
                let mut merged = Reading::default();
                fast.iter().for_each(|f| merged.merge(&readings(f)[at]));
                assert_eq!(merged, reading, "{ballistics:?}, frame {n}, tap {at}");
            }
            let mut newest = fast[5].clone();
            fast[..5].iter().rev().for_each(|older| newest.absorb(older));
            assert_eq!(readings(&newest), readings(slow));
        }
        assert!(readings(&slow[9])[0].needle[0] > 0.01 && readings(&slow[9])[3] == Reading::default());
    }
}

#[test]
fn needles_follow_the_meters_where_older_decoders_do_not_look() {
    let payload = |options: &StreamOptions| {
        let all = frames(&[subscription(Topic::Meters, TapId::MASTER, 30, options)], 40);
        let mut bytes = Vec::new();
        encode_payload(&all.last().unwrap().payload, &mut bytes);
        bytes
    };
    let plain = payload(&StreamOptions::default());
    let mut more = payload(&with_needles(Ballistics::Vu));
    // n × 16 bytes of meters between 4 in front and 12 behind; kind, 0, n, then four i16 of each tap.
    assert_eq!((plain.len(), more.len()), (4 + 4 * 16 + 12, plain.len() + 4 + 4 * 8));
    assert_eq!(more[..plain.len()], plain);
    assert_eq!(more[plain.len()..][..4], [4, 0, 4, 0]);
    // A kind or a number of taps that is not known is left alone.
    let header = Header { topic: Topic::Meters as u8, ..Header::default() };
    for (at, value) in [(0, 99), (2, 3)] {
        more[plain.len() + at] = value;
        assert_eq!(decode_payload(&header, &more), decode_payload(&header, &plain));
    }
}

#[test]
fn a_tone_at_the_input_reads_as_it_should() {
    let mut engine = engine(48_000, &song());
    let mut feed = Feed::new(RATE);
    let wide = StreamOptions { wide: Some(true), ..StreamOptions::default() };
    feed.subscribe(&subscription(Topic::Meters, TapId::MASTER, 10, &StreamOptions::default())).unwrap();
    let id = feed.subscribe(&subscription(Topic::Spectrum, TapId::INPUT, 10, &wide)).unwrap();
    let frequencies = feed.axis(id).unwrap().frequencies.clone();
    let directory = Directory::new(RATE, Some(&song()));
    let mut quantum = Quantum::new();
    let mut last = [None, None];
    for n in 0..375 {
        let mut input = StereoBlock::SILENCE;
        for i in 0..QUANTUM {
            // −6.02 dBFS at 1 kHz.
            let phase = ((n * QUANTUM + i) % 48) as f64 / 48.0;
            input.left[i] = (0.5 * libm::sin(phase * core::f64::consts::TAU)) as f32;
        }
        input.right = input.left;
        engine.process(Some(&input), &mut quantum);
        feed.process(&quantum, &mut |_, frame| {
            let at = usize::from(matches!(frame.payload, Payload::Spectrum(_)));
            last[at] = Some(frame.clone());
        });
    }
    let [Some(meters), Some(spectrum)] = last else { panic!("no frames") };
    let Some(Body::Meters(json)) = Body::new(&meters, &directory, None) else { panic!() };
    let input = json.tracks.last().unwrap();
    assert_eq!(input.name, "input");
    assert!((input.levels.peak_left + 6.02).abs() < 0.01, "{}", input.levels.peak_left);
    assert!((input.levels.rms_right + 9.03).abs() < 0.01);
    assert_eq!(json.master.levels.peak_left, -120.0);
    let Payload::Spectrum(s) = &spectrum.payload else { panic!() };
    let loudest =
        (0..s.magnitudes.len()).max_by(|&a, &b| s.magnitudes[a].total_cmp(&s.magnitudes[b])).unwrap();
    assert!((frequencies[loudest] - 1000.0).abs() < 30.0, "{} Hz", frequencies[loudest]);
    assert!((s.magnitudes[loudest] + 6.02).abs() < 1.5, "{}", s.magnitudes[loudest]);
}

#[test]
fn json_and_binary_carry_the_same_values() {
    let wide = StreamOptions { wide: Some(true), ..StreamOptions::default() };
    let buckets = StreamOptions {
        mode: Some(engine_core::analysis::waveform::WaveformMode::Buckets),
        ..StreamOptions::default()
    };
    let tap_loudness = StreamOptions { tap_loudness: Some(true), ..StreamOptions::default() };
    let floats = StreamOptions { format: Some(AudioFormat::F32), ..StreamOptions::default() };
    let loud = StreamOptions {
        kind: Some(TriggerKind::Loudness),
        above_lufs: Some(-50.0),
        ..StreamOptions::default()
    };
    let subs = [
        subscription(Topic::Transport, TapId::MASTER, 30, &StreamOptions::default()),
        subscription(Topic::Meters, TapId::MASTER, 30, &StreamOptions::default()),
        subscription(Topic::Spectrum, TapId::MASTER, 30, &StreamOptions::default()),
        subscription(Topic::Spectrum, TapId::track(1), 30, &wide),
        subscription(Topic::Meters, TapId::MASTER, 30, &with_needles(Ballistics::Ppm1)),
        subscription(Topic::Meters, TapId::MASTER, 30, &with_needles(Ballistics::K20)),
        subscription(Topic::Waveform, TapId::MASTER, 30, &StreamOptions::default()),
        subscription(Topic::Waveform, TapId::MASTER, 30, &buckets),
        subscription(Topic::Analytics, TapId::MASTER, 30, &StreamOptions::default()),
        subscription(Topic::Meters, TapId::MASTER, 30, &tap_loudness),
        subscription(Topic::Stereo, TapId::track(1), 30, &StreamOptions::default()),
        subscription(Topic::Music, TapId::track(1), 30, &StreamOptions::default()),
        subscription(Topic::Audio, TapId::track(0), 30, &StreamOptions::default()),
        subscription(Topic::Audio, TapId::MASTER, 30, &floats),
        subscription(Topic::Trigger, TapId::MASTER, 30, &loud),
    ];
    let directory = Directory::new(RATE, Some(&song()));
    let axis = {
        let mut feed = Feed::new(RATE);
        let id = feed.subscribe(&subs[2]).unwrap();
        feed.axis(id).unwrap().clone()
    };
    let mut n_of = [0; 16];
    for frame in frames(&subs, 1500) {
        let mut bytes = Vec::new();
        encode_payload(&frame.payload, &mut bytes);
        let header = Header {
            topic: frame.payload.topic() as u8,
            flags: frame.flags,
            payload_len: bytes.len() as u32,
            ..Header::default()
        };
        let decoded = Frame { payload: decode_payload(&header, &bytes).unwrap(), ..frame.clone() };
        let exact = Body::new(&frame, &directory, Some(&axis)).unwrap();
        n_of[usize::from(header.topic)] += 1;
        if let Payload::Text(_, text) = &decoded.payload {
            let text: serde_json::Value = serde_json::from_str(text).unwrap();
            let exact = serde_json::to_value(&exact).unwrap();
            for (field, value) in text.as_object().unwrap() {
                same(field, value, &exact[field]);
            }
            continue;
        }
        let step = if matches!(&frame.payload, Payload::Spectrum(s) if !s.wide) { 0.25 } else { 0.005 };
        assert_close(&exact, &Body::new(&decoded, &directory, Some(&axis)).unwrap(), step);
    }
    for topic in Topic::STREAMS {
        let at_least = if topic == Topic::Trigger { 1 } else { 15 };
        assert!(n_of[topic as usize] >= at_least, "{} frames of {}", n_of[topic as usize], topic.name());
    }
}

/// Texts of both encodings: numbers to four decimals.
fn same(field: &str, a: &serde_json::Value, b: &serde_json::Value) {
    use serde_json::Value::{Array, Object};
    match (a, b) {
        (Array(a), Array(b)) if a.len() == b.len() => a.iter().zip(b).for_each(|(a, b)| same(field, a, b)),
        (Object(a), Object(b)) if a.len() == b.len() => {
            a.iter().for_each(|(name, a)| same(name, a, &b[name]))
        }
        _ => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => assert!((a - b).abs() <= 0.5e-4, "{field}: {a}, {b}"),
            _ => assert_eq!(a, b, "{field}"),
        },
    }
}

fn assert_close(exact: &Body, decoded: &Body, db_step: f32) {
    let close = |a: f32, b: f32, step: f32| assert!((a - b).abs() <= step + 1e-4, "{a} became {b}");
    let all_close = |a: &[f32], b: &[f32], step: f32| {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).for_each(|(a, b)| close(*a, *b, step));
    };
    let levels = |l: &MeterLevels| {
        [
            l.peak_left,
            l.peak_right,
            l.rms_left,
            l.rms_right,
            l.true_peak_left,
            l.true_peak_right,
            f32::from(l.clips),
            l.needle_left.unwrap_or(99.0),
            l.needle_right.unwrap_or(99.0),
            l.hold_left.unwrap_or(99.0),
            l.hold_right.unwrap_or(99.0),
        ]
    };
    match (exact, decoded) {
        (Body::Transport(a), Body::Transport(b)) => assert_eq!(a, b),
        (Body::Meters(a), Body::Meters(b)) => {
            assert_eq!((a.tracks.len(), a.ballistics), (3, b.ballistics));
            assert_eq!(a.master.levels.needle_left.is_some(), a.ballistics.is_some());
            for (a, b) in a.tracks.iter().zip(&b.tracks) {
                assert_eq!((&a.track_id, &a.name), (&b.track_id, &b.name));
                all_close(&levels(&a.levels), &levels(&b.levels), db_step);
                let loudness = |t: &engine_core::protocol::json::TrackMeters| {
                    [t.lufs_momentary, t.lufs_short_term, t.lufs_integrated, t.lra]
                };
                for (a, b) in loudness(a).into_iter().zip(loudness(b)) {
                    assert_eq!(a.is_some(), b.is_some());
                    all_close(a.as_slice(), b.as_slice(), db_step);
                }
            }
            let master = |m: &engine_core::protocol::json::MasterMeters| {
                [m.lufs_momentary, m.lufs_short_term, m.lufs_integrated, m.lra, m.correlation]
            };
            all_close(&levels(&a.master.levels), &levels(&b.master.levels), db_step);
            all_close(&master(&a.master), &master(&b.master), db_step);
        }
        (Body::Spectrum(a), Body::Spectrum(b)) => {
            assert_eq!(a.frequencies, b.frequencies);
            all_close(&a.magnitudes, &b.magnitudes, db_step);
        }
        (Body::Waveform(a), Body::Waveform(b)) => {
            let parts = |w: &engine_core::protocol::json::WaveformFrame| {
                [&w.samples_left, &w.samples_right, &w.min_left, &w.max_left, &w.rms_left, &w.min_right]
                    .map(|part| part.clone().unwrap_or_default())
            };
            assert!(a.samples_right.is_some() != a.rms_right.is_some());
            for (a, b) in parts(a).iter().zip(&parts(b)) {
                all_close(a, b, 0.5 / 32767.0);
            }
        }
        (Body::Stereo(a), Body::Stereo(b)) => {
            assert_eq!((&a.tap, a.sample_position, &a.points), (&b.tap, b.sample_position, &b.points));
            let values = |s: &engine_core::protocol::json::StereoFrame| [s.correlation, s.balance, s.width];
            all_close(&values(a), &values(b), 0.5 / 32767.0);
        }
        (Body::Audio(a), Body::Audio(b)) => {
            assert_eq!((&a.tap, a.sample_position), (&b.tap, b.sample_position));
            all_close(&a.samples_left, &b.samples_left, 0.5 / 32767.0);
            all_close(&a.samples_right, &b.samples_right, 0.5 / 32767.0);
        }
        _ => panic!("another topic came out"),
    }
}

#[test]
fn options_are_checked_by_name() {
    let bad =
        |topic, options: StreamOptions| Subscription::new(topic, TapId::MASTER, None, &options).unwrap_err();
    let fft = StreamOptions { fft_size: Some(1000), ..StreamOptions::default() };
    assert_eq!(bad(Topic::Meters, fft.clone()).field, "fft_size");
    assert_eq!(bad(Topic::Spectrum, with_needles(Ballistics::Vu)).field, "ballistics");
    assert_eq!(bad(Topic::Axis, StreamOptions::default()).field, "topic");
    let sub = Subscription::new(Topic::Spectrum, TapId::MASTER, None, &fft).unwrap();
    let error = Feed::new(RATE).subscribe(&sub).unwrap_err();
    assert_eq!(error.to_string(), "fft_size: must be a power of two, 256 to 32768");
    let fps = Subscription::new(Topic::Meters, TapId::MASTER, Some(121), &StreamOptions::default());
    assert_eq!(fps.unwrap_err().field, "fps");
    let directory = Directory::new(RATE, Some(&song()));
    assert_eq!(directory.find("master"), Ok(TapId::MASTER));
    let id = song().tracks[1].id.to_string();
    assert_eq!(directory.find(&id), Ok(TapId::track(1)));
    assert_eq!(directory.key(TapId::track(1)), id);
    assert_eq!(directory.find("nobody").unwrap_err().field, "tap");
}

#[test]
fn positions_that_are_no_number_in_ticks_are_refused() {
    // Found by fuzzing: finite in beats, infinite in ticks.
    let mut payload = Vec::new();
    let quantum = Quantum::new();
    let transport = engine_core::protocol::Transport {
        snapshot: quantum.transport,
        server_time: 0.0,
        composition_revision: 0,
    };
    encode_payload(&Payload::Transport(transport), &mut payload);
    let header = Header { topic: Topic::Transport as u8, ..Header::default() };
    assert!(decode_payload(&header, &payload).is_ok());
    for field in [4, 28, 36] {
        let mut payload = payload.clone();
        payload[field..field + 8].copy_from_slice(&1e308f64.to_le_bytes());
        assert!(decode_payload(&header, &payload).is_err(), "byte {field}");
    }
}

proptest! {
    #[test]
    fn the_decoder_survives_any_bytes(topic in 0u8..20, flags in 0u8..8, bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let header = Header { topic, flags: Flags(flags), payload_len: bytes.len() as u32, ..Header::default() };
        if let Ok(payload) = decode_payload(&header, &bytes) {
            let mut again = Vec::new();
            encode_payload(&payload, &mut again);
            prop_assert!(again.len() <= bytes.len() + 4);
        }
        let _ = Header::split(&bytes);
    }

    #[test]
    fn cut_messages_are_told_from_whole_ones(len in 0usize..64, cut in 0usize..100) {
        let header = Header { topic: 99, payload_len: len as u32, ..Header::default() };
        let message = [&header.encode()[..], &vec![7; len]].concat();
        let whole = Header::split(&message[..message.len().saturating_sub(cut)]);
        prop_assert_eq!(whole.is_some(), cut == 0);
        prop_assert_eq!(message.len(), HEADER_LEN + len);
    }
}
