//! MIDI files in and out: what goes round comes back, and files as the world writes them are understood.
use engine_core::composition::midi::{ExportError, FileType, MidiError, export, import};
use engine_core::composition::{
    Clip, Composition, CompositionSpec, Control, ControlKind, Instrument, Note, Track,
};
use engine_core::math::{db_from_gain, gain_from_db};
use engine_core::time::{SignatureMap, TempoMap, TempoPoint, TimeSignature};
use engine_core::units::{MAX_TRACKS, PPQ};

/// Xorshift: whole numbers below a limit, always the same ones.
struct Numbers(u64);

impl Numbers {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (((self.0 >> 32) * u64::from(limit)) >> 32) as u32
    }

    /// −1 to 1.
    fn signed(&mut self) -> f32 {
        self.below(20_001) as f32 / 10_000.0 - 1.0
    }
}

fn random_control(n: &mut Numbers, tick: u32) -> Control {
    let unit = (n.signed() + 1.0) / 2.0;
    let (kind, value) = match n.below(7) {
        0 => (ControlKind::Program, n.below(128) as f32),
        1 => (ControlKind::Volume, unit),
        2 => (ControlKind::Expression, unit),
        3 => (ControlKind::Pan, n.signed()),
        4 => (ControlKind::PitchBend, n.signed() * if n.below(2) == 0 { 2.0 } else { 24.0 }),
        5 => (ControlKind::Modulation, unit),
        _ => (ControlKind::Sustain, n.below(2) as f32),
    };
    Control { tick, kind, value }
}

fn random_composition(seed: u64, max_tracks: u32) -> Composition {
    let n = &mut Numbers::new(seed);
    let length = 1 + n.below(if seed.is_multiple_of(10) { 1 << 30 } else { 40 * PPQ });
    let map = |n: &mut Numbers, count: u32| {
        let mut ticks: Vec<u32> = (0..count).map(|_| n.below(length)).chain([0]).collect();
        ticks.sort_unstable();
        ticks.dedup();
        ticks
    };
    let (n_tempi, n_signatures) = (n.below(20), n.below(5));
    let tempo = map(n, n_tempi)
        .into_iter()
        .map(|tick| TempoPoint { tick, bpm: 20.0 + f64::from(n.below(380_001)) / 1e3 });
    let tempo = TempoMap::new(tempo.collect()).unwrap();
    let signatures = map(n, n_signatures).into_iter().map(|tick| TimeSignature {
        tick,
        numerator: 1 + n.below(32) as u8,
        denominator: 1 << n.below(6),
    });
    let time_signatures = SignatureMap::new(signatures.collect()).unwrap();
    let tracks = (0..1 + n.below(max_tracks)).map(|idx| {
        let instrument = Instrument { program: n.below(128) as u8, drums: n.below(6) == 0, zones: vec![] };
        let clips = (0..1 + n.below(3)).map(|_| {
            let start = n.below(length);
            let clip_length = 1 + n.below(length - start);
            let notes = (0..1 + n.below(30)).map(|_| Note {
                // Few pitches, so that equal ones overlap.
                pitch: 60 + n.below(6) as u8,
                velocity: 1 + n.below(127) as u8,
                start: n.below(clip_length),
                length: 1 + n.below(2 * PPQ),
            });
            let mut clip = Clip::new(start, clip_length, notes.collect());
            clip.controls = (0..n.below(20))
                .map(|_| {
                    let tick = n.below(clip_length);
                    random_control(n, tick)
                })
                .collect();
            clip
        });
        let clips = clips.collect();
        Track {
            gain_db: [-120.0, -60.0, -12.5, -3.0, 0.0, 12.0][n.below(6) as usize],
            pan: n.signed(),
            clips,
            ..Track::new(format!("Träck № {idx}"), instrument)
        }
    });
    let tracks = tracks.collect();
    let name = format!("Composition {seed}");
    Composition::new(CompositionSpec { name, tempo, time_signatures, length, tracks, ..Default::default() })
        .unwrap()
}

