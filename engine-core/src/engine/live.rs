//! Which notes are held by a player rather than by the program.

use super::moves::Moves;
use crate::control::ActiveNote;
use crate::units::MAX_TRACKS;

/// One bit for each pitch of each track.
#[derive(Clone, Debug)]
pub(super) struct LiveNotes([u128; MAX_TRACKS]);

impl LiveNotes {
    pub(super) fn new() -> Self {
        Self([0; MAX_TRACKS])
    }

    pub(super) fn set(&mut self, track: u16, pitch: u8, held: bool) {
        if let Some(pitches) = self.0.get_mut(usize::from(track)) {
            let bit = 1 << (pitch & 127);
            *pitches = if held { *pitches | bit } else { *pitches & !bit };
        }
    }

    pub(super) fn holds(&self, note: &ActiveNote) -> bool {
        self.0.get(usize::from(note.track)).is_some_and(|pitches| pitches >> (note.pitch & 127) & 1 == 1)
    }

    /// Tracks have other places now. Those that are gone or new hold nothing.
    pub(super) fn reorder(&mut self, moves: &Moves<MAX_TRACKS>, n_tracks: usize) {
        moves.reorder(&mut self.0);
        for (place, pitches) in self.0.iter_mut().enumerate() {
            if place >= n_tracks || moves.is_new(place) {
                *pitches = 0;
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.fill(0);
    }
}
