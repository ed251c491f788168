//! `POST /api/tickets`: how a page passes the token to a WebSocket without writing it into an address.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue};
use serde::Serialize;
use subtle::ConstantTimeEq;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::problem::{ApiError, Refused};

/// How long a ticket is good for.
const LIFETIME: Duration = Duration::from_secs(30);
/// Tickets that may be out at a time.
const MAX_OPEN: usize = 1000;

/// Tickets that were given out and neither used nor outlived.
#[derive(Debug, Default)]
pub struct Tickets {
    open: Mutex<Vec<(Instant, String)>>,
}

impl Tickets {
    /// A new ticket: 122 random bits of the system. `None` when too many are out.
    fn issue(&self, now: Instant) -> Option<String> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(issued, _)| now.duration_since(*issued) < LIFETIME);
        if open.len() >= MAX_OPEN {
            return None;
        }
        let ticket = Uuid::new_v4().simple().to_string();
        open.push((now, ticket.clone()));
        Some(ticket)
    }

    /// Whether `guess` is a ticket that is good; it no longer is afterwards.
    pub(super) fn redeem(&self, now: Instant, guess: &str) -> bool {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |ticket: &str| bool::from(ticket.as_bytes().ct_eq(guess.as_bytes()));
        let found = open.iter().position(|(_, ticket)| is_it(ticket));
        found.is_some_and(|idx| now.duration_since(open.swap_remove(idx).0) < LIFETIME)
    }
}

pub(crate) fn router<S>() -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Arc<Tickets>: FromRef<S>,
{
    OpenApiRouter::new().routes(routes!(issue_ticket))
}

/// Answer of `POST /api/tickets`.
#[derive(Serialize, ToSchema)]
struct Ticket {
    /// Connect with `?ticket=` and this, once.
    ticket: String,
    /// Seconds for which it is good.
    expires_in: u64,
}

/// A ticket that opens one WebSocket in place of the token: `/api/ws/…?ticket=`. Good once, for 30 s.
#[utoipa::path(post, path = "/api/tickets", tag = "system", responses(
    (status = 201, body = Ticket),
    Refused<401>, Refused<429>,
))]
async fn issue_ticket(
    State(tickets): State<Arc<Tickets>>,
) -> Result<(StatusCode, [(HeaderName, HeaderValue); 1], Json<Ticket>), ApiError> {
    let ticket = tickets.issue(Instant::now()).ok_or_else(|| {
        let detail = format!("{MAX_OPEN} tickets are out; use them, or wait until they are 30 s old");
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too-many-tickets", detail)
            .with_header(RETRY_AFTER, HeaderValue::from_static("30"))
    })?;
    let secret = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((StatusCode::CREATED, secret, Json(Ticket { ticket, expires_in: LIFETIME.as_secs() })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_once_and_for_thirty_seconds() {
        let tickets = Tickets::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let [used, old] = [tickets.issue(start).unwrap(), tickets.issue(start).unwrap()];
        assert_ne!(used, old);
        assert!(!tickets.redeem(at(1), ""));
        assert!(!tickets.redeem(at(1), &used[1..]));
        assert!(tickets.redeem(at(29), &used));
        assert!(!tickets.redeem(at(29), &used), "once");
        assert!(!tickets.redeem(at(30), &old), "too late");
    }

    #[test]
    fn tickets_that_nobody_uses_take_bounded_memory() {
        let tickets = Tickets::default();
        let start = Instant::now();
        assert!((0..MAX_OPEN).all(|_| tickets.issue(start).is_some()));
        assert_eq!(tickets.issue(start), None);
        assert!(tickets.issue(start + LIFETIME).is_some());
        assert_eq!(tickets.open.lock().unwrap().len(), 1);
    }
}
