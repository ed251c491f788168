//! `/api/ws/*`: the stream sockets.

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRef, RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use engine_core::protocol::StreamOptions;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::problem::{ApiError, Refused};
use crate::ws::{StreamQuery, Upgrade, WebSocketManager};

pub(crate) fn router<S>() -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Arc<WebSocketManager>: FromRef<S>,
{
    OpenApiRouter::new()
        .routes(routes!(transport))
        .routes(routes!(meters))
        .routes(routes!(spectrum))
        .routes(routes!(waveform))
        .routes(routes!(analytics))
        .routes(routes!(stereo))
        .routes(routes!(music))
        .routes(routes!(trigger))
        .routes(routes!(audio))
        .routes(routes!(stream))
}

/// The echo that conformance suites drive; no part of the interface.
pub(super) fn echo_router() -> Router<App> {
    let echo = async |State(app): State<App>, upgrade: Upgrade| app.sockets.connect_echo(upgrade);
    Router::new().route("/api/ws/echo", get(echo))
}

/// Query of every stream; [`StreamOptions`] may follow.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only describes the query, which StreamQuery reads")]
struct Common {
    /// Where: `master` (the default), `input` or a track's id.
    tap: Option<String>,
    /// Frames per second, 1 to 120; 30 when absent.
    fps: Option<u16>,
    /// In place of the token: from `POST /api/tickets`.
    ticket: Option<String>,
    /// `close`: a refusal opens the socket and closes it with 4401, 4403, 4429, 1013 or 1008 and a reason.
    refusal: Option<String>,
    /// More options, each a parameter of its own: `fft_size`, `window`, `scale`, `bands`, `fraction`,
    /// `weighting`, `channels`, `min_hz`, `max_hz`, `attack_ms`, `release_ms`, `hold_ms`, `multi_resolution`, `wide`
    /// (spectrum), `mode`, `samples`, `window_ms` (waveform), `ballistics`, `tap_loudness` (meters), `points` (stereo),
    /// `kind`, `seconds`, `below_db`, `measure`, `above_lufs`, `below_lufs`, `once` (trigger), `format` (audio).
    #[param(style = Form, explode)]
    options: Option<StreamOptions>,
}

fn read(query: Option<String>) -> Result<StreamQuery, ApiError> {
    StreamQuery::parse(query.as_deref().unwrap_or(""))
}

/// The transport: on change, and five times a second.
#[utoipa::path(get, path = "/api/ws/transport", tag = "streams", params(Common), responses(
    (status = 101, description = "subprotocol `antiphon.v1.json` (default) or `antiphon.v1.binary`; `Hello`, then `TransportFrame`s"),
    Refused<400>, Refused<426>,
))]
async fn transport(
    State(sockets): State<Arc<WebSocketManager>>,
    RawQuery(query): RawQuery,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    sockets.connect_transport(upgrade, &read(query)?).await
}

/// Meters of every tap, and the master's loudness.
#[utoipa::path(get, path = "/api/ws/meters", tag = "streams", params(Common), responses(
    (status = 101, description = "`Hello`, then `MetersFrame`s"),
    Refused<400>, Refused<426>,
))]
async fn meters(
    State(sockets): State<Arc<WebSocketManager>>,
    RawQuery(query): RawQuery,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    sockets.connect_meters(upgrade, &read(query)?).await
}

/// The spectrum of a tap.
#[utoipa::path(get, path = "/api/ws/spectrum", tag = "streams", params(Common), responses(
    (status = 101, description = "`Hello`, then `SpectrumFrame`s"),
    Refused<400>, Refused<426>,
))]
async fn spectrum(
    State(sockets): State<Arc<WebSocketManager>>,
    RawQuery(query): RawQuery,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    sockets.connect_spectrum(upgrade, &read(query)?).await
}

/// The waveform of a tap.
#[utoipa::path(get, path = "/api/ws/waveform", tag = "streams", params(Common), responses(
    (status = 101, description = "`Hello`, then `WaveformFrame`s"),
    Refused<400>, Refused<426>,
))]
async fn waveform(
    State(sockets): State<Arc<WebSocketManager>>,
    RawQuery(query): RawQuery,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    sockets.connect_waveform(upgrade, &read(query)?).await
}

/// The server's own load.
#[utoipa::path(get, path = "/api/ws/analytics", tag = "streams", params(Common), responses(
    (status = 101, description = "`Hello`, then `AnalyticsFrame`s"),
    Refused<400>, Refused<426>,
))]
async fn analytics(
    State(sockets): State<Arc<WebSocketManager>>,
    RawQuery(query): RawQuery,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    sockets.connect_analytics(upgrade, &read(query)?).await
}

/// The stereo image of a tap: correlation, balance, width, goniometer.
#[utoipa::path(get, path = "/api/ws/stereo", tag = "streams", params(Common), responses(
    (status = 101, description = "`Hello`, then `StereoFrame`s"),
    Refused<400>, Refused<426>,
))]
async fn stereo(
    State(sockets): State<Arc<WebSocketManager>>,
    RawQuery(query): RawQuery,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    sockets.connect_stereo(upgrade, &read(query)?).await
}

/// What is played on a tap: pitch, chroma, key, onsets, tempo.
#[utoipa::path(get, path = "/api/ws/music", tag = "streams", params(Common), responses(
    (status = 101, description = "`Hello`, then `MusicFrame`s"),
    Refused<400>, Refused<426>,
))]
async fn music(
    State(sockets): State<Arc<WebSocketManager>>,
    RawQuery(query): RawQuery,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    sockets.connect_music(upgrade, &read(query)?).await
}

/// Tells when a tap clips, falls silent or crosses a loudness, at the exact sample. Each trigger has its own state,
/// fires once and is over (or, with `once=false`, arms itself again). None is merged; 64 of a tap wait for a slow
/// client, later ones are counted in `dropped`. A tap may have one of each kind on a socket; one of the same kind takes its
/// place.
#[utoipa::path(get, path = "/api/ws/trigger", tag = "streams", params(Common), responses(
    (status = 101, description = "`Hello`, then `TriggerFrame`s; without a query, whenever the master is silent for 5 s"),
    Refused<400>, Refused<426>,
))]
async fn trigger(
    State(sockets): State<Arc<WebSocketManager>>,
    RawQuery(query): RawQuery,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    sockets.connect_trigger(upgrade, &read(query)?).await
}

/// The sound of a tap, every sample in order. Half a second waits for a slow client; then whole frames are dropped, the
/// oldest first, counted in `dropped`, and what follows is marked as a discontinuity.
#[utoipa::path(get, path = "/api/ws/audio", tag = "streams", params(Common), responses(
    (status = 101, description = "`Hello`, then `AudioFrame`s"),
    Refused<400>, Refused<426>,
))]
async fn audio(
    State(sockets): State<Arc<WebSocketManager>>,
    RawQuery(query): RawQuery,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    sockets.connect_audio(upgrade, &read(query)?).await
}

/// Any topics on one socket: transport and meters at first, more by `subscribe` messages.
#[utoipa::path(get, path = "/api/ws/stream", tag = "streams", params(Common), responses(
    (status = 101, description = "`Hello`, then frames of all subscribed topics; `ClientMessage`s change them"),
    Refused<400>, Refused<426>,
))]
async fn stream(
    State(sockets): State<Arc<WebSocketManager>>,
    RawQuery(query): RawQuery,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    sockets.connect_stream(upgrade, &read(query)?).await
}
