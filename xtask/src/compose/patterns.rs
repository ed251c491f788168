//! Accompaniment from chords: bass lines, comping, arpeggios; and drum bars.

use super::notation::{BAR, Chord, PPQ};

/// A note with its velocity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) start: u32,
    pub(super) length: u32,
    pub(super) pitch: u8,
    pub(super) velocity: u8,
}

/// What the bass plays at a step of a half bar.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Root,
    Fifth,
    Octave,
    /// A tone next to the coming root, on the last eighth before it; the root when the chord stays.
    Approach,
}
use Step::{Approach, Fifth, Octave, Root};

/// A bass figure of two beats: (eighth, length in eighths, what).
pub(super) type Figure = &'static [(u32, u32, Step)];
pub(super) const LONG: Figure = &[(0, 4, Root)];
pub(super) const WALK: Figure = &[(0, 3, Root), (3, 1, Approach)];
pub(super) const GROOVE: Figure = &[(0, 2, Root), (2, 1, Fifth), (3, 1, Approach)];
pub(super) const DRIVE: Figure = &[(0, 1, Root), (1, 1, Root), (2, 1, Octave), (3, 1, Approach)];

/// A bass line over `row`; `then` is the pitch class that follows it.
pub(super) fn bass(row: &[Chord], figure: Figure, then: u8, velocity: u8) -> Vec<Hit> {
    let mut out = Vec::new();
    for (idx, chord) in row.iter().enumerate() {
        let root = low(chord.bass);
        let next = low(row.get(idx + 1).map_or(then, |c| c.bass));
        for half in (0..chord.length).step_by(2 * PPQ as usize) {
            // Where the chord lasts longer, only its last half leads on.
            let is_last = half + 2 * PPQ >= chord.length;
            for &(eighth, length, step) in figure {
                let pitch = match step {
                    Root => root,
                    Fifth => fifth_above(chord, root),
                    Octave => root + 12,
                    Approach if !is_last || next == root => root,
                    Approach => approach(root, next),
                };
                let accent = if eighth == 0 { 6 } else { 0 };
                out.push(Hit {
                    start: chord.start + half + eighth * PPQ / 2,
                    length: length * PPQ / 2 - PPQ / 16,
                    pitch,
                    velocity: velocity + accent,
                });
            }
        }
    }
    out
}

/// The pitch of a class between E1 and E♭2, where a bass guitar's open strings are.
fn low(class: u8) -> u8 {
    28 + (class + 12 - 28 % 12) % 12
}

/// The chord's own fifth (diminished where it is), or the octave where the bass is not the root.
fn fifth_above(chord: &Chord, root: u8) -> u8 {
    let interval = (chord.classes[2] + 12 - chord.bass) % 12;
    if matches!(interval, 6 | 7) { root + interval } else { root + 12 }
}

/// A step of D minor above or below `next`, from the side on which `from` lies.
fn approach(from: u8, next: u8) -> u8 {
    const SCALE: [u8; 7] = [2, 4, 5, 7, 9, 10, 0];
    let in_scale = |pitch: &u8| SCALE.contains(&(pitch % 12));
    if from > next {
        (next + 1..).find(in_scale).unwrap_or(next)
    } else {
        (0..next).rev().find(in_scale).unwrap_or(next)
    }
}

/// Off-beat chords: on the first beat and before the third.
pub(super) fn comping(row: &[Chord], from: u8, to: u8) -> Vec<Hit> {
    let mut out = Vec::new();
    let voicings = voice_lead(row);
    for (idx, (chord, voicing)) in row.iter().zip(&voicings).enumerate() {
        let velocity = from + ((to - from) as usize * idx / row.len()) as u8;
        for half in (0..chord.length).step_by(2 * PPQ as usize) {
            for (start, length, less) in [(0, PPQ, 0), (PPQ * 3 / 2, PPQ / 2, 8)] {
                out.extend(voicing.iter().map(|&pitch| Hit {
                    start: chord.start + half + start,
                    length: length - PPQ / 8,
                    pitch,
                    velocity: velocity - less,
                }));
            }
        }
    }
    out
}

/// Chords that last.
pub(super) fn held(row: &[Chord], velocity: u8) -> Vec<Hit> {
    let voicings = voice_lead(row);
    row.iter()
        .zip(&voicings)
        .flat_map(|(chord, voicing)| {
            voicing.iter().map(|&pitch| Hit {
                start: chord.start,
                length: chord.length - PPQ / 8,
                pitch,
                velocity,
            })
        })
        .collect()
}

