//! Bodies of the REST interface. The local source of the browser answers with the same ones.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::composition::{AudioClip, Clip, Track};

pub use super::json::TransportFrame as PlaybackState;

/// Body of `POST /api/playback/seek`: one of the two.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(untagged)]
pub enum SeekRequest {
    /// In quarter notes from the start.
    Beats {
        /// At least 0; after the end means the end.
        position_beats: f64,
    },
    /// In seconds from the start.
    Seconds {
        /// At least 0; after the end means the end.
        position_seconds: f64,
    },
}

/// Body of `PUT /api/playback/tempo`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct TempoRequest {
    /// Beats per minute, 20 to 400; replaces the tempo in force at the playhead.
    pub bpm: f64,
}

/// Body of `PUT /api/playback/loop`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct LoopRequest {
    /// Whether the region is in force.
    pub enabled: bool,
    /// First beat of the region.
    pub start_beats: f64,
    /// Beat after the region; greater than `start_beats`.
    pub end_beats: f64,
}

/// Body of `PUT /api/playback/metronome`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct MetronomeRequest {
    /// Whether the click sounds on each beat.
    pub enabled: bool,
}

/// Body of `POST /api/loudness/reset`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct LoudnessReset {
    /// `master`, `input` or a track's id; all taps when absent.
    #[serde(default)]
    pub tap: Option<String>,
}

/// Body of `PUT /api/playback/armed`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct ArmRequest {
    /// The track that is recorded to; null for none.
    // Not a default: a body without it would disarm by mistake.
    #[serde(deserialize_with = "Option::deserialize")]
    #[cfg_attr(feature = "schema", schema(required))]
    pub track_id: Option<Uuid>,
}

/// A note that is played live: the fields of the stream message `note`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct LiveNote {
    /// Id of a track of what plays.
    pub track: Uuid,
    /// 0 to 127.
    pub pitch: u8,
    /// 1 to 127; when `on` is false 0 to 255, and of no meaning.
    pub velocity: u8,
    /// It starts; else it ends.
    pub on: bool,
}

impl LiveNote {
    /// # Errors
    /// The field that is out of range, and what is allowed.
    pub fn check(&self) -> Result<(), FieldError> {
        let refused = |field: &str, message: String| Err(FieldError { field: String::from(field), message });
        if self.pitch > 127 {
            return refused("pitch", format!("{} is not between 0 and 127", self.pitch));
        }
        if self.on && !(1..=127).contains(&self.velocity) {
            return refused("velocity", format!("{} is not between 1 and 127", self.velocity));
        }
        Ok(())
    }
}

/// What is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum RecordSource {
    /// Notes and controllers that are played live, into a note clip.
    #[default]
    Notes,
    /// The `input` tap, into an audio clip.
    Input,
}

/// Body of `POST /api/playback/record`; none means the defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS), ts(optional_fields))]
#[serde(default, deny_unknown_fields)]
pub struct RecordRequest {
    /// Bars of clicks before the playhead moves, 0 to 16; 1 when absent. None while it moves already.
    #[cfg_attr(feature = "schema", ts(as = "Option<u8>"))]
    pub count_in_bars: u8,
    /// `notes` when absent.
    #[cfg_attr(feature = "schema", ts(as = "Option<RecordSource>"))]
    pub source: RecordSource,
}

impl Default for RecordRequest {
    fn default() -> Self {
        Self { count_in_bars: 1, source: RecordSource::Notes }
    }
}

/// What became of a recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum TakeState {
    /// There was none since the server started.
    #[default]
    None,
    /// It goes on.
    Recording,
    /// It is in the composition.
    Kept,
    /// Nothing was played.
    Empty,
    /// It is lost; see `detail`.
    Failed,
}

/// Answer of `GET /api/playback/take`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct TakeReport {
    /// What became of it.
    pub state: TakeState,
    /// The track that it went to.
    pub track_id: Option<Uuid>,
    /// The clips that it became: one, or for sound one for each pass of a loop.
    pub clip_ids: Vec<Uuid>,
    /// Why it is lost.
    pub detail: Option<String>,
}

/// A channel of the mixer. Its id is its track's id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct MixerChannel {
    /// The track's id.
    pub id: Uuid,
    /// The track's name.
    pub name: String,
    /// The track's colour, `#rrggbb`.
    pub color: String,
    /// Fader, −120 (silence) to +12 dB.
    pub gain_db: f32,
    /// −1 (left) to 1 (right).
    pub pan: f32,
    /// Silenced.
    pub mute: bool,
    /// Heard alone.
    pub solo: bool,
    /// Heard even while others are soloed.
    pub solo_safe: bool,
}

/// The master strip.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct MasterStrip {
    /// Fader, −120 (silence) to +12 dB.
    pub gain_db: f32,
}

