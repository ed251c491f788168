//! What a client may ask for, and its translation into what the feed computes.

use alloc::format;
use alloc::string::{String, ToString};
use core::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::analysis::ballistics::Ballistics;
use crate::analysis::spectrum::{Scale, SpectrumConfig, Weighting};
use crate::analysis::stereo::MAX_POINTS;
use crate::analysis::trigger::{Condition, Limit, LoudnessMeasure, TriggerConfig, TriggerKind};
use crate::analysis::waveform::{WaveformConfig, WaveformMode};
use crate::control::TapId;
use crate::dsp::window::Window;

/// Frames per second that a client may ask for.
pub const FPS_RANGE: RangeInclusive<u16> = 1..=120;
/// Frames per second of a client that does not ask.
pub const DEFAULT_FPS: u16 = 30;

/// Points of a goniometer for a client that does not ask.
const DEFAULT_POINTS: u16 = 512;

/// A kind of stream, with its number on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Topic {
    /// Playhead, tempo, loop, sounding notes.
    Transport = 1,
    /// Peaks, RMS, true peaks, clips, loudness.
    Meters = 2,
    /// Magnitude spectrum.
    Spectrum = 3,
    /// Scope or buckets.
    Waveform = 4,
    /// Load, memory, voices, clients.
    Analytics = 5,
    /// Correlation, balance, width, goniometer.
    Stereo = 6,
    /// Pitch, chroma, key, onsets, tempo.
    Music = 7,
    /// A clip, a silence, a loudness that was crossed. Every one arrives.
    Trigger = 8,
    /// The sound itself, every sample in order.
    Audio = 9,
    /// Frequencies of a spectrum; comes with it, cannot be subscribed.
    Axis = 15,
}

impl Topic {
    /// Those that can be subscribed.
    pub const STREAMS: [Self; 9] = [
        Self::Transport,
        Self::Meters,
        Self::Spectrum,
        Self::Waveform,
        Self::Analytics,
        Self::Stereo,
        Self::Music,
        Self::Trigger,
        Self::Audio,
    ];

    /// The name in messages and paths.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transport => "transport",
            Self::Meters => "meters",
            Self::Spectrum => "spectrum",
            Self::Waveform => "waveform",
            Self::Analytics => "analytics",
            Self::Stereo => "stereo",
            Self::Music => "music",
            Self::Trigger => "trigger",
            Self::Audio => "audio",
            Self::Axis => "axis",
        }
    }

    /// The stream of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::STREAMS.into_iter().find(|topic| topic.name() == name)
    }

    /// Whether each tap has a stream of its own; the others are of all taps.
    pub const fn is_per_tap(self) -> bool {
        !matches!(self, Self::Transport | Self::Meters | Self::Analytics)
    }

    /// Whether every frame arrives, in order. Of the others a slow client gets the newest one, merged.
    pub const fn is_queued(self) -> bool {
        matches!(self, Self::Trigger | Self::Audio)
    }

    /// The topic of that number.
    pub fn from_id(id: u8) -> Option<Self> {
        Self::STREAMS.into_iter().chain([Self::Axis]).find(|topic| *topic as u8 == id)
    }
}

