//! Sound out and in: one trait, one file per backend, and here the choice between them.
//!
//! ```text
//! EngineQueue ──commands──▶ Renderer (device thread) ──Rendered──▶ publisher
//!                               ▲                    ◀──free─────
//!                     Device::start (cpal, null)
//! ```
//!
//! Architecture invariant: only [`Renderer`] runs on the device's thread, and it never allocates, locks, logs
//! or waits. A device that disappears hands its [`Renderer`] back, and the null device carries on with it.

mod cpal;
mod input;
mod keeper;
mod null;
mod queue;
mod render;
mod resample;
mod round_trip;

use std::fmt;
use std::sync::mpsc::SyncSender;

use engine_core::units::SampleRate;

pub(crate) use self::cpal::quiet_backend;
pub use self::cpal::{DeviceListing, list, list_inputs};
pub use self::input::{Input, InputChoice};
pub use self::keeper::Keeper;
pub use self::queue::{
    EngineQueue, Place, Played, PublisherEnds, QueueFull, RenderEnds, Rendered, ToEngine, connect,
};
pub use self::render::{AudioStats, Renderer};
use self::resample::Resampler;
pub use self::round_trip::RoundTrip;

/// What is known of a device before it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// What a person calls it.
    pub name: String,
    /// Frames per second.
    pub rate: SampleRate,
    /// Frames that one callback usually asks for.
    pub buffer_frames: u32,
}

/// A device that was opened and does not play yet.
pub trait Device: Send {
    /// Name, rate and block size.
    fn info(&self) -> &DeviceInfo;

    /// Starts to call the renderer from the device's own thread. The renderer goes home when the stream is
    /// dropped, or when this fails.
    ///
    /// # Errors
    /// The device refuses to play.
    fn start(self: Box<Self>, renderer: Lease, lost: LossReport) -> Result<Box<dyn Stream>, AudioError>;
}

/// Where a stream says that it has failed. It may say so more than once, and late.
#[derive(Clone, Debug)]
pub struct LossReport {
    keeper: SyncSender<Event>,
    /// Which of the keeper's streams it is.
    number: u64,
}

impl LossReport {
    /// Says so. Never waits.
    pub fn lost(&self, reason: String) {
        let _ = self.keeper.try_send(Event::Lost { number: self.number, reason });
    }
}

/// What a keeper is told.
#[derive(Debug)]
enum Event {
    /// A stream failed.
    Lost { number: u64, reason: String },
    /// No more sound is wanted.
    Stop,
}

/// A device that plays; dropping it stops it.
pub trait Stream: Send {}

/// A renderer on loan to a device's thread: it is sent home when that thread lets go of it.
pub struct Lease {
    renderer: Option<Box<Renderer>>,
    /// Where the device has another rate than the engine.
    resampler: Option<Resampler>,
    home: SyncSender<Box<Renderer>>,
    /// The thread that renders has the renderer's priority, or is to stay as it is.
    has_priority: bool,
}

impl Lease {
    /// Lends a renderer to a device of this rate; `home` must have room for it.
    pub fn new(renderer: Box<Renderer>, rate: SampleRate, home: SyncSender<Box<Renderer>>) -> Self {
        let engine = renderer.rate();
        let resampler = (engine != rate).then(|| Resampler::new(engine, rate));
        Self { renderer: Some(renderer), resampler, home, has_priority: false }
    }

    /// Fills `out` at the device's rate: see [`Renderer::render`]. Runs on the audio thread.
    pub fn render<S: Copy>(&mut self, out: &mut [S], n_channels: usize, sample_from_f32: impl Fn(f32) -> S) {
        let Some(renderer) = self.renderer.as_deref_mut() else { return };
        if !std::mem::replace(&mut self.has_priority, true) {
            renderer.begin_thread();
        }
        let Some(resampler) = &mut self.resampler else {
            return renderer.render(out, n_channels, sample_from_f32);
        };
        let n_channels = n_channels.max(1);
        let n_frames = out.len() / n_channels;
        renderer.begin(n_frames);
        resampler.process(
            n_frames,
            |rendered| renderer.fill(rendered, 2, |sample| sample),
            |idx, stereo| {
                render::write_frame(&mut out[idx * n_channels..][..n_channels], stereo, &sample_from_f32);
            },
        );
    }

