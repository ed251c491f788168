//! `/api/mixer`: gain, pan, mute and solo of what plays. Its ETag is that of the composition.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine_core::composition::{Instrument, Track};
use engine_core::protocol::rest::{
    ChannelPatch, MasterPatch, MasterStrip, MixerChannel, MixerState, Problem,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::App;
use super::extract::{IfMatch, JsonBody, from_value, with_etag};
use super::problem::{ApiError, Refused};
use crate::store::Stored;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_mixer))
        .routes(routes!(get_channel, patch_channel))
        .routes(routes!(get_master, patch_master))
}

/// An answer with the ETag of what is loaded.
fn answer(loaded: Option<&Stored>, body: impl Serialize) -> Response {
    match loaded {
        Some(stored) => with_etag(stored, StatusCode::OK, body),
        None => Json(body).into_response(),
    }
}

/// A merge patch (RFC 7396) as the strips have them: what is null goes back to what a new track has.
fn patch_of<T: DeserializeOwned + Serialize>(mut patch: Map<String, Value>) -> Result<T, ApiError> {
    let track = serde_json::to_value(Track::new("", Instrument::default())).unwrap_or_default();
    for (name, value) in patch.iter_mut().filter(|(_, value)| value.is_null()) {
        *value = track.get(name).cloned().unwrap_or_default();
    }
    from_value(Value::Object(patch))
}

/// All strips, in the order of the tracks. Without a composition there is no ETag.
#[utoipa::path(get, path = "/api/mixer", tag = "mixer", responses(
    (status = 200, body = MixerState, headers(("ETag" = String))),
))]
async fn get_mixer(State(app): State<App>) -> Response {
    let (loaded, state) = app.mixer.state();
    answer(loaded.as_ref(), state)
}

/// The strip of a track.
#[utoipa::path(get, path = "/api/mixer/channels/{id}", tag = "mixer",
    params(("id" = Uuid, Path, description = "the track's id")),
    responses(
        (status = 200, body = MixerChannel, headers(("ETag" = String))),
        Refused<404>,
    )
)]
async fn get_channel(
    State(app): State<App>,
    id: Result<Path<Uuid>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(id) = id?;
    let (loaded, channel) = app.mixer.channel(id)?;
    Ok(answer(Some(&loaded), channel))
}

/// Changes the strip of a track by a merge patch (RFC 7396). A change of the composition.
#[utoipa::path(patch, path = "/api/mixer/channels/{id}", tag = "mixer",
    request_body(content = ChannelPatch, content_type = "application/merge-patch+json"),
    params(
        ("id" = Uuid, Path, description = "the track's id"),
        ("If-Match" = Option<String>, Header, description = "an ETag of the composition that is loaded"),
    ),
    responses(
        (status = 200, body = MixerChannel, headers(("ETag" = String))),
        Refused<400>, Refused<404>, Refused<412>, Refused<422>, Refused<503>,
    )
)]
async fn patch_channel(
    State(app): State<App>,
    id: Result<Path<Uuid>, PathRejection>,
    IfMatch(precondition): IfMatch,
    JsonBody(patch): JsonBody<Map<String, Value>>,
) -> Result<Response, ApiError> {
    let Path(id) = id?;
    let (loaded, channel) = app.mixer.patch_channel(id, &precondition, patch_of(patch)?).await?;
    Ok(answer(Some(&loaded), channel))
}

/// The master strip.
#[utoipa::path(get, path = "/api/mixer/master", tag = "mixer", responses(
    (status = 200, body = MasterStrip, headers(("ETag" = String))),
))]
async fn get_master(State(app): State<App>) -> Response {
    let (loaded, state) = app.mixer.state();
    answer(loaded.as_ref(), state.master)
}

/// Changes the master strip by a merge patch (RFC 7396). A change of the composition.
#[utoipa::path(patch, path = "/api/mixer/master", tag = "mixer",
    request_body(content = MasterPatch, content_type = "application/merge-patch+json"),
    params(("If-Match" = Option<String>, Header, description = "an ETag of the composition that is loaded")),
    responses(
        (status = 200, body = MasterStrip, headers(("ETag" = String))),
        Refused<400>,
        (status = 404, body = Problem, content_type = "application/problem+json", description = "nothing is loaded"),
        Refused<412>, Refused<422>, Refused<503>,
    )
)]
async fn patch_master(
    State(app): State<App>,
    IfMatch(precondition): IfMatch,
    JsonBody(patch): JsonBody<Map<String, Value>>,
) -> Result<Response, ApiError> {
    let (loaded, strip) = app.mixer.patch_master(&precondition, patch_of(patch)?).await?;
    Ok(answer(Some(&loaded), strip))
}
