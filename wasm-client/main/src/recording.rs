//! The flight recorder and its files, for JavaScript.

use std::ops::RangeInclusive;

use engine_core::control::TapId;
use engine_core::protocol::json::{Body, Envelope};
use engine_core::protocol::recorder::{self, Recorder, frame_from};
use engine_core::protocol::{Axis, Directory, Frame, Payload};
use engine_core::units::SampleRate;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::error::ApiError;
use crate::from_js::{fields, from_js};
use crate::lanes::bytes;
use crate::objects::fresh;
use crate::to_js::{ToJs, written};

fields!(Directory { sample_rate, taps });
written!(Directory { sample_rate, taps });

/// A recording that was opened. Positions are engine frames; JavaScript's numbers hold them for 5,000 years.
#[wasm_bindgen]
pub struct Recording(recorder::Recording);

#[wasm_bindgen]
impl Recording {
    /// Opens a file.
    ///
    /// # Errors
    /// Bytes that are no recording, or a damaged one: `{code, message}`.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: Vec<u8>) -> Result<Self, JsValue> {
        let opened = recorder::Recording::open(bytes);
        Ok(Self(opened.map_err(|error| ApiError::new("invalid-recording", error))?))
    }

    /// `{sample_rate, taps}`.
    pub fn directory(&self) -> JsValue {
        self.0.directory().to_js()
    }

    /// `[from, to]`; undefined when nothing was recorded.
    pub fn range(&self) -> Option<Array> {
        self.0.range().map(pair)
    }

    /// The position of the frames that measured this sample.
    pub fn at(&self, position: f64) -> Option<f64> {
        self.0.at(position as u64).map(|position| position as f64)
    }

    /// Frames as streams hand them out, each an object of its own.
    ///
    /// # Errors
    /// A tap that is not there.
    pub fn frames(&self, from: f64, to: f64, tap: Option<String>) -> Result<Array, JsValue> {
        let directory = self.0.directory();
        let tap = named(directory, tap)?;
        let positions = positions(from, to);
        let frames = self.0.frames(&positions, tap);
        Ok(objects(frames, directory, |id| self.0.axis(id)))
    }
}

/// Master, 64 tracks and input, 34 MB: a page has no memory that costs nothing until it is used. Of a composition with
/// more tracks the last are not recorded.
const LANES: usize = 64 + 2;

/// Keeps the last ten minutes of a worklet.
#[wasm_bindgen]
pub struct FlightRecorder(Recorder);

#[wasm_bindgen]
impl FlightRecorder {
    /// Allocates. `directory` has the sample rate and the taps, as `hello` has them.
    ///
    /// # Errors
    /// A directory that is none.
    #[wasm_bindgen(constructor)]
    pub fn new(directory: &JsValue) -> Result<Self, JsValue> {
        let (rate, directory) = taps(directory)?;
        let mut recorder = Recorder::new(rate, LANES);
        recorder.retap(&directory);
        Ok(Self(recorder))
    }

    /// The taps changed. The streams that the worklet is to send from now on, for one lane, in this order.
    ///
    /// # Errors
    /// A directory that is none.
    pub fn retap(&mut self, directory: &JsValue) -> Result<Array, JsValue> {
        let (_, directory) = taps(directory)?;
        self.0.retap(&directory);
        let message = |subscription| Ok(Uint8Array::from(&bytes(&subscription)?[..]));
        Recorder::subscriptions(&directory).into_iter().map(message).collect()
    }

    /// Takes frames of those streams.
    pub fn push(&mut self, mut frames: &[u8]) {
        while let Some((frame, rest)) = frame_from(frames) {
            self.0.push(&frame);
            frames = rest;
        }
    }

    /// `{sample_rate, taps}` of recorded frames.
    pub fn directory(&self) -> JsValue {
        self.0.directory().to_js()
    }

    /// See [`Recording::range`].
    pub fn range(&self) -> Option<Array> {
        self.0.range().map(pair)
    }

    /// See [`Recording::at`].
    pub fn at(&self, position: f64) -> Option<f64> {
        self.0.at(position as u64).map(|position| position as f64)
    }

    /// See [`Recording::frames`].
    ///
    /// # Errors
    /// A tap that is not there.
    pub fn frames(&self, from: f64, to: f64, tap: Option<String>) -> Result<Array, JsValue> {
        let directory = self.0.directory();
        let tap = named(&directory, tap)?;
        let positions = positions(from, to);
        let frames = self.0.frames(&positions, tap);
        Ok(objects(frames, &directory, |_| Some(self.0.axis())))
    }

    /// A file of these frames.
    ///
    /// # Errors
    /// A tap that is not there.
    pub fn save(&self, from: f64, to: f64, tap: Option<String>) -> Result<Vec<u8>, JsValue> {
        let tap = named(&self.0.directory(), tap)?;
        Ok(self.0.save(&positions(from, to), tap))
    }
}

fn taps(directory: &JsValue) -> Result<(SampleRate, Directory), ApiError> {
    from_js::<Directory>(directory)
        .ok()
        .and_then(|directory| Some((SampleRate::new(directory.sample_rate)?, directory)))
        .ok_or_else(|| ApiError::new("internal", "not a directory of taps"))
}

fn named(directory: &Directory, tap: Option<String>) -> Result<Option<TapId>, ApiError> {
    Ok(tap.map(|name| directory.find(&name)).transpose()?)
}

/// A cast of floats saturates: infinity is the last position.
fn positions(from: f64, to: f64) -> RangeInclusive<u64> {
    from as u64..=to as u64
}

fn pair(range: RangeInclusive<u64>) -> Array {
    [*range.start(), *range.end()].into_iter().map(|position| JsValue::from(position as f64)).collect()
}

fn objects<'a>(
    frames: impl Iterator<Item = Frame>,
    directory: &Directory,
    axis: impl Fn(u32) -> Option<&'a Axis>,
) -> Array {
    let object = |frame: Frame| {
        let axis = match &frame.payload {
            Payload::Spectrum(spectrum) => axis(spectrum.axis),
            _ => None,
        };
        Some(fresh(&Envelope::default(), Body::new(&frame, directory, axis)?))
    };
    frames.filter_map(object).collect()
}
