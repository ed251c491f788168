//! What a host hands to the engine: a program, and the memory to play it with.

use alloc::boxed::Box;
use alloc::collections::BinaryHeap;

use super::channel::ControlIndex;
use super::rack::Rack;
use crate::control::{Event, EventKind, Program};
use crate::units::SampleRate;

/// A [`Program`] and everything that playing it needs, allocated: delay lines and states of its effects.
///
/// It is made off the audio thread, changes hands by pointer in [`Engine::load`](super::Engine::load) and
/// [`Engine::update`](super::Engine::update), and what those give back is dropped off the audio thread too.
pub struct Project {
    pub(super) program: Program,
    pub(super) rack: Rack,
    pub(super) notes: NoteIndex,
    pub(super) controls: ControlIndex,
}

impl Project {
    /// Allocates for an engine at `rate`; in another engine its effects would be out of tune.
    pub fn new(program: Program, rate: SampleRate) -> Self {
        let rack = Rack::new(&program, rate);
        let notes = NoteIndex::new(&program.events);
        let controls = ControlIndex::new(&program.events);
        Self { program, rack, notes, controls }
    }

    /// What is played.
    pub fn program(&self) -> &Program {
        &self.program
    }
}

/// Note events by track and pitch, so that the audio thread finds the next of one without searching through
/// all events.
pub(super) struct NoteIndex {
    /// Track, pitch and event index in one number, ascending.
    keys: Box<[u64]>,
}

/// Lower bits of a key, which hold the index.
const INDEX_MASK: u64 = (1 << 40) - 1;

fn key(track: u16, pitch: u8, event_idx: usize) -> u64 {
    u64::from(track) << 48 | u64::from(pitch) << 40 | event_idx as u64
}

impl NoteIndex {
    fn new(events: &[Event]) -> Self {
        let keys: BinaryHeap<u64> = (0..)
            .zip(events)
            .filter_map(|(idx, event)| match event.kind {
                EventKind::NoteOff { pitch } | EventKind::NoteOn { pitch, .. } => {
                    Some(key(event.track, pitch, idx))
                }
                EventKind::Control { .. } => None,
            })
            .collect();
        // A heap's sort is a tenth of the code of a slice's, which would be 5 KB of what the worklet downloads.
        Self { keys: keys.into_sorted_vec().into_boxed_slice() }
    }

    /// Whether a note of this track and pitch that sounds before event `next_event` is ended by a later one.
    pub(super) fn will_end(&self, events: &[Event], track: u16, pitch: u8, next_event: usize) -> bool {
        let at = self.keys.partition_point(|&k| k < key(track, pitch, next_event));
        let same = |k: &&u64| **k <= key(track, pitch, u32::MAX as usize);
        self.keys.get(at).filter(same).is_some_and(|&k| {
            let event = events.get((k & INDEX_MASK) as usize);
            event.is_some_and(|event| matches!(event.kind, EventKind::NoteOff { .. }))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn the_next_note_event_decides_whether_a_note_ends() {
        let on = |tick, track, pitch| Event { tick, track, kind: EventKind::NoteOn { pitch, velocity: 1 } };
        let off = |tick, track, pitch| Event { tick, track, kind: EventKind::NoteOff { pitch } };
        let events = Vec::from([on(0, 0, 60), on(0, 1, 60), off(5, 0, 60), on(6, 0, 61), off(9, 0, 61)]);
        let index = NoteIndex::new(&events);
        assert!(index.will_end(&events, 0, 60, 1));
        assert!(!index.will_end(&events, 0, 60, 3), "its end is over");
        assert!(!index.will_end(&events, 1, 60, 2), "nothing ends it");
        assert!(!index.will_end(&events, 0, 61, 0), "the next of its kind is a start");
        assert!(index.will_end(&events, 0, 61, 4));
        assert!(!index.will_end(&events, 0, 59, 0));
    }
}
