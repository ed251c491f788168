//! Errors as JavaScript sees them: plain objects `{code, message, field?}`, of which TypeScript makes an
//! `AntiphonError`.

use engine_core::composition::CompositionError;
use engine_core::protocol::OptionError;
use wasm_bindgen::JsValue;

use crate::to_js::{ToJs, written};

/// What went wrong.
#[derive(Debug)]
pub(crate) struct ApiError {
    /// Stable name of the kind of error.
    pub(crate) code: &'static str,
    /// What it was and what is allowed.
    pub(crate) message: String,
    /// The value that was wrong.
    pub(crate) field: Option<String>,
}

written!(ApiError { code, message, field });

impl ApiError {
    pub(crate) fn new(code: &'static str, message: impl ToString) -> Self {
        Self { code, message: message.to_string(), field: None }
    }
}

impl From<OptionError> for ApiError {
    fn from(error: OptionError) -> Self {
        Self { code: "invalid-option", message: error.to_string(), field: Some(error.field.to_owned()) }
    }
}

impl From<CompositionError> for ApiError {
    fn from(error: CompositionError) -> Self {
        Self { code: "invalid-composition", message: error.to_string(), field: Some(error.field) }
    }
}

impl From<ApiError> for JsValue {
    fn from(error: ApiError) -> Self {
        error.to_js()
    }
}
