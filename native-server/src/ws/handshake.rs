//! The HTTP side of a WebSocket: the upgrade request, and which encoding it asks for.

use axum::extract::FromRequestParts;
use axum::http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use engine_core::protocol::{SUBPROTOCOL_BINARY, SUBPROTOCOL_JSON};
use hyper::upgrade::OnUpgrade;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::outgoing::Closing;
use super::socket;
use crate::api::ApiError;

/// Subprotocol that carries a token, before the token.
pub const TOKEN_PREFIX: &str = "antiphon.token.";

/// How frames travel on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// One text message per frame.
    Json,
    /// Headers and payloads, several in a message.
    Binary,
}

/// A request to become a WebSocket, checked.
#[derive(Debug)]
pub struct Upgrade {
    /// What the client asked for.
    pub encoding: Encoding,
    /// Whether it asked by name: only then the name is answered.
    is_offered: bool,
    accept: String,
    pub(super) on_upgrade: OnUpgrade,
}

impl<S: Sync> FromRequestParts<S> for Upgrade {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let headers = &parts.headers;
        let refuse = |why: &str| ApiError::new(StatusCode::BAD_REQUEST, "not-a-websocket", why);
        if parts.method != Method::GET
            || !lists(headers, CONNECTION, "upgrade")
            || !lists(headers, UPGRADE, "websocket")
        {
            let why = "this address speaks WebSocket: connect with a WebSocket client (ws://…)";
            return Err(ApiError::new(StatusCode::UPGRADE_REQUIRED, "not-a-websocket", why)
                .with_header(UPGRADE, HeaderValue::from_static("websocket")));
        }
        if parts.version < Version::HTTP_11 {
            return Err(refuse("a WebSocket needs HTTP/1.1"));
        }
        if single(headers, SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return Err(refuse("Sec-WebSocket-Version must be 13")
                .with_header(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")));
        }
        let key = single(headers, SEC_WEBSOCKET_KEY).filter(|key| is_key(key.as_bytes()));
        let key = key.ok_or_else(|| refuse("Sec-WebSocket-Key must be 16 bytes in base64"))?;
        let accept = derive_accept_key(key.as_bytes());
        let offers: Vec<&str> = list(headers, SEC_WEBSOCKET_PROTOCOL).collect();
        let encoding = negotiate(&offers).ok_or_else(|| {
            let why =
                format!("offer the subprotocol {SUBPROTOCOL_JSON} or {SUBPROTOCOL_BINARY}, or none at all");
            ApiError::new(StatusCode::BAD_REQUEST, "unknown-subprotocol", why)
        })?;
        let is_offered = !offers.is_empty();
        let on_upgrade = parts.extensions.remove::<OnUpgrade>();
        let on_upgrade =
            on_upgrade.ok_or_else(|| refuse("this connection cannot be upgraded; use HTTP/1.1"))?;
        Ok(Self { encoding, is_offered, accept, on_upgrade })
    }
}

impl Upgrade {
    /// Makes the connection a WebSocket only to close it, with a code that a page can read.
    pub(crate) fn refuse(self, closing: Closing) -> Response {
        let response = self.response();
        tokio::spawn(async move { socket::refuse(self.on_upgrade, &closing).await });
        response
    }

    /// The answer that makes the connection a WebSocket.
    pub(super) fn response(&self) -> Response {
        let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        if let Ok(accept) = HeaderValue::from_str(&self.accept) {
            headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        }
        if self.is_offered {
            let name = match self.encoding {
                Encoding::Json => SUBPROTOCOL_JSON,
                Encoding::Binary => SUBPROTOCOL_BINARY,
            };
            headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(name));
        }
        response
    }
}

/// JSON when nothing is offered, the first encoding that we know, or `None`.
fn negotiate(offers: &[&str]) -> Option<Encoding> {
    if offers.is_empty() {
        return Some(Encoding::Json);
    }
    offers.iter().find_map(|offer| match *offer {
        SUBPROTOCOL_JSON => Some(Encoding::Json),
        SUBPROTOCOL_BINARY => Some(Encoding::Binary),
        _ => None,
    })
}

/// The token that rides as a subprotocol.
pub fn offered_token(headers: &HeaderMap) -> Option<&str> {
    list(headers, SEC_WEBSOCKET_PROTOCOL).find_map(|offer| offer.strip_prefix(TOKEN_PREFIX))
}

fn list(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|item| !item.is_empty())
}

fn lists(headers: &HeaderMap, name: HeaderName, wanted: &str) -> bool {
    list(headers, name).any(|item| item.eq_ignore_ascii_case(wanted))
}

/// A header that may be there once.
fn single(headers: &HeaderMap, name: HeaderName) -> Option<&HeaderValue> {
    let mut values = headers.get_all(name).into_iter();
    values.next().filter(|_| values.next().is_none())
}

/// 16 bytes in base64 (RFC 6455, section 4.2.1): 22 digits, of which the last holds two bits, and padding.
fn is_key(key: &[u8]) -> bool {
    let is_digit = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    key.len() == 24 && key[..21].iter().all(is_digit) && b"AQgw".contains(&key[21]) && &key[22..] == b"=="
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_the_first_that_we_know() {
        assert_eq!(negotiate(&[]), Some(Encoding::Json));
        assert_eq!(negotiate(&["x", SUBPROTOCOL_BINARY, SUBPROTOCOL_JSON]), Some(Encoding::Binary));
        assert_eq!(negotiate(&["antiphon.token.abc", SUBPROTOCOL_JSON]), Some(Encoding::Json));
        assert_eq!(negotiate(&["antiphon.token.abc"]), None);
        assert_eq!(negotiate(&["antiphon.v2.json"]), None);
    }

    #[test]
    fn keys_are_sixteen_bytes() {
        assert!(is_key(b"dGhlIHNhbXBsZSBub25jZQ=="));
        for bad in
            [&b""[..], b"dGhlIHNhbXBsZSBub25jZQ", b"dGhlIHNhbXBsZSBub25jZ!==", b"dGhlIHNhbXBsZSBub25jZQ==="]
        {
            assert!(!is_key(bad));
        }
    }

    #[test]
    fn a_token_rides_along() {
        let mut headers = HeaderMap::new();
        headers.append(
            SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static("antiphon.v1.json, antiphon.token.s3cret"),
        );
        assert_eq!(offered_token(&headers), Some("s3cret"));
    }
}
