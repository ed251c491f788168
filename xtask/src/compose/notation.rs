//! A small notation for parts and chords, so that the score can be read as music.
//!
//! A part is `D5:1 A4:.5 r:.5 | …`: pitch or rest, a colon, beats; bars of four beats are checked.
//! Chords are `Dm:2 C/E:2 | …`: root, quality, bass if it is not the root, beats.

/// Ticks of a quarter note in the file.
pub(super) const PPQ: u32 = 480;
/// Ticks of a bar of 4/4.
pub(super) const BAR: u32 = 4 * PPQ;

/// A pitch that sounds from `start` for `length` ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tone {
    pub(super) start: u32,
    pub(super) length: u32,
    pub(super) pitch: u8,
}

/// A harmony that lasts from `start` for `length` ticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chord {
    pub(super) start: u32,
    pub(super) length: u32,
    /// Pitch class of the bass, 0 is C.
    pub(super) bass: u8,
    /// Pitch classes above it, root first.
    pub(super) classes: Vec<u8>,
}

/// Reads a part that starts at tick `start`. Panics on a mistake in the score, which is a constant.
pub(super) fn part(start: u32, text: &str) -> Vec<Tone> {
    timed(start, text)
        .into_iter()
        .filter(|(name, ..)| *name != "r")
        .map(|(name, start, length)| {
            let (class, octave) = pitch_class(name);
            let octave: u8 = octave.parse().unwrap_or_else(|_| panic!("{name}: no octave"));
            Tone { start, length, pitch: class + 12 * (octave + 1) }
        })
        .collect()
}

/// Reads a row of chords that starts at tick `start`. Panics on a mistake in the score.
pub(super) fn chords(start: u32, text: &str) -> Vec<Chord> {
    timed(start, text)
        .into_iter()
        .map(|(name, start, length)| {
            let (above, below) = name.split_once('/').unwrap_or((name, ""));
            let (root, quality) = pitch_class(above);
            let intervals: &[u8] = match quality {
                "" => &[0, 4, 7],
                "m" => &[0, 3, 7],
                "7" => &[0, 4, 7, 10],
                "m7" => &[0, 3, 7, 10],
                "maj7" => &[0, 4, 7, 11],
                "m9" => &[0, 3, 10, 2],
                "m7b5" => &[0, 3, 6, 10],
                "sus4" => &[0, 5, 7],
                other => panic!("{name}: no chord quality {other:?}"),
            };
            Chord {
                start,
                length,
                bass: if below.is_empty() { root } else { pitch_class(below).0 },
                classes: intervals.iter().map(|i| (root + i) % 12).collect(),
            }
        })
        .collect()
}

fn timed(start: u32, text: &str) -> Vec<(&str, u32, u32)> {
    let mut at = start;
    let mut out = Vec::new();
    for token in text.split_whitespace() {
        if token == "|" {
            assert!((at - start).is_multiple_of(BAR), "{text:?}: the bar line before {at} is misplaced");
            continue;
        }
        let (name, beats) = token.split_once(':').unwrap_or_else(|| panic!("{token}: no length"));
        let beats: f64 = beats.parse().unwrap_or_else(|_| panic!("{token}: no length"));
        let length = (beats * f64::from(PPQ)) as u32;
        out.push((name, at, length));
        at += length;
    }
    assert!((at - start).is_multiple_of(BAR), "{text:?}: the last bar is not full");
    out
}

/// The pitch class at the start of `name`, and what follows it.
fn pitch_class(name: &str) -> (u8, &str) {
    let natural = match name.as_bytes().first() {
        Some(b'C') => 0,
        Some(b'D') => 2,
        Some(b'E') => 4,
        Some(b'F') => 5,
        Some(b'G') => 7,
        Some(b'A') => 9,
        Some(b'B') => 11,
        _ => panic!("{name}: no pitch"),
    };
    match name.as_bytes().get(1) {
        Some(b'#') => ((natural + 1) % 12, &name[2..]),
        Some(b'b') => ((natural + 11) % 12, &name[2..]),
        _ => (natural, &name[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_chords_are_read() {
        let tones = part(BAR, "Bb4:1.5 r:.5 C#5:2 |");
        assert_eq!(tones[0], Tone { start: BAR, length: 720, pitch: 70 });
        assert_eq!(tones[1], Tone { start: BAR + 960, length: 960, pitch: 73 });
        let row = chords(0, "Em7b5:2 F/A:2");
        assert_eq!((row[0].bass, row[0].classes.clone()), (4, vec![4, 7, 10, 2]));
        assert_eq!((row[1].start, row[1].bass, row[1].classes.clone()), (960, 9, vec![5, 9, 0]));
    }

    #[test]
    #[should_panic(expected = "not full")]
    fn a_short_bar_is_a_mistake() {
        part(0, "D5:3");
    }
}
