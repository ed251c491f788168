//! `cargo xtask compose`: writes the bundled composition, `www/public/antiphon.mid`.
//!
//! The music is written in `compose/score.rs`; the file is committed, so that nobody needs this command
//! to build the page, and a test keeps the two equal.

mod notation;
mod patterns;
mod score;

use std::path::Path;

use anyhow::{Context, Result};
use midly::num::{u4, u7, u15, u24, u28};
use midly::{Format, Header, MetaMessage, MidiMessage, Smf, Timing, TrackEvent, TrackEventKind};

use notation::{BAR, PPQ};
use score::{N_BARS, Part, TEMPI};

/// Where the page finds it, from the repository's root.
pub(crate) const FILE: &str = "www/public/antiphon.mid";

/// Writes the file.
pub(crate) fn run(root: &Path) -> Result<()> {
    let path = root.join(FILE);
    std::fs::create_dir_all(path.parent().expect("FILE has a folder"))?;
    std::fs::write(&path, midi_file()).with_context(|| format!("cannot write {}", path.display()))?;
    println!("wrote {FILE}");
    Ok(())
}

/// The composition as a Standard MIDI File of format 1.
fn midi_file() -> Vec<u8> {
    let mut smf = Smf::new(Header::new(Format::Parallel, Timing::Metrical(u15::new(PPQ as u16))));
    smf.tracks.push(delta_coded(conductor()));
    let parts = score::parts();
    smf.tracks.extend(parts.iter().map(|part| delta_coded(track_events(part))));
    let mut bytes = Vec::new();
    smf.write_std(&mut bytes).expect("writing to memory does not fail");
    bytes
}

/// Name, tempi and time signature: what concerns all parts.
fn conductor() -> Vec<(u32, TrackEventKind<'static>)> {
    let meta = |tick, message| (tick, TrackEventKind::Meta(message));
    let mut events = vec![
        meta(0, MetaMessage::TrackName(b"Antiphon")),
        meta(0, MetaMessage::TimeSignature(4, 2, 24, 8)),
        // One flat, minor.
        meta(0, MetaMessage::KeySignature(-1, true)),
    ];
    events.extend(TEMPI.iter().map(|&(bar, bpm)| {
        let micros_per_beat = (60_000_000.0 / bpm).round() as u32;
        meta((bar - 1) * BAR, MetaMessage::Tempo(u24::new(micros_per_beat)))
    }));
    events
}

fn track_events(part: &Part) -> Vec<(u32, TrackEventKind<'static>)> {
    let midi = |message| TrackEventKind::Midi { channel: u4::new(part.channel), message };
    let controller =
        |number, value| midi(MidiMessage::Controller { controller: u7::new(number), value: u7::new(value) });
    let mut events = vec![
        (0, TrackEventKind::Meta(MetaMessage::TrackName(part.name.as_bytes()))),
        (0, midi(MidiMessage::ProgramChange { program: u7::new(part.program) })),
        (0, controller(7, part.volume)),
        (0, controller(10, part.pan)),
    ];
    for note in &part.notes {
        let key = u7::new(note.pitch);
        events.push((note.start, midi(MidiMessage::NoteOn { key, vel: u7::new(note.velocity) })));
        events.push((note.start + note.length, midi(MidiMessage::NoteOff { key, vel: u7::new(64) })));
    }
    events
}

/// Puts events in order and replaces ticks by distances; the end of every track is the end of the piece.
fn delta_coded(mut events: Vec<(u32, TrackEventKind<'static>)>) -> Vec<TrackEvent<'static>> {
    // Ends before starts, so that a repeated pitch is not cut by the end of the one before it.
    events.sort_by_key(|(tick, kind)| {
        let order = match kind {
            TrackEventKind::Midi { message: MidiMessage::NoteOff { .. }, .. } => 1,
            TrackEventKind::Midi { message: MidiMessage::NoteOn { .. }, .. } => 2,
            _ => 0,
        };
        (*tick, order)
    });
    events.push((N_BARS * BAR, TrackEventKind::Meta(MetaMessage::EndOfTrack)));
    let mut before = 0;
    events
        .into_iter()
        .map(|(tick, kind)| {
            let delta = u28::new(tick - before);
            before = tick;
            TrackEvent { delta, kind }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_file_is_what_the_score_says() {
        let path = crate::root().join(FILE);
        let committed = std::fs::read(path).expect("the file is committed");
        assert!(committed == midi_file(), "run `cargo xtask compose` and commit {FILE}");
    }

    #[test]
    fn the_piece_lasts_a_minute_and_a_half() {
        let ends = TEMPI.iter().skip(1).map(|t| t.0).chain([N_BARS + 1]);
        let seconds: f64 =
            TEMPI.iter().zip(ends).map(|(&(bar, bpm), end)| f64::from(end - bar) * 4.0 * 60.0 / bpm).sum();
        assert!((70.0..=100.0).contains(&seconds), "{seconds} s");
    }

    #[test]
    fn no_part_strikes_a_pitch_that_it_already_holds() {
        for part in score::parts() {
            let mut notes = part.notes.clone();
            notes.sort_by_key(|n| (n.pitch, n.start));
            for pair in notes.windows(2) {
                let (a, b) = (pair[0], pair[1]);
                assert!(a.pitch != b.pitch || a.start + a.length <= b.start, "{}: {a:?} {b:?}", part.name);
            }
            assert!(notes.iter().all(|n| n.start + n.length <= N_BARS * BAR), "{}", part.name);
            assert!(notes.iter().all(|n| (30..=104).contains(&n.velocity)), "{}", part.name);
        }
    }

    /// The voices of a choir move independently: no two of them in parallel fifths or octaves.
    #[test]
    fn choirs_have_no_parallel_fifths_or_octaves() {
        for part in score::parts().iter().filter(|p| p.name.contains("choir")) {
            let mut starts: Vec<u32> = part.notes.iter().map(|n| n.start).collect();
            starts.sort_unstable();
            starts.dedup();
            let sounding = |tick: u32| {
                let mut pitches: Vec<u8> = part
                    .notes
                    .iter()
                    .filter(|n| n.start <= tick && tick < n.start + n.length)
                    .map(|n| n.pitch)
                    .collect();
                pitches.sort_unstable();
                pitches
            };
            for pair in starts.windows(2) {
                let (before, after) = (sounding(pair[0]), sounding(pair[1]));
                if before.len() != 3 || after.len() != 3 {
                    continue;
                }
                for (low, high) in [(0, 1), (0, 2), (1, 2)] {
                    let interval = |chord: &[u8]| (chord[high] - chord[low]) % 12;
                    let moved = before[low] != after[low] && before[high] != after[high];
                    let perfect = matches!(interval(&after), 0 | 7) && interval(&before) == interval(&after);
                    assert!(
                        !(moved && perfect),
                        "{} bar {}: {before:?} {after:?}",
                        part.name,
                        pair[1] / BAR + 1
                    );
                }
            }
        }
    }
}
