//! "Antiphon": two choirs, left and right, that call and answer over bass and drums, and sing together at
//! last. D minor, 34 bars of 4/4, one and a half minutes.
//!
//! ```text
//! bars  1–4   intro     celesta states the call, alone over a pad
//!       5–12  verse     strings (left) call for two bars, choir (right) answers for two, twice
//!      13–20  stretto   the same exchange bar by bar, then half by half; drums and electric piano
//!      21–24  bridge    slower; a lead over descending sevenths
//!      25–32  tutti     faster; the left choir sings call and answer, the right one a descant to both
//!      33–34  amen      plagal close on D major
//! ```

use super::notation::{BAR, Chord, PPQ, Tone, chords, part};
use super::patterns::{self, Hit};

/// Tempo in beats per minute from a bar on (bars count from 1).
pub(super) const TEMPI: [(u32, f64); 5] = [(1, 92.0), (21, 80.0), (25, 100.0), (33, 80.0), (34, 60.0)];
/// Bars of the piece.
pub(super) const N_BARS: u32 = 34;

/// One track of the file.
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) channel: u8,
    /// General MIDI programme, counted from 0.
    pub(super) program: u8,
    pub(super) volume: u8,
    /// 0 left, 64 centre, 127 right.
    pub(super) pan: u8,
    pub(super) notes: Vec<Hit>,
}

/// Three voices of a choir; the bass part is below them.
struct Choir {
    soprano: &'static str,
    alto: &'static str,
    tenor: &'static str,
}

const CALL_1: Choir = Choir {
    soprano: "D5:1 A4:.5 D5:.5 E5:2 | F5:1.5 E5:.5 D5:2",
    alto: "F4:2 G4:2 | A4:2 Bb4:2",
    tenor: "A3:2 C4:2 | C4:2 G3:2",
};
/// The call turned upside down.
const ANSWER_1: Choir = Choir {
    soprano: "D5:1 F5:.5 D5:.5 C5:2 | Bb4:1.5 D5:.5 C#5:2",
    alto: "F4:2 F4:2 | G4:2 E4:2",
    tenor: "Bb3:2 C4:2 | D4:2 A3:2",
};
const CALL_2: Choir = Choir {
    soprano: "D5:1 A4:.5 D5:.5 F5:2 | E5:1 G5:1 A5:2",
    alto: "F4:2 Bb4:2 | G4:1 C5:1 C5:2",
    tenor: "A3:2 D4:2 | C4:1 E4:1 F4:2",
};
const ANSWER_2: Choir = Choir {
    soprano: "F5:1 D5:.5 F5:.5 E5:2 | D5:2 C#5:2",
    alto: "Bb4:2 Bb4:2 | A4:2 A4:1 G4:1",
    tenor: "D4:2 D4:2 | E4:4",
};

/// Left choir of the stretto: a bar of its own, then a bar of rest in which the other answers.
const STRETTO_LEFT: Choir = Choir {
    soprano: "D5:.5 E5:.5 F5:1 A5:2 | r:4 | C5:.5 D5:.5 F5:1 A5:2 | r:4 \
              | D5:.5 F5:.5 G5:1 Bb5:2 | r:4 | F5:.5 D5:.5 F5:1 r:2 | D5:2 C#5:2",
    alto: "A4:4 | r:4 | A4:2 C5:2 | r:4 | Bb4:2 D5:2 | r:4 | Bb4:2 r:2 | A4:4",
    tenor: "F4:4 | r:4 | F4:4 | r:4 | G4:4 | r:4 | D4:2 r:2 | E4:4",
};
const STRETTO_RIGHT: Choir = Choir {
    soprano: "r:4 | F5:.5 G5:.5 F5:1 D5:2 | r:4 | G5:.5 F5:.5 E5:1 C5:2 | r:4 \
              | A5:.5 G5:.5 F5:1 D5:2 | r:2 G5:.5 F5:.5 E5:1 | A5:2 G5:2",
    alto: "r:4 | Bb4:4 | r:4 | G4:4 | r:4 | A4:4 | r:2 Bb4:2 | E5:4",
    tenor: "r:4 | D4:2 F4:2 | r:4 | E4:4 | r:4 | D4:4 | r:2 D4:2 | A4:4",
};

