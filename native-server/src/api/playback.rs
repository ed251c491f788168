//! `/api/playback`: the transport.

use axum::Json;
use axum::extract::State;
use engine_core::control::Command;
use engine_core::protocol::rest::{
    ArmRequest, LoopRequest, MetronomeRequest, PlaybackState, Problem, RecordRequest, RecordSource,
    SeekRequest, TakeReport, TempoRequest,
};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::extract::{IfMatch, JsonBody, OptionalJson, from_value};
use super::problem::{ApiError, Refused};
use crate::services::ServiceError;

type Answer = Result<Json<PlaybackState>, ApiError>;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_playback))
        .routes(routes!(play))
        .routes(routes!(stop))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(record))
        .routes(routes!(arm))
        .routes(routes!(get_take))
        .routes(routes!(seek))
        .routes(routes!(set_tempo))
        .routes(routes!(set_loop))
        .routes(routes!(set_metronome))
}

/// Where the transport stands.
#[utoipa::path(get, path = "/api/playback", tag = "playback", responses((status = 200, body = PlaybackState)))]
async fn get_playback(State(app): State<App>) -> Json<PlaybackState> {
    Json(app.playback.state())
}

/// Starts from where the transport stands.
#[utoipa::path(post, path = "/api/playback/play", tag = "playback", responses(
    (status = 200, body = PlaybackState),
    Refused<503>,
))]
async fn play(State(app): State<App>) -> Answer {
    Ok(Json(app.playback.command(Command::Play).await?))
}

/// Stops and goes back to the start.
#[utoipa::path(post, path = "/api/playback/stop", tag = "playback", responses(
    (status = 200, body = PlaybackState),
    Refused<503>,
))]
async fn stop(State(app): State<App>) -> Answer {
    Ok(Json(app.playback.command(Command::Stop).await?))
}

/// Stops where it is; nothing when it does not play.
#[utoipa::path(post, path = "/api/playback/pause", tag = "playback", responses(
    (status = 200, body = PlaybackState),
    Refused<503>,
))]
async fn pause(State(app): State<App>) -> Answer {
    Ok(Json(app.playback.command(Command::Pause).await?))
}

/// Goes on after a pause; nothing in any other state.
#[utoipa::path(post, path = "/api/playback/resume", tag = "playback", responses(
    (status = 200, body = PlaybackState),
    Refused<503>,
))]
async fn resume(State(app): State<App>) -> Answer {
    Ok(Json(app.playback.command(Command::Resume).await?))
}

/// Records to the armed track, from where the transport stands, until the playhead stops or is moved. A loop goes on:
/// its passes lie over one another. What was recorded is one revision of the composition when the call that ends it
/// returns.
#[utoipa::path(post, path = "/api/playback/record", tag = "playback", request_body = Option<RecordRequest>, responses(
    (status = 200, body = PlaybackState),
    Refused<400>,
    (status = 404, body = Problem, content_type = "application/problem+json", description = "nothing is loaded"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "no track is armed, a recording goes on, or there is no input"),
    Refused<422>, Refused<503>,
))]
async fn record(State(app): State<App>, OptionalJson(request): OptionalJson<RecordRequest>) -> Answer {
    if request.source == RecordSource::Input && app.input.is_none() {
        let text = "the server takes no input; start it with --input-device default, or with one of GET /api/devices";
        return Err(ServiceError::Conflict(String::from(text)).into());
    }
    Ok(Json(app.playback.record(request).await?))
}

/// Chooses the track that is recorded to, and that MIDI keyboards play. It is none of the composition: loading one
/// disarms, and undo does not come here.
#[utoipa::path(put, path = "/api/playback/armed", tag = "playback", request_body = ArmRequest, responses(
    (status = 200, body = PlaybackState),
    Refused<400>,
    (status = 404, body = Problem, content_type = "application/problem+json", description = "nothing is loaded, or it has no such track"),
    (status = 409, body = Problem, content_type = "application/problem+json", description = "a recording goes on"),
    Refused<422>, Refused<503>,
))]
async fn arm(State(app): State<App>, JsonBody(request): JsonBody<ArmRequest>) -> Answer {
    Ok(Json(app.playback.arm(request.track_id).await?))
}

/// What came of the last recording.
#[utoipa::path(get, path = "/api/playback/take", tag = "playback", responses((status = 200, body = TakeReport)))]
async fn get_take(State(app): State<App>) -> Json<TakeReport> {
    Json(app.playback.last_take())
}

/// Moves the playhead, in beats or in seconds; after the end means the end.
#[utoipa::path(post, path = "/api/playback/seek", tag = "playback", request_body = SeekRequest, responses(
    (status = 200, body = PlaybackState),
    Refused<400>, Refused<422>, Refused<503>,
))]
async fn seek(State(app): State<App>, JsonBody(value): JsonBody<Value>) -> Answer {
    Ok(Json(app.playback.seek(seek_request(value)?).await?))
}

/// Exactly one of the two fields; an untagged enum would only say that nothing matched.
fn seek_request(value: Value) -> Result<SeekRequest, ApiError> {
    #[derive(serde::Deserialize, serde::Serialize)]
    #[serde(deny_unknown_fields)]
    struct Either {
        position_beats: Option<f64>,
        position_seconds: Option<f64>,
    }
    match from_value::<Either>(value)? {
        Either { position_beats: Some(position_beats), position_seconds: None } => {
            Ok(SeekRequest::Beats { position_beats })
        }
        Either { position_beats: None, position_seconds: Some(position_seconds) } => {
            Ok(SeekRequest::Seconds { position_seconds })
        }
        _ => Err(ApiError::invalid_field("position_beats", "give either position_beats or position_seconds")),
    }
}

/// Replaces the tempo at the playhead. A change of the composition.
#[utoipa::path(put, path = "/api/playback/tempo", tag = "playback", request_body = TempoRequest,
    params(("If-Match" = Option<String>, Header, description = "an ETag of the composition that is loaded")),
    responses(
        (status = 200, body = PlaybackState),
        Refused<400>,
        (status = 404, body = Problem, content_type = "application/problem+json", description = "nothing is loaded"),
        Refused<412>, Refused<422>, Refused<503>,
    )
)]
async fn set_tempo(
    State(app): State<App>,
    IfMatch(precondition): IfMatch,
    JsonBody(request): JsonBody<TempoRequest>,
) -> Answer {
    Ok(Json(app.playback.set_tempo(&precondition, request).await?))
}

/// Sets the loop region; an end after the composition's end means its end.
#[utoipa::path(put, path = "/api/playback/loop", tag = "playback", request_body = LoopRequest, responses(
    (status = 200, body = PlaybackState),
    Refused<400>,
    (status = 404, body = Problem, content_type = "application/problem+json", description = "nothing is loaded"),
    Refused<422>, Refused<503>,
))]
async fn set_loop(State(app): State<App>, JsonBody(request): JsonBody<LoopRequest>) -> Answer {
    Ok(Json(app.playback.set_loop(request).await?))
}

/// Switches the click on each beat.
#[utoipa::path(put, path = "/api/playback/metronome", tag = "playback", request_body = MetronomeRequest, responses(
    (status = 200, body = PlaybackState),
    Refused<400>, Refused<422>, Refused<503>,
))]
async fn set_metronome(State(app): State<App>, JsonBody(request): JsonBody<MetronomeRequest>) -> Answer {
    Ok(Json(app.playback.set_metronome(request).await?))
}