/// Options of a subscription: query parameters of an endpoint, or `options` of a `subscribe` message.
/// What is absent keeps the topic's default; what the topic does not have is refused.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS), ts(optional_fields))]
#[serde(default, deny_unknown_fields)]
pub struct StreamOptions {
    /// Spectrum: FFT size, a power of two from 256 to 32768.
    pub fft_size: Option<u32>,
    /// Spectrum: window function.
    pub window: Option<Window>,
    /// Spectrum: how bands are spread.
    pub scale: Option<Scale>,
    /// Spectrum: number of bands (not for octave, where it follows from the fraction).
    pub bands: Option<u16>,
    /// Spectrum: bands in an octave, for scale octave.
    pub fraction: Option<u8>,
    /// Spectrum: frequency weighting.
    pub weighting: Option<Weighting>,
    /// Spectrum: 1 for the power mean of both channels, 2 for each.
    pub channels: Option<u8>,
    /// Spectrum: lowest frequency, Hz.
    pub min_hz: Option<f32>,
    /// Spectrum: highest frequency, Hz.
    pub max_hz: Option<f32>,
    /// Spectrum: time constant of a rising level, ms, 0 (at once) to 60000.
    pub attack_ms: Option<f32>,
    /// Spectrum: time constant of a falling level, ms, 0 (at once) to 60000.
    pub release_ms: Option<f32>,
    /// Spectrum: how long a band stays at its peak, ms, 0 (not at all) to 3600000.
    pub hold_ms: Option<f32>,
    /// Spectrum: long transforms for low bands, short ones for high bands.
    pub multi_resolution: Option<bool>,
    /// Spectrum, binary: 0.01 dB steps instead of 0.5 dB.
    pub wide: Option<bool>,
    /// Waveform: samples after a trigger, or buckets.
    pub mode: Option<WaveformMode>,
    /// Waveform: points a channel.
    pub samples: Option<u16>,
    /// Waveform, buckets: milliseconds that all of them cover together.
    pub window_ms: Option<u32>,
    /// Meters: adds the needles of such a meter, and marks that stay at peaks.
    pub ballistics: Option<Ballistics>,
    /// Meters: the loudness of every tap, not only the master's.
    pub tap_loudness: Option<bool>,
    /// Stereo: points of the goniometer, the newest, 0 to 1024; 512 when absent.
    pub points: Option<u16>,
    /// Trigger: what it waits for. Has no default.
    pub kind: Option<TriggerKind>,
    /// Trigger, silence: how long, 0.1 to 3600; 5 when absent.
    pub seconds: Option<f32>,
    /// Trigger, silence: no sample above this level, −120 to 0 dBFS; −60 when absent.
    pub below_db: Option<f32>,
    /// Trigger, loudness: momentary when absent.
    pub measure: Option<LoudnessMeasure>,
    /// Trigger, loudness: fires at or above, −100 to 20 LUFS.
    pub above_lufs: Option<f32>,
    /// Trigger, loudness: fires below, −100 to 20 LUFS. One of the two must be there.
    pub below_lufs: Option<f32>,
    /// Trigger: `true` (when absent) fires once and is over; `false` arms itself again: after a clip when one
    /// second passed without a sample at full scale, after a silence when a sample exceeds the level by 3 dB,
    /// after a loudness when that is back on the other side by 1 LU.
    pub once: Option<bool>,
    /// Audio, binary: how samples are sent; i16 when absent.
    pub format: Option<AudioFormat>,
}

/// How the samples of an audio frame are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum AudioFormat {
    /// In steps of 1/32767, limited to full scale.
    #[default]
    I16 = 0,
    /// The engine's own bits.
    F32 = 1,
}

/// One stream as the feed computes it. Equal subscriptions share one computation and one encoding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subscription {
    /// What is measured.
    pub topic: Topic,
    /// Where; master for topics that are of all taps.
    pub tap: TapId,
    /// Frames a second, in [`FPS_RANGE`].
    pub fps: u16,
    /// For spectra.
    pub spectrum: SpectrumConfig,
    /// For waveforms.
    pub waveform: WaveformConfig,
    /// Spectra in 0.01 dB steps.
    pub wide: bool,
    /// For meters: the kind whose needles are wanted.
    pub ballistics: Option<Ballistics>,
    /// Meters with the loudness of every tap.
    pub tap_loudness: bool,
    /// Points of stereo frames, at most [`MAX_POINTS`].
    pub points: u16,
    /// For triggers.
    pub trigger: TriggerConfig,
    /// For audio.
    pub format: AudioFormat,
}

