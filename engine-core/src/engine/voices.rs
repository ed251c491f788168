//! The pool of voices: who plays a note, and who gives way when all are busy.

use alloc::boxed::Box;
use alloc::vec;

use super::drums::DrumVoice;
use super::patch::patch_for_program;
use super::synth::SynthVoice;
use crate::buffer::StereoBlock;
use crate::control::{ActiveNote, MAX_ACTIVE_NOTES, StripSettings};

/// Notes that can sound at once.
const MAX_VOICES: usize = 128;

#[derive(Clone, Copy, Debug)]
enum Sound {
    Synth(SynthVoice),
    Drum(DrumVoice),
}

#[derive(Clone, Copy, Debug)]
struct Voice {
    note: ActiveNote,
    /// Number of its note-on; the smaller, the older.
    serial: u32,
    sound: Sound,
}

impl Voice {
    fn is_done(&self) -> bool {
        match &self.sound {
            Sound::Synth(voice) => voice.is_done(),
            Sound::Drum(voice) => voice.is_done(),
        }
    }

    fn is_held(&self) -> bool {
        match &self.sound {
            Sound::Synth(voice) => voice.is_held(),
            Sound::Drum(voice) => voice.is_held(),
        }
    }

    fn level(&self) -> f32 {
        match &self.sound {
            Sound::Synth(voice) => voice.level(),
            Sound::Drum(voice) => voice.level(),
        }
    }

    fn release(&mut self) {
        match &mut self.sound {
            Sound::Synth(voice) => voice.release(),
            Sound::Drum(voice) => voice.release(),
        }
    }
}

/// All voices of all tracks.
///
/// When none is free, the quietest released voice gives way; when all are held, the oldest.
pub(super) struct Voices {
    slots: Box<[Option<Voice>]>,
    sample_rate: f32,
    serial: u32,
}

impl Voices {
    pub(super) fn new(sample_rate: f32) -> Self {
        Self { slots: vec![None; MAX_VOICES].into_boxed_slice(), sample_rate, serial: 0 }
    }

    pub(super) fn note_on(&mut self, strip: &StripSettings, note: ActiveNote) {
        self.serial = self.serial.wrapping_add(1);
        let sound = if strip.drums {
            let hit = DrumVoice::new(note.pitch, note.velocity, self.serial, self.sample_rate);
            self.choke(note.track, hit.choke_group());
            Sound::Drum(hit)
        } else {
            let patch = patch_for_program(strip.program);
            Sound::Synth(SynthVoice::new(patch, note.pitch, note.velocity, self.sample_rate))
        };
        let slot = self.slot();
        self.slots[slot] = Some(Voice { note, serial: self.serial, sound });
    }

    /// Releases the oldest held note of this track and pitch.
    pub(super) fn note_off(&mut self, track: u16, pitch: u8) {
        let is_it = |v: &&mut Voice| v.note.track == track && v.note.pitch == pitch && v.is_held();
        if let Some(voice) = self.slots.iter_mut().flatten().filter(is_it).min_by_key(|v| v.serial) {
            voice.release();
        }
    }

    /// Releases everything; drums fade out at once, since they would ring on.
    pub(super) fn release_all(&mut self) {
        for voice in self.slots.iter_mut().flatten() {
            match &mut voice.sound {
                Sound::Synth(synth) => synth.release(),
                Sound::Drum(drum) => drum.choke(self.sample_rate),
            }
        }
    }

    /// Forgets everything: other tracks come, and what sounds belongs to none of them.
    pub(super) fn clear(&mut self) {
        self.slots.fill(None);
    }

    /// Adds frames `from..to` of every voice to its track's block.
    pub(super) fn render(&mut self, tracks: &mut [StereoBlock], from: usize, to: usize) {
        for slot in &mut self.slots {
            let Some(voice) = slot else { continue };
            let Some(block) = tracks.get_mut(usize::from(voice.note.track)) else { continue };
            let (left, right) = (&mut block.left[from..to], &mut block.right[from..to]);
            match &mut voice.sound {
                Sound::Synth(synth) => synth.render(left, right),
                Sound::Drum(drum) => drum.render(left, right),
            }
            if voice.is_done() {
                *slot = None;
            }
        }
    }

    /// How many sound.
    pub(super) fn count(&self) -> u16 {
        self.slots.iter().flatten().map(|_| 1u16).sum()
    }

    /// Lists the held notes; returns how many were listed.
    pub(super) fn list_held(&self, notes: &mut [ActiveNote; MAX_ACTIVE_NOTES]) -> usize {
        let held = self.slots.iter().flatten().filter(|voice| voice.is_held());
        notes.iter_mut().zip(held).map(|(note, voice)| *note = voice.note).count()
    }

    fn choke(&mut self, track: u16, group: u8) {
        for voice in self.slots.iter_mut().flatten() {
            match &mut voice.sound {
                Sound::Drum(drum)
                    if group != 0 && voice.note.track == track && drum.choke_group() == group =>
                {
                    drum.choke(self.sample_rate);
                }
                _ => {}
            }
        }
    }

    fn slot(&self) -> usize {
        if let Some(free) = self.slots.iter().position(Option::is_none) {
            return free;
        }
        let (mut best, mut best_rank) = (0, (true, f32::INFINITY, u32::MAX));
        for (idx, voice) in self.slots.iter().enumerate() {
            let Some(voice) = voice else { continue };
            let held = voice.is_held();
            let rank = (held, if held { 0.0 } else { voice.level() }, voice.serial);
            if rank < best_rank {
                (best, best_rank) = (idx, rank);
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn note(pitch: u8) -> ActiveNote {
        ActiveNote { track: 0, pitch, velocity: 100 }
    }

    fn strip(program: u8, drums: bool) -> StripSettings {
        StripSettings {
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

    #[test]
    fn released_voices_give_way_before_held_ones_and_the_oldest_of_those() {
        let mut voices = Voices::new(48_000.0);
        let strings = &strip(48, false);
        for i in 0..MAX_VOICES {
            voices.note_on(strings, note(i as u8));
        }
        voices.note_off(0, 5);
        voices.note_on(strings, ActiveNote { track: 1, ..note(60) });
        assert_eq!(voices.slots[5].unwrap().note.track, 1, "the released voice gave way");
        voices.note_on(strings, ActiveNote { track: 2, ..note(60) });
        assert_eq!(voices.slots[0].unwrap().note.track, 2, "then the oldest");
        assert_eq!(voices.count(), MAX_VOICES as u16);
    }

    #[test]
    fn note_off_releases_one_note_and_a_hat_chokes_another() {
        let mut voices = Voices::new(48_000.0);
        let strings = &strip(48, false);
        voices.note_on(strings, note(60));
        voices.note_on(strings, note(60));
        voices.note_off(0, 60);
        assert_eq!(held(&voices), [60]);
        voices.note_off(0, 61);
        assert_eq!(held(&voices), [60]);

        let kit = &strip(0, true);
        let mut hats = Voices::new(48_000.0);
        hats.note_on(kit, note(46));
        hats.note_on(kit, note(42));
        assert_eq!(held(&hats), [42], "a closed hat ends the open one");
    }
}
