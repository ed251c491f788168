//! From one version of a composition to the next, without a gap where commands suffice.

use engine_core::control::{
    Command, PlayState, Program, StripChange, StripSettings, StripTarget, TransportSnapshot,
};

/// The commands that turn a program which plays into another, or `None` when it has to be loaded anew.
pub(super) fn commands_between(old: &Program, new: &Program) -> Option<Vec<Command>> {
    let same_notes =
        old.length == new.length && old.time_signatures == new.time_signatures && old.events == new.events;
    let same_tracks = old.strips.len() == new.strips.len()
        && old.strips.iter().zip(&new.strips).all(|(old, new)| old.instrument == new.instrument);
    let (old_tempo, new_tempo) = (old.tempo.points(), new.tempo.points());
    let same_ticks = old_tempo.iter().map(|p| p.tick).eq(new_tempo.iter().map(|p| p.tick));
    if !(same_notes && same_tracks && same_ticks) {
        return None;
    }
    let tempo = old_tempo.iter().zip(new_tempo).filter(|(old, new)| old.bpm != new.bpm);
    let tempo = tempo.map(|(_, new)| Command::SetTempo { at_tick: f64::from(new.tick), bpm: new.bpm });
    let strips = (0u16..).zip(old.strips.iter().zip(&new.strips));
    let strips = strips.flat_map(|(track, (old, new))| strip_commands(StripTarget::Track(track), old, new));
    Some(tempo.chain(strips).collect())
}

fn strip_commands(
    target: StripTarget,
    old: &StripSettings,
    new: &StripSettings,
) -> impl Iterator<Item = Command> {
    let changes = [
        (old.gain_db != new.gain_db).then_some(StripChange::GainDb(new.gain_db)),
        (old.pan != new.pan).then_some(StripChange::Pan(new.pan)),
        (old.mute != new.mute).then_some(StripChange::Mute(new.mute)),
        (old.solo != new.solo).then_some(StripChange::Solo(new.solo)),
    ];
    changes.into_iter().flatten().map(move |change| Command::SetStrip { target, change })
}

/// The commands that bring the transport to where it was, after a load.
pub(super) fn commands_to_restore(was: &TransportSnapshot, new: &Program) -> Vec<Command> {
    let mut commands = Vec::new();
    let end = was.loop_end.min(new.length);
    if was.loop_start < end {
        commands.push(Command::SetLoop { enabled: was.loop_enabled, start: was.loop_start, end });
    }
    commands.push(Command::Locate { tick: was.tick.min(f64::from(new.length)) });
    match was.state {
        PlayState::Stopped => {}
        PlayState::Playing => commands.push(Command::Play),
        PlayState::Paused => commands.extend([Command::Play, Command::Pause]),
    }
    commands
}

#[cfg(test)]
mod tests {
    use engine_core::composition::{Composition, CompositionSpec, Instrument, Track};
    use engine_core::time::TempoMap;

    use super::*;

    fn program(bpm: f64, gain_db: f32, mute: bool, length: u32) -> Program {
        let track = Track {
            id: uuid::Uuid::nil(),
            name: String::from("a"),
            color: String::from("#000000"),
            instrument: Instrument::default(),
            gain_db,
            pan: 0.0,
            mute,
            solo: false,
            clips: Vec::new(),
        };
        let tempo = TempoMap::constant(bpm).unwrap();
        let spec = CompositionSpec {
            name: String::from("x"),
            tempo,
            length,
            tracks: vec![track],
            ..Default::default()
        };
        Program::compile(&Composition::new(spec).unwrap())
    }

    #[test]
    fn levels_and_tempo_need_no_load() {
        let old = program(120.0, 0.0, false, 960);
        assert_eq!(commands_between(&old, &old), Some(vec![]));
        let target = StripTarget::Track(0);
        assert_eq!(
            commands_between(&old, &program(90.0, -3.0, true, 960)),
            Some(vec![
                Command::SetTempo { at_tick: 0.0, bpm: 90.0 },
                Command::SetStrip { target, change: StripChange::GainDb(-3.0) },
                Command::SetStrip { target, change: StripChange::Mute(true) },
            ])
        );
        assert_eq!(commands_between(&old, &program(120.0, 0.0, false, 1920)), None);
    }

    #[test]
    fn a_load_goes_on_where_it_was() {
        let was = TransportSnapshot {
            state: PlayState::Paused,
            tick: 5000.0,
            loop_enabled: true,
            loop_end: 9999,
            ..TransportSnapshot::default()
        };
        assert_eq!(
            commands_to_restore(&was, &program(120.0, 0.0, false, 960)),
            [
                Command::SetLoop { enabled: true, start: 0, end: 960 },
                Command::Locate { tick: 960.0 },
                Command::Play,
                Command::Pause,
            ]
        );
    }
}
