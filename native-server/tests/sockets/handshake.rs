//! Requests to become a WebSocket, byte by byte: which are accepted, and how the others are refused.

use serde_json::Value;

use crate::common::start;
use crate::common::wire::{request, upgrade_head};

const GOOD: &str = "/api/ws/transport";
const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";

#[tokio::test]
async fn what_is_no_upgrade_is_refused() {
    let server = start().await;
    let head = upgrade_head(GOOD);
    for (from, to, status) in [
        ("GET", "POST", 405),
        ("GET", "HEAD", 426),
        ("HTTP/1.1", "HTTP/1.0", 400),
        ("Host: localhost\r\n", "", 400),
        ("Host: localhost", "Host: localhost\r\nHost: localhost", 400),
        ("Connection: Upgrade\r\n", "", 426),
        ("Connection: Upgrade", "Connection: keep-alive", 426),
        ("Connection: Upgrade", "Connection: NotUpgrade", 426),
        ("Upgrade: websocket\r\n", "", 426),
        ("Upgrade: websocket", "Upgrade: h2c", 426),
        ("Sec-WebSocket-Version: 13\r\n", "", 400),
        ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8", 400),
        ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 13, 8", 400),
        ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 13", 400),
        (KEY, "X: y", 400),
        (KEY, "Sec-WebSocket-Key: ", 400),
        // 15, 17 and 16 bytes, the last with a sign that is not base64 and with bits that no byte has.
        (KEY, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j", 400),
        (KEY, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQA=", 400),
        (KEY, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j-Q==", 400),
        (KEY, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==", 400),
        (KEY, &format!("{KEY}\r\n{KEY}"), 400),
        (KEY, &format!("{KEY}\r\nSec-WebSocket-Protocol: chat"), 400),
        (KEY, &format!("{KEY}\r\nSec-WebSocket-Protocol: antiphon.v2.json, antiphon.token.x"), 400),
        (GOOD, "/api/ws/smells", 404),
    ] {
        assert!(head.contains(from), "{from}");
        let answer = request(server.server.address(), &head.replacen(from, to, 1)).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} "))
                || answer.starts_with(&format!("HTTP/1.0 {status} ")),
            "{from} → {to}: {answer}"
        );
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let head = head.to_lowercase();
        if to != "HEAD" {
            assert!(head.contains("application/problem+json"), "{from} → {to}: {answer}");
            let problem: Value = serde_json::from_str(body).expect("a whole problem");
            assert_eq!(problem["status"], status, "{from} → {to}");
        }
        assert_eq!(head.contains("\r\nupgrade: websocket"), status == 426, "{from} → {to}: {answer}");
        let is_version = from.contains("Version");
        assert_eq!(head.contains("\r\nsec-websocket-version: 13"), is_version, "{from} → {to}: {answer}");
    }
}

#[tokio::test]
async fn names_are_compared_as_the_standard_has_it() {
    let server = start().await;
    let head = upgrade_head(GOOD);
    for (from, to) in [
        ("Connection: Upgrade", "Connection: keep-alive, uPGRADE"),
        ("Connection: Upgrade", "Connection: keep-alive\r\nConnection: Upgrade"),
        ("Upgrade: websocket", "UPGRADE: h2c, WebSocket"),
        ("Sec-WebSocket-Key", "SEC-WEBSOCKET-KEY"),
        (KEY, &format!("{KEY}\r\nSec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: antiphon.v1.json")),
        // An extension that we do not speak is not an error: it is not answered.
        (KEY, &format!("{KEY}\r\nSec-WebSocket-Extensions: permessage-deflate")),
    ] {
        let answer = request(server.server.address(), &head.replacen(from, to, 1)).await;
        assert!(answer.starts_with("HTTP/1.1 101 "), "{from} → {to}: {answer}");
        assert!(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{answer}");
        assert!(!answer.to_lowercase().contains("extensions"), "{answer}");
    }
}

#[tokio::test]
async fn the_echo_is_only_there_when_asked_for() {
    let server = start().await;
    let answer = request(server.server.address(), &upgrade_head("/api/ws/echo")).await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}
