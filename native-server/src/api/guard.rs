//! Who may talk to the server: a check of Host and Origin against other pages of the user's browser, and a
//! token against other machines.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

use super::problem::ApiError;
use crate::ws::offered_token;

/// What is allowed besides the server's own addresses.
#[derive(Clone, Debug, Default)]
pub struct AccessRules {
    /// Bearer token that every API call needs.
    pub token: Option<String>,
    /// Origins of pages elsewhere, such as `https://example.org`.
    pub origins: Vec<String>,
    /// Names under which the server may be addressed.
    pub hosts: Vec<String>,
}

/// The local address of a connection: an address that the server certainly has.
#[derive(Clone, Copy, Debug)]
pub struct LocalAddress(pub IpAddr);

/// Refuses requests from pages that are not ours. A page elsewhere could reach a server on this machine
/// through its visitor's browser: directly (then `Origin` names it), or by a name that it makes resolve to
/// 127.0.0.1 (then `Host` names it).
pub(super) async fn check_page(
    State(rules): State<Arc<AccessRules>>,
    request: Request,
    next: Next,
) -> Response {
    let own = request.extensions().get::<LocalAddress>().map(|address| address.0);
    match rules.check_page(request.headers(), request.uri(), own) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// Refuses API calls without the token. Health needs none, and neither does a CORS preflight.
pub(super) async fn check_token(
    State(rules): State<Arc<AccessRules>>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let is_secret = (path.starts_with("/api/") && path != "/api/health") || path == "/metrics";
    let is_open = !is_secret || request.method() == Method::OPTIONS;
    if is_open || rules.admits(request.headers()) {
        return next.run(request).await;
    }
    let detail = "send the server's token: Authorization: Bearer <token>, or for a WebSocket the subprotocol antiphon.token.<token>";
    ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
        .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
        .into_response()
}

impl AccessRules {
    fn check_page(&self, headers: &HeaderMap, uri: &Uri, own: Option<IpAddr>) -> Result<(), ApiError> {
        let forbidden = |detail: String| ApiError::new(StatusCode::FORBIDDEN, "forbidden", detail);
        let authority = headers
            .get(HOST)
            .and_then(|host| host.to_str().ok())
            .or_else(|| uri.authority().map(|a| a.as_str()));
        let Some(authority) = authority else {
            return Err(ApiError::new(StatusCode::BAD_REQUEST, "no-host", "a request needs a Host header"));
        };
        let host = host_of(authority);
        if !self.is_own(host, own) {
            return Err(forbidden(format!(
                "this server does not answer to the name {host}; start it with --allow-host {host} if it shall"
            )));
        }
        let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
        let origin = origin.to_str().unwrap_or("null");
        // Our own page: its origin is the very host and port of the request.
        let is_same = origin.split_once("://").is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(authority));
        if is_same || self.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)) {
            return Ok(());
        }
        Err(forbidden(format!(
            "pages of {origin} may not use this server; start it with --allow-origin {origin} if they shall"
        )))
    }

    fn is_own(&self, host: &str, own: Option<IpAddr>) -> bool {
        let is_loopback_name = host.eq_ignore_ascii_case("localhost");
        let is_own_address = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback() || Some(ip) == own);
        is_loopback_name
            || is_own_address
            || self.hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host))
    }

    fn admits(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return true };
        let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let bearer = bearer.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
        });
        // In constant time: the time of an answer must not tell how much of a guess is right.
        let is_token = |guess: &str| bool::from(guess.as_bytes().ct_eq(token.as_bytes()));
        bearer.is_some_and(is_token) || offered_token(headers).is_some_and(is_token)
    }
}

/// The host of `host`, `host:port`, `[v6]` or `[v6]:port`.
fn host_of(authority: &str) -> &str {
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((v6, _)) => v6,
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rules: &AccessRules, host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        rules.check_page(&headers, &Uri::from_static("/api/info"), Some([192, 168, 1, 5].into())).is_ok()
    }

    #[test]
    fn loopback_and_own_addresses_are_ours() {
        let rules = AccessRules::default();
        for host in ["127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]:8080", "[::1]", "192.168.1.5:80"]
        {
            assert!(check(&rules, host, None), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example:8080", "192.168.1.6", "127.0.0.1.evil.example"] {
            assert!(!check(&rules, host, None), "{host}");
        }
    }

    #[test]
    fn only_our_own_page_and_named_origins_may_ask() {
        let rules = AccessRules {
            origins: vec![String::from("https://app.example")],
            hosts: vec![String::from("studio.lan")],
            token: None,
        };
        assert!(check(&rules, "127.0.0.1:8080", Some("http://127.0.0.1:8080")));
        assert!(check(&rules, "studio.lan:8080", Some("http://studio.lan:8080")));
        assert!(check(&rules, "127.0.0.1:8080", Some("https://app.example")));
        for origin in ["http://127.0.0.1:5173", "https://app.example.evil", "null", "https://evil.example"] {
            assert!(!check(&rules, "127.0.0.1:8080", Some(origin)), "{origin}");
        }
    }

    #[test]
    fn a_token_comes_in_either_header() {
        let rules = AccessRules { token: Some(String::from("s3cret")), ..AccessRules::default() };
        let with = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            rules.admits(&headers)
        };
        assert!(with("authorization", "Bearer s3cret"));
        assert!(with("sec-websocket-protocol", "antiphon.v1.json, antiphon.token.s3cret"));
        assert!(!with("authorization", "Bearer s3cre"));
        assert!(!with("authorization", "Basic s3cret"));
        assert!(!with("x-other", "s3cret"));
    }
}
