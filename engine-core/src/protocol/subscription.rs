//! What a client may ask for, and its translation into what the feed computes.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::analysis::ballistics::Ballistics;
use crate::analysis::spectrum::{Scale, SpectrumConfig, Weighting};
use crate::analysis::waveform::{WaveformConfig, WaveformMode};
use crate::composition::Composition;
use crate::control::TapId;
use crate::dsp::window::Window;
use crate::units::SampleRate;

/// Frames per second that a client may ask for.
pub const FPS_RANGE: RangeInclusive<u16> = 1..=120;
/// Frames per second of a client that does not ask.
pub const DEFAULT_FPS: u16 = 30;

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
    /// Frequencies of a spectrum; comes with it, cannot be subscribed.
    Axis = 15,
}

impl Topic {
    /// Those that can be subscribed.
    pub const STREAMS: [Self; 5] =
        [Self::Transport, Self::Meters, Self::Spectrum, Self::Waveform, Self::Analytics];

    /// The name in messages and paths.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transport => "transport",
            Self::Meters => "meters",
            Self::Spectrum => "spectrum",
            Self::Waveform => "waveform",
            Self::Analytics => "analytics",
            Self::Axis => "axis",
        }
    }

    /// The stream of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::STREAMS.into_iter().find(|topic| topic.name() == name)
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
            refuse(&[("ballistics", o.ballistics.is_some())])?;
        }
        let s = SpectrumConfig::default();
        let w = WaveformConfig::default();
        Ok(Self {
            topic,
            tap: if matches!(topic, Topic::Spectrum | Topic::Waveform) { tap } else { TapId::MASTER },
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
        })
    }
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

/// A tap as clients see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct Tap {
    /// Its number in binary frames.
    pub id: u16,
    /// `master`, `input`, or the track's name.
    pub name: String,
    /// The track's id, where it is one; also what `tap` in messages takes.
    pub track_id: Option<Uuid>,
}

/// What gives names to the numbers in frames: the sample rate, and the taps of the composition that plays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Directory {
    /// Frames per second of the engine.
    pub sample_rate: u32,
    /// Master first, input last.
    pub taps: Vec<Tap>,
}

impl Directory {
    /// The taps of a composition.
    pub fn new(rate: SampleRate, composition: Option<&Composition>) -> Self {
        let fixed = |id: TapId, name: &str| Tap { id: id.0, name: name.to_string(), track_id: None };
        let mut taps = Vec::from([fixed(TapId::MASTER, "master")]);
        for (index, track) in (0u16..).zip(composition.iter().flat_map(|c| &c.tracks)) {
            taps.push(Tap { id: TapId::track(index).0, name: track.name.clone(), track_id: Some(track.id) });
        }
        taps.push(fixed(TapId::INPUT, "input"));
        Self { sample_rate: rate.hz(), taps }
    }

    /// The tap that a client named: `master`, `input` or a track's id.
    ///
    /// # Errors
    /// No such tap.
    pub fn find(&self, name: &str) -> Result<TapId, OptionError> {
        let is_it = |tap: &&Tap| match tap.track_id {
            Some(id) => Uuid::try_parse(name).is_ok_and(|asked| asked == id),
            None => tap.name == name,
        };
        self.taps.iter().find(is_it).map(|tap| TapId(tap.id)).ok_or_else(|| {
            OptionError::new("tap", format!("{name:?} is not master, input or the id of a track that plays"))
        })
    }

    /// The tap of a number.
    pub fn get(&self, id: TapId) -> Option<&Tap> {
        self.taps.iter().find(|tap| tap.id == id.0)
    }

    /// What `tap` says in JSON frames: `master`, `input` or the track's id.
    pub fn key(&self, id: TapId) -> String {
        match self.get(id) {
            Some(Tap { track_id: Some(track), .. }) => track.to_string(),
            Some(tap) => tap.name.clone(),
            None => id.0.to_string(),
        }
    }
}
