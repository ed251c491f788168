//! What comes in, as values: bodies, queries, preconditions. Each failure is a problem that names the field.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::problem::ApiError;
use crate::services::{MAX_MIDI_BYTES, Precondition};
use crate::store::Stored;

/// Longest body, but for recordings: a composition of hours.
pub(super) const MAX_BODY: usize = MAX_MIDI_BYTES;
/// Time for a body, besides what its length takes at the lowest rate: who dribbles one holds a connection.
const PATIENCE: Duration = Duration::from_secs(10);
/// Lowest rate after that, bytes per millisecond.
const MIN_RATE: u64 = 16;

const OBJECT_EXPECTED: &str = "an object is expected: {\"field\": value, …}";

/// The raw body, of at most so many bytes.
pub(super) struct RawBody<const MAX: usize = MAX_BODY>(pub(super) Bytes);

impl<const MAX: usize, S: Sync> FromRequest<S> for RawBody<MAX> {
    type Rejection = ApiError;

    async fn from_request(request: Request<Body>, _state: &S) -> Result<Self, ApiError> {
        let too_large = || {
            let detail = format!("the body is longer than {MAX} bytes");
            ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
        };
        let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        if declared.and_then(|length| length.parse::<usize>().ok()).is_some_and(|length| length > MAX) {
            return Err(too_large());
        }
        let mut body = request.into_body().into_data_stream();
        let mut bytes = Vec::new();
        let start = Instant::now();
        loop {
            let deadline = start + PATIENCE + Duration::from_millis(bytes.len() as u64 / MIN_RATE);
            match timeout_at(deadline, body.next()).await {
                Ok(None) => return Ok(Self(bytes.into())),
                Ok(Some(Ok(chunk))) if bytes.len() + chunk.len() > MAX => return Err(too_large()),
                Ok(Some(Ok(chunk))) => bytes.extend_from_slice(&chunk),
                Ok(Some(Err(error))) => {
                    return Err(ApiError::new(StatusCode::BAD_REQUEST, "bad-body", error.to_string()));
                }
                Err(_) => {
                    let detail = format!("the body came more slowly than {MIN_RATE} bytes a millisecond");
                    return Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "too-slow", detail));
                }
            }
        }
    }
}

/// A JSON body, which is an object. Not JSON: 400. JSON of another shape: 422, with the path of the field.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned + Serialize, S: Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request<Body>, state: &S) -> Result<Self, ApiError> {
        let RawBody(bytes): RawBody = RawBody::from_request(request, state).await?;
        json(&bytes).map(Self)
    }
}

/// The same, which may be left out.
pub(super) struct OptionalJson<T>(pub(super) T);

impl<T: DeserializeOwned + Serialize + Default, S: Sync> FromRequest<S> for OptionalJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request<Body>, state: &S) -> Result<Self, ApiError> {
        let RawBody(bytes): RawBody = RawBody::from_request(request, state).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        json(&bytes).map(Self)
    }
}

fn json<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T, ApiError> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| {
        ApiError::new(StatusCode::BAD_REQUEST, "bad-json", format!("the body is not JSON: {error}"))
    })?;
    if !value.is_object() {
        return Err(ApiError::invalid_field(".", OBJECT_EXPECTED));
    }
    from_value(value)
}

/// A value of the right shape.
pub(super) fn from_value<T: DeserializeOwned + Serialize>(value: Value) -> Result<T, ApiError> {
    let read: T = serde_path_to_error::deserialize(&value).map_err(of_field)?;
    let taken = serde_json::to_value(&read).unwrap_or_default();
    match list_for_object(&value, &taken) {
        Some(path) => Err(ApiError::invalid_field(path.trim_start_matches('.'), OBJECT_EXPECTED)),
        None => Ok(read),
    }
}

/// Where a list was taken for an object: derived code takes one for the fields' values in their order. Seen by what came
/// of it, since no deserializer is told of objects inside of enums with a tag.
fn list_for_object(given: &Value, taken: &Value) -> Option<String> {
    match (given, taken) {
        (Value::Array(_), Value::Object(_)) => Some(String::new()),
        (Value::Array(given), Value::Array(taken)) => {
            let inside = |(idx, (given, taken))| Some(format!("[{idx}]{}", list_for_object(given, taken)?));
            given.iter().zip(taken).enumerate().find_map(inside)
        }
        (Value::Object(given), Value::Object(taken)) => given.iter().find_map(|(name, given)| {
            let inside = list_for_object(given, taken.get(name)?)?;
            Some(format!(".{name}{inside}"))
        }),
        _ => None,
    }
}

