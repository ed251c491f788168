//! Slots: the newest frame of each stream, nothing lost, in both encodings.

use antiphon_wasm::inbound::frame_from_body;
use antiphon_wasm::slots::{Content, Slots};
use engine_core::analysis::ballistics::{Ballistics, Reading};
use engine_core::analysis::meter::MeterBlock;
use engine_core::analysis::spectrum::Scale;
use engine_core::analysis::trigger::TriggerConfig;
use engine_core::composition::{CompositionSpec, Instrument, Track};
use engine_core::control::{ActiveNote, PlayState, TapId, TransportSnapshot};
use engine_core::protocol::json::{Body, Envelope};
use engine_core::protocol::{
    Audio, AudioFormat, Axis, Directory, Flags, Frame, Header, Loudness, MeterNeedles, Meters, Payload,
    Spectrum, Stereo, Topic, Transport, TriggerEvent, Waveform, encode_payload,
};
use engine_core::units::SampleRate;
use uuid::Uuid;

fn directory() -> Directory {
    let track = Track { id: Uuid::from_u128(5), ..Track::new("Bass", Instrument::default()) };
    let spec = CompositionSpec { name: "x".into(), tracks: vec![track], ..CompositionSpec::default() };
    Directory::new(SampleRate::DEFAULT, Some(&spec.try_into().expect("it is in range")))
}

fn slots() -> Slots {
    let mut slots = Slots::default();
    slots.set_directory(directory());
    slots
}

fn frame(tap: TapId, payload: Payload) -> Frame {
    Frame { tap, flags: Flags::default(), sample_position: 4800, payload }
}

fn bytes(frame: &Frame, seq: u32) -> Vec<u8> {
    let mut payload = Vec::new();
    encode_payload(&frame.payload, &mut payload);
    let header = Header {
        topic: frame.payload.topic() as u8,
        flags: frame.flags,
        tap: frame.tap.0,
        seq,
        sample_position: frame.sample_position,
        payload_len: payload.len() as u32,
        epoch: 3,
        dropped: 0,
    };
    [&header.encode()[..], &payload].concat()
}

fn meters(peak: f32, clips: u16) -> Frame {
    let block =
        MeterBlock { peak: [peak; 2], true_peak: [peak; 2], sum_squares: [0.01; 2], n_frames: 1, clips };
    let taps = vec![(TapId::MASTER, block), (TapId::track(0), block)];
    frame(TapId::MASTER, Payload::Meters(Meters { taps, correlation: 0.5, ..Meters::default() }))
}

/// The master's needles at a position, the track's at rest.
fn with_needles(mut meters: Frame, needle: f32) -> Frame {
    if let Payload::Meters(meters) = &mut meters.payload {
        let readings = vec![Reading { needle: [needle, 0.5], hold: [0.0, 0.9] }, Reading::default()];
        meters.needles = Some(MeterNeedles { ballistics: Ballistics::K14, readings });
    }
    meters
}

fn axis(n_bands: u16) -> Axis {
    let frequencies: Vec<f32> = (1..=n_bands).map(|band| 100.0 * f32::from(band)).collect();
    Axis::new(4096, 48_000, Scale::Mel, &frequencies)
}

fn spectrum(axis: &Axis) -> Frame {
    let magnitudes = vec![-20.5; axis.frequencies.len()];
    let values = Spectrum { axis: axis.id, channels: 1, wide: false, magnitudes };
    frame(TapId::track(0), Payload::Spectrum(values))
}

/// Drains into owned bodies.
fn drained(slots: &mut Slots) -> Vec<(Envelope, Body)> {
    let mut out = Vec::new();
    slots.drain(&mut |_, envelope, content| match content {
        Content::Body(body) => out.push((*envelope, *body)),
        Content::Text { .. } => panic!("no text was sent"),
    });
    out
}

#[test]
fn frames_that_nobody_drew_are_merged_without_loss() {
    let mut slots = slots();
    for (seq, peak, clips) in [(1, 0.1, 0), (2, 0.9, 2), (3, 0.2, 1)] {
        let meters = with_needles(meters(peak, clips), peak);
        slots.push_bytes(&bytes(&meters, seq), &mut |_, _, _| true);
    }
    let out = drained(&mut slots);
    let [(envelope, Body::Meters(meters))] = &out[..] else { panic!("{out:?}") };
    assert_eq!((envelope.seq, envelope.dropped, envelope.epoch), (3, 2, 3));
    assert_eq!(meters.master.levels.clips, 3);
    assert!((meters.tracks[0].levels.peak_left - 20.0 * 0.9f32.log10()).abs() < 0.01);
    let needle = meters.master.levels.needle_left.expect("a needle");
    assert!((needle - 20.0 * 0.9f32.log10() - 14.0).abs() < 0.01, "{needle}");
    assert!(drained(&mut slots).is_empty(), "a frame is handed out once");
}

