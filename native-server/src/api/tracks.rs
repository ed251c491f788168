//! `…/tracks`: the tracks of a composition, one at a time. Their ETag is the composition's.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine_core::composition::Track;
use engine_core::protocol::rest::{Problem, TrackPage};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::App;
use super::extract::{IfMatch, JsonBody, Query, created_at, with_etag};
use super::merge::merged;
use super::paging::Paging;
use super::problem::{ApiError, Refused};
use crate::services::TrackPath;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, replace, patch, remove))
}

type Id = Result<Path<Uuid>, PathRejection>;
type Ids = Result<Path<(Uuid, Uuid)>, PathRejection>;

fn path_of(ids: Ids) -> Result<TrackPath, ApiError> {
    let Path((composition, track)) = ids?;
    Ok(TrackPath { composition, track })
}

/// The tracks of a composition, in its order, a page at a time.
#[utoipa::path(get, operation_id = "list_tracks", path = "/api/compositions/{id}/tracks", tag = "compositions", params(("id" = Uuid, Path), Paging), responses(
    (status = 200, body = TrackPage, headers(("ETag" = String))),
    Refused<404>, Refused<422>,
))]
async fn list(State(app): State<App>, id: Id, Query(paging): Query<Paging>) -> Result<Response, ApiError> {
    let Path(id) = id?;
    let stored = app.compositions.get(id).await?;
    let tracks = &stored.composition.tracks;
    let (range, next_cursor) = paging.range(&Vec::from_iter(tracks.iter().map(|track| track.id)))?;
    let items = tracks[range].to_vec();
    Ok(with_etag(&stored, StatusCode::OK, TrackPage { items, next_cursor }))
}

/// Adds a track after the others. What has no id gets one. When the composition plays, it is heard at once.
#[utoipa::path(post, operation_id = "create_track", path = "/api/compositions/{id}/tracks", tag = "compositions", request_body = Track,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "an ETag")),
    responses(
        (status = 201, body = Track, headers(("ETag" = String), ("Location" = String))),
        Refused<400>, Refused<404>,
        (status = 409, body = Problem, content_type = "application/problem+json", description = "the id exists"),
        Refused<412>, Refused<413>, Refused<422>,
    )
)]
async fn create(
    State(app): State<App>,
    id: Id,
    IfMatch(precondition): IfMatch,
    JsonBody(track): JsonBody<Track>,
) -> Result<Response, ApiError> {
    let Path(id) = id?;
    let (stored, track) = app.compositions.add_track(id, &precondition, track).await?;
    Ok(created_at(&format!("/api/compositions/{id}/tracks/{}", track.id), &stored, track))
}

/// One track.
#[utoipa::path(get, operation_id = "get_track", path = "/api/compositions/{id}/tracks/{track}", tag = "compositions",
    params(("id" = Uuid, Path), ("track" = Uuid, Path)),
    responses(
        (status = 200, body = Track, headers(("ETag" = String))),
        Refused<404>,
    )
)]
async fn get(State(app): State<App>, ids: Ids) -> Result<Response, ApiError> {
    let (stored, track) = app.compositions.track(path_of(ids)?).await?;
    Ok(with_etag(&stored, StatusCode::OK, track))
}

/// Replaces a track.
#[utoipa::path(put, operation_id = "replace_track", path = "/api/compositions/{id}/tracks/{track}", tag = "compositions", request_body = Track,
    params(("id" = Uuid, Path), ("track" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "an ETag")),
    responses(
        (status = 200, body = Track, headers(("ETag" = String))),
        Refused<400>, Refused<404>, Refused<412>, Refused<413>, Refused<422>,
    )
)]
async fn replace(
    State(app): State<App>,
    ids: Ids,
    IfMatch(precondition): IfMatch,
    JsonBody(track): JsonBody<Track>,
) -> Result<Response, ApiError> {
    let changed = app.compositions.change_track(path_of(ids)?, &precondition, |_| Ok(track));
    let (stored, track) = changed.await?;
    Ok(with_etag(&stored, StatusCode::OK, track))
}

/// Changes a track by a merge patch (RFC 7396).
#[utoipa::path(patch, operation_id = "patch_track", path = "/api/compositions/{id}/tracks/{track}", tag = "compositions",
    request_body(content = serde_json::Value, content_type = "application/merge-patch+json"),
    params(("id" = Uuid, Path), ("track" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "an ETag")),
    responses(
        (status = 200, body = Track, headers(("ETag" = String))),
        Refused<400>, Refused<404>, Refused<412>, Refused<413>, Refused<422>,
    )
)]
async fn patch(
    State(app): State<App>,
    ids: Ids,
    IfMatch(precondition): IfMatch,
    JsonBody(change): JsonBody<Value>,
) -> Result<Response, ApiError> {
    let changed = app.compositions.change_track(path_of(ids)?, &precondition, |track| merged(track, change));
    let (stored, track) = changed.await?;
    Ok(with_etag(&stored, StatusCode::OK, track))
}

/// Removes a track.
#[utoipa::path(delete, operation_id = "remove_track", path = "/api/compositions/{id}/tracks/{track}", tag = "compositions",
    params(("id" = Uuid, Path), ("track" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "an ETag")),
    responses(
        (status = 204, description = "it is gone"),
        Refused<404>, Refused<412>,
    )
)]
async fn remove(
    State(app): State<App>,
    ids: Ids,
    IfMatch(precondition): IfMatch,
) -> Result<Response, ApiError> {
    app.compositions.remove_track(path_of(ids)?, &precondition).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
