//! The one door from untrusted data to a [`Composition`](super::Composition).

use alloc::format;
use alloc::string::{String, ToString};
use core::ops::RangeInclusive;

use super::model::{Clip, CompositionSpec, Note, Track};
use crate::units::{FLOOR_DB, MAX_TRACKS};

/// Gain of a fader, in dB; the lower end is silence.
pub const GAIN_DB_RANGE: RangeInclusive<f32> = FLOOR_DB..=12.0;
/// Pan position, left to right.
pub const PAN_RANGE: RangeInclusive<f32> = -1.0..=1.0;
/// Longest composition: 2³⁰ ticks, six days at 120 bpm; sums of two positions still fit in `u32`.
const MAX_TICKS: u32 = 1 << 30;

/// A value that a composition may not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompositionError {
    /// Path of the field, such as `tracks[2].gain_db`.
    pub field: String,
    /// What it is and what is allowed.
    pub message: String,
}

impl CompositionError {
    /// An error about `field`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }

    fn within(self, prefix: &str) -> Self {
        Self { field: format!("{prefix}.{}", self.field), message: self.message }
    }
}

impl core::fmt::Display for CompositionError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

impl core::error::Error for CompositionError {}

pub(super) fn validate(spec: &CompositionSpec) -> Result<(), CompositionError> {
    check_name(&spec.name)?;
    check(spec.length <= MAX_TICKS, "length", || format!("{} is more than {MAX_TICKS} ticks", spec.length))?;
    check(spec.tracks.len() <= MAX_TRACKS, "tracks", || {
        format!("{} tracks; at most {MAX_TRACKS} are allowed", spec.tracks.len())
    })?;
    for (idx, track) in spec.tracks.iter().enumerate() {
        check_track(track, spec.length).map_err(|e| e.within(&format!("tracks[{idx}]")))?;
        let twice = !track.id.is_nil() && spec.tracks[..idx].iter().any(|other| other.id == track.id);
        check(!twice, "tracks", || format!("two tracks have the id {}", track.id))?;
    }
    Ok(())
}

fn check_track(track: &Track, length: u32) -> Result<(), CompositionError> {
    check_name(&track.name)?;
    let hex = track
        .color
        .strip_prefix('#')
        .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
    check(hex, "color", || format!("{:?} is not of the form #rrggbb", track.color))?;
    check(GAIN_DB_RANGE.contains(&track.gain_db), "gain_db", || {
        format!("{} is not between -120 and 12 dB", track.gain_db)
    })?;
    check(PAN_RANGE.contains(&track.pan), "pan", || format!("{} is not between -1 and 1", track.pan))?;
    check(track.instrument.program < 128, "instrument.program", || {
        format!("{} is not between 0 and 127", track.instrument.program)
    })?;
    for (idx, clip) in track.clips.iter().enumerate() {
        check_clip(clip, length).map_err(|e| e.within(&format!("clips[{idx}]")))?;
    }
    Ok(())
}

fn check_clip(clip: &Clip, composition_length: u32) -> Result<(), CompositionError> {
    check(clip.length >= 1, "length", || "0 ticks; at least 1 is needed".to_string())?;
    let end = clip.start.checked_add(clip.length);
    check(end.is_some_and(|end| end <= composition_length), "length", || {
        format!("the clip ends after the composition's {composition_length} ticks")
    })?;
    for (idx, note) in clip.notes.iter().enumerate() {
        check_note(note, clip.length).map_err(|e| e.within(&format!("notes[{idx}]")))?;
    }
    Ok(())
}

fn check_note(note: &Note, clip_length: u32) -> Result<(), CompositionError> {
    check(note.pitch < 128, "pitch", || format!("{} is not between 0 and 127", note.pitch))?;
    check((1..128).contains(&note.velocity), "velocity", || {
        format!("{} is not between 1 and 127", note.velocity)
    })?;
    check(note.length >= 1, "length", || "0 ticks; at least 1 is needed".to_string())?;
    check(note.start < clip_length, "start", || {
        format!("{} is not inside the clip of {clip_length} ticks", note.start)
    })
}

fn check_name(name: &str) -> Result<(), CompositionError> {
    let n_chars = name.chars().count();
    check((1..=200).contains(&n_chars), "name", || format!("{n_chars} characters; 1 to 200 are allowed"))
}

fn check(holds: bool, field: &str, message: impl FnOnce() -> String) -> Result<(), CompositionError> {
    if holds { Ok(()) } else { Err(CompositionError::new(field, message())) }
}
