//! The one door to a composition: every field out of its range is refused by its name.

use engine_core::composition::{
    AudioClip, BandShape, Bus, Clip, Composition, CompositionSpec, Compressor, Control, ControlKind, Delay,
    Effect, EqualiserBand, Instrument, Note, Reverb, Send, Track, Zone,
};
use engine_core::time::{SignatureMap, TempoMap, TempoPoint, TimeSignature};
use engine_core::units::MAX_TRACKS;
use uuid::Uuid;

/// A composition that uses every field, all in range.
fn valid() -> CompositionSpec {
    let note = Note { pitch: 60, velocity: 100, start: 0, length: 100 };
    let control = Control { tick: 0, kind: ControlKind::Volume, value: 1.0 };
    let clip = Clip { controls: vec![control], ..Clip::new(0, 960, vec![note]) };
    let audio = AudioClip {
        id: Uuid::from_u128(20),
        sample: Uuid::from_u128(21),
        start: 0,
        offset_seconds: 1.0,
        length_seconds: 2.0,
        gain_db: 0.0,
        fade_in_seconds: 0.5,
        fade_out_seconds: 0.5,
    };
    let zone = Zone {
        sample: Uuid::nil(),
        root_pitch: 60,
        low_pitch: 0,
        high_pitch: 127,
        loop_start: 0,
        loop_end: 0,
    };
    let band = EqualiserBand { shape: BandShape::Bell, hz: 1000.0, gain_db: 3.0, q: 1.0 };
    let effects = vec![
        Effect::Equaliser { bands: vec![band] },
        Effect::Compressor(Compressor::default()),
        Effect::Delay(Delay::default()),
        Effect::Reverb(Reverb::default()),
    ];
    let bus = Bus {
        id: Uuid::from_u128(9),
        name: "Bus".into(),
        gain_db: 0.0,
        pan: 0.0,
        mute: false,
        effects: effects.clone(),
    };
    let track = Track {
        id: Uuid::from_u128(1),
        clips: vec![clip],
        audio_clips: vec![audio],
        effects,
        sends: vec![Send { bus: bus.id, gain_db: 0.0, pre_fader: false }],
        ..Track::new("Track", Instrument { program: 1, drums: false, zones: vec![zone] })
    };
    CompositionSpec {
        name: "Song".into(),
        length: 960,
        tracks: vec![track],
        buses: vec![bus],
        ..CompositionSpec::default()
    }
}

fn equaliser(spec: &mut CompositionSpec) -> &mut EqualiserBand {
    let Effect::Equaliser { bands } = &mut spec.tracks[0].effects[0] else { unreachable!() };
    &mut bands[0]
}

fn compressor(spec: &mut CompositionSpec) -> &mut Compressor {
    let Effect::Compressor(compressor) = &mut spec.tracks[0].effects[1] else { unreachable!() };
    compressor
}

fn delay(spec: &mut CompositionSpec) -> &mut Delay {
    let Effect::Delay(delay) = &mut spec.buses[0].effects[2] else { unreachable!() };
    delay
}

fn reverb(spec: &mut CompositionSpec) -> &mut Reverb {
    let Effect::Reverb(reverb) = &mut spec.master.effects[0] else { unreachable!() };
    reverb
}

type Change = fn(&mut CompositionSpec, f64);