/// All notes of a track in the composition's ticks: (pitch, velocity, start, end), equal pitches first in, first out.
fn notes(track: &Track) -> Vec<(u8, u8, u32, u32)> {
    let mut by_pitch = vec![(Vec::new(), Vec::new()); 128];
    for clip in &track.clips {
        for note in &clip.notes {
            let (starts, ends) = &mut by_pitch[usize::from(note.pitch)];
            starts.push((clip.start + note.start, note.velocity));
            ends.push(clip.start + (note.start + note.length).min(clip.length));
        }
    }
    let mut all = Vec::new();
    for (pitch, (mut starts, mut ends)) in (0..).zip(by_pitch) {
        starts.sort_by_key(|(start, _)| *start);
        ends.sort_unstable();
        all.extend(
            starts.into_iter().zip(ends).map(|((start, velocity), end)| (pitch, velocity, start, end)),
        );
    }
    all.sort_unstable();
    all
}

/// What a kind's value is from `tick` on, as it is heard: with the track's own setting. Of several at one tick the
/// last of the file counts.
fn heard(track: &Track, kind: ControlKind, tick: u32) -> f32 {
    let controls = track.clips.iter().flat_map(|clip| clip.controls.iter().map(|c| (clip.start + c.tick, c)));
    let mut value = None;
    let mut latest = 0;
    for (at, control) in controls.filter(|(at, control)| control.kind == kind && *at <= tick) {
        if value.is_none() || at >= latest {
            (value, latest) = (Some(control.value), at);
        }
    }
    let gain = gain_from_db(track.gain_db.min(0.0) / 2.0);
    match kind {
        ControlKind::Program => value.unwrap_or(f32::from(track.instrument.program)),
        // In the unit of CC 7: linear in the controller, not in dB.
        ControlKind::Volume => {
            if track.gain_db <= -120.0 {
                0.0
            } else {
                gain * value.unwrap_or(1.0)
            }
        }
        ControlKind::Pan => (track.pan + value.unwrap_or(0.0)).clamp(-1.0, 1.0),
        ControlKind::Expression => value.unwrap_or(1.0),
        ControlKind::PitchBend | ControlKind::Modulation | ControlKind::Sustain => value.unwrap_or(0.0),
    }
}

const KINDS: [ControlKind; 7] = [
    ControlKind::Program,
    ControlKind::Volume,
    ControlKind::Expression,
    ControlKind::Pan,
    ControlKind::PitchBend,
    ControlKind::Modulation,
    ControlKind::Sustain,
];

/// Half a step of what MIDI can say, and a little for rounding.
fn half_step(kind: ControlKind) -> f32 {
    match kind {
        ControlKind::Program => 0.0,
        ControlKind::Pan => 0.5 / 63.0 + 1e-5,
        // The highest of 24 semitones is a whole step short.
        ControlKind::PitchBend => 24.0 / 8192.0 + 1e-5,
        _ => 0.5 / 127.0 + 1e-5,
    }
}

#[test]
fn every_note_and_control_comes_back() {
    let (mut n_notes, mut n_controls) = (0, 0);
    for seed in 0..400 {
        let (max_tracks, file_type) = if seed % 3 == 0 {
            (1, FileType::SingleTrack)
        } else {
            (MAX_TRACKS as u32, FileType::MultiTrack)
        };
        let original = random_composition(seed, max_tracks);
        let bytes = export(&original, file_type).unwrap();
        let first = import(&bytes, "").unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        assert_eq!((first.length, &first.name), (original.length, &original.name), "seed {seed}");
        assert_eq!(first.time_signatures, original.time_signatures);
        for (a, b) in original.tempo.points().iter().zip(first.tempo.points()) {
            // Whole microseconds a beat.
            assert!(a.tick == b.tick && (60e6 / a.bpm - 60e6 / b.bpm).abs() <= 0.5 + 1e-6, "{a:?} {b:?}");
        }
        assert_eq!(original.tracks.len(), first.tracks.len());
        for (a, b) in original.tracks.iter().zip(&first.tracks) {
            assert_eq!((&a.name, &a.instrument), (&b.name, &b.instrument));
            assert_eq!(notes(a), notes(b), "seed {seed}");
            n_notes += notes(a).len();
            let ticks = a.clips.iter().flat_map(|clip| clip.controls.iter().map(|c| clip.start + c.tick));
            for tick in ticks.chain([0, original.length - 1]) {
                for kind in KINDS {
                    let (x, y) = (heard(a, kind, tick), heard(b, kind, tick));
                    assert!(
                        (x - y).abs() <= half_step(kind),
                        "seed {seed}, tick {tick}: {kind:?} {x} became {y}"
                    );
                }
                n_controls += 1;
            }
        }
        // What has been a file once does not change any more.
        let second = import(&export(&first, file_type).unwrap(), "").unwrap();
        assert!(second == first, "seed {seed}");
        if file_type == FileType::SingleTrack {
            let as_type1 = import(&export(&first, FileType::MultiTrack).unwrap(), "").unwrap();
            assert!(as_type1 == first, "seed {seed}");
        }
    }
    assert!(n_notes > 200_000 && n_controls > 100_000, "{n_notes} notes, {n_controls} controls");
}

