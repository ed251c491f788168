//! From one version of a composition to the next, without a gap where commands suffice.

use engine_core::control::{Command, Program, StripChange, StripSettings, StripTarget};

/// The commands that turn a program which plays into another, or `None` when the engine needs all of it.
pub(super) fn commands_between(old: &Program, new: &Program) -> Option<Vec<Command>> {
    let same_sound = with_present_strips(old, new) == *new;
    let (old_tempo, new_tempo) = (old.tempo.points(), new.tempo.points());
    let same_ticks = old_tempo.iter().map(|p| p.tick).eq(new_tempo.iter().map(|p| p.tick));
    if !(same_sound && same_ticks) {
        return None;
    }
    let tempo = old_tempo.iter().zip(new_tempo).filter(|(old, new)| old.bpm != new.bpm);
    let tempo = tempo.map(|(_, new)| Command::SetTempo { at_tick: f64::from(new.tick), bpm: new.bpm });
    let strips = (0u16..).zip(old.strips.iter().zip(&new.strips));
    let strips = strips.flat_map(|(track, (old, new))| strip_commands(StripTarget::Track(track), old, new));
    let change = StripChange::GainDb(new.master.gain_db);
    let master = (old.master.gain_db != new.master.gain_db)
        .then_some(Command::SetStrip { target: StripTarget::Master, change });
    Some(tempo.chain(strips).chain(master).collect())
}

/// The old program with the new one's tempo, faders and switches: all that commands can change.
fn with_present_strips(old: &Program, new: &Program) -> Program {
    let mut program = old.clone();
    program.tempo.clone_from(&new.tempo);
    program.master.gain_db = new.master.gain_db;
    for (strip, new) in program.strips.iter_mut().zip(&new.strips) {
        (strip.gain_db, strip.pan) = (new.gain_db, new.pan);
        (strip.mute, strip.solo, strip.solo_safe) = (new.mute, new.solo, new.solo_safe);
    }
    program
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
        (old.solo_safe != new.solo_safe).then_some(StripChange::SoloSafe(new.solo_safe)),
    ];
    changes.into_iter().flatten().map(move |change| Command::SetStrip { target, change })
}

#[cfg(test)]
mod tests {
    use engine_core::composition::{Composition, CompositionSpec, Instrument, Track};
    use engine_core::time::TempoMap;

    use super::*;

    fn program(bpm: f64, gain_db: f32, mute: bool, length: u32) -> Program {
        let track = Track { gain_db, mute, ..Track::new("a", Instrument::default()) };
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
    fn levels_and_tempo_need_no_new_program() {
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
}
