//! Who may use the NATS between a server and its relays, and how they reach it.

use std::process::Command;

use engine_core::protocol::Topic;
use native_server::api::AccessRules;
use native_server::relay::NatsOptions;
use native_server::server::{Config, Server};

use crate::common::{BINARY, LIMIT, config, start_with};
use crate::nats::Nats;
use crate::relays::{Edge, Killable, options, socket_at};

#[tokio::test(flavor = "multi_thread")]
async fn credentials_open_nats() {
    let folder = tempfile::tempdir().unwrap();
    let (nats, credentials) = Nats::with_credentials(folder.path());
    let with = |credentials| NatsOptions { credentials, ..options(&nats.url()) };
    let _server = start_with(Config { nats: Some(with(Some(credentials.clone()))), ..config() }).await;
    let edge = Edge::start_through(with(Some(credentials)), AccessRules::default()).await;
    assert_eq!(edge.relay.wait(LIMIT).await, None);
    edge.socket("/api/ws/meters", BINARY).await.binary(Topic::Meters).await;
    let refused = Server::start(Config { nats: Some(with(None)), ..config() }).await;
    let refused = refused.err().expect("refused").to_string();
    assert!(refused.contains("--nats-creds"), "{refused}");
    // Another operator's: signed rightly, by somebody whom this NATS does not know.
    let elsewhere = tempfile::tempdir().unwrap();
    let (_other, strange) = Nats::with_credentials(elsewhere.path());
    let refused = Server::start(Config { nats: Some(with(Some(strange))), ..config() }).await;
    assert!(refused.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_is_reached_through_tls() {
    let signed = rcgen::generate_simple_self_signed([String::from("localhost")]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_string()
    };
    let (cert, key) =
        (file("cert.pem", signed.cert.pem()), file("key.pem", signed.signing_key.serialize_pem()));
    let nats = Nats::start(&["--tls", "--tlscert", &cert, "--tlskey", &key]);
    let url = format!("tls://localhost:{}", nats.port());
    // Whom a process trusts is the system's matter; this names a file instead.
    let trust = |command: &mut Command| {
        command.env("SSL_CERT_FILE", &cert);
    };
    let server = ["serve", "--null-device", "--db", "memory", "--midi-input", "off", "--nats", &url];
    let _server = Killable::run(&server, trust);
    let relay = Killable::run(&["relay", "--nats", &url], trust);
    assert!(relay.greeting.starts_with("Antiphon relays from tls://localhost:"), "{}", relay.greeting);
    let mut client = socket_at(relay.address(), "/api/ws/meters", BINARY).await;
    client.binary(Topic::Meters).await;
    // Nobody vouches for it elsewhere.
    let stranger = Killable::run(&["relay", "--nats", &url], |_| {});
    assert!(stranger.greeting.starts_with("Antiphon waits: NATS is away"), "{}", stranger.greeting);
}