#[test]
fn what_waits_of_a_stream_can_be_forgotten() {
    let mut slots = slots();
    let axis = axis(8);
    let sound = Audio { channels: 2, format: AudioFormat::F32, samples: vec![0.0; 16] };
    for frame in [
        frame(TapId::MASTER, Payload::Axis(axis.clone())),
        spectrum(&axis),
        meters(0.5, 1),
        frame(TapId::MASTER, Payload::Audio(sound)),
    ] {
        slots.push_bytes(&bytes(&frame, 1), &mut |_, _, _| true);
    }
    slots.forget(Topic::Spectrum, "master");
    slots.forget(Topic::Spectrum, &directory().key(TapId::track(0)));
    slots.forget(Topic::Audio, "master");
    slots.forget(Topic::Meters, "nobody");
    let out = drained(&mut slots);
    assert!(matches!(out[..], [(_, Body::Meters(_))]), "{out:?}");
}

#[test]
fn a_spectrum_waits_for_its_axis() {
    let mut slots = slots();
    let axis = axis(8);
    slots.push_bytes(&bytes(&spectrum(&axis), 1), &mut |_, _, _| true);
    assert!(drained(&mut slots).is_empty());
    let axis_frame = frame(TapId::track(0), Payload::Axis(axis.clone()));
    slots.push_bytes(&bytes(&axis_frame, 0), &mut |_, _, _| true);
    let out = drained(&mut slots);
    let [(_, Body::Spectrum(spectrum))] = &out[..] else { panic!("{out:?}") };
    assert_eq!(spectrum.frequencies, axis.frequencies);
    assert_eq!((spectrum.tap.as_str(), spectrum.scale.as_str()), (&*Uuid::from_u128(5).to_string(), "mel"));
    assert!(spectrum.magnitudes.iter().all(|db| (db + 20.5).abs() <= 0.25));
}

#[test]
fn a_server_cannot_fill_memory_with_axes() {
    let mut slots = slots();
    for n_bands in 1..500 {
        let axis = frame(TapId::MASTER, Payload::Axis(axis(n_bands)));
        slots.push_bytes(&bytes(&axis, 0), &mut |_, _, _| true);
    }
    // The first ones are gone, the newest is there.
    for (n_bands, n_frames) in [(1, 0), (499, 1)] {
        slots.push_bytes(&bytes(&spectrum(&axis(n_bands)), 1), &mut |_, _, _| true);
        assert_eq!(drained(&mut slots).len(), n_frames);
    }
}

#[test]
fn audio_and_triggers_wait_in_order_and_the_oldest_are_counted_when_too_many_do() {
    let mut slots = slots();
    let audio = |position: u64| {
        let values = Audio { channels: 2, format: AudioFormat::I16, samples: vec![0.5; 200] };
        Frame { sample_position: position, ..frame(TapId::track(0), Payload::Audio(values)) }
    };
    for seq in 1..=300u32 {
        slots.push_bytes(&bytes(&audio(u64::from(seq) * 100), seq), &mut |_, _, _| true);
    }
    let event = TriggerEvent { config: TriggerConfig::default(), value: -0.5 };
    slots.push_bytes(&bytes(&frame(TapId::track(0), Payload::Trigger(event)), 1), &mut |_, _, _| true);
    let (mut seen, mut text) = (Vec::new(), String::new());
    slots.drain(&mut |_, envelope, content| match content {
        Content::Body(body) => {
            let Body::Audio(audio) = *body else { panic!("audio") };
            assert_eq!(audio.samples_left.len(), 100);
            seen.push((envelope.seq, envelope.dropped, audio.discontinuity));
        }
        Content::Text { text: json, tap, .. } => text = format!("{} {json}", tap.unwrap_or_default()),
    });
    // One more gave way to the trigger.
    assert_eq!(seen[0], (46, 45, true));
    assert!(seen[1..].iter().zip(47..).all(|(one, seq)| *one == (seq, 0, false)) && seen.len() == 255);
    assert_eq!(
        text,
        format!("{} {{\"kind\":\"clip\",\"value\":-0.5000,\"ended\":true}}", Uuid::from_u128(5))
    );
    slots.drain(&mut |_, _, _| panic!("each is handed out once"));
}

