//! Effects of channel strips, buses and the master, as data.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// Effects that a strip may have.
pub const MAX_EFFECTS: usize = 8;
/// Bands that an equaliser may have.
pub const MAX_BANDS: usize = 8;

/// An effect. A strip's effects are applied in order, before its fader.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// Raises and lowers ranges of frequencies.
    Equaliser {
        /// Up to 8 bands, applied in order.
        bands: Vec<EqualiserBand>,
    },
    /// Makes loud passages quieter.
    Compressor(Compressor),
    /// Echoes.
    Delay(Delay),
    /// A room.
    Reverb(Reverb),
}

/// The shape of an equaliser band.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum BandShape {
    /// A bell around `hz`.
    Bell,
    /// Everything below `hz`.
    LowShelf,
    /// Everything above `hz`.
    HighShelf,
    /// Cuts below `hz`, 12 dB per octave; `gain_db` has no effect.
    HighPass,
    /// Cuts above `hz`, 12 dB per octave; `gain_db` has no effect.
    LowPass,
}

/// One band of an equaliser.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct EqualiserBand {
    /// What it does.
    pub shape: BandShape,
    /// Centre or corner, 20 to 20,000 Hz.
    pub hz: f32,
    /// −24 to +24 dB.
    pub gain_db: f32,
    /// Width, 0.1 to 10; 0.7071 is a Butterworth shelf or pass.
    pub q: f32,
}

/// Settings of a compressor; both channels get the same gain.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(default, deny_unknown_fields)]
pub struct Compressor {
    /// Level above which it works, −60 to 0 dBFS.
    pub threshold_db: f32,
    /// Input dB for one output dB above the threshold, 1 to 20.
    pub ratio: f32,
    /// 0.1 to 200 ms.
    pub attack_ms: f32,
    /// 5 to 2,000 ms.
    pub release_ms: f32,
    /// Width of the soft transition around the threshold, 0 to 24 dB.
    pub knee_db: f32,
    /// Gain afterwards, 0 to 24 dB.
    pub makeup_db: f32,
}

impl Default for Compressor {
    fn default() -> Self {
        Self {
            threshold_db: -18.0,
            ratio: 3.0,
            attack_ms: 10.0,
            release_ms: 120.0,
            knee_db: 6.0,
            makeup_db: 0.0,
        }
    }
}

/// Settings of a stereo delay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(default, deny_unknown_fields)]
pub struct Delay {
    /// Time between echoes, 1 to 2,000 ms.
    pub time_ms: f32,
    /// Level of each echo against the one before, 0 to 0.95.
    pub feedback: f32,
    /// Echoes move from side to side: the sum of both channels enters on the left.
    pub ping_pong: bool,
    /// Low-pass in the loop (6 dB per octave), 200 to 20,000 Hz: every echo is darker than the one before.
    pub tone_hz: f32,
    /// 0 dry to 1 wet only (for buses): output = dry·(1 − mix) + wet·mix.
    pub mix: f32,
}

impl Default for Delay {
    fn default() -> Self {
        Self { time_ms: 375.0, feedback: 0.35, ping_pong: false, tone_hz: 6_000.0, mix: 0.3 }
    }
}

/// Settings of a reverb.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(default, deny_unknown_fields)]
pub struct Reverb {
    /// Time in which it falls by 60 dB at middle frequencies (RT60), 0.1 to 20 s.
    pub decay_seconds: f32,
    /// Before the first reflection, 0 to 200 ms.
    pub predelay_ms: f32,
    /// How much faster high frequencies fall, 0 to 1.
    pub damping: f32,
    /// 0 dry to 1 wet only (for buses): output = dry·(1 − mix) + wet·mix.
    pub mix: f32,
}

impl Default for Reverb {
    fn default() -> Self {
        Self { decay_seconds: 1.8, predelay_ms: 15.0, damping: 0.4, mix: 0.3 }
    }
}