impl Subscription {
    /// Checks what a client asked for.
    ///
    /// # Errors
    /// The field that is out of range or that the topic does not have. Ranges of spectrum and waveform
    /// options that depend on the sample rate are checked by [`Feed::subscribe`](super::Feed::subscribe).
    pub fn new(
        topic: Topic,
        tap: TapId,
        fps: Option<u16>,
        options: &StreamOptions,
    ) -> Result<Self, OptionError> {
        let fps = fps.unwrap_or(DEFAULT_FPS);
        if !FPS_RANGE.contains(&fps) {
            return Err(OptionError::new("fps", format!("{fps} is not between 1 and 120")));
        }
        if topic == Topic::Axis {
            return Err(OptionError::new(
                "topic",
                "axis comes with spectrum and cannot be subscribed".to_string(),
            ));
        }
        let o = options;
        let refuse = |fields: &[(&'static str, bool)]| match fields.iter().find(|(_, given)| *given) {
            Some((field, _)) => Err(OptionError::new(field, format!("not an option of {}", topic.name()))),
            None => Ok(()),
        };
        if topic != Topic::Spectrum {
            refuse(&[
                ("fft_size", o.fft_size.is_some()),
                ("window", o.window.is_some()),
                ("scale", o.scale.is_some()),
                ("bands", o.bands.is_some()),
                ("fraction", o.fraction.is_some()),
                ("weighting", o.weighting.is_some()),
                ("channels", o.channels.is_some()),
                ("min_hz", o.min_hz.is_some()),
                ("max_hz", o.max_hz.is_some()),
                ("attack_ms", o.attack_ms.is_some()),
                ("release_ms", o.release_ms.is_some()),
                ("hold_ms", o.hold_ms.is_some()),
                ("multi_resolution", o.multi_resolution.is_some()),
                ("wide", o.wide.is_some()),
            ])?;
        }
        if topic != Topic::Waveform {
            refuse(&[
                ("mode", o.mode.is_some()),
                ("samples", o.samples.is_some()),
                ("window_ms", o.window_ms.is_some()),
            ])?;
        }
        if topic != Topic::Meters {
            refuse(&[("ballistics", o.ballistics.is_some()), ("tap_loudness", o.tap_loudness.is_some())])?;
        }
        if topic != Topic::Stereo {
            refuse(&[("points", o.points.is_some())])?;
        }
        if topic != Topic::Audio {
            refuse(&[("format", o.format.is_some())])?;
        }
        if topic != Topic::Trigger {
            refuse(&[
                ("kind", o.kind.is_some()),
                ("seconds", o.seconds.is_some()),
                ("below_db", o.below_db.is_some()),
                ("measure", o.measure.is_some()),
                ("above_lufs", o.above_lufs.is_some()),
                ("below_lufs", o.below_lufs.is_some()),
                ("once", o.once.is_some()),
            ])?;
        }
        let points = o.points.unwrap_or(DEFAULT_POINTS);
        if usize::from(points) > MAX_POINTS {
            return Err(OptionError::new("points", format!("{points} is not between 0 and {MAX_POINTS}")));
        }
        let s = SpectrumConfig::default();
        let w = WaveformConfig::default();
        Ok(Self {
            topic,
            tap: if topic.is_per_tap() { tap } else { TapId::MASTER },
            fps,
            spectrum: SpectrumConfig {
                fft_size: o.fft_size.unwrap_or(s.fft_size),
                window: o.window.unwrap_or(s.window),
                scale: o.scale.unwrap_or(s.scale),
                bands: o.bands.unwrap_or(s.bands),
                fraction: o.fraction.unwrap_or(s.fraction),
                weighting: o.weighting.unwrap_or(s.weighting),
                channels: o.channels.unwrap_or(s.channels),
                min_hz: o.min_hz.unwrap_or(s.min_hz),
                max_hz: o.max_hz.unwrap_or(s.max_hz),
                attack_ms: o.attack_ms.unwrap_or(s.attack_ms),
                release_ms: o.release_ms.unwrap_or(s.release_ms),
                hold_ms: o.hold_ms.unwrap_or(s.hold_ms),
                multi_resolution: o.multi_resolution.unwrap_or(s.multi_resolution),
            },
            waveform: WaveformConfig {
                mode: o.mode.unwrap_or(w.mode),
                samples: o.samples.unwrap_or(w.samples),
                window_ms: o.window_ms.unwrap_or(w.window_ms),
            },
            wide: o.wide.unwrap_or(false),
            ballistics: o.ballistics,
            tap_loudness: o.tap_loudness.unwrap_or(false),
            points,
            trigger: if topic == Topic::Trigger { trigger(o)? } else { TriggerConfig::default() },
            format: o.format.unwrap_or_default(),
        })
    }

    /// Whether a connection that has both has room for one only: the later one takes the place of the earlier.
    /// A tap may have a trigger of each kind.
    pub fn is_instead_of(&self, earlier: &Self) -> bool {
        (self.topic, self.tap, self.kind()) == (earlier.topic, earlier.tap, earlier.kind())
    }

    /// Of triggers.
    fn kind(&self) -> Option<TriggerKind> {
        (self.topic == Topic::Trigger).then(|| self.trigger.condition.kind())
    }
}

/// Those of a connection's streams that a client ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Of which topic.
    pub topic: Topic,
    /// Of which tap; of all when absent.
    pub tap: Option<TapId>,
    /// Of triggers, of which kind; of all when absent.
    pub kind: Option<TriggerKind>,
}