/// What the right choir sings above the left one's tune: thirds and sixths, against its direction.
const DESCANT: Choir = Choir {
    soprano: "A5:2 G5:2 | A5:2 Bb5:2 | F5:2 A5:2 | G5:2 E5:2 \
              | A5:2 D6:2 | C6:4 | D6:2 Bb5:2 | A5:2 A5:1 G5:1",
    alto: "F5:2 E5:2 | F5:2 G5:2 | D5:2 C5:2 | D5:2 C#5:2 | F5:4 | E5:2 F5:2 | F5:2 G5:2 | E5:4",
    tenor: "A4:2 C5:2 | C5:2 Bb4:2 | Bb4:2 F4:2 | Bb4:2 A4:2 | A4:2 Bb4:2 | G4:2 A4:2 | Bb4:2 D5:2 | D5:2 C#5:2",
};

const AMEN_LEFT: Choir =
    Choir { soprano: "D5:4 | D5:4", alto: "F4:2 G4:2 | F#4:4", tenor: "D4:2 Bb3:2 | A3:4" };
const AMEN_RIGHT: Choir = Choir { soprano: "F5:2 G5:2 | A5:4", alto: "D5:4 | F#5:4", tenor: "Bb4:4 | A4:4" };

const INTRO_TUNE: &str = "D6:1 A5:.5 D6:.5 E6:2 | F6:1.5 E6:.5 D6:2 \
                          | D6:1 F6:.5 D6:.5 C6:2 | Bb5:1.5 D6:.5 C#6:2";
/// Comes in after each phrase of the verse, and leads to the next.
const VERSE_ECHO: &str = "r:4 | r:2 D6:.5 Bb5:.5 G5:1 | r:4 | r:2 C#6:.5 E6:.5 A5:1 \
                          | r:4 | r:2 C6:.5 A5:.5 F5:1 | r:4 | r:2 E6:.5 C#6:.5 G5:1";
const BRIDGE_LEAD: &str = "F5:1.5 A5:.5 D6:1.5 C6:.5 | A5:2 C6:.5 A5:.5 G5:1 \
                           | F5:1.5 G5:.5 A5:1 Bb5:1 | A5:2 G5:1 E5:.5 C#5:.5";

const INTRO_PAD: [&str; 3] = [
    "A4:4 | A4:4 | Bb4:2 A4:2 | Bb4:2 A4:2",
    "F4:2 G4:2 | F4:2 G4:2 | F4:2 F4:2 | D4:2 E4:2",
    "D4:4 | D4:4 | D4:2 C4:2 | Bb3:2 C#4:2",
];
/// Sevenths that sink by step, each voice in its turn.
const BRIDGE_PAD: [&str; 4] = [
    "A4:4 | G4:4 | F4:4 | E4:4",
    "F4:4 | E4:4 | D4:4 | D4:2 C#4:2",
    "D4:4 | C4:4 | Bb3:4 | A3:4",
    "A3:4 | A3:4 | A3:4 | G3:4",
];
const TUTTI_PAD: [&str; 3] = [
    "A4:2 C5:2 | C5:2 Bb4:2 | Bb4:2 A4:2 | Bb4:2 A4:2 | A4:2 Bb4:2 | G4:2 A4:2 | Bb4:2 Bb4:2 | A4:4 | Bb4:4 | A4:4",
    "F4:2 G4:2 | A4:2 G4:2 | F4:2 F4:2 | G4:2 E4:2 | F4:2 F4:2 | E4:2 F4:2 | F4:2 G4:2 | E4:4 | F4:2 G4:2 | F#4:4",
    "D4:2 E4:2 | F4:2 D4:2 | D4:2 C4:2 | D4:2 C#4:2 | D4:4 | C4:4 | D4:4 | D4:2 C#4:2 | D4:4 | D4:4",
];

