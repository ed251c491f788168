//! Who gives way, and what the pedal holds.

use alloc::vec::Vec;

use uuid::Uuid;

use super::*;
use crate::composition::ControlKind;

fn note(pitch: u8) -> ActiveNote {
    ActiveNote { track: 0, pitch, velocity: 100 }
}

fn strip(program: u8, drums: bool) -> StripSettings {
    StripSettings {
        id: Uuid::nil(),
        program,
        drums,
        zones: Vec::new(),
        gain_db: 0.0,
        pan: 0.0,
        mute: false,
        solo: false,
        solo_safe: false,
        effects: Vec::new(),
        sends: Vec::new(),
    }
}

fn held(voices: &Voices) -> alloc::vec::Vec<u8> {
    let mut notes = [ActiveNote::default(); MAX_ACTIVE_NOTES];
    let n = voices.list_held(&mut notes);
    notes[..n].iter().map(|n| n.pitch).collect()
}

/// A pool with one strip, without controllers but the pedal.
struct Player {
    voices: Voices,
    channels: Channels,
    strip: StripSettings,
}

impl Player {
    fn new(program: u8, drums: bool) -> Self {
        let voices = Voices::new(48_000.0);
        Self { voices, channels: Channels::new(48_000.0), strip: strip(program, drums) }
    }

    fn on(&mut self, note: ActiveNote) {
        let world = World { channels: &self.channels, samples: &[] };
        self.voices.note_on(&self.strip, world, note, 0);
    }

    fn off(&mut self, pitch: u8) {
        self.voices.note_off(self.channels.get(0), 0, pitch);
    }

    fn pedal(&mut self, value: f32) {
        self.channels.set(0, ControlKind::Sustain, value);
        self.voices.lift_pedals(&self.channels);
    }
}

#[test]
fn released_voices_give_way_then_those_of_the_pedal_then_the_oldest() {
    let mut player = Player::new(48, false);
    for i in 0..MAX_VOICES {
        player.on(note(i as u8));
    }
    player.off(5);
    player.pedal(1.0);
    player.off(7);
    let slot_of = |player: &Player, idx: usize| player.voices.slots[idx].unwrap().note.track;
    for (track, slot) in [(1, 5), (2, 7), (3, 0)] {
        player.on(ActiveNote { track, ..note(60) });
        assert_eq!(slot_of(&player, slot), track);
    }
    assert_eq!(player.voices.count(), MAX_VOICES as u16);
}

#[test]
fn note_off_releases_one_note_and_a_hat_chokes_another() {
    let mut player = Player::new(48, false);
    player.on(note(60));
    player.on(note(60));
    player.off(60);
    assert_eq!(held(&player.voices), [60]);
    player.off(61);
    assert_eq!(held(&player.voices), [60]);

    let mut kit = Player::new(0, true);
    kit.on(note(46));
    kit.on(note(42));
    assert_eq!(held(&kit.voices), [42], "a closed hat ends the open one");
}

#[test]
fn the_pedal_holds_notes_that_ended() {
    let mut player = Player::new(48, false);
    player.on(note(60));
    player.on(note(64));
    player.pedal(1.0);
    player.off(60);
    assert_eq!(held(&player.voices), [60, 64]);
    // Struck again under the pedal: two voices, and one note-off for the new one.
    player.on(note(60));
    player.off(60);
    player.pedal(0.6);
    assert_eq!(held(&player.voices), [60, 64, 60]);
    player.pedal(0.0);
    assert_eq!(held(&player.voices), [64], "its key is still down");
    player.off(64);
    assert!(held(&player.voices).is_empty());
}
