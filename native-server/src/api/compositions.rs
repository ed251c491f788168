//! `/api/compositions`: what can be played.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine_core::composition::CompositionSpec;
use engine_core::protocol::rest::{CompositionPage, HistoryPage, PlaybackState, Problem};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::App;
use super::extract::{IfMatch, JsonBody, Query, RawBody, created_at, with_etag};
use super::merge::merged;
use super::paging::Paging;
use super::problem::{ApiError, Refused};
use crate::services::{Label, MAX_FILE_BYTES};
use crate::store::{Direction, Stored};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(import))
        .routes(routes!(get, replace, patch, remove))
        .routes(routes!(load))
        .routes(routes!(undo))
        .routes(routes!(redo))
        .routes(routes!(history))
}

type Id = Result<Path<Uuid>, PathRejection>;

fn spec_of(stored: &Stored) -> CompositionSpec {
    (*stored.composition).clone().into_spec()
}

fn answer(stored: &Stored) -> Response {
    with_etag(stored, StatusCode::OK, spec_of(stored))
}

fn created(stored: &Stored) -> Response {
    created_at(&format!("/api/compositions/{}", stored.id()), stored, spec_of(stored))
}

/// All compositions, in order of creation, a page at a time.
#[utoipa::path(get, operation_id = "list_compositions", path = "/api/compositions", tag = "compositions", params(Paging), responses(
    (status = 200, body = CompositionPage),
    Refused<422>,
))]
async fn list(
    State(app): State<App>,
    Query(paging): Query<Paging>,
) -> Result<Json<CompositionPage>, ApiError> {
    Ok(Json(app.compositions.list(paging.cursor(), paging.limit()?).await?))
}

/// Adds a composition. What has no id gets one.
#[utoipa::path(post, operation_id = "create_composition", path = "/api/compositions", tag = "compositions", request_body = CompositionSpec, responses(
    (status = 201, body = CompositionSpec, headers(("ETag" = String), ("Location" = String))),
    Refused<400>,
    (status = 409, body = Problem, content_type = "application/problem+json", description = "the id exists"),
    Refused<413>, Refused<422>,
))]
async fn create(
    State(app): State<App>,
    JsonBody(spec): JsonBody<CompositionSpec>,
) -> Result<Response, ApiError> {
    Ok(created(&app.compositions.create(spec, Label::new("created")).await?))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Import {
    /// What the composition is called, at most 200 characters; `Untitled` when absent.
    name: Option<String>,
    /// Tempo that bars and beats of a recording follow, 20 to 400; 120 when absent. A MIDI file brings its own.
    bpm: Option<f64>,
}

/// Adds the composition of a file: a Standard MIDI File of type 0 or 1, or a recording (WAV, AIFF, FLAC, MP3, OGG
/// Vorbis), which becomes a sample and one audio clip of it. At most 8 MiB of MIDI; of recordings what `/api/info`
/// says. Tempi and time signatures of a MIDI file that cannot be played become the nearest that can: 20 to 400 bpm, 1 to
/// 32 beats in a bar.
#[utoipa::path(post, operation_id = "import_composition", path = "/api/compositions/import", tag = "compositions", params(Import),
    request_body(content(
        (Vec<u8> = "audio/midi"), (Vec<u8> = "audio/wav"), (Vec<u8> = "audio/aiff"), (Vec<u8> = "audio/flac"),
        (Vec<u8> = "audio/mpeg"), (Vec<u8> = "audio/ogg"),
    )),
    responses(
        (status = 201, body = CompositionSpec, headers(("ETag" = String), ("Location" = String))),
        Refused<413>, Refused<422>,
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
#[utoipa::path(get, operation_id = "get_composition", path = "/api/compositions/{id}", tag = "compositions", params(("id" = Uuid, Path)), responses(
    (status = 200, body = CompositionSpec, headers(("ETag" = String))),
    Refused<404>,
))]
async fn get(State(app): State<App>, id: Id) -> Result<Response, ApiError> {
    let Path(id) = id?;
    Ok(answer(&app.compositions.get(id).await?))
}

/// Replaces a composition. When it plays, the change is heard at once.
#[utoipa::path(put, operation_id = "replace_composition", path = "/api/compositions/{id}", tag = "compositions", request_body = CompositionSpec,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "an ETag")),
    responses(
        (status = 200, body = CompositionSpec, headers(("ETag" = String))),
        Refused<400>, Refused<404>, Refused<412>, Refused<413>, Refused<422>,
    )
)]
async fn replace(
    State(app): State<App>,
    id: Id,
    IfMatch(precondition): IfMatch,
    JsonBody(spec): JsonBody<CompositionSpec>,
) -> Result<Response, ApiError> {
    let Path(id) = id?;
    Ok(answer(&app.compositions.change(id, &precondition, Label::new("replaced"), |_| Ok(spec)).await?))
}

