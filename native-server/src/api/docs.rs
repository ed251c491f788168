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
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{self, Content, Object, Ref, RefOr, Required, ResponseBuilder};

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

/// Adds what is true of all operations: who may call them; and of all that read with an ETag.
pub(super) fn with_what_all_share(mut document: openapi::OpenApi) -> openapi::OpenApi {
    let problem = |description: &str| {
        let problem = Content::new(Some(Ref::from_schema_name("Problem")));
        ResponseBuilder::new().description(description).content("application/problem+json", problem).build()
    };
    let components = document.components.get_or_insert_default();
    components.responses.extend([
        (String::from("NotModified"), RefOr::T(openapi::Response::new("`If-None-Match` names its ETag"))),
        (String::from("Unauthorized"), RefOr::T(problem("the server has a token, and the request has not"))),
        (String::from("Forbidden"), RefOr::T(problem("a page or a name that may not use the server"))),
        (String::from("TooManyRequests"), RefOr::T(problem("too many connections from this address"))),
    ]);
    let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let token = token.description(Some("What `--token` says; a server without one asks for none."));
    components.add_security_scheme("token", SecurityScheme::Http(token.build()));
    let none = SecurityRequirement::default();
    document.security = Some(vec![none, SecurityRequirement::new("token", [""; 0])]);
    for (path, item) in &mut document.paths.paths {
        let PathItem { get, put, post, delete, patch, .. } = item;
        for operation in [&mut *get, put, post, delete, patch].into_iter().flatten() {
            if path == "/api/health" {
                operation.security = Some(Vec::new());
            } else {
                answers(operation, "401", "Unauthorized");
            }
            answers(operation, "403", "Forbidden");
            answers(operation, "429", "TooManyRequests");
        }
        let Some(read) = get else { continue };
        if let Some(RefOr::T(found)) = read.responses.responses.get("200")
            && found.headers.contains_key("ETag")
        {
            answers(read, "304", "NotModified");
            let known = ParameterBuilder::new().name("If-None-Match").parameter_in(ParameterIn::Header);
            let known = known.required(Required::False).description(Some("ETags of what is known"));
            let known = known.schema(Some(Object::with_type(Type::String))).build();
            read.parameters.get_or_insert_default().push(known.into());
        }
    }
    document
}

fn answers(operation: &mut Operation, status: &str, response: &str) {
    let response = RefOr::Ref(Ref::from_response_name(response));
    operation.responses.responses.entry(status.to_string()).or_insert(response);
}

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
