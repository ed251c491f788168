//! The one door from untrusted data to a [`Composition`](super::Composition).

use alloc::format;
use alloc::string::{String, ToString};
use core::ops::RangeInclusive;

use uuid::Uuid;

use super::effect::{Effect, EqualiserBand, MAX_BANDS, MAX_EFFECTS};
use super::model::{
    AudioClip, Bus, Clip, CompositionSpec, Control, ControlKind, Instrument, Note, Send, Track,
};
use crate::units::{FLOOR_DB, MAX_BUSES, MAX_TRACKS};

/// Gain of a fader, in dB; the lower end is silence.
pub const GAIN_DB_RANGE: RangeInclusive<f32> = FLOOR_DB..=12.0;
/// Pan position, left to right.
pub const PAN_RANGE: RangeInclusive<f32> = -1.0..=1.0;
/// Longest composition: 2³⁰ ticks, six days at 120 bpm; sums of two positions still fit in `u32`.
const MAX_TICKS: u32 = 1 << 30;

/// Zones of one instrument.
const MAX_ZONES: usize = 128;
/// Audio clips on one track; with the zones it keeps the number of samples below 2¹⁶.
const MAX_AUDIO_CLIPS: usize = 512;
/// Longest audio clip: a day.
const MAX_CLIP_SECONDS: f64 = 86_400.0;

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
        let sends = &track.sends;
        for (at, send) in sends.iter().enumerate() {
            check_send(send, &sends[..at], &spec.buses)
                .map_err(|e| e.within(&format!("tracks[{idx}].sends[{at}]")))?;
        }
    }
    check_unique("tracks", spec.tracks.iter().map(|track| track.id))?;
    check(spec.buses.len() <= MAX_BUSES, "buses", || {
        format!("{} buses; at most {MAX_BUSES} are allowed", spec.buses.len())
    })?;
    for (idx, bus) in spec.buses.iter().enumerate() {
        check_bus(bus).map_err(|e| e.within(&format!("buses[{idx}]")))?;
    }
    check_unique("buses", spec.buses.iter().map(|bus| bus.id))?;
    check_gain(spec.master.gain_db)
        .and_then(|()| check_effects(&spec.master.effects))
        .map_err(|e| e.within("master"))
}

fn check_unique(field: &str, ids: impl Iterator<Item = Uuid> + Clone) -> Result<(), CompositionError> {
    for (idx, id) in ids.clone().enumerate().filter(|(_, id)| !id.is_nil()) {
        let twice = ids.clone().take(idx).any(|other| other == id);
        check(!twice, field, || format!("two of them have the id {id}"))?;
    }
    Ok(())
}

fn check_bus(bus: &Bus) -> Result<(), CompositionError> {
    check_name(&bus.name)?;
    check_gain(bus.gain_db)?;
    check_pan(bus.pan)?;
    check_effects(&bus.effects)
}

fn check_send(send: &Send, before: &[Send], buses: &[Bus]) -> Result<(), CompositionError> {
    check_gain(send.gain_db)?;
    check(buses.iter().any(|bus| bus.id == send.bus), "bus", || format!("there is no bus {}", send.bus))?;
    let twice = before.iter().any(|other| other.bus == send.bus);
    check(!twice, "bus", || format!("the track sends to bus {} already", send.bus))
}

fn check_track(track: &Track, length: u32) -> Result<(), CompositionError> {
    check_name(&track.name)?;
    let hex = track
        .color
        .strip_prefix('#')
        .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
    check(hex, "color", || format!("{:?} is not of the form #rrggbb", track.color))?;
    check_gain(track.gain_db)?;
    check_pan(track.pan)?;
    check_instrument(&track.instrument).map_err(|e| e.within("instrument"))?;
    check_effects(&track.effects)?;
    for (idx, clip) in track.clips.iter().enumerate() {
        check_clip(clip, length).map_err(|e| e.within(&format!("clips[{idx}]")))?;
    }
    check(track.audio_clips.len() <= MAX_AUDIO_CLIPS, "audio_clips", || {
        format!("{} audio clips; at most {MAX_AUDIO_CLIPS} are allowed on a track", track.audio_clips.len())
    })?;
    for (idx, clip) in track.audio_clips.iter().enumerate() {
        check_audio_clip(clip, length).map_err(|e| e.within(&format!("audio_clips[{idx}]")))?;
    }
    Ok(())
}

fn check_instrument(instrument: &Instrument) -> Result<(), CompositionError> {
    check_midi("program", instrument.program)?;
    check(instrument.zones.len() <= MAX_ZONES, "zones", || {
        format!("{} zones; at most {MAX_ZONES} are allowed", instrument.zones.len())
    })?;
    for (idx, zone) in instrument.zones.iter().enumerate() {
        check_midi("root_pitch", zone.root_pitch)
            .and_then(|()| check_midi("low_pitch", zone.low_pitch))
            .and_then(|()| check_midi("high_pitch", zone.high_pitch))
            .and_then(|()| {
                check(zone.low_pitch <= zone.high_pitch, "high_pitch", || {
                    format!("{} is below low_pitch {}", zone.high_pitch, zone.low_pitch)
                })
            })
            .map_err(|e| e.within(&format!("zones[{idx}]")))?;
    }
    Ok(())
}

fn check_effects(effects: &[Effect]) -> Result<(), CompositionError> {
    check(effects.len() <= MAX_EFFECTS, "effects", || {
        format!("{} effects; at most {MAX_EFFECTS} are allowed on a strip", effects.len())
    })?;
    for (idx, effect) in effects.iter().enumerate() {
        check_effect(effect).map_err(|e| e.within(&format!("effects[{idx}]")))?;
    }
    Ok(())
}

