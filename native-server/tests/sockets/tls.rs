//! https and wss, with a certificate that nobody else has signed.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use native_server::listener::{Limits, Options, tls};
use native_server::server::Config;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::common::wire::upgrade_head;
use crate::common::{JSON, LIMIT, TestServer, config, start_with};

/// A server with a certificate for localhost, and a client that trusts it alone.
async fn start() -> (TestServer, TlsConnector) {
    let signed = rcgen::generate_simple_self_signed([String::from("localhost")]).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (cert, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    std::fs::write(&cert, signed.cert.pem()).unwrap();
    std::fs::write(&key, signed.signing_key.serialize_pem()).unwrap();
    let limits = Limits { headers: Duration::from_millis(500), connections: 3, ..Limits::default() };
    let listener = Options { limits, tls: Some(tls::load(&cert, &key).unwrap()) };
    let server = start_with(Config { listener, ..config() }).await;

    let mut roots = RootCertStore::empty();
    roots.add(signed.cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (server, TlsConnector::from(Arc::new(client)))
}

async fn connect(server: &TestServer, client: &TlsConnector) -> TlsStream<TcpStream> {
    let tcp = TcpStream::connect(server.server.address()).await.unwrap();
    client.connect(ServerName::try_from("localhost").unwrap(), tcp).await.expect("a TLS handshake")
}

async fn ask(server: &TestServer, client: &TlsConnector, head: &str) -> String {
    let mut stream = connect(server, client).await;
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = timeout(LIMIT, stream.read_to_end(&mut answer)).await.expect("an answer in time");
    String::from_utf8(answer).unwrap()
}

const INFO: &str = "GET /api/info HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn https_and_wss_work() {
    let (server, client) = start().await;
    let answer = ask(&server, &client, INFO).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("Antiphon"), "{answer}");

    let mut request = "wss://localhost/api/ws/meters".into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", JSON.parse().unwrap());
    request.headers_mut().insert("origin", "https://localhost".parse().unwrap());
    let (mut socket, _) = client_async(request, connect(&server, &client).await).await.expect("an upgrade");
    for expected in ["hello", "meters", "meters"] {
        let message = timeout(LIMIT, socket.next()).await.expect("in time").unwrap().unwrap();
        let message: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
        assert_eq!(message["type"], expected);
    }
}

#[tokio::test]
async fn the_plain_page_of_the_same_name_is_a_stranger() {
    let (server, client) = start().await;
    for (origin, status) in [("https://localhost", 101), ("http://localhost", 403)] {
        let with_origin = format!("Host: localhost\r\nOrigin: {origin}");
        let head = upgrade_head("/api/ws/meters").replace("Host: localhost", &with_origin);
        let mut stream = connect(&server, &client).await;
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        timeout(LIMIT, stream.read_exact(&mut answer)).await.expect("in time").unwrap();
        assert_eq!(String::from_utf8_lossy(&answer), format!("HTTP/1.1 {status}"), "{origin}");
    }
}

#[tokio::test]
async fn who_does_not_speak_tls_is_dropped() {
    let (server, client) = start().await;
    // Silent, plain, and in the middle of a handshake.
    for bytes in [&b""[..], INFO.as_bytes(), b"\x16\x03\x01\x02\x00\x01"] {
        let mut tcp = TcpStream::connect(server.server.address()).await.unwrap();
        tcp.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        let _ = timeout(LIMIT / 2, tcp.read_to_end(&mut answer)).await.expect("dropped in time");
        assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    }
    assert!(ask(&server, &client, INFO).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn limits_are_told_over_tls_too() {
    let (server, client) = start().await;
    // Upgraded, since silent connections end here.
    let mut open = Vec::new();
    for _ in 0..3 {
        let request = "wss://localhost/api/ws/transport".into_client_request().unwrap();
        open.push(client_async(request, connect(&server, &client).await).await.expect("an upgrade"));
    }
    let answer = ask(&server, &client, INFO).await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("--max-connections"), "{answer}");
}