#[test]
fn what_is_not_accepted_is_not_kept_and_other_taps_forget_everything() {
    let mut slots = slots();
    let mut seen = Vec::new();
    slots.push_bytes(&bytes(&meters(0.5, 0), 9), &mut |topic, tap, seq| {
        seen.push((topic.name(), tap.to_owned(), seq));
        false
    });
    assert_eq!(seen, [("meters", "master".to_owned(), 9)]);
    assert!(drained(&mut slots).is_empty());
    slots.push_bytes(&bytes(&meters(0.5, 0), 10), &mut |_, _, _| true);
    slots.set_directory(directory());
    assert!(drained(&mut slots).is_empty());
}

#[test]
fn no_bytes_are_too_strange() {
    let mut state = 1u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let good = bytes(&meters(0.5, 1), 1);
    let mut slots = slots();
    for round in 0..5_000 {
        let mut message = good.clone();
        for _ in 0..=round % 8 {
            let at = usize::from(random()) % message.len();
            message[at] = random();
        }
        message.truncate(usize::from(random()));
        slots.push_bytes(&message, &mut |_, _, _| true);
        slots.drain(&mut |_, _, _| {});
    }
}

/// JSON says what binary says: through JSON text and back, a frame shows the same values.
#[test]
fn json_frames_become_the_frames_that_they_were_made_of() {
    let directory = directory();
    let mut snapshot = TransportSnapshot {
        state: PlayState::Paused,
        tick: 1234.5,
        seconds: 0.75,
        loop_enabled: true,
        loop_end: 3840,
        n_active_notes: 1,
        ..TransportSnapshot::default()
    };
    snapshot.active_notes[0] = ActiveNote { track: 0, pitch: 61, velocity: 99 };
    let axis = axis(3);
    let scope = Waveform { channels: 2, mode: 0, samples: vec![0.1, 0.2, -0.1, -0.2] };
    let stereo = Stereo { correlation: 0.5, balance: -0.25, width: 0.75, points: vec![[-127, 3], [0, 127]] };
    let sound = Audio { channels: 2, format: AudioFormat::F32, samples: vec![0.1, 0.2, -0.1, -0.2] };
    let mut all_loud = meters(0.25, 4);
    if let Payload::Meters(meters) = &mut all_loud.payload {
        let of_track = Loudness { momentary: -10.0, range: 3.0, ..Loudness::default() };
        meters.tap_loudness = vec![Loudness::default(), of_track];
    }
    let buckets = Waveform { channels: 2, mode: 1, samples: vec![-0.5, 0.5, 0.25, -0.4, 0.4, 0.2] };
    let frames = [
        frame(
            TapId::MASTER,
            Payload::Transport(Transport { snapshot, server_time: 1e12, composition_revision: 0 }),
        ),
        meters(0.25, 4),
        with_needles(meters(0.25, 4), 0.2),
        spectrum(&axis),
        frame(TapId::INPUT, Payload::Waveform(scope)),
        frame(TapId::MASTER, Payload::Waveform(buckets)),
        all_loud,
        frame(TapId::track(0), Payload::Stereo(stereo)),
        frame(TapId::MASTER, Payload::Audio(sound)),
    ];
    for frame in frames {
        let body = Body::new(&frame, &directory, Some(&axis)).expect("it has a body");
        let (again, its_axis) = frame_from_body(body.clone(), &directory).expect("its tap is known");
        assert_eq!((again.tap, again.sample_position), (frame.tap, frame.sample_position));
        let again = Body::new(&again, &directory, its_axis.as_ref()).expect("it has a body");
        let numbers = |body: &Body| serde_json::to_value(body).expect("it is plain data");
        assert!(nearly(&numbers(&body), &numbers(&again)), "{body:?}\n{again:?}");
    }
}

fn nearly(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (a, b) {
        (Number(a), Number(b)) => {
            let (a, b) = (a.as_f64().unwrap_or(f64::NAN), b.as_f64().unwrap_or(f64::NAN));
            (a - b).abs() <= 1e-4 * a.abs().max(1.0)
        }
        (Array(a), Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| nearly(a, b)),
        (Object(a), Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| nearly(a, b)))
        }
        (a, b) => a == b,
    }
}
