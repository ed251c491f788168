//! A composition compiled for playing: flat, sorted, numeric. Made off the audio thread.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::composition::{Composition, Instrument};
use crate::time::{SignatureMap, TempoMap};
use crate::units::Ticks;

/// All that the engine needs to play a composition. It knows tracks by index, and no names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// Tempo from tick 0 onwards.
    pub tempo: TempoMap,
    /// Time signatures from tick 0 onwards.
    pub time_signatures: SignatureMap,
    /// Where playback ends.
    pub length: Ticks,
    /// Sorted by tick; at one tick, note-offs come first, then tracks in order.
    pub events: Vec<Event>,
    /// One per track.
    pub strips: Vec<StripSettings>,
}

/// Something that happens at a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Event {
    /// When. The fields' order is the order of play.
    pub tick: Ticks,
    /// What.
    pub kind: EventKind,
    /// On which track.
    pub track: u16,
    /// MIDI pitch.
    pub pitch: u8,
    /// 1 to 127; 0 for a note-off.
    pub velocity: u8,
}

/// What an event does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EventKind {
    /// A note ends. Before `NoteOn`, so that a repeated note is released and struck again.
    NoteOff,
    /// A note starts.
    NoteOn,
}

/// How a track's strip starts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StripSettings {
    /// What plays the notes.
    pub instrument: Instrument,
    /// Fader, −120 to +12 dB.
    pub gain_db: f32,
    /// −1 to 1.
    pub pan: f32,
    /// Silenced.
    pub mute: bool,
    /// Heard alone.
    pub solo: bool,
}

impl Program {
    /// Flattens a composition. The order of clips and notes in it has no influence.
    pub fn compile(composition: &Composition) -> Self {
        let mut events = Vec::new();
        for (track, data) in (0u16..).zip(&composition.tracks) {
            for clip in &data.clips {
                for note in &clip.notes {
                    let start = clip.start + note.start;
                    let end = clip.start + note.start.saturating_add(note.length).min(clip.length);
                    let event =
                        |tick, kind, velocity| Event { tick, kind, track, pitch: note.pitch, velocity };
                    events.push(event(start, EventKind::NoteOn, note.velocity));
                    events.push(event(end, EventKind::NoteOff, 0));
                }
            }
        }
        events.sort_unstable();
        let strips = composition.tracks.iter().map(|track| StripSettings {
            instrument: track.instrument,
            gain_db: track.gain_db,
            pan: track.pan,
            mute: track.mute,
            solo: track.solo,
        });
        Self {
            tempo: composition.tempo.clone(),
            time_signatures: composition.time_signatures.clone(),
            length: composition.length,
            events,
            strips: strips.collect(),
        }
    }
}
