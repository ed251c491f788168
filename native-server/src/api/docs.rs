//! `/api/openapi.json`, and a page that shows it. The page is our own: no download, no script from elsewhere.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use engine_core::protocol::ClientMessage;
use engine_core::protocol::json::{
    AnalyticsFrame, AudioFrame, Hello, MetersFrame, MusicFrame, ServerMessage, SpectrumFrame, StereoFrame,
    TransportFrame, TriggerFrame, WaveformFrame,
};
use engine_core::protocol::rest::Problem;
use utoipa::OpenApi;

/// Title, tags, and what only travels on sockets.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Antiphon",
        description = "Audio analysis and playback, live. Errors are RFC 9457 problems. Streams are WebSockets; \
                       their messages are among the schemas: Hello, TransportFrame, MetersFrame, SpectrumFrame, \
                       WaveformFrame, AnalyticsFrame, StereoFrame, MusicFrame, TriggerFrame, AudioFrame (each with type, seq, epoch and dropped added), ClientMessage, \
                       ServerMessage.",
        license(name = "MIT OR Apache-2.0")
    ),
    tags(
        (name = "playback", description = "The transport"),
        (name = "mixer", description = "Gain, pan, mute and solo"),
        (name = "compositions", description = "What can be played"),
        (name = "samples", description = "Recordings that compositions use"),
        (name = "analysis", description = "Reports of audio files; loudness started anew"),
        (name = "streams", description = "WebSockets"),
        (name = "recorder", description = "The last ten minutes"),
        (name = "system", description = "The server itself"),
    ),
    components(schemas(
        Problem, Hello, ClientMessage, ServerMessage,
        TransportFrame, MetersFrame, SpectrumFrame, WaveformFrame, AnalyticsFrame, StereoFrame, MusicFrame,
        TriggerFrame,         AudioFrame,
    ))
)]
pub(super) struct Document;

const PAGE: &str = include_str!("docs.html");

/// Serves a document that was rendered once.
pub(super) fn router(openapi: &utoipa::openapi::OpenApi) -> Router {
    let json: Arc<str> = serde_json::to_string(openapi).unwrap_or_default().into();
    Router::new().route("/api/openapi.json", get(document)).route("/api/docs", get(page)).with_state(json)
}

async fn document(State(json): State<Arc<str>>) -> Response {
    ([(CONTENT_TYPE, "application/json")], json.to_string()).into_response()
}

async fn page() -> Response {
    let policy =
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'";
    ([(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, policy)], PAGE).into_response()
}
