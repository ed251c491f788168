//! `/api/mixer`: gain, pan, mute and solo of what plays.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use engine_core::protocol::rest::{ChannelPatch, MasterPatch, MasterStrip, MixerChannel, MixerState};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::App;
use super::extract::JsonBody;
use super::problem::{ApiError, Refused};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_mixer))
        .routes(routes!(get_channel, patch_channel))
        .routes(routes!(get_master, patch_master))
}

/// All strips, in the order of the tracks.
#[utoipa::path(get, path = "/api/mixer", tag = "mixer", responses((status = 200, body = MixerState)))]
async fn get_mixer(State(app): State<App>) -> Json<MixerState> {
    Json(app.mixer.state().await)
}

/// The strip of a track.
#[utoipa::path(get, path = "/api/mixer/channels/{id}", tag = "mixer",
    params(("id" = Uuid, Path, description = "the track's id")),
    responses(
        (status = 200, body = MixerChannel),
        Refused<404>,
    )
)]
async fn get_channel(
    State(app): State<App>,
    id: Result<Path<Uuid>, PathRejection>,
) -> Result<Json<MixerChannel>, ApiError> {
    let Path(id) = id?;
    Ok(Json(app.mixer.channel(id).await?))
}

/// Changes the strip of a track. A change of the composition.
#[utoipa::path(patch, path = "/api/mixer/channels/{id}", tag = "mixer", request_body = ChannelPatch,
    params(("id" = Uuid, Path, description = "the track's id")),
    responses(
        (status = 200, body = MixerChannel),
        Refused<400>, Refused<404>, Refused<422>, Refused<503>,
    )
)]
async fn patch_channel(
    State(app): State<App>,
    id: Result<Path<Uuid>, PathRejection>,
    JsonBody(patch): JsonBody<ChannelPatch>,
) -> Result<Json<MixerChannel>, ApiError> {
    let Path(id) = id?;
    Ok(Json(app.mixer.patch_channel(id, patch).await?))
}

/// The master strip.
#[utoipa::path(get, path = "/api/mixer/master", tag = "mixer", responses((status = 200, body = MasterStrip)))]
async fn get_master(State(app): State<App>) -> Json<MasterStrip> {
    Json(app.mixer.master().await)
}

/// Changes the master strip.
#[utoipa::path(patch, path = "/api/mixer/master", tag = "mixer", request_body = MasterPatch, responses(
    (status = 200, body = MasterStrip),
    Refused<400>, Refused<422>, Refused<503>,
))]
async fn patch_master(
    State(app): State<App>,
    JsonBody(patch): JsonBody<MasterPatch>,
) -> Result<Json<MasterStrip>, ApiError> {
    Ok(Json(app.mixer.patch_master(patch).await?))
}
