//! What JavaScript gives, as our own structs.

use engine_core::control::TapId;
#[cfg(feature = "connection")]
use engine_core::protocol::rest::{FieldError, LiveNote};
use engine_core::protocol::{StreamOptions, Subscription, Tap, Topic};
use wasm_bindgen::JsValue;

use crate::error::ApiError;
#[cfg(feature = "connection")]
use crate::from_js::from_js;
use crate::from_js::{Mismatch, fields, from_js_strict};

fields!(Tap { id, name, track_id });
#[cfg(feature = "connection")]
fields!(LiveNote { track, pitch, velocity, on });
fields!(StreamOptions {
    fft_size,
    window,
    scale,
    bands,
    fraction,
    weighting,
    channels,
    min_hz,
    max_hz,
    attack_ms,
    release_ms,
    hold_ms,
    multi_resolution,
    wide,
    mode,
    samples,
    window_ms,
    ballistics,
    tap_loudness,
    points,
    kind,
    seconds,
    below_db,
    measure,
    above_lufs,
    below_lufs,
    once,
    format,
});

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