/// What is missing, unknown or there twice is a field itself, which the path may lack: it leads to the place.
fn of_field(error: serde_path_to_error::Error<impl std::fmt::Display>) -> ApiError {
    let (place, message) = (error.path().to_string(), error.into_inner().to_string());
    let name = ["missing field `", "unknown field `", "duplicate field `"]
        .iter()
        .find_map(|start| message.strip_prefix(start)?.split('`').next());
    let field = match name {
        Some(name) if place == "." => name.to_string(),
        Some(name) if place != name && !place.ends_with(&format!(".{name}")) => format!("{place}.{name}"),
        _ => place,
    };
    ApiError::invalid_field(field, message)
}

/// The query as a struct; what is unknown is refused.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or("");
        let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
        serde_path_to_error::deserialize(pairs).map(Self).map_err(of_field)
    }
}

/// `If-Match`: absent, `*`, or ETags.
pub(super) struct IfMatch(pub(super) Precondition);

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        Ok(Self(precondition(&parts.headers)))
    }
}

fn precondition(headers: &HeaderMap) -> Precondition {
    let values = headers.get_all(IF_MATCH);
    let tags = || {
        values.iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
    };
    if values.iter().next().is_none() || tags().any(|tag| tag == b"*") {
        return Precondition::None;
    }
    // A tag that we never gave out matches nothing, as RFC 9110 has it; so do weak ones.
    let state = |tag: &[u8]| {
        let (id, revision) =
            str::from_utf8(tag).ok()?.strip_prefix('"')?.strip_suffix('"')?.rsplit_once('-')?;
        let (id, revision) = (id.parse().ok()?, revision.parse().ok()?);
        (etag(id, revision).as_bytes() == tag).then_some((id, revision))
    };
    Precondition::Revisions(tags().filter_map(state).collect())
}

/// What a composition at a revision is called. It names both, for at `/api/mixer` it is that of whatever is loaded.
fn etag(id: Uuid, revision: u64) -> String {
    format!("\"{id}-{revision}\"")
}

/// A stored composition as an answer, with its ETag.
pub(super) fn with_etag(stored: &Stored, status: StatusCode, body: impl Serialize) -> Response {
    let mut response = (status, axum::Json(body)).into_response();
    if let Ok(tag) = HeaderValue::from_str(&etag(stored.id(), stored.revision)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// What was added to a composition as an answer, with its address.
pub(super) fn created_at(location: &str, stored: &Stored, body: impl Serialize) -> Response {
    let mut response = with_etag(stored, StatusCode::CREATED, body);
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(body: Body) -> Result<usize, ApiError> {
        RawBody::<MAX_BODY>::from_request(Request::new(body), &()).await.map(|RawBody(bytes)| bytes.len())
    }

    /// A body of which a part comes every second, of which there are `n`.
    fn slow(part: &'static [u8], n: u32) -> Body {
        Body::from_stream(futures_util::stream::unfold(0, move |idx| async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            (idx < n).then(|| (std::io::Result::Ok(part), idx + 1))
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_body_is_read_and_a_dribbled_one_is_not() {
        assert_eq!(read(slow(&[b' '; 20_000], 100)).await.unwrap(), 2_000_000);
        assert_eq!(read(slow(b" ", 1_000_000)).await.unwrap_err().into_problem().status, 408);
        assert_eq!(read(slow(&[b' '; 1 << 20], 100)).await.unwrap_err().into_problem().status, 413);
    }

    #[test]
    fn if_match_takes_lists_and_the_star() {
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_MATCH, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            precondition(&headers)
        };
        assert_eq!(precondition(&HeaderMap::new()), Precondition::None);
        assert_eq!(with("*"), Precondition::None);
        let (id, other) = (Uuid::from_u128(0xA), Uuid::from_u128(0xB));
        let (third, fourth) = (etag(id, 3), etag(other, 4));
        assert_eq!(with(&format!("{third}, {fourth}")), Precondition::Revisions(vec![(id, 3), (other, 4)]));
        assert_eq!(with(&format!("\"ä\",{third}")), Precondition::Revisions(vec![(id, 3)]));
        let (upper, padded) = (third.to_uppercase(), third.replace("-3", "-03"));
        for nothing in [&format!("W/{third}"), &upper, &padded, "nonsense", "\"3\"", "\"ä\"", ""] {
            assert_eq!(with(nothing), Precondition::Revisions(vec![]), "{nothing}");
        }
    }
}