/// Fields with a range: its ends are allowed, and what lies outside by the step is not.
const RANGES: &[(&str, f64, f64, f64, Change)] = &[
    ("tracks[0].gain_db", -120.0, 12.0, 0.001, |c, x| c.tracks[0].gain_db = x as f32),
    ("tracks[0].pan", -1.0, 1.0, 0.001, |c, x| c.tracks[0].pan = x as f32),
    ("tracks[0].sends[0].gain_db", -120.0, 12.0, 0.001, |c, x| c.tracks[0].sends[0].gain_db = x as f32),
    ("buses[0].gain_db", -120.0, 12.0, 0.001, |c, x| c.buses[0].gain_db = x as f32),
    ("buses[0].pan", -1.0, 1.0, 0.001, |c, x| c.buses[0].pan = x as f32),
    ("master.gain_db", -120.0, 12.0, 0.001, |c, x| c.master.gain_db = x as f32),
    ("tracks[0].audio_clips[0].gain_db", -120.0, 12.0, 0.001, |c, x| {
        c.tracks[0].audio_clips[0].gain_db = x as f32;
    }),
    ("tracks[0].audio_clips[0].offset_seconds", 0.0, 86_400.0, 0.1, |c, x| {
        c.tracks[0].audio_clips[0].offset_seconds = x;
    }),
    // Its other end is that of the fades.
    ("tracks[0].audio_clips[0].length_seconds", 1.0, 86_400.0, 2.0, |c, x| {
        c.tracks[0].audio_clips[0].length_seconds = x;
    }),
    ("tracks[0].effects[0].bands[0].hz", 20.0, 20_000.0, 0.1, |c, x| equaliser(c).hz = x as f32),
    ("tracks[0].effects[0].bands[0].gain_db", -24.0, 24.0, 0.1, |c, x| equaliser(c).gain_db = x as f32),
    ("tracks[0].effects[0].bands[0].q", 0.1, 10.0, 0.01, |c, x| equaliser(c).q = x as f32),
    ("tracks[0].effects[1].threshold_db", -60.0, 0.0, 0.1, |c, x| compressor(c).threshold_db = x as f32),
    ("tracks[0].effects[1].ratio", 1.0, 20.0, 0.1, |c, x| compressor(c).ratio = x as f32),
    ("tracks[0].effects[1].attack_ms", 0.1, 200.0, 0.05, |c, x| compressor(c).attack_ms = x as f32),
    ("tracks[0].effects[1].release_ms", 5.0, 2000.0, 0.1, |c, x| compressor(c).release_ms = x as f32),
    ("tracks[0].effects[1].knee_db", 0.0, 24.0, 0.1, |c, x| compressor(c).knee_db = x as f32),
    ("tracks[0].effects[1].makeup_db", 0.0, 24.0, 0.1, |c, x| compressor(c).makeup_db = x as f32),
    ("buses[0].effects[2].time_ms", 1.0, 2000.0, 0.1, |c, x| delay(c).time_ms = x as f32),
    ("buses[0].effects[2].feedback", 0.0, 0.95, 0.01, |c, x| delay(c).feedback = x as f32),
    ("buses[0].effects[2].tone_hz", 200.0, 20_000.0, 0.1, |c, x| delay(c).tone_hz = x as f32),
    ("buses[0].effects[2].mix", 0.0, 1.0, 0.01, |c, x| delay(c).mix = x as f32),
    ("master.effects[0].decay_seconds", 0.1, 20.0, 0.01, |c, x| reverb(c).decay_seconds = x as f32),
    ("master.effects[0].predelay_ms", 0.0, 200.0, 0.1, |c, x| reverb(c).predelay_ms = x as f32),
    ("master.effects[0].damping", 0.0, 1.0, 0.01, |c, x| reverb(c).damping = x as f32),
    ("master.effects[0].mix", 0.0, 1.0, 0.01, |c, x| reverb(c).mix = x as f32),
];

fn refused(change: impl FnOnce(&mut CompositionSpec)) -> String {
    let mut spec = with_reverb();
    change(&mut spec);
    let error = Composition::new(spec).expect_err("out of range");
    assert_eq!(error.to_string(), format!("{}: {}", error.field, error.message));
    assert!(!error.message.is_empty());
    error.field
}

fn with_reverb() -> CompositionSpec {
    let mut spec = valid();
    spec.master.effects = vec![Effect::Reverb(Reverb::default())];
    spec
}

#[test]
fn every_range_has_its_ends_and_its_name() {
    Composition::new(with_reverb()).unwrap();
    for &(field, low, high, step, change) in RANGES {
        for end in [low, high] {
            let mut spec = with_reverb();
            change(&mut spec, end);
            assert!(Composition::new(spec).is_ok(), "{field} {end}");
        }
        for outside in [high + step, f64::INFINITY, f64::NAN] {
            assert_eq!(refused(|spec| change(spec, outside)), field, "{outside}");
        }
        let below = refused(|spec| change(spec, low - step));
        assert_eq!(below, field, "{}", low - step);
    }
}