const VERSE: &str =
    "Dm:2 C:2 | F:2 Gm:2 | Bb:2 F/A:2 | Gm:2 A:2 | Dm:2 Bb:2 | C:2 F:2 | Bb:2 Em7b5:2 | Asus4:2 A7:2";
const STRETTO: &str = "Dm:4 | Bb:4 | F:4 | C:4 | Gm:4 | Dm/F:4 | Bb:2 Em7b5:2 | Asus4:2 A7:2";
const BRIDGE: &str = "Bbmaj7:4 | Am7:4 | Gm9:4 | Asus4:2 A7:2";
const AMEN: &str = "Bb:2 Gm:2 | D:4";

/// All parts, each with its notes in any order.
pub(super) fn parts() -> Vec<Part> {
    let part =
        |name, channel, program, volume, pan, notes| Part { name, channel, program, volume, pan, notes };
    vec![
        part("Left choir", 0, 48, 92, 14, left_choir()),
        part("Right choir", 1, 52, 92, 113, right_choir()),
        part("Lead", 2, 81, 102, 64, lead()),
        part("Electric piano", 3, 4, 92, 84, electric_piano()),
        part("Bass", 4, 38, 96, 64, bass()),
        part("Celesta", 5, 8, 106, 44, celesta()),
        part("Pad", 6, 89, 92, 64, pad()),
        part("Drums", 9, 0, 96, 64, drums()),
    ]
}

/// First tick of a bar; bars count from 1.
fn bar(number: u32) -> u32 {
    (number - 1) * BAR
}

fn left_choir() -> Vec<Hit> {
    let mut out = sing(&CALL_1, 5, 58, 70);
    out.extend(sing(&CALL_2, 9, 62, 80));
    out.extend(sing(&STRETTO_LEFT, 13, 72, 90));
    for (phrase, first, soft, loud) in
        [(&CALL_1, 25, 84, 90), (&ANSWER_1, 27, 88, 84), (&CALL_2, 29, 88, 98), (&ANSWER_2, 31, 98, 90)]
    {
        out.extend(sing(phrase, first, soft, loud));
    }
    out.extend(sing(&AMEN_LEFT, 33, 84, 62));
    out
}

fn right_choir() -> Vec<Hit> {
    let mut out = sing(&ANSWER_1, 7, 60, 68);
    out.extend(sing(&ANSWER_2, 11, 70, 76));
    out.extend(sing(&STRETTO_RIGHT, 13, 72, 90));
    out.extend(sing(&DESCANT, 25, 78, 94));
    out.extend(sing(&AMEN_RIGHT, 33, 80, 60));
    out
}

fn lead() -> Vec<Hit> {
    let mut out = play(&part(bar(21), BRIDGE_LEAD), 70, 86);
    for (phrase, first) in [(&CALL_1, 25), (&ANSWER_1, 27), (&CALL_2, 29), (&ANSWER_2, 31)] {
        out.extend(play(&part(bar(first), phrase.soprano), 80, 90));
    }
    out.extend(play(&part(bar(33), AMEN_LEFT.soprano), 70, 50));
    out
}

fn electric_piano() -> Vec<Hit> {
    let mut out = patterns::comping(&chords(bar(13), STRETTO), 62, 72);
    out.extend(patterns::held(&chords(bar(21), BRIDGE), 58));
    out.extend(patterns::comping(&chords(bar(25), VERSE), 68, 78));
    out.extend(patterns::held(&chords(bar(33), AMEN), 58));
    out
}

