//! `/api/health` and `/api/info`.

use axum::Json;
use axum::extract::State;
use engine_core::protocol::json::{Limits, TopicInfo};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::extract::MAX_BODY;
use crate::services::{MAX_FILE_BYTES, MAX_SECONDS, MAX_TOTAL_BYTES};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(health)).routes(routes!(info))
}

/// Answer of `GET /api/health`.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok`: the server answers.
    status: &'static str,
    /// Messages that the audio thread has taken; it is alive when `sample_position` grows.
    sample_position: u64,
}

/// Answer of `GET /api/info`.
#[derive(Serialize, ToSchema)]
pub(super) struct Info {
    /// `Antiphon`.
    name: &'static str,
    /// Version of the server.
    version: &'static str,
    /// Version of the stream protocol.
    protocol_version: u32,
    /// Changes when the server restarts.
    epoch: u16,
    /// Frames per second of the engine.
    sample_rate: u32,
    /// What `--sample-rate` asked for, when the device has no such rate and the nearest one was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked_sample_rate: Option<u32>,
    /// The device that plays.
    device: String,
    /// Frames that one callback of the device usually asks for.
    buffer_size: u32,
    /// What one can subscribe.
    topics: Vec<TopicInfo>,
    /// What a stream socket allows.
    limits: Limits,
    /// What may be sent and kept.
    file_limits: FileLimits,
}

/// How long bodies and recordings may be.
#[derive(Serialize, ToSchema)]
pub(super) struct FileLimits {
    /// Bytes of a JSON body or a MIDI file.
    body_bytes: u64,
    /// Bytes of a recording's file.
    sample_bytes: u64,
    /// Seconds of a recording.
    sample_seconds: u64,
    /// Bytes of all recordings' files together.
    all_samples_bytes: u64,
}

/// Whether the server is alive. Needs no token.
#[utoipa::path(get, path = "/api/health", tag = "system", responses((status = 200, body = Health)))]
async fn health(State(app): State<App>) -> Json<Health> {
    Json(Health { status: "ok", sample_position: app.publisher.state().sample_position })
}

/// What the server is and what it offers.
#[utoipa::path(get, path = "/api/info", tag = "system", responses((status = 200, body = Info)))]
async fn info(State(app): State<App>) -> Json<Info> {
    let device = app.audio.info();
    // Of the engine: a device that came later may have another.
    let sample_rate = app.publisher.taps().sample_rate;
    Json(Info {
        name: "Antiphon",
        version: env!("CARGO_PKG_VERSION"),
        protocol_version: engine_core::protocol::VERSION,
        epoch: app.epoch,
        sample_rate,
        asked_sample_rate: app.asked_rate.map(|rate| rate.hz()).filter(|hz| *hz != sample_rate),
        device: device.name,
        buffer_size: device.buffer_frames,
        topics: TopicInfo::all(),
        limits: Limits::SERVER,
        file_limits: FileLimits {
            body_bytes: MAX_BODY as u64,
            sample_bytes: MAX_FILE_BYTES as u64,
            sample_seconds: MAX_SECONDS,
            all_samples_bytes: MAX_TOTAL_BYTES,
        },
    })
}
