//! Any bytes are refused, or become a composition that survives being written and read again.
#![no_main]

use engine_core::composition::midi::{FileType, export, import};
use engine_core::composition::{Composition, Note};
use engine_core::control::Program;
use libfuzzer_sys::fuzz_target;

fn notes(composition: &Composition) -> Vec<Vec<Note>> {
    let notes = |track: &engine_core::composition::Track| {
        let mut notes: Vec<_> = track.clips.iter().flat_map(|clip| clip.notes.iter().copied()).collect();
        notes.sort_by_key(|note| (note.start, note.pitch, note.velocity, note.length));
        notes
    };
    composition.tracks.iter().map(notes).collect()
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(first) = import(bytes, "fuzz") else { return };
    let _ = Program::compile(&first);
    let written = export(&first, FileType::MultiTrack).expect("type 1 has room for every track");
    let second = import(&written, "fuzz").expect("what was written can be read");
    assert_eq!(notes(&first), notes(&second));
    assert_eq!(first.length, second.length);
    // Bends of odd ranges are rounded once; from then on nothing changes.
    let again = export(&second, FileType::MultiTrack).expect("the same tracks");
    assert!(import(&again, "fuzz").as_ref() == Ok(&second));
});
