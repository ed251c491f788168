//! Arming and recording: what the transport says of it, and what ends it.

use engine_core::composition::{Composition, ControlKind};
use engine_core::control::{Command, PlayState, Quantum, TapId, TransportSnapshot};
use engine_core::engine::Engine;
use engine_core::protocol::json::Body;
use engine_core::protocol::{
    Directory, Flags, Frame, Header, Payload, Topic, Transport, decode_payload, encode_payload,
};
use engine_core::units::{PPQ, SampleRate};

use crate::common::{self, ORGAN, composition, engine, note, project, track};

fn tracks(n: usize) -> Composition {
    composition(16, &[(0, 120.0)], (0..n).map(|_| track(ORGAN, &[])).collect())
}

fn next(engine: &mut Engine) -> TransportSnapshot {
    let mut quantum = Quantum::new();
    engine.process(None, &mut quantum);
    quantum.transport
}

/// State, recording and armed track after the commands.
fn after(engine: &mut Engine, commands: &[Command]) -> (PlayState, bool, Option<u16>) {
    commands.iter().for_each(|command| engine.command(*command));
    let snapshot = next(engine);
    (snapshot.state, snapshot.recording, snapshot.armed)
}

const RECORD: Command = Command::Record { count_in_bars: 0 };
const ARM: Command = Command::Arm { track: Some(1) };

#[test]
fn only_an_armed_track_is_recorded_to() {
    let mut engine = engine(48_000, &tracks(2));
    assert_eq!(after(&mut engine, &[RECORD]), (PlayState::Stopped, false, None));
    assert_eq!(
        after(&mut engine, &[Command::Arm { track: Some(2) }, RECORD]),
        (PlayState::Stopped, false, None)
    );
    assert_eq!(after(&mut engine, &[ARM]), (PlayState::Stopped, false, Some(1)));
    assert_eq!(after(&mut engine, &[RECORD]), (PlayState::Playing, true, Some(1)));
    // What plays already is recorded from here on, without a count-in.
    assert_eq!(after(&mut engine, &[ARM]), (PlayState::Playing, false, Some(1)));
    assert_eq!(
        after(&mut engine, &[Command::Record { count_in_bars: 4 }]),
        (PlayState::Playing, true, Some(1))
    );
}

#[test]
fn whatever_moves_the_playhead_ends_a_recording() {
    let composition = tracks(2);
    let ends = [
        (Command::Stop, PlayState::Stopped),
        (Command::Pause, PlayState::Paused),
        (Command::Locate { tick: 960.0 }, PlayState::Playing),
        (Command::Arm { track: Some(0) }, PlayState::Playing),
        (Command::Arm { track: None }, PlayState::Playing),
    ];
    for (command, state) in ends {
        let mut engine = engine(48_000, &composition);
        assert_eq!(after(&mut engine, &[ARM, RECORD]), (PlayState::Playing, true, Some(1)));
        let (now, recording, _) = after(&mut engine, &[command]);
        assert_eq!((now, recording), (state, false), "{command:?}");
    }
    for command in [Command::Pause, Command::Stop, Command::Locate { tick: 0.0 }] {
        let mut engine = engine(48_000, &composition);
        engine.command(ARM);
        engine.command(Command::Record { count_in_bars: 1 });
        let waiting = next(&mut engine);
        assert!(waiting.recording && waiting.state == PlayState::Stopped && waiting.count_in_beats == 4);
        assert_eq!(
            after(&mut engine, &[command]),
            (PlayState::Stopped, false, Some(1)),
            "{command:?} in the count-in"
        );
    }
    // The composition's end stops it; a loop does not.
    let mut engine = engine(48_000, &composition);
    assert!(after(&mut engine, &[ARM, Command::Locate { tick: 15.9 * 960.0 }, RECORD]).1);
    assert!((0..40).any(|_| after(&mut engine, &[]) == (PlayState::Stopped, false, Some(1))));
    engine.command(Command::SetLoop { enabled: true, start: 0, end: PPQ / 8 });
    engine.command(RECORD);
    let mut n_wraps = 0;
    let mut last = next(&mut engine);
    for _ in 0..200 {
        let now = next(&mut engine);
        assert!(now.recording);
        n_wraps += u32::from(now.tick < last.tick);
        last = now;
    }
    assert!(n_wraps >= 5);
}

#[test]
fn the_armed_track_is_known_by_its_id() {
    let old = tracks(3);
    let mut engine = engine(48_000, &old);
    assert_eq!(
        after(&mut engine, &[Command::Arm { track: Some(2) }, RECORD]),
        (PlayState::Playing, true, Some(2))
    );
    let mut spec = old.clone().into_spec();
    spec.tracks.remove(0);
    drop(engine.update(project(48_000, &Composition::new(spec.clone()).unwrap())));
    assert_eq!(after(&mut engine, &[]), (PlayState::Playing, true, Some(1)));
    spec.tracks.pop();
    drop(engine.update(project(48_000, &Composition::new(spec).unwrap())));
    assert_eq!(after(&mut engine, &[]), (PlayState::Playing, false, None), "it is gone");
    assert_eq!(after(&mut engine, &[Command::Arm { track: Some(0) }]).2, Some(0));
    drop(engine.load(project(48_000, &old)));
    assert_eq!(after(&mut engine, &[]), (PlayState::Stopped, false, None), "nothing is armed after a load");
}

#[test]
fn controllers_that_are_moved_live_are_heard() {
    let composition = composition(16, &[(0, 120.0)], vec![track(ORGAN, &[note(69, 0, 16 * PPQ)])]);
    // Crossings of zero in a second are twice the frequency.
    let crossings = |bend: Option<f32>| {
        let mut engine = engine(48_000, &composition);
        if let Some(value) = bend {
            engine.command(Command::Control { track: 0, kind: ControlKind::PitchBend, value });
        }
        engine.command(Command::Play);
        let sound = common::play(&mut engine, 375);
        sound.windows(2).filter(|w| (w[0] < 0.0) != (w[1] < 0.0)).count() as f64
    };
    let (plain, bent) = (crossings(None), crossings(Some(12.0)));
    assert!((bent / plain - 2.0).abs() < 0.02, "an octave up: {plain} and {bent} crossings");
}

#[test]
fn json_and_bytes_say_the_same() {
    let composition = tracks(3);
    let taps = Directory::new(SampleRate::DEFAULT, Some(&composition));
    for (recording, armed, count_in_beats) in
        [(false, None, 0), (true, Some(2), 0), (true, Some(0), 16), (false, Some(1), 1020)]
    {
        let snapshot = TransportSnapshot { recording, armed, count_in_beats, ..TransportSnapshot::default() };
        let payload = Payload::Transport(Transport { snapshot, server_time: 0.0, composition_revision: 0 });
        let mut bytes = Vec::new();
        encode_payload(&payload, &mut bytes);
        let header =
            Header { topic: Topic::Transport as u8, payload_len: bytes.len() as u32, ..Header::default() };
        let decoded = decode_payload(&header, &bytes).unwrap();
        assert_eq!(decoded, payload);
        let frame =
            Frame { tap: TapId::MASTER, flags: Flags::default(), sample_position: 0, payload: decoded };
        let Some(Body::Transport(json)) = Body::new(&frame, &taps, None) else { panic!("a transport") };
        let id = armed.map(|track| composition.tracks[usize::from(track)].id.to_string());
        assert_eq!(
            (json.is_recording, json.armed_track_id, json.count_in_beats),
            (recording, id, count_in_beats)
        );
    }
}
