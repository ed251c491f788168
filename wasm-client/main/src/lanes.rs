//! What comes of a worklet, by the lanes that it has, and the streams that it is asked for. Messages for the worklet are
//! bytes; TypeScript only carries them.

use engine_core::protocol::json::{Hello, Limits, TopicInfo};
use engine_core::protocol::{Directory, Frame, Subscription, Topic, VERSION};
use engine_core::units::SampleRate;
use js_sys::Array;
use serde::Serialize;
use wasm_bindgen::JsValue;

use crate::error::ApiError;
use crate::objects::Objects;
use crate::read::checked;
use crate::slots::Slots;
use crate::to_js::ToJs;

/// Lanes of the worklet, without the flight recorder's.
const N_LANES: usize = 4;

/// What the main thread keeps of any worklet that measures.
pub(crate) struct Lanes {
    directory: Directory,
    lanes: [(Slots, Objects); N_LANES],
    epoch: u16,
}

impl Lanes {
    /// For a worklet at that rate, whose frames carry that epoch. Nothing plays there yet.
    pub(crate) fn new(rate: SampleRate, epoch: u16) -> Self {
        let directory = Directory::new(rate, None);
        let mut lanes = Self { directory: directory.clone(), lanes: Default::default(), epoch };
        lanes.set_directory(directory);
        lanes
    }

    /// The taps changed.
    pub(crate) fn set_directory(&mut self, directory: Directory) {
        for (slots, objects) in &mut self.lanes {
            slots.set_directory(directory.clone());
            objects.clear();
        }
        self.directory = directory;
    }

    /// What a server would say first.
    pub(crate) fn hello(&self, unix_ms: f64) -> JsValue {
        let Directory { sample_rate, taps } = self.directory.clone();
        let hello = Hello {
            version: VERSION,
            epoch: self.epoch,
            sample_rate,
            channels: 2,
            taps,
            topics: TopicInfo::all(),
            limits: Limits::SERVER,
            server_time: unix_ms,
        };
        hello.to_js()
    }

    /// A stream, for the worklet.
    ///
    /// # Errors
    /// The option that is out of range, or a tap that is not there.
    pub(crate) fn subscription(
        &self,
        topic: &str,
        tap: &str,
        fps: Option<u16>,
        options: JsValue,
    ) -> Result<Vec<u8>, ApiError> {
        let (topic, options) = checked(topic, fps, options)?;
        let tap = self.directory.find(tap)?;
        bytes(&Subscription::new(topic, tap, fps, &options)?)
    }

    /// Takes frames that the worklet made for a lane, and gives the newest one there that tells where the transport is.
    pub(crate) fn push(&mut self, lane: usize, frames: &[u8]) -> Option<&Frame> {
        let (slots, _) = self.lanes.get_mut(lane)?;
        slots.push_bytes(frames, &mut |_, _, _| true);
        slots.transport()
    }

    /// Forgets what came of a stream and was not drained.
    pub(crate) fn forget(&mut self, lane: usize, topic: &str, tap: &str) {
        if let (Some(topic), Some((slots, _))) = (Topic::from_name(topic), self.lanes.get_mut(lane)) {
            slots.forget(topic, tap);
        }
    }

    /// Every frame that came on a lane since the last call. Objects and arrays are reused.
    pub(crate) fn drain(&mut self, lane: usize) -> Array {
        self.lanes.get_mut(lane).map(|(slots, objects)| objects.drain(slots)).unwrap_or_default()
    }

    /// Triggers and audio that came on a lane since the last call.
    pub(crate) fn drain_queue(&mut self, lane: usize) -> Array {
        self.lanes.get_mut(lane).map(|(slots, objects)| objects.drain_queue(slots)).unwrap_or_default()
    }
}

/// The rate of a context.
///
/// # Errors
/// One that the engine does not play.
pub(crate) fn sample_rate(hz: u32) -> Result<SampleRate, ApiError> {
    SampleRate::new(hz)
        .ok_or_else(|| ApiError::new("sample-rate", format!("{hz} Hz is not between 8,000 and 192,000 Hz")))
}

/// A message for the worklet.
pub(crate) fn bytes<T: Serialize>(message: &T) -> Result<Vec<u8>, ApiError> {
    // Memory that grows and plain data: it cannot fail, and postcard's words for why it did are 0.4 KB.
    postcard::to_allocvec(message)
        .map_err(|_| ApiError::new("internal", "the worklet's message cannot be written"))
}
