//! `/api/compositions`: what can be played.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine_core::composition::CompositionSpec;
use engine_core::protocol::rest::{CompositionPage, FieldError, PlaybackState, Problem};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::App;
use super::extract::{IfMatch, JsonBody, Query, RawBody, from_value, with_etag};
use super::problem::ApiError;
use crate::services::{MAX_FILE_BYTES, ServiceError};
use crate::store::Stored;

/// Longest page of a list.
const MAX_LIMIT: usize = 200;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(import))
        .routes(routes!(get, replace, patch, remove))
        .routes(routes!(load))
}

type Id = Result<Path<Uuid>, PathRejection>;

fn spec_of(stored: &Stored) -> CompositionSpec {
    (*stored.composition).clone().into_spec()
}

fn answer(stored: &Stored) -> Response {
    with_etag(stored, StatusCode::OK, spec_of(stored))
}

fn created(stored: &Stored) -> Response {
    let mut response = with_etag(stored, StatusCode::CREATED, spec_of(stored));
    if let Ok(location) = HeaderValue::from_str(&format!("/api/compositions/{}", stored.id())) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// At most so many, 1 to 200; 50 when absent.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl Paging {
    pub(super) fn limit(&self) -> Result<usize, ApiError> {
        let limit = self.limit.unwrap_or(50);
        if (1..=MAX_LIMIT).contains(&limit) {
            return Ok(limit);
        }
        let message = format!("{limit} is not between 1 and {MAX_LIMIT}");
        Err(ApiError::invalid(vec![FieldError { field: String::from("limit"), message }]))
    }

    pub(super) fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }
}

/// All compositions, in order of creation, a page at a time.
#[utoipa::path(get, path = "/api/compositions", tag = "compositions", params(Paging), responses(
    (status = 200, body = CompositionPage),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
async fn list(
    State(app): State<App>,
    Query(paging): Query<Paging>,
) -> Result<Json<CompositionPage>, ApiError> {
    Ok(Json(app.compositions.list(paging.cursor(), paging.limit()?).await?))
}

/// Adds a composition. What has no id gets one.
#[utoipa::path(post, path = "/api/compositions", tag = "compositions", request_body = CompositionSpec, responses(
    (status = 201, body = CompositionSpec, headers(("ETag" = String), ("Location" = String))),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "the id exists"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
async fn create(
    State(app): State<App>,
    JsonBody(spec): JsonBody<CompositionSpec>,
) -> Result<Response, ApiError> {
    Ok(created(&app.compositions.create(spec).await?))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Import {
    /// What the composition is called; `Untitled` when absent.
    name: Option<String>,
    /// Tempo that bars and beats of a recording follow, 20 to 400; 120 when absent. A MIDI file brings its own.
    bpm: Option<f64>,
}

/// Adds the composition of a file: a Standard MIDI File of type 0 or 1, or a recording (WAV, AIFF, FLAC, MP3, OGG
/// Vorbis), which becomes a sample and one audio clip of it. At most 8 MiB of MIDI; of recordings what `/api/info`
/// says.
#[utoipa::path(post, path = "/api/compositions/import", tag = "compositions", params(Import),
    request_body(content(
        (Vec<u8> = "audio/midi"), (Vec<u8> = "audio/wav"), (Vec<u8> = "audio/aiff"), (Vec<u8> = "audio/flac"),
        (Vec<u8> = "audio/mpeg"), (Vec<u8> = "audio/ogg"),
    )),
    responses(
        (status = 201, body = CompositionSpec, headers(("ETag" = String), ("Location" = String))),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
async fn import(
    State(app): State<App>,
    Query(import): Query<Import>,
    RawBody(file): RawBody<MAX_FILE_BYTES>,
) -> Result<Response, ApiError> {
    let name = import.name.unwrap_or_else(|| String::from("Untitled"));
    Ok(created(&app.compositions.import(file, name, import.bpm).await?))
}

/// One composition.
#[utoipa::path(get, path = "/api/compositions/{id}", tag = "compositions", params(("id" = Uuid, Path)), responses(
    (status = 200, body = CompositionSpec, headers(("ETag" = String))),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
async fn get(State(app): State<App>, id: Id) -> Result<Response, ApiError> {
    let Path(id) = id?;
    Ok(answer(&app.compositions.get(id).await?))
}

/// Replaces a composition. When it plays, the change is heard at once.
#[utoipa::path(put, path = "/api/compositions/{id}", tag = "compositions", request_body = CompositionSpec,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "an ETag")),
    responses(
        (status = 200, body = CompositionSpec, headers(("ETag" = String))),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 412, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
async fn replace(
    State(app): State<App>,
    id: Id,
    IfMatch(precondition): IfMatch,
    JsonBody(spec): JsonBody<CompositionSpec>,
) -> Result<Response, ApiError> {
    let Path(id) = id?;
    Ok(answer(&app.compositions.change(id, &precondition, |_| Ok(spec)).await?))
}

/// Changes a composition by a merge patch (RFC 7396). When it plays, the change is heard at once.
#[utoipa::path(patch, path = "/api/compositions/{id}", tag = "compositions",
    request_body(content = serde_json::Value, content_type = "application/merge-patch+json"),
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "an ETag")),
    responses(
        (status = 200, body = CompositionSpec, headers(("ETag" = String))),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 412, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    )
)]
async fn patch(
    State(app): State<App>,
    id: Id,
    IfMatch(precondition): IfMatch,
    JsonBody(change): JsonBody<Value>,
) -> Result<Response, ApiError> {
    let Path(id) = id?;
    let apply = |spec: &CompositionSpec| {
        let mut value = serde_json::to_value(spec).map_err(|e| ServiceError::invalid("", e.to_string()))?;
        merge(&mut value, change);
        from_value(value).map_err(|error| ServiceError::Invalid(error.into_problem().errors))
    };
    Ok(answer(&app.compositions.change(id, &precondition, apply).await?))
}

/// RFC 7396, section 2.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(&key);
        } else {
            merge(target.entry(key).or_insert(Value::Null), value);
        }
    }
}

/// Removes a composition. When it plays, silence follows.
#[utoipa::path(delete, path = "/api/compositions/{id}", tag = "compositions",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "an ETag")),
    responses(
        (status = 204, description = "it is gone"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 412, body = Problem, content_type = "application/problem+json"),
    )
)]
async fn remove(
    State(app): State<App>,
    id: Id,
    IfMatch(precondition): IfMatch,
) -> Result<Response, ApiError> {
    let Path(id) = id?;
    app.compositions.remove(id, &precondition).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Makes a composition what plays. The transport stands at its start.
#[utoipa::path(post, path = "/api/compositions/{id}/load", tag = "compositions", params(("id" = Uuid, Path)), responses(
    (status = 200, body = PlaybackState),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "a sample is gone"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
async fn load(State(app): State<App>, id: Id) -> Result<Json<PlaybackState>, ApiError> {
    let Path(id) = id?;
    app.compositions.load(id, &[]).await?;
    Ok(Json(app.playback.state()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn merge_patch_follows_the_examples_of_its_rfc() {
        // RFC 7396, appendix A: original, patch, result.
        for (mut original, patch, result) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":"foo"}), json!(null), json!(null)),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ] {
            merge(&mut original, patch);
            assert_eq!(original, result);
        }
    }
}
