//! Every request gets an id, a place in the metrics and a line in the log.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;
use uuid::Uuid;

use super::metrics::Metrics;

/// Carries a request's id, in both directions.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken from a client.
const MAX_ID: usize = 64;

/// Observes a request from its headers to the headers of its answer.
pub(super) async fn observe(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let id = id_of(request.headers().get(&REQUEST_ID));
    let method = request.method().clone();
    let path = request.uri().path().to_string();
    let route = request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_string());
    let span = tracing::info_span!("request", id = id.to_str().unwrap_or_default(), %method, path);
    let in_flight = metrics.begin();
    let mut response = next.run(request).instrument(span.clone()).await;
    drop(in_flight);
    let (took, status) = (start.elapsed(), response.status().as_u16());
    // Paths that lead nowhere share one series: anybody can invent them.
    metrics.answered(method.as_str(), route.as_deref().unwrap_or("none"), status, took);
    span.in_scope(|| tracing::info!(status, milliseconds = took.as_secs_f64() * 1e3, "answered"));
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// The client's id, or one of our own where it has none that belongs into a log.
fn id_of(header: Option<&HeaderValue>) -> HeaderValue {
    let is_fine = |id: &&HeaderValue| {
        let bytes = id.as_bytes();
        (1..=MAX_ID).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
    };
    header.filter(is_fine).cloned().unwrap_or_else(|| {
        // A UUID is plain ASCII, which a header can always carry.
        HeaderValue::from_str(&Uuid::new_v4().to_string()).unwrap_or(HeaderValue::from_static("none"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_clients_are_kept_when_they_are_short_and_plain() {
        let kept = |id: &'static str| id_of(Some(&HeaderValue::from_static(id))) == id;
        assert!(kept("abc-123"));
        assert!(!kept("") && !kept("two words") && !kept(&"x".repeat(65).leak()[..]));
        assert_ne!(id_of(None), id_of(None));
    }
}