fn chunk(events: &[&[u8]]) -> Vec<u8> {
    let events = [&events.concat()[..], &[0, 0xff, 0x2f, 0]].concat();
    [b"MTrk", &u32::try_from(events.len()).unwrap().to_be_bytes()[..], &events].concat()
}

fn file(division: u16, chunks: &[Vec<u8>]) -> Vec<u8> {
    let format = u16::from(chunks.len() > 1).to_be_bytes();
    let n = u16::try_from(chunks.len()).unwrap().to_be_bytes();
    [&b"MThd\0\0\0\x06"[..], &format, &n, &division.to_be_bytes(), &chunks.concat()].concat()
}

fn track(events: &[&[u8]]) -> Track {
    import(&file(PPQ as u16, &[chunk(events)]), "f").unwrap().into_spec().tracks.remove(0)
}

fn controls(track: &Track, kind: ControlKind) -> Vec<(u32, f32)> {
    let controls = track.clips.iter().flat_map(|clip| &clip.controls);
    controls.filter(|control| control.kind == kind).map(|control| (control.tick, control.value)).collect()
}

/// A note of 100 ticks.
const NOTE: &[u8] = &[0, 0x90, 60, 100, 100, 0x80, 60, 0];

#[test]
fn first_values_are_the_tracks_and_later_ones_relative_to_them() {
    let volume = |v: f32| 2.0 * db_from_gain(v / 127.0);
    // Down from the first: the strip shows it.
    let t = track(&[&[0, 0xc0, 5, 0, 0xb0, 7, 100, 0, 10, 84], NOTE, &[10, 0xb0, 7, 50, 0, 0xc0, 9], NOTE]);
    assert_eq!(t.instrument.program, 5);
    assert!((t.gain_db - volume(100.0)).abs() < 1e-3 && (t.pan - 20.0 / 63.0).abs() < 1e-6);
    assert_eq!(controls(&t, ControlKind::Volume), [(110, 0.5)]);
    assert_eq!(controls(&t, ControlKind::Program), [(110, 9.0)]);
    assert_eq!(controls(&t, ControlKind::Pan), []);

    // Up from the first: the strip shows the loudest, and nothing is louder or quieter than in the file.
    let t = track(&[&[0, 0xb0, 7, 40], NOTE, &[10, 0xb0, 7, 80], NOTE]);
    assert!((t.gain_db - volume(80.0)).abs() < 1e-3);
    assert_eq!(controls(&t, ControlKind::Volume), [(0, 0.5), (110, 1.0)]);

    // Pan from one side to the other: the nearest setting from which both are reached.
    let t = track(&[&[0, 0xb0, 10, 0], NOTE, &[10, 0xb0, 10, 127], NOTE]);
    assert_eq!((t.pan, controls(&t, ControlKind::Pan)), (0.0, vec![(0, -1.0), (110, 1.0)]));
    let t = track(&[&[0, 0xb0, 10, 32], NOTE, &[10, 0xb0, 10, 64], NOTE]);
    assert!((t.pan + 32.0 / 63.0).abs() < 1e-6 && controls(&t, ControlKind::Pan) == [(110, 32.0 / 63.0)]);

    // Too late for the first note: General MIDI's values are the first.
    let t = track(&[NOTE, &[10, 0xb0, 7, 50, 0, 10, 0, 0, 0xc0, 9], NOTE]);
    assert!((t.gain_db - volume(100.0)).abs() < 1e-3 && t.pan == 0.0 && t.instrument.program == 0);
    assert_eq!(controls(&t, ControlKind::Volume), [(110, 0.5)]);
    assert_eq!(controls(&t, ControlKind::Pan), [(110, -1.0)]);
    assert_eq!(controls(&t, ControlKind::Program), [(110, 9.0)]);

    // Silence first, then never anything else.
    let t = track(&[&[0, 0xb0, 7, 0], NOTE, &[0, 0xb0, 7, 0]]);
    assert_eq!(t.gain_db, -120.0);
}

