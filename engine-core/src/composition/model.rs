//! The composition's data, as it is stored and as it crosses the REST interface.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Deref;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

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
}

impl CompositionSpec {
    /// Gives the composition, its tracks and its clips ids where they have none (nil).
    pub fn assign_ids(&mut self, mut new_id: impl FnMut() -> Uuid) {
        let tracks = self.tracks.iter_mut().flat_map(|track| {
            core::iter::once(&mut track.id).chain(track.clips.iter_mut().map(|clip| &mut clip.id))
        });
        for id in core::iter::once(&mut self.id).chain(tracks).filter(|id| id.is_nil()) {
            *id = new_id();
        }
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
    /// In any order; they may overlap.
    #[serde(default)]
    pub clips: Vec<Clip>,
}

fn default_color() -> String {
    String::from("#7c9cff")
}

/// The sound of a track, by General MIDI number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Instrument {
    /// General MIDI programme, 0 to 127; the nearest built-in sound plays it.
    pub program: u8,
    /// A drum kit: pitches choose instruments (General MIDI percussion map).
    #[serde(default)]
    pub drums: bool,
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
