//! Local mode on the main thread: a [`Desk`] for what is asked, [`Lanes`] for what comes back.

use engine_core::composition::{CompositionSpec, midi};
use engine_core::control::Command;
use engine_core::protocol::rest::SeekRequest;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;
use uuid::Uuid;
use wasm_bindgen::prelude::*;

use crate::clock::{MAX_AHEAD_SECONDS, Playhead};
use crate::desk::Desk;
use crate::error::ApiError;
use crate::history::Direction;
use crate::lanes::{Lanes, bytes, sample_rate};
use crate::objects::HeardObject;
use crate::to_js::ToJs;

/// A composition from the bytes of a Standard MIDI File.
///
/// # Errors
/// `{code: "invalid-midi", message}`.
#[wasm_bindgen]
pub fn parse_midi(bytes: &[u8], name: &str) -> Result<JsValue, JsValue> {
    let composition = midi::import(bytes, name).map_err(|error| ApiError::new("invalid-midi", error))?;
    let mut spec = composition.into_spec();
    spec.assign_ids(new_id);
    Ok(to_js(&spec))
}

/// What the main thread keeps of a local source.
#[wasm_bindgen]
pub struct Local {
    desk: Desk,
    lanes: Lanes,
    playhead: Playhead,
    heard: HeardObject,
    /// The context's frame at the engine's first one; they run together from there.
    first_frame: f64,
}

#[wasm_bindgen]
impl Local {
    /// For a worklet at that rate, whose frames carry that epoch.
    ///
    /// # Errors
    /// A rate that the engine does not play.
    #[wasm_bindgen(constructor)]
    pub fn new(hz: u32, epoch: u16) -> Result<Self, JsValue> {
        let rate = sample_rate(hz)?;
        Ok(Self {
            desk: Desk::new(rate),
            lanes: Lanes::new(rate, epoch),
            playhead: Playhead::default(),
            heard: HeardObject::default(),
            first_frame: 0.0,
        })
    }

    /// What a server would say first.
    pub fn hello(&self, unix_ms: f64) -> JsValue {
        self.lanes.hello(unix_ms)
    }

    /// Takes a composition: `[program, commands]` for the worklet.
    ///
    /// # Errors
    /// The first value that is out of range: `{code, message, field}`.
    pub fn load(&mut self, spec: JsValue) -> Result<js_sys::Array, JsValue> {
        let spec: CompositionSpec = read("invalid-composition", spec)?;
        self.desk.set_time(js_sys::Date::now());
        self.playhead.clear();
        let (program, commands) = self.desk.load(spec, new_id).map_err(ApiError::from)?;
        self.lanes.set_directory(self.desk.directory());
        let messages = [bytes(&program)?, concatenated(&commands)?];
        Ok(messages.iter().map(|message| js_sys::Uint8Array::from(&message[..])).collect())
    }

    /// Takes a composition in place of the one that plays: the program for the worklet.
    ///
    /// # Errors
    /// The first value that is out of range: `{code, message, field}`.
    pub fn update(&mut self, spec: JsValue) -> Result<Vec<u8>, JsValue> {
        let spec: CompositionSpec = read("invalid-composition", spec)?;
        let before = self.desk.directory();
        self.desk.set_time(js_sys::Date::now());
        let program = self.desk.update(spec, new_id).map_err(ApiError::from)?;
        if self.desk.directory() != before {
            self.lanes.set_directory(self.desk.directory());
        }
        Ok(bytes(&program)?)
    }

    /// The composition that plays; null before the first.
    pub fn composition(&self) -> JsValue {
        self.desk.composition().map_or(JsValue::NULL, to_js)
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
        Ok(self.lanes.subscription(topic, tap, fps, options)?)
    }

    /// Takes frames that the worklet made for a lane.
    pub fn push(&mut self, lane: usize, frames: &[u8]) {
        if let Some(frame) = self.lanes.push(lane, frames) {
            self.desk.observe(frame);
            self.playhead.observe(frame);
        }
    }

    /// Forgets what came of a stream and was not drained.
    pub fn forget(&mut self, lane: usize, topic: &str, tap: &str) {
        self.lanes.forget(lane, topic, tap);
    }

    /// Every frame that came on a lane since the last call. Objects and arrays are reused.
    pub fn drain(&mut self, lane: usize) -> js_sys::Array {
        self.lanes.drain(lane)
    }

    /// Triggers and audio that came on a lane since the last call.
    pub fn drain_queue(&mut self, lane: usize) -> js_sys::Array {
        self.lanes.drain_queue(lane)
    }

    /// The worklet made its first quantum at that frame of the context.
    pub fn started(&mut self, context_frame: f64) {
        self.first_frame = context_frame;
    }

    /// What the loudspeaker plays `elapsed_ms` after it played what the context has at `context_seconds`; null before
    /// anything was rendered. The object is reused.
    pub fn heard(&mut self, context_seconds: f64, elapsed_ms: f64) -> JsValue {
        let rate = self.desk.directory().sample_rate;
        let sample = (context_seconds + elapsed_ms / 1000.0) * f64::from(rate) - self.first_frame;
        self.heard.update(self.playhead.at(sample, rate, MAX_AHEAD_SECONDS))
    }

