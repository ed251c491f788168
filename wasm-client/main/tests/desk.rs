//! Local mode's answers are REST's: what is asked, refused and remembered.

use antiphon_wasm::desk::Desk;
use antiphon_wasm::history::{Direction, GESTURE_MS, History, Label, MAX_STEPS};
use engine_core::composition::{Clip, Composition, CompositionSpec, Instrument, Note, Track};
use engine_core::control::{Command, PlayState, StripChange, StripTarget, TapId, TransportSnapshot};
use engine_core::protocol::rest::{ChannelPatch, LoopRequest, MasterPatch, SeekRequest, TempoRequest};
use engine_core::protocol::{Flags, Frame, Payload, Transport};
use engine_core::units::SampleRate;
use uuid::Uuid;

fn composition() -> CompositionSpec {
    let note = Note { pitch: 60, velocity: 100, start: 0, length: 960 };
    let track = Track {
        gain_db: -3.0,
        clips: vec![Clip::new(0, 3840, vec![note])],
        ..Track::new("Piano", Instrument::default())
    };
    CompositionSpec { name: "Test".into(), length: 3840, tracks: vec![track], ..CompositionSpec::default() }
}

fn loaded() -> Desk {
    let mut desk = Desk::new(SampleRate::DEFAULT);
    let mut n = 0;
    let new_id = || {
        n += 1;
        Uuid::from_u128(n)
    };
    desk.load(composition(), new_id).expect("it is in range");
    desk
}

#[test]
fn loading_names_the_taps_and_loops_the_whole() {
    let mut desk = Desk::new(SampleRate::DEFAULT);
    let (program, commands) = desk.load(composition(), || Uuid::from_u128(9)).expect("it is in range");
    assert_eq!(program.events.len(), 2);
    assert_eq!(commands, [Command::SetLoop { enabled: true, start: 0, end: 3840 }]);
    let names: Vec<_> = desk.directory().taps.into_iter().map(|tap| tap.name).collect();
    assert_eq!(names, ["master", "Piano", "input"]);
    let state = desk.playback().expect("there always is one");
    assert_eq!((state.is_playing, state.loop_enabled, state.loop_end), (false, true, 4.0));
}

#[test]
fn a_composition_that_is_refused_leaves_the_old_one() {
    let mut desk = loaded();
    let refusal = desk.load(CompositionSpec { length: 10, ..composition() }, Uuid::nil).unwrap_err();
    assert!(refusal.field.starts_with("tracks[0].clips[0]"), "{refusal}");
    assert_eq!(desk.composition().map(|it| it.length), Some(3840));
}

#[test]
fn a_change_leaves_the_transport_alone() {
    let mut desk = loaded();
    desk.seek(SeekRequest::Beats { position_beats: 1.5 }).expect("it is in range");
    desk.play();
    let before = desk.playback();
    let mut spec = desk.composition().expect("it is loaded").clone();
    spec.tracks[0].clips[0].notes.clear();
    spec.tracks.push(Track::new("Bass", Instrument::default()));
    let program = desk.update(spec, || Uuid::from_u128(9)).expect("it is in range");
    assert!(program.events.is_empty());
    assert_eq!(desk.playback(), before);
    assert_eq!(desk.directory().taps.len(), 4);
    let refusal = desk.update(CompositionSpec { length: 10, ..composition() }, Uuid::nil).unwrap_err();
    assert!(refusal.field.starts_with("tracks[0].clips[0]"), "{refusal}");
    assert_eq!(desk.directory().taps.len(), 4);
}

#[test]
fn positions_may_be_beats_or_seconds_and_end_with_the_composition() {
    let mut desk = loaded();
    let mut seek = |to| desk.seek(to);
    let at = |tick| Ok(Command::Locate { tick });
    assert_eq!(seek(SeekRequest::Beats { position_beats: 1.5 }), at(1440.0));
    assert_eq!(seek(SeekRequest::Seconds { position_seconds: 1.0 }), at(1920.0));
    assert_eq!(seek(SeekRequest::Beats { position_beats: 99.0 }), at(3840.0));
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(seek(SeekRequest::Beats { position_beats: bad }).unwrap_err().field, "position_beats");
    }
}

#[test]
fn tempo_changes_where_the_playhead_is_and_moves_seconds() {
    let mut desk = loaded();
    let snapshot =
        TransportSnapshot { tick: 960.0, state: PlayState::Playing, ..TransportSnapshot::default() };
    desk.observe(&Frame {
        tap: TapId::MASTER,
        flags: Flags::default(),
        sample_position: 7,
        payload: Payload::Transport(Transport { snapshot, server_time: 0.0, composition_revision: 0 }),
    });
    let command = desk.set_tempo(TempoRequest { bpm: 60.0 });
    assert_eq!(command, Ok(Command::SetTempo { at_tick: 960.0, bpm: 60.0 }));
    assert_eq!(
        desk.seek(SeekRequest::Seconds { position_seconds: 1.0 }),
        Ok(Command::Locate { tick: 960.0 })
    );
    let state = desk.playback().expect("there always is one");
    assert_eq!((state.tempo, state.position_beats, state.sample_position), (60.0, 1.0, 7));
    for bpm in [19.9, 400.1, f64::NAN] {
        assert_eq!(desk.set_tempo(TempoRequest { bpm }).unwrap_err().field, "bpm");
    }
}

