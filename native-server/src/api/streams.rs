//! `/api/ws/*`: the stream sockets.

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use engine_core::protocol::StreamOptions;
use engine_core::protocol::rest::Problem;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::problem::ApiError;
use crate::ws::{StreamQuery, Upgrade};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(transport))
        .routes(routes!(meters))
        .routes(routes!(spectrum))
        .routes(routes!(waveform))
        .routes(routes!(analytics))
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
    /// (spectrum), `mode`, `samples`, `window_ms` (waveform), `ballistics` (meters).
    #[param(style = Form, explode)]
    options: Option<StreamOptions>,
}

fn read(query: Option<String>) -> Result<StreamQuery, ApiError> {
    StreamQuery::parse(query.as_deref().unwrap_or(""))
}

/// The transport: on change, and five times a second.
#[utoipa::path(get, path = "/api/ws/transport", tag = "streams", params(Common), responses(
    (status = 101, description = "subprotocol `antiphon.v1.json` (default) or `antiphon.v1.binary`; `Hello`, then `TransportFrame`s"),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 426, body = Problem, content_type = "application/problem+json"),
))]
async fn transport(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    app.sockets.connect_transport(upgrade, &read(query)?).await
}

/// Meters of every tap, and the master's loudness.
#[utoipa::path(get, path = "/api/ws/meters", tag = "streams", params(Common), responses(
    (status = 101, description = "`Hello`, then `MetersFrame`s"),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 426, body = Problem, content_type = "application/problem+json"),
))]
async fn meters(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    app.sockets.connect_meters(upgrade, &read(query)?).await
}

/// The spectrum of a tap.
#[utoipa::path(get, path = "/api/ws/spectrum", tag = "streams", params(Common), responses(
    (status = 101, description = "`Hello`, then `SpectrumFrame`s"),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 426, body = Problem, content_type = "application/problem+json"),
))]
async fn spectrum(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    app.sockets.connect_spectrum(upgrade, &read(query)?).await
}

/// The waveform of a tap.
#[utoipa::path(get, path = "/api/ws/waveform", tag = "streams", params(Common), responses(
    (status = 101, description = "`Hello`, then `WaveformFrame`s"),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 426, body = Problem, content_type = "application/problem+json"),
))]
async fn waveform(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    app.sockets.connect_waveform(upgrade, &read(query)?).await
}

/// The server's own load.
#[utoipa::path(get, path = "/api/ws/analytics", tag = "streams", params(Common), responses(
    (status = 101, description = "`Hello`, then `AnalyticsFrame`s"),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 426, body = Problem, content_type = "application/problem+json"),
))]
async fn analytics(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    app.sockets.connect_analytics(upgrade, &read(query)?).await
}

/// Any topics on one socket: transport and meters at first, more by `subscribe` messages.
#[utoipa::path(get, path = "/api/ws/stream", tag = "streams", params(Common), responses(
    (status = 101, description = "`Hello`, then frames of all subscribed topics; `ClientMessage`s change them"),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 426, body = Problem, content_type = "application/problem+json"),
))]
async fn stream(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    upgrade: Upgrade,
) -> Result<Response, ApiError> {
    app.sockets.connect_stream(upgrade, &read(query)?).await
}