    /// The state that `GET /api/playback` answers with.
    pub fn playback(&self) -> JsValue {
        self.desk.playback().map_or(JsValue::NULL, |state| state.to_js())
    }

    /// The state that `GET /api/mixer` answers with.
    pub fn mixer(&self) -> JsValue {
        to_js(&self.desk.mixer())
    }

    /// Carries out a request as REST has it, and gives the commands for the worklet. `action` is `play`, `stop`,
    /// `pause`, `resume`, `seek`, `tempo`, `loop`, `metronome`, `monitor`, `note`, `master`, `channel` (with the track's id),
    /// `undo` or `redo` (with the composition's).
    ///
    /// # Errors
    /// The value that is out of range: `{code, message, field}`.
    pub fn request(&mut self, action: &str, body: JsValue, id: Option<String>) -> Result<Vec<u8>, JsValue> {
        let desk = &mut self.desk;
        desk.set_time(js_sys::Date::now());
        let value = "invalid-value";
        let commands = match action {
            "play" => vec![desk.play()],
            "stop" => vec![desk.stop()],
            "pause" => vec![desk.pause()],
            "resume" => vec![desk.resume()],
            "seek" => vec![desk.seek(seek_request(&body)?).map_err(refused)?],
            "tempo" => vec![desk.set_tempo(read(value, body)?).map_err(refused)?],
            "loop" => vec![desk.set_loop(read(value, body)?).map_err(refused)?],
            "metronome" => vec![desk.set_metronome(body.is_truthy())],
            "monitor" => vec![desk.set_monitor(body.is_truthy())],
            "note" => vec![desk.note(read(value, body)?).map_err(refused)?],
            "master" => desk.patch_master(read(value, body)?).map_err(refused)?,
            "undo" | "redo" => {
                is_loaded(desk, id.as_deref())?;
                let direction = if action == "undo" { Direction::Undo } else { Direction::Redo };
                let nothing = || ApiError::new("conflict", format!("there is nothing to {action}"));
                desk.travel(direction).ok_or_else(nothing)?
            }
            "channel" => {
                let id = Uuid::try_parse(&id.unwrap_or_default()).unwrap_or_default();
                desk.patch_channel(id, read(value, body)?).map_err(refused)?
            }
            _ => return Err(ApiError::new(value, format!("{action:?} is not an action")).into()),
        };
        Ok(concatenated(&commands)?)
    }

    /// The page of changes that `GET /api/compositions/{id}/history` answers with.
    ///
    /// # Errors
    /// Another composition's id, or a cursor that no page had.
    pub fn history(&self, id: &str, cursor: Option<String>, limit: usize) -> Result<JsValue, JsValue> {
        is_loaded(&self.desk, Some(id))?;
        let cursor = cursor.map(|text| {
            text.parse().map_err(|_| {
                ApiError::new("invalid-value", format!("cursor: {text:?} is not one that a page had"))
            })
        });
        Ok(self.desk.history(cursor.transpose()?, limit).map_or(JsValue::NULL, |page| to_js(&page)))
    }
}

fn is_loaded(desk: &Desk, id: Option<&str>) -> Result<(), ApiError> {
    let id = id.unwrap_or_default();
    let is_it = Uuid::try_parse(id).is_ok_and(|id| desk.composition().is_some_and(|loaded| loaded.id == id));
    if is_it {
        Ok(())
    } else {
        Err(ApiError::new("not-found", format!("{id} is not the composition that plays")))
    }
}

fn refused(refusal: crate::desk::Refusal) -> ApiError {
    let code = if refusal.field == "id" { "not-found" } else { "invalid-value" };
    ApiError { code, ..ApiError::from(refusal) }
}

/// By hand: serde would buffer an untagged enum in a type of its own, which is a lot of code.
fn seek_request(body: &JsValue) -> Result<SeekRequest, ApiError> {
    let number = |name: &str| js_sys::Reflect::get(body, &name.into()).ok().and_then(|value| value.as_f64());
    match (number("position_beats"), number("position_seconds")) {
        (Some(position_beats), None) => Ok(SeekRequest::Beats { position_beats }),
        (None, Some(position_seconds)) => Ok(SeekRequest::Seconds { position_seconds }),
        _ => Err(ApiError::new("invalid-value", "give position_beats or position_seconds, a number")),
    }
}

fn read<T: DeserializeOwned>(code: &'static str, value: JsValue) -> Result<T, ApiError> {
    serde_wasm_bindgen::from_value(value).map_err(|error| ApiError::new(code, error))
}

/// Any value as plain objects and arrays; absent options are left out.
fn to_js<T: Serialize + ?Sized>(value: &T) -> JsValue {
    let serializer = Serializer::new().serialize_maps_as_objects(true);
    // Our own types have no keys but strings and no integers above 2⁵³, the two things that it can refuse.
    value.serialize(&serializer).unwrap_or(JsValue::UNDEFINED)
}

fn concatenated(commands: &[Command]) -> Result<Vec<u8>, ApiError> {
    let mut all = Vec::new();
    for command in commands {
        all.extend(bytes(command)?);
    }
    Ok(all)
}

/// Ids of local mode need to differ, not to be secret.
fn new_id() -> Uuid {
    let bytes = std::array::from_fn(|_| (js_sys::Math::random() * 256.0) as u8);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}