/// Changes a composition by a merge patch (RFC 7396). When it plays, the change is heard at once.
#[utoipa::path(patch, operation_id = "patch_composition", path = "/api/compositions/{id}", tag = "compositions",
    request_body(content = serde_json::Value, content_type = "application/merge-patch+json"),
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "an ETag")),
    responses(
        (status = 200, body = CompositionSpec, headers(("ETag" = String))),
        Refused<400>, Refused<404>, Refused<412>, Refused<413>, Refused<422>,
    )
)]
async fn patch(
    State(app): State<App>,
    id: Id,
    IfMatch(precondition): IfMatch,
    JsonBody(change): JsonBody<Value>,
) -> Result<Response, ApiError> {
    let Path(id) = id?;
    let label = Label::new(format!("changed {}", changed_fields(&change)));
    let change = |spec: &CompositionSpec| merged(spec, change);
    Ok(answer(&app.compositions.change(id, &precondition, label, change).await?))
}

/// What a merge patch is about, for people.
fn changed_fields(patch: &Value) -> String {
    let names = patch.as_object().into_iter().flat_map(|patch| patch.keys().map(String::as_str));
    Vec::from_iter(names.take(8)).join(", ")
}

/// Removes a composition. When it plays, silence follows.
#[utoipa::path(delete, operation_id = "remove_composition", path = "/api/compositions/{id}", tag = "compositions",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "an ETag")),
    responses(
        (status = 204, description = "it is gone"),
        Refused<404>, Refused<412>,
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
#[utoipa::path(post, operation_id = "load_composition", path = "/api/compositions/{id}/load", tag = "compositions",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "an ETag")),
    responses(
        (status = 200, body = PlaybackState),
        Refused<404>, Refused<412>,
        (status = 422, body = Problem, content_type = "application/problem+json", description = "a sample is gone"),
        Refused<503>,
    )
)]
async fn load(
    State(app): State<App>,
    id: Id,
    IfMatch(precondition): IfMatch,
) -> Result<Json<PlaybackState>, ApiError> {
    let Path(id) = id?;
    app.compositions.load(id, &precondition, &[]).await?;
    Ok(Json(app.playback.state()))
}

/// Takes the last change of a composition back. When it plays, that is heard at once.
#[utoipa::path(post, path = "/api/compositions/{id}/undo", tag = "compositions",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "an ETag")),
    responses(
        (status = 200, body = CompositionSpec, headers(("ETag" = String))),
        Refused<404>,
        (status = 409, body = Problem, content_type = "application/problem+json", description = "nothing to undo"),
        Refused<412>, Refused<503>,
    )
)]
async fn undo(State(app): State<App>, id: Id, IfMatch(precondition): IfMatch) -> Result<Response, ApiError> {
    let Path(id) = id?;
    Ok(answer(&app.compositions.travel(id, &precondition, Direction::Undo).await?))
}

/// Makes a change again that was taken back, until another change is made.
#[utoipa::path(post, path = "/api/compositions/{id}/redo", tag = "compositions",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "an ETag")),
    responses(
        (status = 200, body = CompositionSpec, headers(("ETag" = String))),
        Refused<404>,
        (status = 409, body = Problem, content_type = "application/problem+json", description = "nothing to redo"),
        Refused<412>, Refused<503>,
    )
)]
async fn redo(State(app): State<App>, id: Id, IfMatch(precondition): IfMatch) -> Result<Response, ApiError> {
    let Path(id) = id?;
    Ok(answer(&app.compositions.travel(id, &precondition, Direction::Redo).await?))
}

/// The states that a composition was in, the newest first, a page at a time. The last 100 are kept, of 32 MiB
/// together; a fader that is dragged makes one.
#[utoipa::path(get, operation_id = "get_history", path = "/api/compositions/{id}/history", tag = "compositions",
    params(("id" = Uuid, Path), Paging),
    responses(
        (status = 200, body = HistoryPage),
        Refused<404>, Refused<422>,
    )
)]
async fn history(
    State(app): State<App>,
    id: Id,
    Query(paging): Query<Paging>,
) -> Result<Json<HistoryPage>, ApiError> {
    let Path(id) = id?;
    Ok(Json(app.compositions.history(id, paging.cursor(), paging.limit()?).await?))
}
