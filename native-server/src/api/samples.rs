//! `/api/samples`: recordings that compositions use.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, LOCATION, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use engine_core::protocol::rest::{Problem, SampleInfo, SamplePage};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::App;
use super::extract::{Query, RawBody};
use super::files::download;
use super::paging::Paging;
use super::problem::{ApiError, Refused};
use crate::services::MAX_FILE_BYTES;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(get, remove)).routes(routes!(audio))
}

type Id = Result<Path<Uuid>, PathRejection>;

/// All samples, in order of creation, a page at a time.
#[utoipa::path(get, operation_id = "list_samples", path = "/api/samples", tag = "samples", params(Paging), responses(
    (status = 200, body = SamplePage),
    Refused<422>,
))]
async fn list(State(app): State<App>, Query(paging): Query<Paging>) -> Result<Json<SamplePage>, ApiError> {
    Ok(Json(app.samples.list(paging.cursor(), paging.limit()?).await?))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Naming {
    /// What the sample is called; `Untitled` when absent.
    name: Option<String>,
}

/// Adds a sample: a WAV, AIFF, FLAC, MP3 or OGG Vorbis file. `/api/info` says how long it may be. Compositions use it
/// by its id, in `tracks[].audio_clips[].sample` and `tracks[].instrument.zones[].sample`.
#[utoipa::path(post, operation_id = "add_sample", path = "/api/samples", tag = "samples", params(Naming),
    request_body(content(
        (Vec<u8> = "audio/wav"), (Vec<u8> = "audio/aiff"), (Vec<u8> = "audio/flac"), (Vec<u8> = "audio/mpeg"),
        (Vec<u8> = "audio/ogg"),
    )),
    responses(
        (status = 201, body = SampleInfo, headers(("Location" = String))),
        Refused<413>, Refused<422>,
    )
)]
async fn add(
    State(app): State<App>,
    Query(naming): Query<Naming>,
    RawBody(file): RawBody<MAX_FILE_BYTES>,
) -> Result<Response, ApiError> {
    let name = naming.name.unwrap_or_else(|| String::from("Untitled"));
    let info = app.samples.add(file, name).await?;
    let location = HeaderValue::from_str(&format!("/api/samples/{}", info.id));
    let mut response = (StatusCode::CREATED, Json(info)).into_response();
    if let Ok(location) = location {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// What a sample is.
#[utoipa::path(get, operation_id = "get_sample", path = "/api/samples/{id}", tag = "samples", params(("id" = Uuid, Path)), responses(
    (status = 200, body = SampleInfo),
    Refused<404>,
))]
async fn get(State(app): State<App>, id: Id) -> Result<Json<SampleInfo>, ApiError> {
    let Path(id) = id?;
    Ok(Json(app.samples.info(id).await?))
}

/// A sample's file, as it was sent.
#[utoipa::path(get, operation_id = "get_sample_audio", path = "/api/samples/{id}/audio", tag = "samples", params(("id" = Uuid, Path)), responses(
    (status = 200, body = Vec<u8>, content_type = "audio/*"),
    Refused<404>,
))]
async fn audio(State(app): State<App>, id: Id) -> Result<Response, ApiError> {
    let Path(id) = id?;
    let (info, file) = (app.samples.info(id).await?, app.samples.file(id).await?);
    let (media_type, extension) = match info.media_type.as_str() {
        "audio/wav" => ("audio/wav", "wav"),
        "audio/aiff" => ("audio/aiff", "aiff"),
        "audio/flac" => ("audio/flac", "flac"),
        "audio/ogg" => ("audio/ogg", "ogg"),
        _ => ("audio/mpeg", "mp3"),
    };
    let mut response = download(Body::from(file), media_type, &info.name, extension);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=31536000, immutable"));
    // Somebody else's bytes: a browser must not take them for a page.
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

/// Removes a sample that no composition uses.
#[utoipa::path(delete, operation_id = "remove_sample", path = "/api/samples/{id}", tag = "samples", params(("id" = Uuid, Path)), responses(
    (status = 204, description = "it is gone"),
    Refused<404>,
    (status = 409, body = Problem, content_type = "application/problem+json", description = "a composition uses it"),
))]
async fn remove(State(app): State<App>, id: Id) -> Result<StatusCode, ApiError> {
    let Path(id) = id?;
    app.compositions.remove_sample(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
