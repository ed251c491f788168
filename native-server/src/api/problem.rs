//! Errors as RFC 9457 problems.

use std::collections::BTreeMap;

use axum::extract::rejection::PathRejection;
use axum::http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use engine_core::protocol::rest::{FieldError, Problem};
use utoipa::IntoResponses;
use utoipa::openapi::{self, Content, Ref, RefOr, ResponseBuilder};

use crate::services::ServiceError;

/// A refusal on its way to the client.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    problem: Box<Problem>,
    headers: HeaderMap,
}

/// What the document says of an operation that may be refused with this status: a [`Problem`].
pub(super) struct Refused<const STATUS: u16>;

impl<const STATUS: u16> IntoResponses for Refused<STATUS> {
    fn responses() -> BTreeMap<String, RefOr<openapi::Response>> {
        let problem = Content::new(Some(Ref::from_schema_name("Problem")));
        let response = ResponseBuilder::new().content("application/problem+json", problem).build();
        BTreeMap::from([(STATUS.to_string(), RefOr::T(response))])
    }
}

/// The detail of the problem that a response is, for those who would have to parse it.
#[derive(Clone, Debug)]
pub(super) struct Detail(pub(super) String);

impl ApiError {
    /// A problem of a kind (a stable name), with what was wrong this time.
    pub fn new(status: StatusCode, kind: &str, detail: impl Into<String>) -> Self {
        let problem = Problem {
            kind: format!("/problems/{kind}"),
            title: status.canonical_reason().unwrap_or("Error").to_string(),
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
        };
        Self { status, problem: Box::new(problem), headers: HeaderMap::new() }
    }

    /// 503: it may work in a second.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::later("busy", detail)
    }

    /// 503: the server that was to answer cannot be reached.
    pub fn away(detail: impl Into<String>) -> Self {
        Self::later("server-away", detail)
    }

    fn later(kind: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, kind, detail)
            .with_header(RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// 422: values that are out of range.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail =
            errors.iter().map(|e| format!("{}: {}", e.field, e.message)).collect::<Vec<_>>().join("; ");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-value", detail).with_errors(errors)
    }

    /// 422: one value that cannot be.
    pub fn invalid_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError { field: field.into(), message: message.into() }])
    }

    /// Names the fields that were wrong.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.problem.errors = errors;
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The body.
    pub fn into_problem(self) -> Problem {
        *self.problem
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.problem).unwrap_or_default();
        let mut response = (self.status, self.headers, body).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response.extensions_mut().insert(Detail(self.problem.detail));
        response
    }
}

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        let detail = error.to_string();
        match error {
            ServiceError::NotFound(_) => Self::new(StatusCode::NOT_FOUND, "not-found", detail),
            ServiceError::Exists(_) => Self::new(StatusCode::CONFLICT, "exists", detail),
            ServiceError::Stale(_) => Self::new(StatusCode::PRECONDITION_FAILED, "stale", detail),
            ServiceError::Invalid(errors) => Self::invalid(errors),
            ServiceError::Midi(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-midi", detail),
            ServiceError::Conflict(_) => Self::new(StatusCode::CONFLICT, "conflict", detail),
            ServiceError::Audio(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-audio", detail),
            ServiceError::InUse(_) => Self::new(StatusCode::CONFLICT, "in-use", detail),
            ServiceError::TooLarge(_) => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail),
            ServiceError::Busy(_) => Self::unavailable(detail),
            ServiceError::Unavailable(_) => Self::later("storage", detail),
            ServiceError::Unreadable(_) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "unreadable", detail),
        }
    }
}

impl From<PathRejection> for ApiError {
    fn from(_: PathRejection) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "an id in the path is not a UUID")
    }
}
