//! The HTTP interface: REST, the stream sockets' addresses, the page.
//!
//! Handlers translate between HTTP and the services, and hold no state of their own.

mod analysis;
mod clips;
mod compositions;
mod conditional;
mod devices;
mod docs;
mod extract;
mod files;
mod guard;
mod loudness;
mod merge;
pub(crate) mod metrics;
mod mixer;
mod observe;
mod page;
mod paging;
mod playback;
mod problem;
mod recorder;
mod render;
mod samples;
pub(crate) mod streams;
mod system;
pub(crate) mod tickets;
mod tracks;
mod unread;

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::available_parallelism;

use axum::Router;
use axum::extract::{FromRef, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, LOCATION, RETRY_AFTER};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use engine_core::units::SampleRate;
use tokio::sync::Semaphore;
use tower_http::cors::{AllowOrigin, CorsLayer};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

pub use self::guard::{AccessRules, Via};
pub use self::metrics::{Metrics, Parts};
pub use self::page::Page;
pub use self::problem::ApiError;
pub use self::tickets::Tickets;

use crate::audio::{Input, Keeper};
use crate::midi_input::MidiInputs;
use crate::publisher::{FlightRecorder, Publisher};
use crate::services::{CompositionStateService, MixerService, PlaybackEngineService, SampleService};
use crate::ws::WebSocketManager;

/// Everything that handlers use. Clones share it.
#[derive(Clone)]
pub struct App {
    /// Compositions.
    pub compositions: Arc<CompositionStateService>,
    /// Recordings that compositions use.
    pub samples: Arc<SampleService>,
    /// The transport.
    pub playback: Arc<PlaybackEngineService>,
    /// The mixer.
    pub mixer: Arc<MixerService>,
    /// Stream sockets.
    pub sockets: Arc<WebSocketManager>,
    /// The engine's state.
    pub publisher: Publisher,
    /// The last ten minutes; `None` when the recorder is off.
    pub recorder: Option<Arc<FlightRecorder>>,
    /// The device that plays.
    pub audio: Arc<Keeper>,
    /// The rate that was asked for.
    pub asked_rate: Option<SampleRate>,
    /// The device that is recorded.
    pub input: Option<Arc<Input>>,
    /// MIDI keyboards.
    pub midi: Arc<MidiInputs>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Changes when the server restarts.
    pub epoch: u16,
    /// Tickets that stand in for the token.
    pub tickets: Arc<Tickets>,
    /// For work that takes a core to itself.
    pub places: Places,
    /// Whether `/api/ws/echo` is there.
    pub has_echo: bool,
}

/// How much of the work that takes a core to itself runs at once; a core is left for the sound card.
#[derive(Clone)]
pub struct Places {
    analyses: Arc<Semaphore>,
    renders: Arc<Semaphore>,
}

impl Default for Places {
    fn default() -> Self {
        let n_cores = available_parallelism().map_or(1, NonZero::get);
        let analyses = Semaphore::new(n_cores.saturating_sub(1).max(1));
        Self { analyses: Arc::new(analyses), renders: Arc::new(Semaphore::new(1)) }
    }
}

/// Tells the work that nobody waits for it any more: a handler is dropped when its client goes away.
#[derive(Default)]
struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

macro_rules! part {
    ($field:ident: $part:ty) => {
        impl FromRef<App> for Arc<$part> {
            fn from_ref(app: &App) -> Self {
                app.$field.clone()
            }
        }
    };
}
part!(sockets: WebSocketManager);
part!(tickets: Tickets);
part!(metrics: Metrics);

fn documented() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(docs::Document::openapi())
        .merge(playback::router())
        .merge(mixer::router())
        .merge(compositions::router())
        .merge(tracks::router())
        .merge(clips::router())
        .merge(files::router())
        .merge(samples::router())
        .merge(analysis::router())
        .merge(loudness::router())
        .merge(streams::router())
        .merge(recorder::router())
        .merge(system::router())
        .merge(devices::router())
        .merge(metrics::router())
        .merge(tickets::router())
}

/// The OpenAPI document, made of the very routes that are served.
pub fn openapi() -> utoipa::openapi::OpenApi {
    docs::with_what_all_share(documented().into_openapi())
}

/// The whole interface.
pub fn router(app: App, rules: AccessRules, page: Page) -> Router {
    let (metrics, tickets) = (app.metrics.clone(), app.tickets.clone());
    guarded(calls(app), rules, page, tickets, metrics)
}

/// The calls alone, for those whom somebody else let in: relays.
pub(crate) fn unguarded(app: App) -> Router {
    let metrics = app.metrics.clone();
    calls(app).layer(from_fn_with_state(metrics, observe::observe))
}

fn calls(app: App) -> Router {
    let (mut api, _) = documented().split_for_parts();
    if app.has_echo {
        api = api.merge(streams::echo_router());
    }
    api.with_state(app)
        .merge(docs::router(&openapi()))
        .route("/api", any(no_such_call))
        .route("/api/{*path}", any(no_such_call))
        .method_not_allowed_fallback(wrong_method)
}

/// Calls and the page, for those whom the rules allow.
pub(crate) fn guarded(
    calls: Router,
    rules: AccessRules,
    page: Page,
    tickets: Arc<Tickets>,
    metrics: Arc<Metrics>,
) -> Router {
    let (cors, rules) = (cors(&rules), Arc::new(rules));
    calls
        .merge(Router::new().fallback(page::serve).with_state(page))
        .layer(from_fn(conditional::not_modified))
        .layer(from_fn_with_state((rules.clone(), tickets), guard::check_token))
        .layer(cors)
        .layer(from_fn_with_state(rules, guard::check_page))
        .layer(from_fn(guard::explain))
        .layer(from_fn(unread::drain))
        .layer(from_fn_with_state(metrics, observe::observe))
}

/// What refuses every request, with a close code where that was asked for.
pub(crate) fn refusing(error: impl Fn() -> ApiError + Clone + Send + Sync + 'static) -> Router {
    Router::new().fallback(async move || error()).layer(from_fn(guard::explain))
}

/// Pages of allowed origins may read answers; all others were refused before this.
fn cors(rules: &AccessRules) -> CorsLayer {
    let origins = rules.origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH, observe::REQUEST_ID])
        .expose_headers([ETAG, LOCATION, RETRY_AFTER, observe::REQUEST_ID])
}

async fn no_such_call(request: Request) -> ApiError {
    let detail =
        format!("there is no {} {}; /api/docs lists what there is", request.method(), request.uri().path());
    ApiError::new(StatusCode::NOT_FOUND, "not-found", detail)
}

async fn wrong_method(request: Request) -> Response {
    let detail = format!("{} cannot be used with {}", request.method(), request.uri().path());
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail).into_response()
}
