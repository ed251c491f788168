//! Who may talk to the server: a check of Host and Origin against other pages of the user's browser, and a
//! token against other machines. SECURITY.md has the whole picture.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

use super::problem::{ApiError, Detail};
use super::tickets::Tickets;
use crate::ws::{Closing, Upgrade, offered_token};

/// Where streams are; only they take tickets.
const STREAMS: &str = "/api/ws/";

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

/// What a connection came by.
#[derive(Clone, Copy, Debug)]
pub struct Via {
    /// Its local end: an address that the server certainly has.
    pub address: IpAddr,
    /// Whether it is encrypted.
    pub is_tls: bool,
}

/// Refuses requests from pages that are not ours. A page elsewhere could reach a server on this machine
/// through its visitor's browser: directly (then `Origin` names it), or by a name that it makes resolve to
/// 127.0.0.1 (then `Host` names it).
pub(super) async fn check_page(
    State(rules): State<Arc<AccessRules>>,
    request: Request,
    next: Next,
) -> Response {
    match rules.check_page(request.headers(), request.uri(), request.extensions().get::<Via>()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// Refuses API calls without the token. Health needs none, and neither does a CORS preflight.
pub(super) async fn check_token(
    State((rules, tickets)): State<(Arc<AccessRules>, Arc<Tickets>)>,
    request: Request,
    next: Next,
) -> Response {
    if rules.admits(&request, &tickets) {
        return next.run(request).await;
    }
    let detail = "send the server's token: Authorization: Bearer <token>; or for a WebSocket the subprotocol \
                  antiphon.token.<token>, or ?ticket= from POST /api/tickets";
    ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
        .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
        .into_response()
}

/// Browsers do not show pages the status of a refused WebSocket. With `?refusal=close` such a socket opens and
/// closes at once, with a code that says why; nothing else travels on it.
pub(super) async fn explain(request: Request, next: Next) -> Response {
    let is_wanted = request.uri().path().starts_with(STREAMS)
        && parameter(request.uri(), "refusal").is_some_and(|value| value == "close");
    if !is_wanted {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let mut again = parts.clone();
    let response = next.run(Request::from_parts(parts, body)).await;
    let Some(code) = close_code(response.status()) else { return response };
    let detail = response.extensions().get::<Detail>().map_or("refused", |detail| &detail.0);
    match Upgrade::from_request_parts(&mut again, &()).await {
        Ok(upgrade) => upgrade.refuse(Closing::new(code, detail)),
        Err(_) => response,
    }
}

fn close_code(status: StatusCode) -> Option<u16> {
    match status {
        StatusCode::UNAUTHORIZED => Some(4401),
        StatusCode::FORBIDDEN => Some(4403),
        StatusCode::TOO_MANY_REQUESTS => Some(4429),
        StatusCode::SERVICE_UNAVAILABLE => Some(1013),
        status if status.is_server_error() => Some(1011),
        status if status.is_client_error() => Some(1008),
        _ => None,
    }
}

/// A parameter of the query.
fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(uri.query().unwrap_or("").as_bytes());
    pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
}

impl AccessRules {
    fn check_page(&self, headers: &HeaderMap, uri: &Uri, via: Option<&Via>) -> Result<(), ApiError> {
        let forbidden = |detail: String| ApiError::new(StatusCode::FORBIDDEN, "forbidden", detail);
        let bad = |detail| ApiError::new(StatusCode::BAD_REQUEST, "bad-request", detail);
        // Of two, we would check one and somebody else might use the other.
        for (name, twice) in [(HOST, "there are two Host headers"), (ORIGIN, "there are two Origin headers")]
        {
            if headers.get_all(name).iter().nth(1).is_some() {
                return Err(bad(twice));
            }
        }
        let authority = headers
            .get(HOST)
            .and_then(|host| host.to_str().ok())
            .or_else(|| uri.authority().map(|a| a.as_str()));
        let authority = authority.ok_or_else(|| bad("a request needs a Host header"))?;
        let host = host_of(authority);
        if !self.is_own(host, via) {
            return Err(forbidden(format!(
                "this server does not answer to the name {host}; start it with --allow-host {host} if it shall"
            )));
        }
        let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
        let origin = origin.to_str().unwrap_or("null");
        if is_same(origin, authority, via) || self.origins.iter().any(|own| own.eq_ignore_ascii_case(origin))
        {
            return Ok(());
        }
        Err(forbidden(format!(
            "pages of {origin} may not use this server; start it with --allow-origin {origin} if they shall"
        )))
    }

    fn is_own(&self, host: &str, via: Option<&Via>) -> bool {
        let is_loopback_name = host.eq_ignore_ascii_case("localhost");
        let is_own_address = host
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.is_loopback() || via.is_some_and(|via| via.address == ip.to_canonical()));
        is_loopback_name
            || is_own_address
            || self.hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host))
    }

    fn admits<B>(&self, request: &Request<B>, tickets: &Tickets) -> bool {
        let path = request.uri().path();
        let is_open = !(path.starts_with("/api/") || path == "/metrics")
            || path == "/api/health"
            || request.method() == Method::OPTIONS;
        let has_ticket = || {
            let ticket = parameter(request.uri(), "ticket").filter(|_| path.starts_with(STREAMS));
            ticket.is_some_and(|ticket| tickets.redeem(Instant::now(), &ticket))
        };
        is_open || self.has_token(request.headers()) || has_ticket()
    }

    fn has_token(&self, headers: &HeaderMap) -> bool {
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

/// Whether a page is our own: its origin is the very host and port of the request. On an encrypted connection
/// it must be too: who can forge the plain page of our name must not use the encrypted server. A plain server
/// may stand behind a proxy that encrypts.
fn is_same(origin: &str, authority: &str, via: Option<&Via>) -> bool {
    let is_tls = via.is_some_and(|via| via.is_tls);
    origin.split_once("://").is_some_and(|(scheme, rest)| {
        rest.eq_ignore_ascii_case(authority) && (scheme == "https" || scheme == "http" && !is_tls)
    })
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
        check_via(rules, host, origin, Via { address: [192, 168, 1, 5].into(), is_tls: false })
    }

    fn check_via(rules: &AccessRules, host: &str, origin: Option<&str>, via: Via) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        rules.check_page(&headers, &Uri::from_static("/api/info"), Some(&via)).is_ok()
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
    fn the_plain_page_of_our_name_may_not_use_the_encrypted_server() {
        let rules = AccessRules { hosts: vec![String::from("studio.lan")], ..AccessRules::default() };
        let check = |origin, is_tls| {
            check_via(&rules, "studio.lan", Some(origin), Via { address: [192, 168, 1, 5].into(), is_tls })
        };
        assert!(check("https://studio.lan", true) && check("https://studio.lan", false));
        assert!(check("http://studio.lan", false));
        assert!(!check("http://studio.lan", true));
        assert!(!check("ftp://studio.lan", false));
    }

    #[test]
    fn two_of_a_header_are_none() {
        for name in [HOST, ORIGIN] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("localhost"));
            headers.insert(ORIGIN, HeaderValue::from_static("http://localhost"));
            headers.append(name, HeaderValue::from_static("http://localhost"));
            let refused = AccessRules::default().check_page(&headers, &Uri::from_static("/"), None);
            assert_eq!(refused.unwrap_err().into_problem().status, 400);
        }
    }

    #[test]
    fn a_token_comes_in_either_header() {
        let rules = AccessRules { token: Some(String::from("s3cret")), ..AccessRules::default() };
        let with = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            rules.has_token(&headers)
        };
        assert!(with("authorization", "Bearer s3cret"));
        assert!(with("sec-websocket-protocol", "antiphon.v1.json, antiphon.token.s3cret"));
        assert!(!with("authorization", "Bearer s3cre"));
        assert!(!with("authorization", "Basic s3cret"));
        assert!(!with("x-other", "s3cret"));
    }
}
