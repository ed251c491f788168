//! What JavaScript gives, as our own structs.

use engine_core::control::TapId;
#[cfg(feature = "connection")]
use engine_core::protocol::rest::{FieldError, LiveNote};
use engine_core::protocol::{StreamOptions, Subscription, Topic};
use wasm_bindgen::JsValue;

use crate::error::ApiError;
#[cfg(feature = "connection")]
use crate::from_js::from_js;
use crate::from_js::{Mismatch, from_js_strict};

/// Topic and options, checked as the server will check them. Taps are the server's to check: they change.
pub(crate) fn checked(
    topic: &str,
    fps: Option<u16>,
    options: JsValue,
) -> Result<(Topic, StreamOptions), ApiError> {
    let topic = Topic::from_name(topic)
        .ok_or_else(|| ApiError::new("invalid-option", format!("topic: \"{topic}\" is not a topic")))?;
    let options: StreamOptions =
        from_js_strict(&options).map_err(|error| mismatch("invalid-option", error))?;
    Subscription::new(topic, TapId::MASTER, fps, &options)?;
    Ok((topic, options))
}

/// A note in range.
#[cfg(feature = "connection")]
pub(crate) fn live_note(note: JsValue) -> Result<LiveNote, ApiError> {
    let note: LiveNote = from_js(&note).map_err(|error| mismatch("invalid-value", error))?;
    note.check().map_err(|FieldError { field, message }| ApiError {
        code: "invalid-value",
        message: format!("{field}: {message}"),
        field: Some(field),
    })?;
    Ok(note)
}

fn mismatch(code: &'static str, error: Mismatch) -> ApiError {
    ApiError { code, message: error.text(), field: error.field }
}
