//! The composition's data, as it is stored and as it crosses the REST interface.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Deref;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::effect::Effect;
use super::validate::{CompositionError, validate};
use crate::time::{SignatureMap, TempoMap};
use crate::units::Ticks;

/// A composition as it comes from outside: any values. See [`Composition::new`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct CompositionSpec {
    /// Identity; the nil UUID (or none) asks the service for a new one.
    #[serde(default)]
    pub id: Uuid,
    /// What a person calls it, 1 to 200 characters.
    pub name: String,
    /// Tempo from tick 0 onwards.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Vec<crate::time::TempoPoint>), ts(as = "Vec<crate::time::TempoPoint>"))]
    pub tempo: TempoMap,
    /// Time signatures from tick 0 onwards.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Vec<crate::time::TimeSignature>), ts(as = "Vec<crate::time::TimeSignature>"))]
    pub time_signatures: SignatureMap,
    /// Where playback ends, in ticks; no clip ends after it.
    pub length: Ticks,
    /// At most [`MAX_TRACKS`](crate::units::MAX_TRACKS).
    #[serde(default)]
    pub tracks: Vec<Track>,
    /// Where sends go; at most [`MAX_BUSES`](crate::units::MAX_BUSES).
    #[serde(default)]
    pub buses: Vec<Bus>,
    /// The sum of tracks and buses.
    #[serde(default)]
    pub master: Master,
}

impl CompositionSpec {
    /// Gives the composition, its tracks, clips and buses ids where they have none (nil).
    pub fn assign_ids(&mut self, mut new_id: impl FnMut() -> Uuid) {
        let tracks = self.tracks.iter_mut().flat_map(|track| {
            let clips = track.clips.iter_mut().map(|clip| &mut clip.id);
            let audio_clips = track.audio_clips.iter_mut().map(|clip| &mut clip.id);
            core::iter::once(&mut track.id).chain(clips).chain(audio_clips)
        });
        let buses = self.buses.iter_mut().map(|bus| &mut bus.id);
        for id in core::iter::once(&mut self.id).chain(tracks).chain(buses).filter(|id| id.is_nil()) {
            *id = new_id();
        }
    }
}

impl CompositionSpec {
    /// Every place where a sample is used: the path of its field, and the sample's id.
    pub fn sample_uses(&self) -> impl Iterator<Item = (String, Uuid)> {
        self.tracks.iter().enumerate().flat_map(|(at, track)| {
            let zones = track.instrument.zones.iter().enumerate();
            let zones = zones.map(move |(idx, zone)| {
                (format!("tracks[{at}].instrument.zones[{idx}].sample"), zone.sample)
            });
            let clips = track.audio_clips.iter().enumerate();
            zones.chain(
                clips
                    .map(move |(idx, clip)| (format!("tracks[{at}].audio_clips[{idx}].sample"), clip.sample)),
            )
        })
    }
}

/// One instrument's part, and its channel strip in the mixer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Track {
    /// Identity, also of the mixer channel; nil (or none) asks for a new one.
    #[serde(default)]
    pub id: Uuid,
    /// What a person calls it, 1 to 200 characters.
    pub name: String,
    /// Colour for displays, `#rrggbb`.
    #[serde(default = "default_color")]
    pub color: String,
    /// What plays the notes.
    #[serde(default)]
    pub instrument: Instrument,
    /// Fader, −120 (silence) to +12 dB.
    #[serde(default)]
    pub gain_db: f32,
    /// −1 (left) to 1 (right).
    #[serde(default)]
    pub pan: f32,
    /// Silenced.
    #[serde(default)]
    pub mute: bool,
    /// While any track is soloed, the others are silent.
    #[serde(default)]
    pub solo: bool,
    /// Heard even while others are soloed.
    #[serde(default)]
    pub solo_safe: bool,
    /// Applied in order, before the fader; at most 8.
    #[serde(default)]
    pub effects: Vec<Effect>,
    /// At most one for each bus.
    #[serde(default)]
    pub sends: Vec<Send>,
    /// Note clips, in any order; they may overlap.
    #[serde(default)]
    pub clips: Vec<Clip>,
    /// Audio clips, in any order; they may overlap.
    #[serde(default)]
    pub audio_clips: Vec<AudioClip>,
}