    /// Leaves the thread that renders at the priority that it has.
    pub(crate) fn stay_normal(&mut self) {
        self.has_priority = true;
    }

    /// The renderer, for as long as the lease lasts.
    pub fn renderer(&mut self) -> Option<&mut Renderer> {
        self.renderer.as_deref_mut()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(renderer) = self.renderer.take() {
            // Fails only when the keeper is gone, and then the renderer may go too.
            let _ = self.home.try_send(renderer);
        }
    }
}

/// Which device to open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The system's default output; the null device where there is none.
    #[default]
    Default,
    /// The output of this name or id, or nothing.
    Named(String),
    /// The clocked null device.
    Null,
}

/// Why there is no sound. The text says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AudioError {
    /// No output has the name that was asked for.
    UnknownDevice {
        /// The name.
        name: String,
        /// Those that exist.
        known: Vec<String>,
    },
    /// The device cannot play at the rate that was asked for.
    Rate {
        /// The device's name.
        device: String,
        /// The rate, in Hz.
        hz: u32,
        /// Rates that it can play.
        supported: String,
    },
    /// The system refuses to open or to start the device.
    Device {
        /// The device's name.
        device: String,
        /// What the system says.
        reason: String,
    },
}

impl fmt::Display for AudioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownDevice { name, known } if known.is_empty() => {
                write!(
                    f,
                    "there is no output device {name:?}, nor any other; use --null-device to run without a sound card"
                )
            }
            Self::UnknownDevice { name, known } => {
                write!(f, "there is no output device {name:?}; choose one of: {}", known.join(", "))
            }
            Self::Rate { device, hz, supported } => {
                write!(
                    f,
                    "{device} cannot play at {hz} Hz; choose --sample-rate from {supported}, or leave it out"
                )
            }
            Self::Device { device, reason } => {
                write!(
                    f,
                    "{device} cannot be opened ({reason}); choose another --device, or use --null-device"
                )
            }
        }
    }
}

impl std::error::Error for AudioError {}

/// Opens a device, at `rate` if it has that, else at the nearest one that it has, and the log says so.
///
/// # Errors
/// A named device that does not exist, or one without any rate of the engine. A default device that cannot
/// be opened is no error: the null device takes its place, and the log says so.
pub fn open(choice: &DeviceChoice, rate: Option<SampleRate>) -> Result<Box<dyn Device>, AudioError> {
    let opened = match choice {
        DeviceChoice::Null => Err(None),
        DeviceChoice::Named(name) => Ok(cpal::CpalDevice::open(Some(name), rate)?),
        DeviceChoice::Default => match cpal::CpalDevice::open(None, rate) {
            Err(error @ AudioError::Rate { .. }) => return Err(error),
            opened => opened.map_err(Some),
        },
    };
    match opened {
        Ok(device) => {
            let DeviceInfo { name, rate: taken, .. } = device.info();
            if let Some(rate) = rate.filter(|rate| rate != taken) {
                let (hz, taken) = (rate.hz(), taken.hz());
                tracing::warn!(
                    "{name} cannot play at {hz} Hz; playing at {taken} Hz, the nearest rate that it has"
                );
            }
            Ok(Box::new(device))
        }
        Err(error) => {
            if let Some(error) = error {
                let reason =
                    if let AudioError::Device { reason, .. } = error { reason } else { error.to_string() };
                tracing::warn!(
                    "no sound card: {reason} Playing into the null device, which only keeps time."
                );
            }
            Ok(Box::new(null::NullDevice::new(rate.unwrap_or(SampleRate::DEFAULT))))
        }
    }
}

/// Opens a device again, at the rate that the engine has already or at the nearest one: then the sound is converted.
/// Nothing takes its place.
///
/// # Errors
/// The device is gone.
pub fn reopen(choice: &DeviceChoice, rate: SampleRate) -> Result<Box<dyn Device>, AudioError> {
    let name = match choice {
        DeviceChoice::Null => return Ok(Box::new(null::NullDevice::new(rate))),
        DeviceChoice::Named(name) => Some(name.as_str()),
        DeviceChoice::Default => None,
    };
    Ok(Box::new(cpal::CpalDevice::open(name, Some(rate))?))
}