/// Answer of `GET /api/mixer`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct MixerState {
    /// In the order of the tracks.
    pub channels: Vec<MixerChannel>,
    /// The sum.
    pub master: MasterStrip,
}

/// Body of `PATCH /api/mixer/channels/{id}`; what is absent stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS), ts(optional_fields))]
#[serde(default, deny_unknown_fields)]
pub struct ChannelPatch {
    /// −120 to +12 dB.
    pub gain_db: Option<f32>,
    /// −1 to 1.
    pub pan: Option<f32>,
    /// Silenced.
    pub mute: Option<bool>,
    /// Heard alone.
    pub solo: Option<bool>,
    /// Heard even while others are soloed.
    pub solo_safe: Option<bool>,
}

/// Body of `PATCH /api/mixer/master`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS), ts(optional_fields))]
#[serde(default, deny_unknown_fields)]
pub struct MasterPatch {
    /// −120 to +12 dB.
    pub gain_db: Option<f32>,
}

/// A composition in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct CompositionSummary {
    /// Identity.
    pub id: Uuid,
    /// What a person calls it.
    pub name: String,
    /// Number of tracks.
    pub n_tracks: u32,
    /// Length in seconds.
    pub seconds: f64,
    /// It is what plays.
    pub loaded: bool,
}

/// Answer of `GET /api/compositions`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct CompositionPage {
    /// At most `limit` of them.
    pub items: Vec<CompositionSummary>,
    /// Pass it as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub next_cursor: Option<String>,
}

/// A clip of either kind: with a `sample` it is an audio clip, else a note clip.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(untagged)]
pub enum AnyClip {
    /// A stretch of a sample.
    Audio(AudioClip),
    /// Notes.
    Notes(Clip),
}

impl AnyClip {
    /// The clip's id.
    pub fn id(&self) -> Uuid {
        match self {
            Self::Audio(clip) => clip.id,
            Self::Notes(clip) => clip.id,
        }
    }

    /// Gives it another id.
    pub fn set_id(&mut self, id: Uuid) {
        match self {
            Self::Audio(clip) => clip.id = id,
            Self::Notes(clip) => clip.id = id,
        }
    }
}

/// Answer of `GET /api/compositions/{id}/tracks`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct TrackPage {
    /// At most `limit` of them, in the composition's order.
    pub items: Vec<Track>,
    /// Pass it as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub next_cursor: Option<String>,
}

/// Answer of `GET /api/compositions/{id}/tracks/{track}/clips`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct ClipPage {
    /// At most `limit` of them: first the note clips, then the audio clips.
    pub items: Vec<AnyClip>,
    /// Pass it as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub next_cursor: Option<String>,
}

/// Answer of `GET /api/compositions/{id}/history`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct HistoryPage {
    /// At most `limit` steps, the newest first.
    pub items: Vec<HistoryStep>,
    /// Whether `undo` has somewhere to go.
    pub can_undo: bool,
    /// Whether `redo` has somewhere to go.
    pub can_redo: bool,
    /// Pass it as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub next_cursor: Option<String>,
}

/// A sample: a recording that compositions use by its id. It never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct SampleInfo {
    /// Identity.
    pub id: Uuid,
    /// What a person calls it, 1 to 200 characters.
    pub name: String,
    /// Media type of the file, such as `audio/wav`.
    pub media_type: String,
    /// Length of the file.
    pub bytes: u32,
    /// Frames of the recording, at its own rate.
    pub frames: u32,
    /// Frames per second of the recording; it is played at the engine's.
    pub sample_rate: u32,
    /// 1 or 2; files with more are mixed down.
    pub channels: u8,
    /// Length of the recording.
    pub seconds: f64,
    /// The file ends before it says, or parts of it could not be decoded and are silent.
    pub is_damaged: bool,
}

/// Answer of `GET /api/samples`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct SamplePage {
    /// At most `limit` of them.
    pub items: Vec<SampleInfo>,
    /// Pass it as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub next_cursor: Option<String>,
}

/// A state that a composition was in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct HistoryStep {
    /// Grows from one step to the next.
    #[cfg_attr(feature = "schema", ts(type = "number"))]
    pub step: u64,
    /// What was done, for people.
    pub label: String,
    /// When, in Unix milliseconds.
    pub changed_at: f64,
    /// It is the state that the composition is in.
    pub current: bool,
}

/// An error, RFC 9457 (`application/problem+json`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS), ts(optional_fields))]
pub struct Problem {
    /// A stable name of the kind of problem, as a relative URI.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of problem, for people.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What was wrong this time and what is allowed.
    pub detail: String,
    /// The fields that were wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// A field that was wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct FieldError {
    /// Path of the field.
    pub field: String,
    /// What it was and what is allowed.
    pub message: String,
}
