//! The main thread's half of a source that only measures.

use js_sys::Array;
use wasm_bindgen::prelude::*;

use crate::lanes::{Lanes, sample_rate};

/// What the main thread keeps of a worklet without an engine.
#[wasm_bindgen]
pub struct Measuring(Lanes);

#[wasm_bindgen]
impl Measuring {
    /// For a worklet at that rate, whose frames carry that epoch.
    ///
    /// # Errors
    /// A rate that is not measured.
    #[wasm_bindgen(constructor)]
    pub fn new(hz: u32, epoch: u16) -> Result<Self, JsValue> {
        Ok(Self(Lanes::new(sample_rate(hz)?, epoch)))
    }

    /// What a server would say first.
    pub fn hello(&self, unix_ms: f64) -> JsValue {
        self.0.hello(unix_ms)
    }

    /// A stream, for the worklet.
    ///
    /// # Errors
    /// The option that is out of range, or a tap that is not there: `{code, message, field}`.
    pub fn subscription(
        &self,
        topic: &str,
        tap: &str,
        fps: Option<u16>,
        options: JsValue,
    ) -> Result<Vec<u8>, JsValue> {
        Ok(self.0.subscription(topic, tap, fps, options)?)
    }

    /// Takes frames that the worklet made for a lane.
    pub fn push(&mut self, lane: usize, frames: &[u8]) {
        let _ = self.0.push(lane, frames);
    }

    /// Forgets what came of a stream and was not drained.
    pub fn forget(&mut self, lane: usize, topic: &str, tap: &str) {
        self.0.forget(lane, topic, tap);
    }

    /// Every frame that came on a lane since the last call. Objects and arrays are reused.
    pub fn drain(&mut self, lane: usize) -> Array {
        self.0.drain(lane)
    }

    /// Triggers and audio that came on a lane since the last call.
    pub fn drain_queue(&mut self, lane: usize) -> Array {
        self.0.drain_queue(lane)
    }
}