#[test]
fn controllers_are_read() {
    let t = track(&[
        &[0, 0xb0, 1, 127, 0, 11, 0, 0, 64, 127],
        // The last of a tick counts.
        &[0, 0xb0, 11, 127],
        NOTE,
        &[20, 0xb0, 64, 63, 0, 64, 0],
        &[0, 0xe0, 0, 0x60],
        // Range 12 while the wheel is out, with 50 cents; then NRPN data, which is not ours.
        &[5, 0xb0, 101, 0, 0, 100, 0, 0, 6, 12, 0, 38, 50, 0, 99, 1, 0, 98, 8, 0, 6, 99],
        &[5, 0xe0, 0, 0x40],
        // Reset all controllers: those that have moved.
        &[5, 0xb0, 11, 64, 5, 121, 0],
        NOTE,
    ]);
    assert_eq!(controls(&t, ControlKind::Expression), [(0, 1.0), (135, 64.0 / 127.0), (140, 1.0)]);
    assert_eq!(controls(&t, ControlKind::Modulation), [(0, 1.0), (140, 0.0)]);
    assert_eq!(controls(&t, ControlKind::Sustain), [(0, 1.0), (120, 0.0)]);
    assert_eq!(controls(&t, ControlKind::PitchBend), [(120, 1.0), (125, 6.25), (130, 0.0)]);
}

#[test]
fn a_common_chunk_of_settings_reaches_the_notes() {
    let settings = chunk(&[
        &[0, 0xff, 3, 4],
        b"Song",
        &[0, 0xc0, 40, 0, 0xb0, 7, 127, 0, 0xc1, 41, 0, 0xb1, 10, 127],
        &[0, 0xb0, 101, 0, 0, 100, 0, 0, 6, 12],
    ]);
    let first = chunk(&[NOTE, &[0, 0xe0, 0, 0x60]]);
    let second = chunk(&[&[0, 0xc1, 50], &[0, 0x91, 60, 100, 100, 0x81, 60, 0]]);
    let c = import(&file(960, &[settings, first, second]), "").unwrap();
    assert_eq!(c.name, "Song");
    assert_eq!((c.tracks[0].instrument.program, c.tracks[0].gain_db), (40, 0.0));
    assert_eq!(controls(&c.tracks[0], ControlKind::PitchBend), []);
    // Its own programme, the common pan.
    assert_eq!((c.tracks[1].instrument.program, c.tracks[1].pan), (50, 1.0));
}

#[test]
fn overlapping_equal_pitches_end_first_in_first_out() {
    // On, on, off, off; then running status, a note-on with velocity 0, and a note without an end.
    let t = track(&[
        &[0, 0x90, 60, 1, 10, 60, 2, 10, 60, 0, 10, 60, 0],
        &[10, 60, 3, 10, 64, 4, 0, 60, 0, 0, 60, 0],
        &[50, 0xff, 1, 0],
    ]);
    assert_eq!(notes(&t), [(60, 1, 0, 20), (60, 2, 10, 30), (60, 3, 40, 50), (64, 4, 50, 100)]);
    // All notes off ends what is held; a note is never shorter than a tick.
    let t = track(&[&[0, 0x90, 60, 1, 0, 60, 0, 5, 61, 1, 5, 0xb0, 123, 0, 90, 0x80, 61, 0]]);
    assert_eq!(notes(&t), [(60, 1, 0, 1), (61, 1, 5, 10)]);
}

