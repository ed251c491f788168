//! Notes and controllers of a recording, as a clip.

use std::collections::BTreeMap;

use engine_core::composition::{Clip, Control, ControlKind, Note};
use engine_core::control::Command;
use engine_core::units::Ticks;

use super::follow::{Phase, Span};

/// Notes and moves of controllers that a take keeps; it ends when there are more.
const MAX_EVENTS: usize = 200_000;

/// What was played to the armed track. Times are ticks: where the playhead stood when the note was heard.
#[derive(Debug, Default)]
pub(super) struct NoteTake {
    /// First and last tick that were recorded, over all passes of a loop.
    range: Option<(f64, f64)>,
    /// By pitch: since when, and how hard; `None` since the count-in, so from the start on.
    held: BTreeMap<u8, (Option<f64>, u8)>,
    notes: Vec<(f64, f64, u8, u8)>,
    /// Of the count-in: in force at the start.
    early: Vec<(ControlKind, f32)>,
    controls: Vec<(f64, ControlKind, f32)>,
}

impl NoteTake {
    /// Takes what was played on track `armed` at the start of a span. Returns whether there is room for more.
    pub(super) fn hear(&mut self, phase: &Phase, armed: Option<u16>, played: &[Command]) -> bool {
        let now = match *phase {
            Phase::Rolling(Span { from, to, wrapped_at, .. }) => {
                if let Some(end) = wrapped_at {
                    // The engine lets go of all notes there.
                    self.end_held(end);
                }
                let (first, last) = self.range.unwrap_or_else(|| {
                    self.controls.extend(self.early.drain(..).map(|(kind, value)| (from, kind, value)));
                    (from, to)
                });
                self.range = Some((first.min(from), last.max(to).max(wrapped_at.unwrap_or(to))));
                Some(from)
            }
            Phase::CountIn => None,
            Phase::Waiting | Phase::Over => return true,
        };
        for command in played {
            match *command {
                Command::NoteOn { track, pitch, velocity } if Some(track) == armed => {
                    self.note_off(pitch, now);
                    self.held.insert(pitch, (now, velocity));
                }
                Command::NoteOff { track, pitch } if Some(track) == armed => self.note_off(pitch, now),
                Command::Control { track, kind, value } if Some(track) == armed => match now {
                    Some(now) => self.controls.push((now, kind, value)),
                    None => {
                        self.early.retain(|early| early.0 != kind);
                        self.early.push((kind, value));
                    }
                },
                _ => {}
            }
        }
        self.notes.len() + self.controls.len() < MAX_EVENTS
    }

    /// A clip of all that was recorded, in a composition of `length` ticks; `None` when that is nothing. Notes that are
    /// still held end with it.
    pub(super) fn into_clip(mut self, length: Ticks) -> Option<Clip> {
        let (first, last) = self.range?;
        self.end_held(last);
        let start = first.floor().clamp(0.0, f64::from(length)) as Ticks;
        let end = last.ceil().clamp(0.0, f64::from(length)) as Ticks;
        let clip_length = end.checked_sub(start).filter(|ticks| *ticks > 0)?;
        // Inside the clip: what falls on its end is one tick early.
        let tick = |at: f64| (at.round() - f64::from(start)).clamp(0.0, f64::from(clip_length - 1)) as Ticks;
        let note = |&(from, to, pitch, velocity): &(f64, f64, u8, u8)| {
            let length = (to.round() - from.round()).clamp(1.0, f64::from(clip_length)) as Ticks;
            Note { pitch, velocity: velocity.clamp(1, 127), start: tick(from), length }
        };
        let mut notes = Vec::from_iter(self.notes.iter().map(note));
        notes.sort_by_key(|note| (note.start, note.pitch));
        // Of several values of one tick the last one counts.
        let mut controls = BTreeMap::new();
        for (at, kind, value) in self.controls {
            controls.insert((tick(at), kind), value);
        }
        let controls = controls.into_iter().map(|((tick, kind), value)| Control { tick, kind, value });
        let clip = Clip { controls: controls.collect(), ..Clip::new(start, clip_length, notes) };
        (!clip.notes.is_empty() || !clip.controls.is_empty()).then_some(clip)
    }

