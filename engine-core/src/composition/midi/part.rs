//! One channel of one chunk: what was read of it, and the track that it becomes.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::model::{Clip, Control, ControlKind, Instrument, Note, Track};
use super::values::{CENTRE, DEFAULT_VOLUME, PAN_STEPS, gain_db_from_volume};
use crate::order::sort_by_number;
use crate::units::Ticks;

/// Colours that tracks get in turn.
const COLORS: [&str; 8] =
    ["#7c9cff", "#ffb86b", "#5fd3a6", "#ff7c9c", "#c99cff", "#ffd86b", "#6bd3ff", "#b0d35f"];
pub(super) const DRUM_CHANNEL: u8 = 9;
/// All kinds, in the order of their numbers.
pub(super) const KINDS: [ControlKind; 7] = [
    ControlKind::Program,
    ControlKind::Volume,
    ControlKind::Expression,
    ControlKind::Pan,
    ControlKind::PitchBend,
    ControlKind::Modulation,
    ControlKind::Sustain,
];

/// A controller as the file has it: 0 to 127, or semitones for a pitch bend.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raw {
    pub(super) tick: Ticks,
    pub(super) value: f32,
}

/// One channel of one chunk.
#[derive(Default)]
pub(super) struct Part {
    pub(super) port: u8,
    pub(super) channel: u8,
    pub(super) name: String,
    pub(super) notes: Vec<Note>,
    /// While its chunk is read: the notes that have not ended, by pitch, the oldest first.
    pub(super) held: Vec<VecDeque<usize>>,
    /// By kind, in the order of time.
    pub(super) controls: [Vec<Raw>; KINDS.len()],
}

impl Part {
    pub(super) fn new(port: u8, channel: u8) -> Self {
        Self { port, channel, ..Self::default() }
    }

    /// A note that does not end yet.
    pub(super) fn hold(&mut self, note: Note) {
        let pitch = usize::from(note.pitch);
        if self.held.len() <= pitch {
            self.held.resize_with(pitch + 1, VecDeque::new);
        }
        self.held[pitch].push_back(self.notes.len());
        self.notes.push(note);
    }

    pub(super) fn control(&mut self, kind: ControlKind, tick: Ticks, value: f32) {
        self.controls[kind as usize].push(Raw { tick, value });
    }

    pub(super) fn into_track(mut self, idx: usize, length: Ticks) -> Track {
        let drums = self.channel == DRUM_CHANNEL;
        let first_note = self.notes.iter().map(|note| note.start).min().unwrap_or(0);
        let program = self.first(ControlKind::Program, first_note, 0.0);
        let volume = self.setting(ControlKind::Volume, first_note, DEFAULT_VOLUME, |_, max| (max, f32::MAX));
        let pan =
            self.setting(ControlKind::Pan, first_note, CENTRE, |min, max| (max - PAN_STEPS, min + PAN_STEPS));
        let mut controls = Vec::new();
        for (kind, raw) in KINDS.into_iter().zip(&self.controls) {
            for (at, &Raw { tick, value }) in raw.iter().enumerate() {
                let is_last_of_tick = raw.get(at + 1).is_none_or(|next| next.tick != tick);
                // At the end nothing sounds any more.
                if !is_last_of_tick || tick >= length {
                    continue;
                }
                let value = match kind {
                    ControlKind::Program | ControlKind::PitchBend => value,
                    ControlKind::Volume if volume == 0.0 => 0.0,
                    ControlKind::Volume => value / volume,
                    ControlKind::Pan => (value - pan) / PAN_STEPS,
                    ControlKind::Expression | ControlKind::Modulation | ControlKind::Sustain => value / 127.0,
                };
                controls.push(Control { tick, kind, value });
            }
        }
        sort_by_number(&mut controls, |control| u128::from(control.tick) << 8 | control.kind as u128);
        let fallback = if drums { "Drums".to_string() } else { format!("Track {}", idx + 1) };
        let name = if self.name.is_empty() { fallback } else { self.name };
        let instrument = Instrument { program: program as u8, drums, zones: Vec::new() };
        Track {
            color: COLORS[idx % COLORS.len()].to_string(),
            gain_db: gain_db_from_volume(volume),
            pan: (pan - CENTRE) / PAN_STEPS,
            clips: Vec::from([Clip { controls, ..Clip::new(0, length, self.notes) }]),
            ..Track::new(name, instrument)
        }
    }

    /// Takes the first value, if it comes before or with the first note; else the default is in force there.
    fn first(&mut self, kind: ControlKind, first_note: Ticks, default: f32) -> f32 {
        let raw = &mut self.controls[kind as usize];
        if raw.first().is_some_and(|raw| raw.tick <= first_note) { raw.remove(0).value } else { default }
    }

    /// The [first](Self::first) value, or the nearest one to it inside the limits that `reach` makes of the lowest
    /// and highest of all values. If it is not the first, that becomes a controller.
    fn setting(
        &mut self,
        kind: ControlKind,
        first_note: Ticks,
        default: f32,
        reach: impl FnOnce(f32, f32) -> (f32, f32),
    ) -> f32 {
        let first = self.first(kind, first_note, default);
        let raw = &mut self.controls[kind as usize];
        let (min, max) =
            raw.iter().fold((first, first), |(min, max), raw| (raw.value.min(min), raw.value.max(max)));
        let (lowest, highest) = reach(min, max);
        let setting = first.max(lowest).min(highest);
        if setting != first {
            raw.insert(0, Raw { tick: 0, value: first });
        }
        setting
    }
}
