//! `…/clips`: the clips of a track, one at a time, of notes or of samples. Their ETag is the composition's.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine_core::protocol::rest::{AnyClip, ClipPage, Problem};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::App;
use super::extract::{IfMatch, JsonBody, Query, created_at, from_value, with_etag};
use super::merge::merged_value;
use super::paging::Paging;
use super::problem::{ApiError, Refused};
use crate::services::{ClipPath, ServiceError, TrackPath, clips_of};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(get, replace, patch, remove))
}

type OfTrack = Result<Path<(Uuid, Uuid)>, PathRejection>;
type OfClip = Result<Path<(Uuid, Uuid, Uuid)>, PathRejection>;

fn track_of(ids: OfTrack) -> Result<TrackPath, ApiError> {
    let Path((composition, track)) = ids?;
    Ok(TrackPath { composition, track })
}

fn path_of(ids: OfClip) -> Result<ClipPath, ApiError> {
    let Path((composition, track, clip)) = ids?;
    Ok(ClipPath { track: TrackPath { composition, track }, clip })
}

/// What has a sample is an audio clip. Told by hand, since an untagged enum could not name the field that is wrong.
fn clip_of(value: Value) -> Result<AnyClip, ServiceError> {
    let clip = if value.get("sample").is_some() {
        from_value(value).map(AnyClip::Audio)
    } else {
        from_value(value).map(AnyClip::Notes)
    };
    clip.map_err(|error| ServiceError::Invalid(error.into_problem().errors))
}

/// The clips of a track, first those of notes and then those of samples, a page at a time.
#[utoipa::path(get, operation_id = "list_clips", path = "/api/compositions/{id}/tracks/{track}/clips", tag = "compositions", 
    params(("id" = Uuid, Path), ("track" = Uuid, Path), Paging), responses(
    (status = 200, body = ClipPage, headers(("ETag" = String))),
    Refused<404>, Refused<422>,
))]
async fn list(
    State(app): State<App>,
    ids: OfTrack,
    Query(paging): Query<Paging>,
) -> Result<Response, ApiError> {
    let (stored, track) = app.compositions.track(track_of(ids)?).await?;
    let mut items = Vec::from_iter(clips_of(&track));
    let (range, next_cursor) = paging.range(&Vec::from_iter(items.iter().map(AnyClip::id)))?;
    let items = items.drain(range).collect();
    Ok(with_etag(&stored, StatusCode::OK, ClipPage { items, next_cursor }))
}

/// Adds a clip to a track. Without an id it gets one. When the composition plays, it is heard at once.
#[utoipa::path(post, operation_id = "create_clip", path = "/api/compositions/{id}/tracks/{track}/clips", tag = "compositions", request_body = AnyClip,
    params(("id" = Uuid, Path), ("track" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "an ETag")),
    responses(
        (status = 201, body = AnyClip, headers(("ETag" = String), ("Location" = String))),
        Refused<400>, Refused<404>,
        (status = 409, body = Problem, content_type = "application/problem+json", description = "the id exists"),
        Refused<412>, Refused<413>, Refused<422>,
    )
)]
async fn create(
    State(app): State<App>,
    ids: OfTrack,
    IfMatch(precondition): IfMatch,
    JsonBody(clip): JsonBody<Value>,
) -> Result<Response, ApiError> {
    let path = track_of(ids)?;
    let (stored, clip) = app.compositions.add_clip(path, &precondition, clip_of(clip)?).await?;
    let TrackPath { composition, track } = path;
    let location = format!("/api/compositions/{composition}/tracks/{track}/clips/{}", clip.id());
    Ok(created_at(&location, &stored, clip))
}

/// One clip.
#[utoipa::path(get, operation_id = "get_clip", path = "/api/compositions/{id}/tracks/{track}/clips/{clip}", tag = "compositions",
    params(("id" = Uuid, Path), ("track" = Uuid, Path), ("clip" = Uuid, Path)),
    responses(
        (status = 200, body = AnyClip, headers(("ETag" = String))),
        Refused<404>,
    )
)]
async fn get(State(app): State<App>, ids: OfClip) -> Result<Response, ApiError> {
    let (stored, clip) = app.compositions.clip(path_of(ids)?).await?;
    Ok(with_etag(&stored, StatusCode::OK, clip))
}

/// Replaces a clip. It may change its kind.
#[utoipa::path(put, operation_id = "replace_clip", path = "/api/compositions/{id}/tracks/{track}/clips/{clip}", tag = "compositions", request_body = AnyClip,
    params(("id" = Uuid, Path), ("track" = Uuid, Path), ("clip" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "an ETag")),
    responses(
        (status = 200, body = AnyClip, headers(("ETag" = String))),
        Refused<400>, Refused<404>, Refused<412>, Refused<413>, Refused<422>,
    )
)]
async fn replace(
    State(app): State<App>,
    ids: OfClip,
    IfMatch(precondition): IfMatch,
    JsonBody(clip): JsonBody<Value>,
) -> Result<Response, ApiError> {
    let clip = clip_of(clip)?;
    let changed = app.compositions.change_clip(path_of(ids)?, &precondition, |_| Ok(clip));
    let (stored, clip) = changed.await?;
    Ok(with_etag(&stored, StatusCode::OK, clip))
}

/// Changes a clip by a merge patch (RFC 7396).
#[utoipa::path(patch, operation_id = "patch_clip", path = "/api/compositions/{id}/tracks/{track}/clips/{clip}", tag = "compositions",
    request_body(content = serde_json::Value, content_type = "application/merge-patch+json"),
    params(("id" = Uuid, Path), ("track" = Uuid, Path), ("clip" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "an ETag")),
    responses(
        (status = 200, body = AnyClip, headers(("ETag" = String))),
        Refused<400>, Refused<404>, Refused<412>, Refused<413>, Refused<422>,
    )
)]
async fn patch(
    State(app): State<App>,
    ids: OfClip,
    IfMatch(precondition): IfMatch,
    JsonBody(change): JsonBody<Value>,
) -> Result<Response, ApiError> {
    let change = |clip: &AnyClip| clip_of(merged_value(clip, change)?);
    let (stored, clip) = app.compositions.change_clip(path_of(ids)?, &precondition, change).await?;
    Ok(with_etag(&stored, StatusCode::OK, clip))
}

/// Removes a clip.
#[utoipa::path(delete, operation_id = "remove_clip", path = "/api/compositions/{id}/tracks/{track}/clips/{clip}", tag = "compositions",
    params(("id" = Uuid, Path), ("track" = Uuid, Path), ("clip" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "an ETag")),
    responses(
        (status = 204, description = "it is gone"),
        Refused<404>, Refused<412>,
    )
)]
async fn remove(
    State(app): State<App>,
    ids: OfClip,
    IfMatch(precondition): IfMatch,
) -> Result<Response, ApiError> {
    app.compositions.remove_clip(path_of(ids)?, &precondition).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
