//! Bodies of requests that are refused before they are read. A connection that is closed with bytes unread is reset,
//! and a client that sends all before it reads loses the answer; so they are read on, as far as is reasonable.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::EXPECT;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::{StreamExt, stream};
use tokio::time::timeout;

/// How much is read, and for how long.
const MAX_BYTES: usize = 16 << 20;
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads what a refusal has left.
pub(super) async fn drain(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    // Who expects to be told to go on sends nothing before somebody reads.
    let waits = parts.headers.contains_key(EXPECT);
    // Shared, so that it is there when whoever was to read it has dropped it; with whether it was begun.
    let shared = Arc::new(Mutex::new((body.into_data_stream(), false)));
    let reader = || {
        let shared = shared.clone();
        stream::poll_fn(move |context| {
            let (body, is_begun) = &mut *shared.lock().unwrap_or_else(PoisonError::into_inner);
            *is_begun = true;
            body.poll_next_unpin(context)
        })
    };
    let response = next.run(Request::from_parts(parts, Body::from_stream(reader()))).await;
    let is_refusal = response.status().is_client_error() || response.status().is_server_error();
    let is_coming = !waits || shared.lock().unwrap_or_else(PoisonError::into_inner).1;
    if is_refusal && is_coming {
        let (mut rest, mut n_bytes) = (reader(), 0);
        let reading = async {
            while let Some(Ok(chunk)) = rest.next().await
                && n_bytes < MAX_BYTES
            {
                n_bytes += chunk.len();
            }
        };
        let _ = timeout(PATIENCE, reading).await;
    }
    response
}