impl Track {
    /// An empty track at 0 dB in the centre, with the nil id.
    pub fn new(name: impl Into<String>, instrument: Instrument) -> Self {
        Self {
            id: Uuid::nil(),
            name: name.into(),
            color: default_color(),
            instrument,
            gain_db: 0.0,
            pan: 0.0,
            mute: false,
            solo: false,
            solo_safe: false,
            effects: Vec::new(),
            sends: Vec::new(),
            clips: Vec::new(),
            audio_clips: Vec::new(),
        }
    }
}

/// Where a part of a track's sound goes besides the master.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Send {
    /// Id of a bus of this composition.
    pub bus: Uuid,
    /// −120 (silence) to +12 dB.
    #[serde(default)]
    pub gain_db: f32,
    /// Taken before the track's fader and pan (mute still silences it), not after.
    #[serde(default)]
    pub pre_fader: bool,
}

/// A strip that sums sends, usually with an effect. Its sound goes to the master.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Bus {
    /// Identity; nil (or none) asks for a new one.
    #[serde(default)]
    pub id: Uuid,
    /// What a person calls it, 1 to 200 characters.
    pub name: String,
    /// Fader, −120 (silence) to +12 dB.
    #[serde(default)]
    pub gain_db: f32,
    /// −1 (left) to 1 (right).
    #[serde(default)]
    pub pan: f32,
    /// Silenced. Solo does not: buses are solo-safe.
    #[serde(default)]
    pub mute: bool,
    /// Applied in order, before the fader; at most 8.
    #[serde(default)]
    pub effects: Vec<Effect>,
}

/// The last strip. A limiter follows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(default, deny_unknown_fields)]
pub struct Master {
    /// Fader, −120 (silence) to +12 dB.
    pub gain_db: f32,
    /// Applied in order, before the fader; at most 8.
    pub effects: Vec<Effect>,
}

fn default_color() -> String {
    String::from("#7c9cff")
}

impl Instrument {
    /// A General MIDI programme, 0 to 127.
    pub const fn program(program: u8) -> Self {
        Self { program, drums: false, zones: Vec::new() }
    }

    /// The drum kit.
    pub const fn drums() -> Self {
        Self { program: 0, drums: true, zones: Vec::new() }
    }
}

/// The sound of a track: a General MIDI number, or samples of one's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Instrument {
    /// General MIDI programme, 0 to 127; the nearest built-in sound plays it.
    pub program: u8,
    /// A drum kit: pitches choose instruments (General MIDI percussion map).
    #[serde(default)]
    pub drums: bool,
    /// Samples by pitch; where there are any, they play instead of the programme. At most 128.
    #[serde(default)]
    pub zones: Vec<Zone>,
}

/// A sample and the pitches that it plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// Id of the sample.
    pub sample: Uuid,
    /// Pitch at which it plays at its own speed, 0 to 127.
    pub root_pitch: u8,
    /// Lowest pitch of the zone, 0 to 127.
    pub low_pitch: u8,
    /// Highest pitch of the zone, not below `low_pitch`.
    pub high_pitch: u8,
    /// While the note is held, frames of the sample from here …
    #[serde(default)]
    pub loop_start: u32,
    /// … to here repeat; no loop when it is not greater than `loop_start`.
    #[serde(default)]
    pub loop_end: u32,
}