/// Broken chords up and down, two octaves above the comping, `step` ticks a note.
pub(super) fn arpeggio(row: &[Chord], step: u32, from: u8, to: u8) -> Vec<Hit> {
    let mut out = Vec::new();
    let voicings = voice_lead(row);
    for (idx, (chord, voicing)) in row.iter().zip(&voicings).enumerate() {
        let velocity = from + ((to - from) as usize * idx / row.len()) as u8;
        let mut ladder: Vec<u8> = voicing.iter().map(|p| p + 12).collect();
        ladder.push(voicing[0] + 24);
        let down: Vec<u8> = ladder[1..ladder.len() - 1].iter().rev().copied().collect();
        ladder.extend(down);
        for (n, at) in (0..chord.length).step_by(step as usize).enumerate() {
            let accent = if n == 0 { 6 } else { 0 };
            out.push(Hit {
                start: chord.start + at,
                length: step - PPQ / 16,
                pitch: ladder[n % ladder.len()],
                velocity: velocity + accent,
            });
        }
    }
    out
}

/// Close voicings around middle C, each the inversion that moves least from the one before.
fn voice_lead(row: &[Chord]) -> Vec<Vec<u8>> {
    let mut out: Vec<Vec<u8>> = Vec::new();
    for chord in row {
        let candidates = (52..=65u8).filter(|p| chord.classes.contains(&(p % 12))).map(|lowest| {
            let mut voicing: Vec<u8> =
                chord.classes.iter().map(|&class| lowest + (class + 12 - lowest % 12) % 12).collect();
            voicing.sort_unstable();
            voicing
        });
        let distance = |voicing: &Vec<u8>| -> u32 {
            let centre = [57, 62, 65, 69];
            let before = out.last().map_or(&centre[..], Vec::as_slice);
            let motion: u32 = voicing
                .iter()
                .map(|&p| before.iter().map(|&b| u32::from(p.abs_diff(b))).min().unwrap_or(0))
                .sum();
            // A pull to the middle, or a long row would drift out of range.
            2 * motion + u32::from(voicing[0].abs_diff(57))
        };
        out.push(candidates.min_by_key(distance).expect("every chord has a tone between E3 and F4"));
    }
    out
}

/// Where a drum bar has hits: (pitch of the General MIDI percussion map, sixteenths, velocity).
pub(super) type DrumBar = &'static [(u8, &'static [u32], u8)];
const KICK: u8 = 36;
const STICK: u8 = 37;
const SNARE: u8 = 38;
const LOW_TOM: u8 = 45;
const MID_TOM: u8 = 47;
const HIGH_TOM: u8 = 50;
const HAT: u8 = 42;
const OPEN_HAT: u8 = 46;
const RIDE: u8 = 51;
const CRASH: u8 = 49;

pub(super) const NOTHING: DrumBar = &[];
pub(super) const PICK_UP: DrumBar = &[(HAT, &[8, 10, 12, 14], 48), (STICK, &[12], 56), (KICK, &[14], 60)];
pub(super) const QUIET_BEAT: DrumBar =
    &[(KICK, &[0, 10], 72), (STICK, &[4, 12], 58), (HAT, &[0, 4, 8, 12], 56), (HAT, &[2, 6, 10, 14], 42)];
pub(super) const BEAT: DrumBar = &[
    (KICK, &[0, 6, 10], 86),
    (SNARE, &[4, 12], 80),
    (HAT, &[0, 4, 8, 12], 64),
    (HAT, &[2, 6, 10], 48),
    (OPEN_HAT, &[14], 50),
];
pub(super) const FULL_BEAT: DrumBar = &[
    (KICK, &[0, 3, 8, 10], 92),
    (SNARE, &[4, 12], 90),
    (SNARE, &[15], 44),
    (HAT, &[0, 4, 8, 12], 68),
    (OPEN_HAT, &[2, 6, 10, 14], 54),
];
pub(super) const BRUSHES: DrumBar =
    &[(KICK, &[0], 60), (RIDE, &[0, 4, 8, 12], 50), (RIDE, &[6, 14], 38), (STICK, &[12], 44)];
pub(super) const HALF_FILL: DrumBar = &[
    (KICK, &[0, 3, 8], 90),
    (SNARE, &[4], 88),
    (HAT, &[0, 2, 4, 6], 60),
    (HIGH_TOM, &[8, 9], 78),
    (MID_TOM, &[10, 11], 80),
    (LOW_TOM, &[12, 13], 84),
    (SNARE, &[14, 15], 86),
];
pub(super) const FILL: DrumBar = &[
    (KICK, &[0, 8], 86),
    (SNARE, &[4], 80),
    (HAT, &[0, 2, 4, 6], 58),
    (SNARE, &[8, 10, 11], 72),
    (HIGH_TOM, &[12], 80),
    (MID_TOM, &[13], 82),
    (LOW_TOM, &[14, 15], 86),
];

/// A bar of drums from tick `start`.
pub(super) fn drum_bar(start: u32, bar: DrumBar) -> Vec<Hit> {
    bar.iter()
        .flat_map(|&(pitch, sixteenths, velocity)| {
            sixteenths.iter().map(move |sixteenth| Hit {
                start: start + sixteenth * PPQ / 4,
                length: PPQ / 4 - PPQ / 16,
                pitch,
                velocity,
            })
        })
        .collect()
}

/// A crash that rings for a bar.
pub(super) fn crash(start: u32, velocity: u8) -> Hit {
    Hit { start, length: BAR / 2, pitch: CRASH, velocity }
}