#[test]
fn files_of_other_resolutions_keep_every_note() {
    for division in [1u16, 24, 96, 120, 480, 500, 960, 1000, 1920, 15_360, 32_767] {
        let n = &mut Numbers::new(u64::from(division));
        let mut bytes = Vec::new();
        let (mut tick, mut expected) = (0u64, Vec::new());
        for _ in 0..500 {
            let (wait, length, pitch) = (n.below(100), 1 + n.below(27), n.below(128) as u8);
            let scaled = |tick: u64| ((tick * 960) as f64 / f64::from(division)).round() as u32;
            let start = scaled(tick + u64::from(wait));
            tick += u64::from(wait + length);
            expected.push((pitch, 90, start, scaled(tick).max(start + 1)));
            bytes.extend([wait as u8, 0x90, pitch, 90, length as u8, 0x80, pitch, 0]);
        }
        let c = import(&file(division, &[chunk(&[&bytes])]), "f").unwrap();
        let mut got: Vec<_> = c.tracks[0].clips[0]
            .notes
            .iter()
            .map(|n| (n.pitch, n.velocity, n.start, n.start + n.length))
            .collect();
        got.sort_by_key(|n| n.2);
        expected.sort_by_key(|n| n.2);
        assert_eq!(got.len(), 500);
        got.sort_unstable();
        expected.sort_unstable();
        assert_eq!(got, expected, "division {division}");
    }
    // SMPTE: 25 frames of 40 are milliseconds; 29.97 frames of 100; tempo events say nothing.
    for (fps, sub, second) in [(25i8, 40u8, 1000.0), (29, 100, 2997.0 / 1.0), (24, 80, 1920.0)] {
        let division = u16::from_be_bytes([(-fps) as u8, sub]);
        let events: [&[u8]; 3] =
            [&[0, 0xff, 0x51, 3, 0x0f, 0x42, 0x40], &[0x87, 0x68], &[0x90, 60, 100, 1, 60, 0]];
        let c = import(&file(division, &[chunk(&events)]), "f").unwrap();
        let seconds = c.tempo.seconds_from_ticks(f64::from(c.tracks[0].clips[0].notes[0].start));
        assert!((seconds - 1000.0 / second).abs() < 0.001, "{fps} fps: {seconds}");
        assert_eq!(c.tempo.points().len(), 1);
    }
}

#[test]
fn names_are_text_and_channels_of_one_chunk_can_have_their_own() {
    let long = [b'x'; 120];
    let c = import(
        &file(
            960,
            &[chunk(&[&[0, 0xff, 3, 6], b"  B\xe4r\n", NOTE]), chunk(&[&[0, 0xff, 3, 120], &long, NOTE])],
        ),
        "",
    )
    .unwrap();
    assert_eq!((c.tracks[0].name.as_str(), c.tracks[1].name.len()), ("Bär", 120));
    let c = import(&file(960, &[chunk(&[&[0, 0xff, 0x20, 1, 0, 0, 0xff, 4, 4], b"Solo", NOTE])]), " given ")
        .unwrap();
    assert_eq!((c.name.as_str(), c.tracks[0].name.as_str()), ("given", "Solo"));
    let c = import(&file(960, &[chunk(&[NOTE])]), "").unwrap();
    assert_eq!((c.name.as_str(), c.tracks[0].name.as_str()), ("Untitled", "Track 1"));
}

#[test]
fn type_0_says_when_channels_run_out() {
    let track = |drums| Track {
        clips: vec![Clip::new(0, 960, vec![Note { pitch: 60, velocity: 1, start: 0, length: 960 }])],
        ..Track::new("t", Instrument { program: 0, drums, zones: vec![] })
    };
    let composition = |melodic, drums| {
        let tracks = (0..melodic + drums).map(|idx| track(idx >= melodic)).collect();
        Composition::new(CompositionSpec { name: "n".into(), length: 960, tracks, ..Default::default() })
            .unwrap()
    };
    assert!(export(&composition(15, 1), FileType::SingleTrack).is_ok());
    for (melodic, drums) in [(16, 0), (0, 2)] {
        let c = composition(melodic, drums);
        assert_eq!(export(&c, FileType::SingleTrack), Err(ExportError::TooManyTracks { melodic, drums }));
        assert_eq!(
            import(&export(&c, FileType::MultiTrack).unwrap(), "").unwrap().tracks.len(),
            melodic + drums
        );
    }
}