    fn note_off(&mut self, pitch: u8, now: Option<f64>) {
        // What began and ended in the count-in is not recorded.
        if let (Some((since, velocity)), Some(now)) = (self.held.remove(&pitch), now) {
            let since = since.or(self.range.map(|range| range.0)).unwrap_or(now);
            self.notes.push((since, now, pitch, velocity));
        }
    }

    fn end_held(&mut self, at: f64) {
        for pitch in Vec::from_iter(self.held.keys().copied()) {
            self.note_off(pitch, Some(at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(pitch: u8) -> Command {
        Command::NoteOn { track: 1, pitch, velocity: 90 }
    }

    fn off(pitch: u8) -> Command {
        Command::NoteOff { track: 1, pitch }
    }

    fn rolling(from: f64, wrapped_at: Option<f64>) -> Phase {
        Phase::Rolling(Span { from, to: from + 5.0, wrapped_at, frame: 0, wrap_frame: 0.0 })
    }

    fn take(steps: &[(Phase, &[Command])]) -> NoteTake {
        let mut take = NoteTake::default();
        for (phase, played) in steps {
            assert!(take.hear(phase, Some(1), played));
        }
        take
    }

    fn note(pitch: u8, start: Ticks, length: Ticks) -> Note {
        Note { pitch, velocity: 90, start, length }
    }

    #[test]
    fn notes_lie_where_they_were_heard() {
        let bend = Command::Control { track: 1, kind: ControlKind::PitchBend, value: 1.5 };
        let elsewhere = Command::NoteOn { track: 0, pitch: 50, velocity: 90 };
        let clip = take(&[
            (Phase::Waiting, &[on(40)]),
            (rolling(100.4, None), &[on(60), elsewhere]),
            (rolling(105.6, None), &[on(64), bend]),
            (rolling(110.4, None), &[off(60), on(64)]),
        ]);
        let clip = clip.into_clip(9600).unwrap();
        assert_eq!((clip.start, clip.length), (100, 16));
        // 64 was struck again, and is held at the end.
        assert_eq!(clip.notes, [note(60, 0, 10), note(64, 6, 4), note(64, 10, 5)]);
        assert_eq!(clip.controls, [Control { tick: 6, kind: ControlKind::PitchBend, value: 1.5 }]);
    }

    #[test]
    fn what_is_held_in_the_count_in_starts_with_the_recording() {
        let pedal = |value| Command::Control { track: 1, kind: ControlKind::Sustain, value };
        let clip = take(&[
            (Phase::CountIn, &[on(60), on(62), pedal(0.0), pedal(1.0)]),
            (Phase::CountIn, &[off(62)]),
            (rolling(960.5, None), &[]),
            (rolling(965.5, None), &[off(60)]),
        ]);
        let clip = clip.into_clip(9600).unwrap();
        assert_eq!((clip.start, clip.notes), (960, vec![note(60, 1, 5)]));
        assert_eq!(clip.controls, [Control { tick: 1, kind: ControlKind::Sustain, value: 1.0 }]);
    }

    #[test]
    fn passes_of_a_loop_lie_over_one_another() {
        let clip = take(&[
            (rolling(1000.0, None), &[on(60)]),
            (rolling(1915.0, None), &[]),
            (rolling(0.2, Some(1920.0)), &[on(67)]),
            (rolling(500.0, None), &[off(67)]),
            (rolling(1915.0, None), &[on(70)]),
        ]);
        let clip = clip.into_clip(9600).unwrap();
        assert_eq!((clip.start, clip.length), (0, 1920));
        assert_eq!(clip.notes, [note(67, 0, 500), note(60, 1000, 920), note(70, 1915, 5)]);
    }

    #[test]
    fn nothing_makes_no_clip_and_a_shorter_composition_a_shorter_one() {
        assert_eq!(take(&[(rolling(10.0, None), &[])]).into_clip(960), None);
        assert_eq!(take(&[(Phase::CountIn, &[on(60)])]).into_clip(960), None);
        let clip = take(&[(rolling(950.0, None), &[on(60)]), (rolling(2000.0, None), &[off(60)])]);
        let clip = clip.into_clip(960).unwrap();
        assert_eq!((clip.start, clip.length), (950, 10));
        assert_eq!(clip.notes, [note(60, 0, 10)]);
        assert_eq!(take(&[(rolling(970.0, None), &[on(60)])]).into_clip(960), None);
    }
}