#[test]
fn controllers_have_the_ranges_of_their_kinds() {
    let field = "tracks[0].clips[0].controls[0].value";
    for (kind, low, high) in [
        (ControlKind::Program, 0.0, 127.0),
        (ControlKind::Volume, 0.0, 1.0),
        (ControlKind::Expression, 0.0, 1.0),
        (ControlKind::Pan, -1.0, 1.0),
        (ControlKind::PitchBend, -24.0, 24.0),
        (ControlKind::Modulation, 0.0, 1.0),
        (ControlKind::Sustain, 0.0, 1.0),
    ] {
        let control = |value| Control { tick: 0, kind, value };
        for value in [low, high] {
            let mut spec = valid();
            spec.tracks[0].clips[0].controls[0] = control(value);
            assert!(Composition::new(spec).is_ok(), "{kind:?} {value}");
        }
        for value in [low - 0.01, high + 0.01, f32::NAN, f32::INFINITY] {
            assert_eq!(refused(|c| c.tracks[0].clips[0].controls[0] = control(value)), field, "{kind:?}");
        }
    }
}

#[test]
fn what_is_no_range_is_refused_by_name_too() {
    type Case = (&'static str, fn(&mut CompositionSpec));
    let cases: &[Case] = &[
        ("name", |c| c.name.clear()),
        ("name", |c| c.name = "ü".repeat(201)),
        ("length", |c| c.length = (1 << 30) + 1),
        ("tracks", |c| c.tracks = vec![Track::new("t", Instrument::default()); MAX_TRACKS + 1]),
        ("tracks", |c| c.tracks.push(c.tracks[0].clone())),
        ("buses", |c| c.buses.extend(vec![Bus { id: Uuid::nil(), ..c.buses[0].clone() }; 16])),
        ("buses", |c| c.buses.push(c.buses[0].clone())),
        ("buses[0].name", |c| c.buses[0].name.clear()),
        ("tracks[0].name", |c| c.tracks[0].name.clear()),
        ("tracks[0].color", |c| c.tracks[0].color = "red".into()),
        ("tracks[0].color", |c| c.tracks[0].color = "#12345g".into()),
        ("tracks[0].instrument.program", |c| c.tracks[0].instrument.program = 128),
        ("tracks[0].instrument.zones", |c| {
            let zone = c.tracks[0].instrument.zones[0];
            c.tracks[0].instrument.zones = vec![zone; 129];
        }),
        ("tracks[0].instrument.zones[0].root_pitch", |c| c.tracks[0].instrument.zones[0].root_pitch = 128),
        ("tracks[0].instrument.zones[0].low_pitch", |c| c.tracks[0].instrument.zones[0].low_pitch = 128),
        ("tracks[0].instrument.zones[0].high_pitch", |c| c.tracks[0].instrument.zones[0].high_pitch = 128),
        ("tracks[0].instrument.zones[0].high_pitch", |c| {
            let zone = &mut c.tracks[0].instrument.zones[0];
            (zone.low_pitch, zone.high_pitch) = (61, 60);
        }),
        ("tracks[0].effects", |c| c.tracks[0].effects = vec![Effect::Reverb(Reverb::default()); 9]),
        ("buses[0].effects", |c| c.buses[0].effects = vec![Effect::Reverb(Reverb::default()); 9]),
        ("master.effects", |c| c.master.effects = vec![Effect::Reverb(Reverb::default()); 9]),
        ("tracks[0].effects[0].bands", |c| {
            let band = *equaliser(c);
            c.tracks[0].effects[0] = Effect::Equaliser { bands: vec![band; 9] };
        }),
        ("tracks[0].sends[0].bus", |c| c.tracks[0].sends[0].bus = Uuid::from_u128(99)),
        ("tracks[0].sends[1].bus", |c| {
            let send = c.tracks[0].sends[0];
            c.tracks[0].sends.push(send);
        }),
        ("tracks[0].clips[0].length", |c| c.tracks[0].clips[0].length = 0),
        ("tracks[0].clips[0].length", |c| c.tracks[0].clips[0].length = 961),
        ("tracks[0].clips[0].length", |c| c.tracks[0].clips[0].start = u32::MAX),
        ("tracks[0].clips[0].notes[0].pitch", |c| c.tracks[0].clips[0].notes[0].pitch = 128),
        ("tracks[0].clips[0].notes[0].velocity", |c| c.tracks[0].clips[0].notes[0].velocity = 0),
        ("tracks[0].clips[0].notes[0].velocity", |c| c.tracks[0].clips[0].notes[0].velocity = 128),
        ("tracks[0].clips[0].notes[0].length", |c| c.tracks[0].clips[0].notes[0].length = 0),
        ("tracks[0].clips[0].notes[0].start", |c| c.tracks[0].clips[0].notes[0].start = 960),
        ("tracks[0].clips[0].controls[0].tick", |c| c.tracks[0].clips[0].controls[0].tick = 960),
        ("tracks[0].audio_clips", |c| {
            let clip = AudioClip { id: Uuid::nil(), ..c.tracks[0].audio_clips[0] };
            c.tracks[0].audio_clips = vec![clip; 513];
        }),
        ("tracks[0].audio_clips[0].start", |c| c.tracks[0].audio_clips[0].start = 960),
        ("tracks[0].audio_clips[0].length_seconds", |c| {
            let clip = &mut c.tracks[0].audio_clips[0];
            (clip.length_seconds, clip.fade_in_seconds, clip.fade_out_seconds) = (0.0, 0.0, 0.0);
        }),
        ("tracks[0].audio_clips[0].fade_in_seconds", |c| c.tracks[0].audio_clips[0].fade_in_seconds = -0.1),
        ("tracks[0].audio_clips[0].fade_out_seconds", |c| {
            c.tracks[0].audio_clips[0].fade_out_seconds = f64::NAN
        }),
        ("tracks[0].audio_clips[0].fade_out_seconds", |c| c.tracks[0].audio_clips[0].fade_out_seconds = 1.6),
    ];
    for (field, change) in cases {
        assert_eq!(refused(change), *field);
    }
}

#[test]
fn maps_are_refused_by_name() {
    let tempo = |points: &[(u32, f64)]| {
        let points = points.iter().map(|&(tick, bpm)| TempoPoint { tick, bpm }).collect();
        TempoMap::new(points).map_err(|e| e.to_string())
    };
    for points in [
        &[][..],
        &[(1, 120.0)],
        &[(0, 19.99)],
        &[(0, 400.1)],
        &[(0, f64::NAN)],
        &[(0, 120.0), (9, 1.0)],
        &[(0, 90.0), (0, 90.0)],
    ] {
        assert!(tempo(points).unwrap_err().starts_with("tempo: "), "{points:?}");
    }
    tempo(&[(0, 20.0), (1, 400.0)]).unwrap();
    let signature = |points: &[(u32, u8, u8)]| {
        let point = |&(tick, numerator, denominator)| TimeSignature { tick, numerator, denominator };
        SignatureMap::new(points.iter().map(point).collect()).map_err(|e| e.to_string())
    };
    for points in [
        &[][..],
        &[(1, 4, 4)],
        &[(0, 0, 4)],
        &[(0, 33, 4)],
        &[(0, 4, 0)],
        &[(0, 4, 3)],
        &[(0, 4, 64)],
        &[(0, 4, 4), (5, 3, 4), (5, 4, 4)],
    ] {
        assert!(signature(points).unwrap_err().starts_with("time_signatures: "), "{points:?}");
    }
    signature(&[(0, 1, 1), (1, 32, 32)]).unwrap();
}

#[test]
fn uses_of_samples_are_named_by_their_fields() {
    let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let zone = Zone { sample: a, root_pitch: 60, low_pitch: 0, high_pitch: 127, loop_start: 0, loop_end: 0 };
    let sampler = Instrument { zones: vec![zone], ..Instrument::default() };
    let mut tracks = Composition::from_audio("x", b, 1.0, 120.0).unwrap().into_spec().tracks;
    tracks.insert(0, Track::new("Sampler", sampler));
    let uses: Vec<_> = CompositionSpec { tracks, ..CompositionSpec::default() }.sample_uses().collect();
    let expected = [("tracks[0].instrument.zones[0].sample", a), ("tracks[1].audio_clips[0].sample", b)];
    assert_eq!(uses, expected.map(|(field, id)| (field.to_string(), id)));
}