#[test]
fn hostile_lengths_cost_nothing() {
    // A header that promises 65,535 tracks, a chunk of 4 GB, a text of 256 MB.
    let mut promises = file(960, &[chunk(&[NOTE])]);
    promises[10..12].copy_from_slice(&[0xff, 0xff]);
    promises[9] = 1;
    assert_eq!(import(&promises, "").unwrap_err(), MidiError::MissingTracks { declared: 65_535, found: 1 });
    let mut huge = file(960, &[chunk(&[NOTE])]);
    huge[18..22].copy_from_slice(&[0xff; 4]);
    assert_eq!(import(&huge, "").unwrap_err(), MidiError::Damaged(1));
    let text = file(960, &[chunk(&[NOTE, &[0, 0xff, 1, 0xff, 0xff, 0xff, 0x7f]])]);
    assert_eq!(import(&text, "").unwrap_err(), MidiError::Damaged(1));
    // Time that runs over: sixteen deltas of 2²⁸.
    let late = file(1, &[chunk(&[&[0xff, 0xff, 0xff, 0x7f, 0x90, 60, 1].repeat(16)])]);
    assert_eq!(import(&late, "").unwrap_err(), MidiError::TooLong);
    // More tracks than can play, many thousand chunks, many thousand notes that never end: none takes long.
    let started = std::time::Instant::now();
    let chunks: Vec<_> = (0..=MAX_TRACKS).map(|_| chunk(&[NOTE])).collect();
    assert!(
        matches!(import(&file(960, &chunks), "").unwrap_err(), MidiError::Invalid(e) if e.field == "tracks")
    );
    let chunks = vec![chunk(&[&[0, 0xb0, 7, 1]]); 60_000];
    assert_eq!(import(&file(960, &chunks), "").unwrap_err(), MidiError::NoNotes);
    let mut events = vec![0, 0x90];
    (0..300_000).for_each(|_| events.extend([60, 1, 0]));
    (0..300_000).for_each(|_| events.extend([61, 0, 0]));
    events.truncate(events.len() - 1);
    assert_eq!(import(&file(960, &[chunk(&[&events])]), "").unwrap().tracks[0].clips[0].notes.len(), 300_000);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn mutated_files_are_refused_or_valid() {
    let seeds: Vec<_> =
        (0..6).map(|seed| export(&random_composition(seed, 3), FileType::MultiTrack).unwrap()).collect();
    let n = &mut Numbers::new(99);
    let (mut good, mut bad) = (0, 0);
    for round in 0..20_000 {
        let mut bytes = seeds[round % seeds.len()].clone();
        for _ in 0..1 + n.below(4) {
            let at = n.below(bytes.len() as u32) as usize;
            match n.below(4) {
                0 => bytes[at] = n.below(256) as u8,
                1 => bytes[at] ^= 1 << n.below(8),
                2 => _ = bytes.drain(at..(at + n.below(8) as usize).min(bytes.len())),
                _ => bytes.splice(at..at, (0..n.below(8)).map(|k| (k * 37) as u8)).for_each(drop),
            }
            if bytes.is_empty() {
                break;
            }
        }
        match import(&bytes, "m") {
            // What comes in goes out, and in again.
            Ok(c) => {
                good += 1;
                let again = import(&export(&c, FileType::MultiTrack).unwrap(), "m").unwrap();
                assert_eq!(
                    c.tracks.iter().map(notes).collect::<Vec<_>>(),
                    again.tracks.iter().map(notes).collect::<Vec<_>>()
                );
            }
            Err(_) => bad += 1,
        }
    }
    assert!(good > 1000 && bad > 1000, "{good} good, {bad} bad");
}