fn bass() -> Vec<Hit> {
    // One row for the whole piece, so that each approach note knows where it leads.
    let verse = chords(bar(5), VERSE);
    let stretto = chords(bar(13), STRETTO);
    let bridge = chords(bar(21), BRIDGE);
    let tutti = chords(bar(25), VERSE);
    let amen = chords(bar(33), AMEN);
    let next = |row: &[Chord]| row[0].bass;
    let mut out = patterns::bass(&verse, patterns::WALK, next(&stretto), 72);
    out.extend(patterns::bass(&stretto, patterns::GROOVE, next(&bridge), 84));
    out.extend(patterns::bass(&bridge, patterns::LONG, next(&tutti), 68));
    out.extend(patterns::bass(&tutti, patterns::DRIVE, next(&amen), 88));
    out.extend(patterns::bass(&amen, patterns::LONG, 2, 80));
    out
}

fn celesta() -> Vec<Hit> {
    let mut out = play(&part(0, INTRO_TUNE), 86, 96);
    out.extend(play(&part(bar(5), VERSE_ECHO), 66, 74));
    out.extend(patterns::arpeggio(&chords(bar(13), STRETTO), PPQ / 2, 52, 66));
    out.extend(patterns::arpeggio(&chords(bar(25), VERSE), PPQ / 2, 62, 74));
    out.extend(play(&part(bar(33), "Bb5:.5 D6:.5 F6:1 G6:.5 D6:.5 Bb5:1 | D6:1 A6:1 D7:2"), 66, 48));
    out
}

fn pad() -> Vec<Hit> {
    let rows = INTRO_PAD.iter().map(|row| (1, row, 72, 84));
    let rows = rows.chain(BRIDGE_PAD.iter().map(|row| (21, row, 62, 58)));
    let rows = rows.chain(TUTTI_PAD.iter().map(|row| (25, row, 62, 70)));
    rows.flat_map(|(first, row, from, to)| play(&part(bar(first), row), from, to)).collect()
}

fn drums() -> Vec<Hit> {
    let mut out = Vec::new();
    for number in 1..=N_BARS {
        let pattern = match number {
            4 | 12 => patterns::PICK_UP,
            5..=11 => patterns::QUIET_BEAT,
            20 | 32 => patterns::FILL,
            13..=19 => patterns::BEAT,
            21..=24 => patterns::BRUSHES,
            28 => patterns::HALF_FILL,
            25..=31 => patterns::FULL_BEAT,
            _ => patterns::NOTHING,
        };
        out.extend(patterns::drum_bar(bar(number), pattern));
    }
    for (number, velocity) in [(13, 70), (25, 88), (29, 74), (33, 74), (34, 56)] {
        out.push(patterns::crash(bar(number), velocity));
    }
    out
}

fn sing(choir: &Choir, first_bar: u32, from: u8, to: u8) -> Vec<Hit> {
    // Inner voices a little under the tune.
    [(choir.soprano, 0), (choir.alto, 8), (choir.tenor, 6)]
        .into_iter()
        .flat_map(|(voice, less)| play(&part(bar(first_bar), voice), from - less, to - less))
        .collect()
}

/// A part with its dynamics: from one velocity to another over its length, accents on strong beats.
fn play(tones: &[Tone], from: u8, to: u8) -> Vec<Hit> {
    let (Some(first), Some(last)) = (tones.first(), tones.last()) else { return Vec::new() };
    let span = f64::from((last.start - first.start).max(1));
    tones
        .iter()
        .map(|tone| {
            let progress = f64::from(tone.start - first.start) / span;
            let swell = f64::from(from) + (f64::from(to) - f64::from(from)) * progress;
            let accent = match tone.start % BAR {
                0 => 4.0,
                beat if beat.is_multiple_of(PPQ) => 0.0,
                _ => -5.0,
            };
            // A breath before the next note, the same for short and long ones.
            Hit {
                start: tone.start,
                length: tone.length - PPQ / 16,
                pitch: tone.pitch,
                velocity: (swell + accent) as u8,
            }
        })
        .collect()
}