#[test]
fn loop_regions_are_half_open_and_not_empty() {
    let mut desk = loaded();
    let region = |start_beats, end_beats| LoopRequest { enabled: true, start_beats, end_beats };
    let command = Command::SetLoop { enabled: true, start: 480, end: 960 };
    assert_eq!(desk.set_loop(region(0.5, 1.0)), Ok(command));
    assert_eq!(desk.set_loop(region(-1.0, 1.0)).unwrap_err().field, "start_beats");
    for (start, end) in [(1.0, 1.0), (2.0, 1.0), (0.0, f64::NAN), (0.0, 1e12)] {
        assert_eq!(desk.set_loop(region(start, end)).unwrap_err().field, "end_beats");
    }
}

#[test]
fn patches_change_what_they_name_and_nothing_when_refused() {
    let mut desk = loaded();
    let id = desk.mixer().channels[0].id;
    let patch = ChannelPatch { gain_db: Some(-9.0), solo: Some(true), ..ChannelPatch::default() };
    let set = |change| Command::SetStrip { target: StripTarget::Track(0), change };
    let expected = [set(StripChange::GainDb(-9.0)), set(StripChange::Solo(true))];
    assert_eq!(desk.patch_channel(id, patch), Ok(expected.to_vec()));
    let before = desk.mixer();
    assert_eq!((before.channels[0].gain_db, before.channels[0].mute), (-9.0, false));
    let bad = ChannelPatch { mute: Some(true), pan: Some(1.5), ..ChannelPatch::default() };
    assert_eq!(desk.patch_channel(id, bad).unwrap_err().field, "pan");
    assert_eq!(desk.patch_channel(Uuid::from_u128(1234), patch).unwrap_err().field, "id");
    assert_eq!(desk.patch_master(MasterPatch { gain_db: Some(13.0) }).unwrap_err().field, "gain_db");
    assert_eq!(desk.mixer(), before);
}

#[test]
fn what_was_changed_can_be_undone_and_made_again() {
    let mut desk = loaded();
    let id = desk.mixer().channels[0].id;
    let set = |change| Command::SetStrip { target: StripTarget::Track(0), change };
    assert_eq!(desk.travel(Direction::Undo), None);
    desk.patch_channel(id, ChannelPatch { mute: Some(true), ..ChannelPatch::default() }).unwrap();
    desk.patch_master(MasterPatch { gain_db: Some(-6.0) }).unwrap();
    desk.set_tempo(TempoRequest { bpm: 90.0 }).unwrap();

    let tempo = |bpm| Command::SetTempo { at_tick: 0.0, bpm };
    assert_eq!(desk.travel(Direction::Undo), Some(vec![tempo(120.0)]));
    assert_eq!(desk.playback().unwrap().tempo, 120.0);
    let master = |db| Command::SetStrip { target: StripTarget::Master, change: StripChange::GainDb(db) };
    assert_eq!(desk.travel(Direction::Undo), Some(vec![master(0.0)]));
    assert_eq!(desk.travel(Direction::Undo), Some(vec![set(StripChange::Mute(false))]));
    assert!(!desk.mixer().channels[0].mute);
    assert_eq!(desk.travel(Direction::Undo), None);
    assert_eq!(desk.travel(Direction::Redo), Some(vec![set(StripChange::Mute(true))]));
    assert_eq!(desk.travel(Direction::Redo), Some(vec![master(-6.0)]));

    let page = desk.history(None, 2).unwrap();
    let labels: Vec<_> = page.items.iter().map(|step| (step.step, &step.label[..], step.current)).collect();
    assert_eq!(labels, [(4, "tempo 90", false), (3, "gain_db of the master", true)]);
    assert!(page.can_undo && page.can_redo);
    let rest = desk.history(page.next_cursor.and_then(|cursor| cursor.parse().ok()), 9).unwrap();
    assert_eq!(rest.items.iter().map(|step| step.step).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(rest.next_cursor, None);

    // Another change: what was undone is gone.
    desk.patch_master(MasterPatch { gain_db: Some(-9.0) }).unwrap();
    assert_eq!(desk.travel(Direction::Redo), None);
}

#[test]
fn a_dragged_fader_is_one_step_and_steps_are_bounded() {
    let at = |gain_db: f32| {
        let mut spec = composition();
        spec.master.gain_db = gain_db;
        Composition::new(spec).unwrap()
    };
    let drag = || Label { text: "gain".to_owned(), gesture: Some("master".to_owned()) };
    let mut history = History::new(at(0.0), 0.0);
    history.push(at(0.0), Label::default(), 1.0);
    assert!(!history.page(None, 9).can_undo, "no change is no step");
    for n in 1..=20 {
        history.push(at(-(n as f32)), drag(), f64::from(n) * GESTURE_MS);
    }
    assert_eq!(history.page(None, 9).items.len(), 2);
    history.push(at(-30.0), drag(), 21.0 * GESTURE_MS + 1.0);
    assert_eq!(history.page(None, 9).items.len(), 3);
    history.travel(Direction::Undo);
    assert_eq!(history.composition().master.gain_db, -20.0);
    history.push(at(-40.0), drag(), 21.0 * GESTURE_MS + 2.0);
    assert_eq!(history.page(None, 9).items.len(), 3, "after an undo another gesture begins");
    for n in 0..2 * MAX_STEPS {
        history.push(at(-60.0 - (n % 7) as f32), Label::default(), 0.0);
    }
    assert_eq!(history.page(None, usize::MAX).items.len(), MAX_STEPS);
}
