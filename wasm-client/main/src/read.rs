//! What JavaScript gives, as our own structs.

use engine_core::control::TapId;
#[cfg(feature = "connection")]
use engine_core::protocol::rest::{FieldError, LiveNote};
use engine_core::protocol::{StreamOptions, Subscription, Topic};
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;

use crate::error::ApiError;

/// Any struct of our own.
pub(crate) fn read<T: DeserializeOwned>(message: &JsValue) -> Option<T> {
    serde_wasm_bindgen::from_value(message.clone()).ok()
}

/// Topic and options, checked as the server will check them. Taps are the server's to check: they change.
pub(crate) fn checked(
    topic: &str,
    fps: Option<u16>,
    options: JsValue,
) -> Result<(Topic, StreamOptions), ApiError> {
    let topic = Topic::from_name(topic)
        .ok_or_else(|| ApiError::new("invalid-option", format!("topic: {topic:?} is not a topic")))?;
    let options: StreamOptions =
        serde_wasm_bindgen::from_value(options).map_err(|error| ApiError::new("invalid-option", error))?;
    Subscription::new(topic, TapId::MASTER, fps, &options)?;
    Ok((topic, options))
}

/// A note in range.
#[cfg(feature = "connection")]
pub(crate) fn live_note(note: JsValue) -> Result<LiveNote, ApiError> {
    let note: LiveNote =
        serde_wasm_bindgen::from_value(note).map_err(|error| ApiError::new("invalid-value", error))?;
    note.check().map_err(|FieldError { field, message }| ApiError {
        code: "invalid-value",
        message: format!("{field}: {message}"),
        field: Some(field),
    })?;
    Ok(note)
}
