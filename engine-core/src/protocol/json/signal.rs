//! Frames of the topics that are of the sound itself: stereo image, triggers, audio.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::analysis::music::{Key, MusicSnapshot};
use crate::analysis::trigger::{Condition, Limit, LoudnessMeasure, TriggerKind};
use crate::protocol::directory::Directory;
use crate::protocol::frame::{Audio, Frame, Stereo, TriggerEvent};
use crate::protocol::header::Flags;

/// The stereo image of a tap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct StereoFrame {
    /// `master`, `input` or a track's id.
    pub tap: String,
    /// Engine frames at the end of what was measured.
    #[cfg_attr(feature = "schema", ts(type = "number"))]
    pub sample_position: u64,
    /// Correlation of the channels over the last third of a second, −1 (opposite) to 1 (equal).
    pub correlation: f32,
    /// −1 (left only) to 1 (right only).
    pub balance: f32,
    /// 0 (mono) to 1 (opposite channels).
    pub width: f32,
    /// Goniometer: the newest points [x, y], oldest first, −1 to 1. x = (R − L)/2, y = (L + R)/2: mono is upright.
    #[cfg_attr(feature = "schema", ts(type = "Array<Float32Array>"))]
    pub points: Vec<[f32; 2]>,
}

/// What is played on a tap. Positions of onsets are engine frames.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct MusicFrame {
    /// `master`, `input` or a track's id.
    pub tap: String,
    /// Engine frames at the end of what was measured.
    #[cfg_attr(feature = "schema", ts(type = "number"))]
    pub sample_position: u64,
    /// The key's name, such as "D minor"; empty without a key.
    pub key_name: String,
    /// The values.
    #[serde(flatten)]
    #[cfg_attr(feature = "schema", ts(flatten))]
    pub values: MusicSnapshot,
}

/// A trigger that fired. The options are those that it was subscribed with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct TriggerFrame {
    /// `master`, `input` or a track's id.
    pub tap: String,
    /// The frame that decided, counted from the engine's start: the third of a clip, the last of a silence, the end
    /// of the hundredth of a second in which the loudness crossed.
    #[cfg_attr(feature = "schema", ts(type = "number"))]
    pub sample_position: u64,
    /// What it waited for.
    pub kind: TriggerKind,
    /// Of a silence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub seconds: Option<f32>,
    /// Of a silence, dBFS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub below_db: Option<f32>,
    /// Of a loudness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub measure: Option<LoudnessMeasure>,
    /// Of a loudness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub above_lufs: Option<f32>,
    /// Of a loudness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub below_lufs: Option<f32>,
    /// The clip's or the silence's highest sample, dBFS; the loudness, LUFS.
    pub value: f32,
    /// It was to fire once: the subscription is over.
    pub ended: bool,
}

/// A stretch of a tap's sound. It ends at `sample_position`; the next one begins there, unless it is marked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct AudioFrame {
    /// `master`, `input` or a track's id.
    pub tap: String,
    /// Engine frames at the end of the stretch.
    #[cfg_attr(feature = "schema", ts(type = "number"))]
    pub sample_position: u64,
    /// Frames per second.
    pub sample_rate: u32,
    /// Sound is missing before this one, or the playhead jumped in it.
    pub discontinuity: bool,
    /// Linear samples, full scale ±1.
    #[cfg_attr(feature = "schema", ts(type = "Float32Array"))]
    pub samples_left: Vec<f32>,
    /// Linear samples; those of the left channel again where there is one channel only.
    #[cfg_attr(feature = "schema", ts(type = "Float32Array"))]
    pub samples_right: Vec<f32>,
}

pub(super) fn stereo(s: &Stereo, frame: &Frame, taps: &Directory) -> StereoFrame {
    StereoFrame {
        tap: taps.key(frame.tap),
        sample_position: frame.sample_position,
        correlation: s.correlation,
        balance: s.balance,
        width: s.width,
        points: s.points.iter().map(|point| point.map(|x| f32::from(x) / 127.0)).collect(),
    }
}

pub(super) fn music(m: &MusicSnapshot, frame: &Frame, taps: &Directory) -> MusicFrame {
    MusicFrame {
        tap: taps.key(frame.tap),
        sample_position: frame.sample_position,
        key_name: String::from(m.key.map_or("", Key::name)),
        values: *m,
    }
}

pub(super) fn trigger(t: &TriggerEvent, frame: &Frame, taps: &Directory) -> TriggerFrame {
    let mut out = TriggerFrame {
        tap: taps.key(frame.tap),
        sample_position: frame.sample_position,
        kind: t.config.condition.kind(),
        seconds: None,
        below_db: None,
        measure: None,
        above_lufs: None,
        below_lufs: None,
        value: t.value,
        ended: t.config.once,
    };
    match t.config.condition {
        Condition::Clip => {}
        Condition::Silence { seconds, below_db } => {
            (out.seconds, out.below_db) = (Some(seconds), Some(below_db));
        }
        Condition::Loudness { measure, limit } => {
            out.measure = Some(measure);
            match limit {
                Limit::Above(lufs) => out.above_lufs = Some(lufs),
                Limit::Below(lufs) => out.below_lufs = Some(lufs),
            }
        }
    }
    out
}

pub(super) fn audio(a: &Audio, frame: &Frame, taps: &Directory) -> AudioFrame {
    let channel = |ch: usize| {
        let frames = a.samples.chunks_exact(usize::from(a.channels.max(1)));
        frames.filter_map(|frame| frame.get(ch).or(frame.first()).copied()).collect()
    };
    AudioFrame {
        tap: taps.key(frame.tap),
        sample_position: frame.sample_position,
        sample_rate: taps.sample_rate,
        discontinuity: frame.flags.contains(Flags::DISCONTINUITY),
        samples_left: channel(0),
        samples_right: channel(1),
    }
}