impl Selection {
    /// Checks what a client asked for.
    ///
    /// # Errors
    /// A kind of what is no trigger.
    pub fn new(topic: Topic, tap: Option<TapId>, kind: Option<TriggerKind>) -> Result<Self, OptionError> {
        if kind.is_some() && topic != Topic::Trigger {
            return Err(OptionError::new("kind", format!("not an option of {}", topic.name())));
        }
        Ok(Self { topic, tap, kind })
    }

    /// Whether a stream is among them.
    pub fn has(&self, stream: &Subscription) -> bool {
        self.topic == stream.topic
            && self.tap.is_none_or(|tap| tap == stream.tap)
            && self.kind.is_none_or(|kind| Some(kind) == stream.kind())
    }
}

/// What a client wants to be told.
fn trigger(o: &StreamOptions) -> Result<TriggerConfig, OptionError> {
    let refuse = |field: &'static str, message: &str| Err(OptionError::new(field, message.to_string()));
    let Some(kind) = o.kind else { return refuse("kind", "must be clip, silence or loudness") };
    let loudness = [
        ("measure", o.measure.is_some()),
        ("above_lufs", o.above_lufs.is_some()),
        ("below_lufs", o.below_lufs.is_some()),
    ];
    let silence = [("seconds", o.seconds.is_some()), ("below_db", o.below_db.is_some())];
    let foreign = loudness.into_iter().filter(|_| kind != TriggerKind::Loudness);
    let foreign = foreign.chain(silence.into_iter().filter(|_| kind != TriggerKind::Silence));
    if let Some((field, _)) = foreign.into_iter().find(|(_, given)| *given) {
        return refuse(field, "not an option of this kind of trigger");
    }
    let condition = match kind {
        TriggerKind::Clip => Condition::Clip,
        TriggerKind::Silence => {
            Condition::Silence { seconds: o.seconds.unwrap_or(5.0), below_db: o.below_db.unwrap_or(-60.0) }
        }
        TriggerKind::Loudness => Condition::Loudness {
            measure: o.measure.unwrap_or_default(),
            limit: match (o.above_lufs, o.below_lufs) {
                (Some(lufs), None) => Limit::Above(lufs),
                (None, Some(lufs)) => Limit::Below(lufs),
                (None, None) => return refuse("above_lufs", "give above_lufs or below_lufs"),
                (Some(_), Some(_)) => return refuse("below_lufs", "cannot go with above_lufs"),
            },
        },
    };
    condition.check().map_err(|e| OptionError::new(e.field(), format!("must be {}", e.allowed())))?;
    Ok(TriggerConfig { condition, once: o.once.unwrap_or(true) })
}

/// An option that a client may not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionError {
    /// Name of the option.
    pub field: &'static str,
    /// What it was and what is allowed.
    pub message: String,
}

impl OptionError {
    /// An error about `field`.
    pub fn new(field: &'static str, message: String) -> Self {
        Self { field, message }
    }
}

impl core::fmt::Display for OptionError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

impl core::error::Error for OptionError {}
