//! Nothing that runs on the audio thread allocates.

#[path = "common/allocations.rs"]
mod allocations;
mod common;

use allocations::allocations;
use common::{DRUMS, ORGAN, composition, engine, note, project, track};
use engine_core::analysis::ballistics::Ballistics;
use engine_core::buffer::StereoBlock;
use engine_core::control::{Command, Program, Quantum, StripChange, StripTarget, TapId};
use engine_core::protocol::{Feed, StreamOptions, Subscription, Topic, encode_payload};
use engine_core::units::{PPQ, SampleRate};

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 2);
}

#[test]
fn playing_measuring_and_encoding_allocate_nothing() {
    let notes: Vec<_> = (0..200).map(|i| note(30 + (i % 60) as u8, i * 96, 200)).collect();
    let tracks = vec![track(ORGAN, &notes), track(DRUMS, &notes), track(ORGAN, &notes)];
    let c = composition(24, &[(0, 120.0), (960, 200.0)], tracks);
    let mut engine = engine(48_000, &c);
    let mut feed = Feed::new(SampleRate::DEFAULT);
    let triggers = [r#""clip""#, r#""silence","seconds":0.1"#, r#""loudness","above_lufs":-50"#];
    let triggers =
        triggers.map(|kind| serde_json::from_str(&format!(r#"{{"kind":{kind},"once":false}}"#)).unwrap());
    for topic in Topic::STREAMS {
        for tap in [TapId::MASTER, TapId::track(1), TapId::INPUT] {
            let default = [StreamOptions {
                tap_loudness: (topic == Topic::Meters).then_some(true),
                ..StreamOptions::default()
            }];
            for options in if topic == Topic::Trigger { &triggers[..] } else { &default } {
                feed.subscribe(&Subscription::new(topic, tap, Some(60), options).unwrap()).unwrap();
            }
        }
    }
    for ballistics in Ballistics::ALL {
        let options = StreamOptions { ballistics: Some(ballistics), ..StreamOptions::default() };
        feed.subscribe(&Subscription::new(Topic::Meters, TapId::MASTER, Some(60), &options).unwrap())
            .unwrap();
    }
    let mut bytes = Vec::with_capacity(1 << 16);
    let mut quantum = Quantum::new();
    let input = StereoBlock::SILENCE;
    let mut next = Some(project(48_000, &composition(8, &[(0, 90.0)], vec![track(ORGAN, &notes[..9])])));
    let mut retired = None;
    let mut n_of = [0; 16];
    let calls = allocations(|| {
        engine.command(Command::SetLoop { enabled: true, start: 0, end: 8 * PPQ });
        engine.command(Command::SetMetronome { enabled: true });
        engine.command(Command::Play);
        for n in 0..2000 {
            match n {
                500 => engine.command(Command::SetTempo { at_tick: 0.0, bpm: 333.0 }),
                600 => engine.command(Command::Locate { tick: 17.0 }),
                700 => engine.command(Command::SetStrip {
                    target: StripTarget::Track(0),
                    change: StripChange::Solo(true),
                }),
                800 => engine.command(Command::NoteOn { track: 2, pitch: 64, velocity: 99 }),
                1500 => retired = next.take().map(|project| engine.load(project)),
                1510 => engine.command(Command::Play),
                _ => {}
            }
            engine.process(Some(&input), &mut quantum);
            bytes.clear();
            feed.process(&quantum, &mut |_, frame| {
                n_of[frame.payload.topic() as usize] += 1;
                encode_payload(&frame.payload, &mut bytes);
            });
        }
    });
    assert!(retired.is_some() && n_of.iter().sum::<u32>() > 1000);
    assert!(Topic::STREAMS.iter().all(|&topic| n_of[topic as usize] > 0), "{n_of:?}");
    assert_eq!(calls, 0);
}

#[test]
fn level_units_allocate_nothing() {
    use engine_core::analysis::ballistics::Needles;
    use engine_core::analysis::layout::Layout;
    use engine_core::analysis::meter::StereoMeter;
    use engine_core::analysis::programme::Programme;
    use engine_core::analysis::stereo::Stereo;

    let rate = SampleRate::DEFAULT;
    let noise: Vec<f32> =
        (0..60_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / 8e6 - 1.0).collect();
    let mut programme = Programme::new(rate, Layout::of_channels(6).unwrap());
    let (mut meter, mut stereo) = (StereoMeter::new(), Stereo::new(rate));
    let mut needles = Ballistics::ALL.map(|ballistics| Needles::new(rate, ballistics));
    let mut loudest = 0.0;
    let calls = allocations(|| {
        for part in noise.chunks(1_009) {
            programme.process(&[part; 6]);
            meter.process(part, part);
            stereo.process(part, part);
            for needles in &mut needles {
                loudest = needles.process(part, part).needle[0].max(loudest);
            }
        }
    });
    assert!(programme.summary().integrated > -10.0 && loudest > 0.9);
    assert_eq!(calls, 0);
}

#[test]
fn recording_allocates_nothing_for_longer_than_it_remembers() {
    use engine_core::protocol::recorder::{RECORDER_LEN, Recorder};
    use engine_core::protocol::{Directory, Frame};

    let c = composition(8, &[(0, 120.0)], vec![track(ORGAN, &[]), track(ORGAN, &[])]);
    let directory = Directory::new(SampleRate::DEFAULT, Some(&c));
    let mut feed = Feed::new(SampleRate::DEFAULT);
    for subscription in Recorder::subscriptions(&directory) {
        feed.subscribe(&subscription).unwrap();
    }
    let mut quantum = Quantum::new();
    quantum.n_tracks = 2;
    let mut frames: Vec<Frame> = Vec::new();
    while frames.len() < 5 {
        feed.process(&quantum, &mut |_, frame| frames.push(frame.clone()));
        quantum.sample_position += 128;
    }
    let mut recorder = Recorder::new(SampleRate::DEFAULT, 4);
    recorder.retap(&directory);
    let calls = allocations(|| {
        for _ in 0..RECORDER_LEN + 100 {
            for frame in &mut frames {
                recorder.push(frame);
                frame.sample_position += 4_800;
            }
        }
    });
    let range = recorder.range().unwrap();
    assert_eq!(range.end() - range.start(), 4_800 * (RECORDER_LEN as u64 - 1));
    assert_eq!(recorder.frames(&range, None).count(), 5 * RECORDER_LEN);
    assert_eq!(calls, 0);
}

#[test]
fn audio_clips_and_count_ins_allocate_nothing() {
    use std::sync::Arc;

    use engine_core::composition::{AudioClip, Composition, CompositionSpec, Instrument, Track};
    use engine_core::control::Sample;
    use engine_core::engine::{Engine, Project};
    use uuid::Uuid;

    let clip = |start| AudioClip {
        id: Uuid::nil(),
        sample: Uuid::from_u128(1),
        start,
        offset_seconds: 0.01,
        length_seconds: 0.7,
        gain_db: -3.0,
        fade_in_seconds: 0.1,
        fade_out_seconds: 0.1,
    };
    // Up to 300 at once: more than can sound.
    let clips = (0..400).map(|i| clip(i * 4)).collect();
    let tracks = vec![Track { audio_clips: clips, ..Track::new("audio", Instrument::default()) }];
    let spec = CompositionSpec { tracks, ..composition(8, &[(0, 120.0), (500, 90.0)], vec![]).into_spec() };
    let c = Composition::new(spec).unwrap();
    let sample = Arc::new(Sample::new(vec![0.01; 40_000].into(), vec![0.01; 40_000].into()));
    let project = || {
        let mut program = Program::compile(&c);
        program.resolve(|_| Some(sample.clone()));
        Box::new(Project::new(program, SampleRate::DEFAULT))
    };
    let mut engine = Engine::new(SampleRate::DEFAULT);
    engine.load(project());
    let mut next = Some(project());
    let mut retired = None;
    let mut quantum = Quantum::new();
    let mut energy = 0.0;
    let calls = allocations(|| {
        engine.command(Command::PlayWithCountIn { bars: 1 });
        for n in 0..3000 {
            match n {
                900 => engine.command(Command::Locate { tick: 1000.0 }),
                950 => engine.command(Command::Pause),
                960 => engine.command(Command::Resume),
                1000 => retired = next.take().map(|project| engine.update(project)),
                1100 => engine.command(Command::SetLoop { enabled: true, start: 700, end: 900 }),
                1101 => engine.command(Command::Locate { tick: 700.0 }),
                _ => {}
            }
            engine.process(None, &mut quantum);
            energy += quantum.master.left[0].abs();
        }
    });
    assert!(energy > 1.0 && retired.is_some());
    assert_eq!(calls, 0);
}

#[test]
fn effects_and_updates_allocate_nothing() {
    use engine_core::composition::{
        BandShape, Bus, Composition, CompositionSpec, Compressor, Delay, Effect, EqualiserBand, Reverb, Send,
        Track,
    };
    use uuid::Uuid;

    let id = Uuid::from_u128(99);
    let bands = vec![EqualiserBand { shape: BandShape::Bell, hz: 500.0, gain_db: 3.0, q: 1.0 }];
    let equaliser = Effect::Equaliser { bands };
    let delay = |time_ms| Effect::Delay(Delay { time_ms, ..Delay::default() });
    let (compressor, reverb) = (Effect::Compressor(Compressor::default()), Effect::Reverb(Reverb::default()));
    let with = |effects: &[Effect], pre_fader| {
        let part = Track { effects: effects.to_vec(), ..track(ORGAN, &[note(50, 0, 16 * PPQ)]) };
        let effects = vec![reverb.clone()];
        let bus = Bus { id, name: "bus".into(), gain_db: 0.0, pan: 0.0, mute: false, effects };
        let mut spec = composition(16, &[(0, 120.0)], vec![part]).into_spec();
        spec.tracks[0].sends = vec![Send { bus: id, gain_db: -6.0, pre_fader }];
        Composition::new(CompositionSpec { buses: vec![bus], ..spec }).unwrap()
    };
    let steps = [
        with(&[equaliser.clone(), compressor.clone()], true),
        with(&[compressor, delay(50.0), reverb.clone()], false),
        with(&[equaliser, delay(1_500.0)], true),
        with(&[], false),
    ];
    let mut engine = engine(48_000, &steps[0]);
    let mut next: Vec<_> = steps[1..].iter().rev().map(|c| project(48_000, c)).collect();
    let mut retired = Vec::with_capacity(4);
    let mut quantum = Quantum::new();
    let mut energy = 0.0;
    let calls = allocations(|| {
        engine.command(Command::Play);
        for n in 0..1000 {
            if n % 200 == 100 {
                retired.extend(next.pop().map(|project| engine.update(project)));
                engine.command(Command::SetSend {
                    track: 0,
                    bus: 0,
                    gain_db: 0.0,
                    pre_fader: n % 400 == 100,
                });
            }
            engine.process(None, &mut quantum);
            energy += quantum.master.left[0].abs();
        }
    });
    assert!(energy > 1.0 && retired.len() == 3);
    assert_eq!(calls, 0);
}

#[test]
fn music_and_overviews_allocate_nothing() {
    use engine_core::analysis::music::Music;
    use engine_core::analysis::overview::{Overview, OverviewConfig};

    // Ten beats a second, for six seconds.
    let samples: Vec<f32> = (0..288_000).map(|i| if i % 4_800 < 9 { 0.5 } else { 0.0 }).collect();
    let (mut live, mut whole) = (Music::new(SampleRate::DEFAULT), Music::whole(SampleRate::DEFAULT, 288_000));
    let mut overview = Overview::new(&OverviewConfig::default(), 288_000).unwrap();
    let mut snapshot = None;
    let calls = allocations(|| {
        for block in samples.chunks(1_000) {
            live.process(block, block);
            whole.process(block, block);
            snapshot = Some(live.snapshot());
            overview.process(&[block, block]);
        }
        live.reset();
    });
    assert!(snapshot.unwrap().bpm.is_some() && whole.onsets().len() == 60);
    assert_eq!(calls, 0);
}
