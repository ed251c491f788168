//! Meters of all taps.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::analysis::ballistics::{Ballistics, Reading};
use crate::analysis::meter::MeterBlock;
use crate::control::TapId;
use crate::math::db_from_gain;
use crate::protocol::directory::Directory;
use crate::protocol::frame::Meters;
use crate::units::FLOOR_DB;

/// Meters of one tap over the time since the frame before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS), ts(optional_fields))]
pub struct MeterLevels {
    /// Highest sample, dBFS.
    pub peak_left: f32,
    /// Highest sample, dBFS.
    pub peak_right: f32,
    /// Root mean square, dBFS; a full-scale sine reads −3.01.
    pub rms_left: f32,
    /// Root mean square, dBFS.
    pub rms_right: f32,
    /// True peak, dBTP.
    pub true_peak_left: f32,
    /// True peak, dBTP.
    pub true_peak_right: f32,
    /// Runs of clipped samples, both channels.
    pub clips: u16,
    /// With ballistics: highest position of the needle, dB on the meter's scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needle_left: Option<f32>,
    /// With ballistics: the needle's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needle_right: Option<f32>,
    /// With ballistics: a mark that stays at sample peaks for 1.5 s and then falls, on the same scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_left: Option<f32>,
    /// With ballistics: the mark's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_right: Option<f32>,
}

/// Meters of one track's strip, or of the input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct TrackMeters {
    /// The track's id, or `input`.
    pub track_id: String,
    /// The track's name.
    pub name: String,
    /// Its levels.
    #[serde(flatten)]
    #[cfg_attr(feature = "schema", ts(flatten))]
    pub levels: MeterLevels,
    /// With `tap_loudness`: over 400 ms, LUFS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub lufs_momentary: Option<f32>,
    /// With `tap_loudness`: over 3 s, LUFS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub lufs_short_term: Option<f32>,
    /// With `tap_loudness`: gated, since it was asked for, LUFS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub lufs_integrated: Option<f32>,
    /// With `tap_loudness`: loudness range, LU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", ts(optional))]
    pub lra: Option<f32>,
}

/// Meters of the master, with loudness and correlation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct MasterMeters {
    /// Its levels.
    #[serde(flatten)]
    #[cfg_attr(feature = "schema", ts(flatten))]
    pub levels: MeterLevels,
    /// Over 400 ms, LUFS.
    pub lufs_momentary: f32,
    /// Over 3 s, LUFS.
    pub lufs_short_term: f32,
    /// Gated, since the start, LUFS.
    pub lufs_integrated: f32,
    /// Loudness range, LU.
    pub lra: f32,
    /// −1 (out of phase) to 1 (mono).
    pub correlation: f32,
}

/// Meters of every tap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS), ts(optional_fields))]
pub struct MetersFrame {
    /// Engine frames at the end of what was measured.
    #[cfg_attr(feature = "schema", ts(type = "number"))]
    pub sample_position: u64,
    /// Tracks in order, then the input.
    pub tracks: Vec<TrackMeters>,
    /// The sum.
    pub master: MasterMeters,
    /// Times that the master's loudness was started anew; wraps at 65,536. Whoever keeps greatest values starts them
    /// anew when it changes.
    #[serde(default)]
    pub loudness_resets: u16,
    /// The kind of meter that was asked for, whose needles the levels then have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ballistics: Option<Ballistics>,
}

/// Levels of the tap at `at` of a list.
fn levels(m: &Meters, at: usize, block: &MeterBlock) -> MeterLevels {
    let reading = m.needles.as_ref().map(|n| (n.ballistics, n.readings.get(at).copied().unwrap_or_default()));
    let level = |position: fn(Reading) -> f32| reading.map(|(kind, reading)| kind.level(position(reading)));
    MeterLevels {
        peak_left: db_from_gain(block.peak[0]),
        peak_right: db_from_gain(block.peak[1]),
        rms_left: db_from_gain(block.rms(0)),
        rms_right: db_from_gain(block.rms(1)),
        true_peak_left: db_from_gain(block.true_peak[0]),
        true_peak_right: db_from_gain(block.true_peak[1]),
        clips: block.clips,
        needle_left: level(|r| r.needle[0]),
        needle_right: level(|r| r.needle[1]),
        hold_left: level(|r| r.hold[0]),
        hold_right: level(|r| r.hold[1]),
    }
}

pub(super) fn meters(m: &Meters, sample_position: u64, taps: &Directory) -> MetersFrame {
    let taps_of = || m.taps.iter().enumerate();
    let (at, master) = taps_of()
        .find(|(_, (id, _))| *id == TapId::MASTER)
        .map_or((usize::MAX, MeterBlock::default()), |(at, (_, block))| (at, *block));
    let floor = |value: f32| value.max(FLOOR_DB);
    MetersFrame {
        sample_position,
        tracks: taps_of()
            .filter(|(_, (id, _))| *id != TapId::MASTER)
            .map(|(at, (id, block))| {
                let loudness = m.tap_loudness.get(at);
                TrackMeters {
                    track_id: taps.key(*id),
                    name: taps.get(*id).map_or_else(String::new, |tap| tap.name.clone()),
                    levels: levels(m, at, block),
                    lufs_momentary: loudness.map(|l| floor(l.momentary)),
                    lufs_short_term: loudness.map(|l| floor(l.short_term)),
                    lufs_integrated: loudness.map(|l| floor(l.integrated)),
                    lra: loudness.map(|l| l.range),
                }
            })
            .collect(),
        master: MasterMeters {
            levels: levels(m, at, &master),
            lufs_momentary: floor(m.loudness.momentary),
            lufs_short_term: floor(m.loudness.short_term),
            lufs_integrated: floor(m.loudness.integrated),
            lra: m.loudness.range,
            correlation: m.correlation,
        },
        loudness_resets: m.loudness_resets,
        ballistics: m.needles.as_ref().map(|needles| needles.ballistics),
    }
}