fn check_effect(effect: &Effect) -> Result<(), CompositionError> {
    match effect {
        Effect::Equaliser { bands } => {
            check(bands.len() <= MAX_BANDS, "bands", || {
                format!("{} bands; at most {MAX_BANDS} are allowed", bands.len())
            })?;
            for (idx, EqualiserBand { hz, gain_db, q, .. }) in bands.iter().enumerate() {
                check_range("hz", *hz, 20.0..=20_000.0)
                    .and_then(|()| check_range("gain_db", *gain_db, -24.0..=24.0))
                    .and_then(|()| check_range("q", *q, 0.1..=10.0))
                    .map_err(|e| e.within(&format!("bands[{idx}]")))?;
            }
            Ok(())
        }
        Effect::Compressor(c) => check_range("threshold_db", c.threshold_db, -60.0..=0.0)
            .and_then(|()| check_range("ratio", c.ratio, 1.0..=20.0))
            .and_then(|()| check_range("attack_ms", c.attack_ms, 0.1..=200.0))
            .and_then(|()| check_range("release_ms", c.release_ms, 5.0..=2_000.0))
            .and_then(|()| check_range("knee_db", c.knee_db, 0.0..=24.0))
            .and_then(|()| check_range("makeup_db", c.makeup_db, 0.0..=24.0)),
        Effect::Delay(d) => check_range("time_ms", d.time_ms, 1.0..=2_000.0)
            .and_then(|()| check_range("feedback", d.feedback, 0.0..=0.95))
            .and_then(|()| check_range("tone_hz", d.tone_hz, 200.0..=20_000.0))
            .and_then(|()| check_range("mix", d.mix, 0.0..=1.0)),
        Effect::Reverb(r) => check_range("decay_seconds", r.decay_seconds, 0.1..=20.0)
            .and_then(|()| check_range("predelay_ms", r.predelay_ms, 0.0..=200.0))
            .and_then(|()| check_range("damping", r.damping, 0.0..=1.0))
            .and_then(|()| check_range("mix", r.mix, 0.0..=1.0)),
    }
}

fn check_audio_clip(clip: &AudioClip, composition_length: u32) -> Result<(), CompositionError> {
    check(clip.start < composition_length, "start", || {
        format!("{} is not inside the composition of {composition_length} ticks", clip.start)
    })?;
    check_gain(clip.gain_db)?;
    let seconds = 0.0..=MAX_CLIP_SECONDS;
    check_range("offset_seconds", clip.offset_seconds, seconds.clone())?;
    check_range("length_seconds", clip.length_seconds, seconds.clone())?;
    check(clip.length_seconds > 0.0, "length_seconds", || "0 seconds; it must be longer".to_string())?;
    check_range("fade_in_seconds", clip.fade_in_seconds, seconds.clone())?;
    check_range("fade_out_seconds", clip.fade_out_seconds, seconds)?;
    let fades = clip.fade_in_seconds + clip.fade_out_seconds;
    check(fades <= clip.length_seconds, "fade_out_seconds", || {
        format!("the fades take {fades} s together, the clip {} s", clip.length_seconds)
    })
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
    for (idx, control) in clip.controls.iter().enumerate() {
        check_control(control, clip.length).map_err(|e| e.within(&format!("controls[{idx}]")))?;
    }
    Ok(())
}

fn check_control(control: &Control, clip_length: u32) -> Result<(), CompositionError> {
    check(control.tick < clip_length, "tick", || {
        format!("{} is not inside the clip of {clip_length} ticks", control.tick)
    })?;
    let range = match control.kind {
        ControlKind::Program => 0.0..=127.0,
        ControlKind::Pan => PAN_RANGE,
        ControlKind::PitchBend => -24.0..=24.0,
        ControlKind::Volume | ControlKind::Expression | ControlKind::Modulation | ControlKind::Sustain => {
            0.0..=1.0
        }
    };
    check_range("value", control.value, range)
}

fn check_note(note: &Note, clip_length: u32) -> Result<(), CompositionError> {
    check_midi("pitch", note.pitch)?;
    check((1..128).contains(&note.velocity), "velocity", || {
        format!("{} is not between 1 and 127", note.velocity)
    })?;
    check(note.length >= 1, "length", || "0 ticks; at least 1 is needed".to_string())?;
    check(note.start < clip_length, "start", || {
        format!("{} is not inside the clip of {clip_length} ticks", note.start)
    })
}

fn check_gain(gain_db: f32) -> Result<(), CompositionError> {
    check(GAIN_DB_RANGE.contains(&gain_db), "gain_db", || format!("{gain_db} is not between -120 and 12 dB"))
}

fn check_pan(pan: f32) -> Result<(), CompositionError> {
    check_range("pan", pan, PAN_RANGE)
}

fn check_midi(field: &str, value: u8) -> Result<(), CompositionError> {
    check(value < 128, field, || format!("{value} is not between 0 and 127"))
}

fn check_range<T: PartialOrd + core::fmt::Display>(
    field: &str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<(), CompositionError> {
    check(range.contains(&value), field, || {
        format!("{value} is not between {} and {}", range.start(), range.end())
    })
}

fn check_name(name: &str) -> Result<(), CompositionError> {
    let n_chars = name.chars().count();
    check((1..=200).contains(&n_chars), "name", || format!("{n_chars} characters; 1 to 200 are allowed"))
}

fn check(holds: bool, field: &str, message: impl FnOnce() -> String) -> Result<(), CompositionError> {
    if holds { Ok(()) } else { Err(CompositionError::new(field, message())) }
}
