//! `/metrics`: counters for Prometheus, in the OpenMetrics text format.
//!
//! What others count already is read when somebody asks; only REST is counted here.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{FromRef, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::audio::{AudioStats, EngineQueue};
use crate::publisher::StreamStats;
use crate::services::CompositionStateService;

/// Upper ends of the histogram's buckets, in seconds: from an answer out of memory to a render of minutes.
const BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

/// The version of the text format that `encode` writes.
const FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// One kind of request. The route is the pattern, such as `/api/compositions/{id}`: ids would make a series each.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    method: String,
    route: String,
    status: u16,
}

/// All metrics of a server.
pub struct Metrics {
    registry: Registry,
    requests: Family<Kind, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
}

impl Metrics {
    /// Metrics of requests, and those of the parts of a server.
    pub fn new(parts: impl IntoIterator<Item = Box<dyn Collector>>) -> Self {
        let mut registry = Registry::with_prefix("antiphon");
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The server's version", build);
        let requests =
            Family::<Kind, Histogram, fn() -> Histogram>::new_with_constructor(|| Histogram::new(BUCKETS));
        let help = "Time from a request's headers to its answer's";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, requests.clone());
        let in_flight = Gauge::default();
        registry.register(
            "http_requests_in_flight",
            "Requests that wait for their answer",
            in_flight.clone(),
        );
        parts.into_iter().for_each(|part| registry.register_collector(part));
        Self { registry, requests, in_flight }
    }

    /// Counts a request until the guard is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.inc();
        InFlight(self.clone())
    }

    /// Counts an answer.
    pub(super) fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let kind = Kind { method: method.to_string(), route: route.to_string(), status };
        self.requests.get_or_create(&kind).observe(took.as_secs_f64());
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

/// A request that is being answered, or whose client has gone.
pub(super) struct InFlight(Arc<Metrics>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.dec();
    }
}

/// What streams, sound card, engine and database count.
pub struct Parts {
    /// Connections and frames.
    pub streams: Arc<StreamStats>,
    /// Of the callback.
    pub audio: Arc<AudioStats>,
    /// Commands.
    pub engine: Arc<EngineQueue>,
    /// Knows whether the database answers.
    pub compositions: Arc<CompositionStateService>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parts")
    }
}

impl Collector for Parts {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Self { streams, audio, engine, compositions } = self;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        streams.encode(&mut encoder)?;
        let help = "Callbacks that came too late, and quanta not measured";
        counters(&mut encoder, &[("audio_xruns", help, count(&audio.xruns))])?;
        let latency = f64::from(audio.latency_micros.load(Ordering::Relaxed)) / 1e6;
        let gauges = [
            ("engine_queue", "Commands that wait for the audio thread", engine.n_waiting() as f64),
            ("publisher_queue", "Quanta that wait to be measured", count(&streams.quanta_waiting) as f64),
            ("database_up", "1 while the database answers", f64::from(u8::from(compositions.is_available()))),
        ];
        self::gauges(&mut encoder, &gauges)?;
        let (gauge, help) = (ConstGauge::new(latency), "From a callback to the loudspeaker");
        let seconds = Some(&Unit::Seconds);
        gauge.encode(encoder.encode_descriptor("audio_latency", help, seconds, gauge.metric_type())?)
    }
}

impl StreamStats {
    /// Writes what connections count.
    pub(crate) fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        counters(
            encoder,
            &[
                ("stream_frames_sent", "Frames sent to stream clients", count(&self.frames_sent)),
                ("stream_frames_merged", "Frames merged into a newer one", count(&self.frames_merged)),
            ],
        )?;
        gauges(encoder, &[("stream_clients", "Open stream sockets", count(&self.clients) as f64)])
    }
}

/// Writes counters: name, help, value.
pub(crate) fn counters(encoder: &mut DescriptorEncoder<'_>, all: &[(&str, &str, u64)]) -> fmt::Result {
    all.iter().try_for_each(|(name, help, value)| {
        let counter = ConstCounter::new(*value);
        counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)
    })
}

/// Writes gauges: name, help, value.
pub(crate) fn gauges(encoder: &mut DescriptorEncoder<'_>, all: &[(&str, &str, f64)]) -> fmt::Result {
    all.iter().try_for_each(|(name, help, value)| {
        let gauge = ConstGauge::new(*value);
        gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
    })
}

pub(crate) fn router<S>() -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Arc<Metrics>: FromRef<S>,
{
    OpenApiRouter::new().routes(routes!(metrics))
}

/// Counters for Prometheus. Needs the token, like everything that tells what goes on here.
#[utoipa::path(get, path = "/metrics", tag = "system", responses(
    (status = 200, body = String, content_type = "application/openmetrics-text"),
))]
async fn metrics(State(metrics): State<Arc<Metrics>>) -> Response {
    let mut text = String::new();
    // Writing into a string does not fail.
    let _ = encode(&mut text, &metrics.registry);
    ([(CONTENT_TYPE, FORMAT)], text).into_response()
}
