//! Standard MIDI Files, types 0 and 1, into compositions and back.
//!
//! What both directions keep: notes, tempo, time signatures, track names, programmes, volume (CC 7), expression
//! (CC 11), pan (CC 10), pitch bend with its range (RPN 0), modulation (CC 1) and the sustain pedal (CC 64).
//!
//! A channel's volume, pan and programme are the track's own settings and a row of controllers at once:
//! - The *first* value, when it comes before or with the first note, is the setting, so that strips show it.
//!   Without one it is General MIDI's: volume 100, centre, programme 0.
//! - Later values become [`Control`](super::Control)s *relative* to it (programmes as they are), so that nothing
//!   is applied twice and moving the fader moves all of them.
//! - Relative volume only goes down and relative pan spans ±1. Where later values could not be reached from the
//!   first one, the setting is the nearest value from which they can: the loudest volume, a pan closer to the
//!   middle of them. The first value then is a controller, too.
//!
//! Volume follows General MIDI's recommended curve, 40·log10(v/127) dB. Of several controllers of one kind at one
//! tick the last counts. Equal pitches that overlap on a channel end in the order of their starts (first in, first
//! out), here, in the engine and in what the export writes: MIDI cannot say which of them a note-off means.

mod error;
mod export;
mod import;
mod part;
mod stream;
mod values;

pub use error::{ExportError, MidiError};
pub use export::{FileType, export};
pub use import::import;
pub use stream::{Message, StreamReader};

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::composition::Note;

    /// A type 1 file at 96 PPQ: a conductor track, and one note each on channels 1 and 10.
    fn file() -> Vec<u8> {
        let mut bytes = b"MThd\0\0\0\x06\0\x01\0\x02\0\x60".to_vec();
        let conductor = [
            &[0, 0xff, 0x51, 3, 0x07, 0xa1, 0x20][..], // 120 bpm
            &[0, 0xff, 0x58, 4, 3, 2, 24, 8],          // 3/4
            &[96, 0xff, 0x51, 3, 0x0f, 0x42, 0x40],    // 60 bpm at beat 1
            &[0, 0xff, 0x2f, 0],
        ]
        .concat();
        let notes = [
            &[0, 0xff, 0x03, 4][..],
            b"Bass",
            &[0, 0xc0, 33, 0, 0xb0, 7, 127, 0, 0xb0, 10, 0],
            &[48, 0x90, 40, 100, 0, 0x99, 36, 90],
            &[48, 0x80, 40, 0], // half a beat
            &[0, 0xff, 0x2f, 0],
        ]
        .concat();
        for chunk in [conductor, notes] {
            bytes.extend(b"MTrk");
            bytes.extend(u32::try_from(chunk.len()).unwrap().to_be_bytes());
            bytes.extend(chunk);
        }
        bytes
    }

    #[test]
    fn tracks_tempo_and_signatures_are_read() {
        let c = import(&file(), "Song").unwrap();
        assert_eq!(c.name, "Song");
        assert_eq!(c.length, 960);
        let bpm: Vec<_> = c.tempo.points().iter().map(|p| (p.tick, p.bpm)).collect();
        assert_eq!(bpm, [(0, 120.0), (960, 60.0)]);
        assert_eq!((c.time_signatures.at(0.0).numerator, c.time_signatures.at(0.0).denominator), (3, 4));
        let bass = &c.tracks[0];
        assert_eq!((bass.name.as_str(), bass.instrument.program, bass.instrument.drums), ("Bass", 33, false));
        assert_eq!((bass.gain_db, bass.pan), (0.0, -1.0));
        assert_eq!(bass.clips[0].notes, [Note { pitch: 40, velocity: 100, start: 480, length: 480 }]);
        // Never released: sounds until the track's end.
        assert!(c.tracks[1].instrument.drums);
        assert_eq!(c.tracks[1].clips[0].notes, [Note { pitch: 36, velocity: 90, start: 480, length: 480 }]);
        assert!((c.tracks[1].gain_db - -4.152).abs() < 0.01);
    }

    #[test]
    fn every_truncation_is_refused_and_none_panics() {
        let whole = file();
        for len in 0..whole.len() {
            assert!(import(&whole[..len], "cut").is_err(), "{len} bytes were taken for a whole file");
        }
        assert_eq!(import(b"RIFF....WAVE", ""), Err(MidiError::NotMidi));
        let mut type2 = whole.clone();
        type2[9] = 2;
        assert_eq!(import(&type2, ""), Err(MidiError::Type2));
        let mut no_resolution = whole;
        no_resolution[13] = 0;
        assert_eq!(import(&no_resolution, ""), Err(MidiError::NoResolution));
    }

    #[test]
    fn damaged_bytes_never_panic() {
        let whole = file();
        let mut state = 1u32;
        for _ in 0..20_000 {
            let mut bytes = whole.clone();
            for _ in 0..3 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = (state >> 8) as usize % bytes.len();
                bytes[at] = (state >> 24) as u8;
            }
            let _ = import(&bytes, "damaged");
        }
    }
}