/// A group of notes that moves as one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Clip {
    /// Identity; nil (or none) asks for a new one.
    #[serde(default)]
    pub id: Uuid,
    /// Where it starts in the composition, in ticks.
    pub start: Ticks,
    /// How long it is, in ticks, at least 1. Notes are cut at its end.
    pub length: Ticks,
    /// In any order; each starts inside the clip.
    #[serde(default)]
    pub notes: Vec<Note>,
    /// In any order; each lies inside the clip.
    #[serde(default)]
    pub controls: Vec<Control>,
}

impl Clip {
    /// A clip of notes, with the nil id.
    pub fn new(start: Ticks, length: Ticks, notes: Vec<Note>) -> Self {
        Self { id: Uuid::nil(), start, length, notes, controls: Vec::new() }
    }
}

/// A change of a continuous controller. It holds until the next of its kind on the track.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// When, in ticks from the clip's start.
    pub tick: Ticks,
    /// Which controller.
    pub kind: ControlKind,
    /// In the range of its kind.
    pub value: f32,
}

/// Controllers of a track, and the range of their values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ControlKind {
    /// Another programme for the notes that follow, 0 to 127. First: notes of the same tick get it.
    Program,
    /// Level before the strip, 0 to 1 of General MIDI's curve (40·log10 v dB). Starts at 1.
    Volume,
    /// A second level on top of it, 0 to 1 of the same curve. Starts at 1.
    Expression,
    /// Added to the strip's pan, −1 to 1. Starts at 0.
    Pan,
    /// Semitones, −24 to 24. Starts at 0.
    PitchBend,
    /// Vibrato, 0 to 1. Starts at 0.
    Modulation,
    /// Notes sound on after they end while this is at least 0.5. Starts at 0.
    Sustain,
}

/// A stretch of a sample on a track. It plays at its own speed, whatever the tempo.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct AudioClip {
    /// Identity; nil (or none) asks for a new one.
    #[serde(default)]
    pub id: Uuid,
    /// Id of the sample.
    pub sample: Uuid,
    /// Where it starts in the composition, in ticks.
    pub start: Ticks,
    /// Where in the sample it starts, in seconds, at least 0.
    #[serde(default)]
    pub offset_seconds: f64,
    /// How long it sounds, in seconds, more than 0; it ends with the sample or the composition at the latest.
    pub length_seconds: f64,
    /// −120 (silence) to +12 dB.
    #[serde(default)]
    pub gain_db: f32,
    /// Length of a linear fade at the start, in seconds.
    #[serde(default)]
    pub fade_in_seconds: f64,
    /// Length of a linear fade at the end, in seconds. The two fades together are not longer than the clip.
    #[serde(default)]
    pub fade_out_seconds: f64,
}

/// One note of a clip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// MIDI pitch, 0 to 127 (60 is middle C).
    pub pitch: u8,
    /// How hard it is struck, 1 to 127.
    pub velocity: u8,
    /// Where it starts, in ticks from the clip's start.
    pub start: Ticks,
    /// How long it sounds, in ticks, at least 1.
    pub length: Ticks,
}

/// A composition whose every value is in range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "CompositionSpec", into = "CompositionSpec")]
pub struct Composition(CompositionSpec);

impl Composition {
    /// # Errors
    /// The first value that is out of range, by the path of its field.
    pub fn new(spec: CompositionSpec) -> Result<Self, CompositionError> {
        validate(&spec)?;
        Ok(Self(spec))
    }

    /// The data, to be changed and validated again.
    pub fn into_spec(self) -> CompositionSpec {
        self.0
    }
}

impl Deref for Composition {
    type Target = CompositionSpec;

    fn deref(&self) -> &CompositionSpec {
        &self.0
    }
}

impl TryFrom<CompositionSpec> for Composition {
    type Error = CompositionError;

    fn try_from(spec: CompositionSpec) -> Result<Self, CompositionError> {
        Self::new(spec)
    }
}

impl From<Composition> for CompositionSpec {
    fn from(composition: Composition) -> Self {
        composition.0
    }
}
