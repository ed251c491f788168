//! Clients that mean no good: slow, greedy, or not speaking the protocol.

use std::time::Duration;

use native_server::api::AccessRules;
use native_server::listener::{Limits, Options};
use native_server::server::Config;
use native_server::ws::Timing;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::common::wire::{self, FIN, PING, Seen, TEXT, frame, frame_start, masked};
use crate::common::{self, Received, TestServer, config, problem, start, start_with};

async fn limited(limits: Limits) -> TestServer {
    let listener = Options { limits, ..Options::default() };
    start_with(Config { listener, ..config() }).await
}

const INFO: &str = "GET /api/info HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// A raw answer must be a problem of this status.
fn assert_problem(answer: &str, status: u16, hint: &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
    let head = head.to_lowercase();
    assert!(head.starts_with(&format!("http/1.1 {status} ")), "{answer}");
    assert!(head.contains("content-type: application/problem+json"), "{answer}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert!(body["status"] == status && body["detail"].as_str().unwrap().contains(hint), "{body}");
}

#[tokio::test]
async fn who_sends_all_before_it_reads_finds_the_answer() {
    let server = start_with(Config {
        access: AccessRules { token: Some(String::from("s3cret")), ..AccessRules::default() },
        ..config()
    })
    .await;
    let body = vec![b' '; 9 << 20];
    for (call, status, hint) in [
        ("POST /api/compositions HTTP/1.1\r\nAuthorization: Bearer s3cret", 413, "longer than"),
        ("POST /api/compositions HTTP/1.1", 401, "token"),
        ("POST /api/nothing HTTP/1.1\r\nAuthorization: Bearer s3cret", 404, "there is no"),
        ("PUT /api/playback HTTP/1.1\r\nAuthorization: Bearer s3cret", 405, "cannot be used"),
    ] {
        let mut client = TcpStream::connect(server.server.address()).await.unwrap();
        let head = format!(
            "{call}\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut answer = String::new();
        timeout(common::LIMIT, async {
            client.write_all(head.as_bytes()).await.unwrap();
            client.write_all(&body).await.expect("all is taken");
            client.read_to_string(&mut answer).await.expect("no reset");
        })
        .await
        .expect("in time");
        assert_problem(&answer, status, hint);
    }
    // Who waits to be told to go on is refused at once, and not told so.
    let mut client = TcpStream::connect(server.server.address()).await.unwrap();
    let head = "POST /api/compositions HTTP/1.1\r\nAuthorization: Bearer s3cret\r\nHost: localhost\r\n\
                Expect: 100-continue\r\nContent-Length: 9000000\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    let mut start = [0; 12];
    timeout(common::LIMIT, client.read_exact(&mut start)).await.expect("in time").unwrap();
    assert_eq!(&start, b"HTTP/1.1 413");
}

#[tokio::test]
async fn connections_are_limited_in_total_and_per_address() {
    for (limits, status, code, flag) in [
        (Limits { connections: 2, ..Limits::default() }, 503, 1013, "--max-connections"),
        (Limits { per_address: Some(2), ..Limits::default() }, 429, 4429, "--max-connections-per-address"),
    ] {
        let server = limited(limits).await;
        let address = server.server.address();
        let first = wire::connect(address, "/api/ws/meters").await;
        let _second = wire::connect(address, "/api/ws/meters").await;
        let refused = wire::request(address, INFO).await;
        assert_problem(&refused, status, flag);
        assert!(refused.to_lowercase().contains("\r\nretry-after: "), "{refused}");
        let (mut reader, _writer) = wire::connect(address, "/api/ws/meters?refusal=close").await;
        assert_eq!(reader.closed().await, Some(code), "for a page, which sees no status");
        drop(first);
        timeout(common::LIMIT, async {
            while !wire::request(address, INFO).await.starts_with("HTTP/1.1 200 ") {}
        })
        .await
        .expect("a place is free again");
    }
}

/// Sends bytes one at a time until the server ends the connection; returns what it said.
async fn dribble(mut tcp: TcpStream, bytes: impl Iterator<Item = u8>) -> String {
    let (mut reader, mut writer) = tcp.split();
    let mut answer = Vec::new();
    let mut ticks = interval(Duration::from_millis(20));
    let sending = async {
        for byte in bytes {
            ticks.tick().await;
            if writer.write_all(&[byte]).await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await
    };
    let reading = timeout(common::LIMIT / 2, reader.read_to_end(&mut answer));
    tokio::select! {
        () = sending => {}
        ended = reading => drop(ended.expect("the server ends the connection in time")),
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// What SECURITY.md says; the tests of each have shorter ones, since nobody waits for 45 s.
#[test]
fn the_defaults_are_those_that_are_documented() {
    const DOCUMENTED: &str = include_str!("../../../SECURITY.md");
    let (limits, timing) = (Limits::default(), Timing::default());
    let (headers, write) = (limits.headers.as_secs(), limits.write.as_secs());
    let (ping, silence, stall) = (timing.ping.as_secs(), timing.silence.as_secs(), timing.stall.as_secs());
    for line in [
        String::from("| connections in total | 10,000, or"),
        format!("| TLS handshake; then a request's headers | {headers} s each, 32 KiB |"),
        format!("| a write without progress | {write} s |"),
        format!("| a stream's write without end | {stall} s, then 2 s for the close frame |"),
        format!("| a stream without a whole message or pong | {silence} s (pings every {ping} s) |"),
    ] {
        assert!(DOCUMENTED.contains(&line), "{line}");
    }
    assert_eq!(limits.connections, 10_000);
}

#[tokio::test]
async fn silent_and_dribbled_headers_are_given_up() {
    let server = limited(Limits { headers: Duration::from_millis(300), ..Limits::default() }).await;
    let connect = || async { TcpStream::connect(server.server.address()).await.unwrap() };
    let endless =
        INFO.trim_end().bytes().chain(b"\r\nX-Slow: ".iter().copied()).chain(std::iter::repeat(b'x'));
    for answer in
        [dribble(connect().await, std::iter::empty()).await, dribble(connect().await, endless).await]
    {
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
}

#[tokio::test]
async fn endless_headers_are_refused() {
    let server = start().await;
    let huge = INFO.trim_end().to_owned() + "\r\nX-Huge: " + &"x".repeat(40 << 10) + "\r\n\r\n";
    let answer = wire::request(server.server.address(), &huge).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn a_dribbled_frame_is_no_sign_of_life() {
    let timing = Timing { silence: Duration::from_millis(400), ..Timing::default() };
    let server = start_with(Config { timing, ..config() }).await;
    let (mut reader, mut writer) = wire::connect(server.server.address(), "/api/ws/transport").await;
    let payload = [b' '; 4000];
    let bytes: Vec<u8> =
        frame_start(FIN | TEXT, payload.len()).into_iter().chain(masked(&payload, 0)).collect();
    let sending = tokio::spawn(async move {
        let mut ticks = interval(Duration::from_millis(20));
        for byte in bytes {
            ticks.tick().await;
            if writer.write_all(&[byte]).await.is_err() {
                break;
            }
        }
    });
    assert_eq!(reader.closed().await, Some(4408));
    sending.abort();
}

#[tokio::test]
async fn too_many_messages_close_the_socket_with_4429() {
    let server = start().await;
    for bytes in [frame(FIN | TEXT, br#"{"type":"unsubscribe","topic":"music"}"#), frame(FIN | PING, b"x")] {
        let (mut reader, mut writer) = wire::connect(server.server.address(), "/api/ws/transport").await;
        // As much as is sent well within a second.
        let _ = writer.write_all(&bytes.repeat(2000)).await;
        assert_eq!(reader.closed().await, Some(4429));
    }
}

#[tokio::test]
async fn what_is_not_the_protocol_closes_the_socket_with_a_code() {
    let server = start().await;
    let fragments: Vec<u8> = (0..5000).flat_map(|idx| frame(if idx == 0 { TEXT } else { 0 }, b"")).collect();
    for (bytes, code) in [
        (frame(FIN | TEXT, b"\xff"), 1007),
        (frame(FIN | 2, b"x"), 1003),
        (frame(FIN | TEXT, &[b' '; 4097]), 1009),
        // Not even begun to be read.
        (frame_start(FIN | TEXT, 1 << 40), 1009),
        (fragments, 1009),
        (frame(FIN | 3, b"x"), 1002),
        (vec![FIN | TEXT, 1, b'x'], 1002),
    ] {
        let (mut reader, mut writer) = wire::connect(server.server.address(), "/api/ws/transport").await;
        let _ = writer.write_all(&bytes).await;
        assert_eq!(reader.closed().await, Some(code), "{:x?}", &bytes[..bytes.len().min(16)]);
    }
}

#[tokio::test]
async fn other_pages_open_no_socket() {
    let server = start().await;
    let address = server.server.address();
    for (header, flag) in [
        ("Host: localhost\r\nOrigin: https://elsewhere.example", "--allow-origin https://elsewhere.example"),
        ("Host: localhost\r\nOrigin: null", "--allow-origin null"),
        ("Host: rebound.example", "--allow-host rebound.example"),
        ("Host: localhost.rebound.example", "--allow-host localhost.rebound.example"),
    ] {
        let head = wire::upgrade_head("/api/ws/meters").replace("Host: localhost", header);
        assert_problem(&wire::request(address, &head).await, 403, flag);
    }
    let twice =
        wire::upgrade_head("/api/ws/meters").replace("Host: localhost", "Host: localhost\r\nHost: localhost");
    assert_problem(&wire::request(address, &twice).await, 400, "Host");
}

fn with_token() -> Config {
    let access = AccessRules { token: Some(String::from("s3cret")), ..AccessRules::default() };
    Config { access, ..config() }
}

#[tokio::test]
async fn a_ticket_opens_one_socket_and_nothing_else() {
    let server = start_with(with_token()).await;
    server.problem(server.request(Method::POST, "/api/tickets"), 401).await;
    let issue = server.request(Method::POST, "/api/tickets").bearer_auth("s3cret").send().await.unwrap();
    assert_eq!(
        (issue.status().as_u16(), &issue.headers()["cache-control"]),
        (201, &"no-store".parse().unwrap())
    );
    let issued: Value = serde_json::from_str(&issue.text().await.unwrap()).unwrap();
    assert_eq!(issued["expires_in"], 30);
    let ticket = issued["ticket"].as_str().unwrap();
    server.problem(server.request(Method::GET, &format!("/api/info?ticket={ticket}")), 401).await;
    server.problem(server.request(Method::GET, "/api/ws/meters?ticket=guess"), 401).await;
    let path = format!("/api/ws/meters?fps=60&ticket={ticket}");
    server.socket(&path, "").await.hello().await;
    match server.try_socket(&path, "").await {
        Err(Error::Http(response)) => assert_eq!(response.status(), 401, "once"),
        other => panic!("{:?}", other.map(|_| "accepted twice")),
    }
}

#[tokio::test]
async fn a_page_can_ask_for_refusals_as_close_codes() {
    let server = start_with(with_token()).await;
    let token = "antiphon.v1.json, antiphon.token.s3cret";
    for (path, protocols, code, hint) in [
        ("/api/ws/meters?refusal=close", "", 4401, "token"),
        ("/api/ws/meters?refusal=close&ticket=used", "", 4401, "token"),
        ("/api/ws/meters?refusal=close&fps=1000", token, 1008, "fps"),
    ] {
        let mut socket = server.socket(path, protocols).await;
        match socket.next().await {
            Received::Close(Some(frame)) => {
                assert_eq!(u16::from(frame.code), code);
                assert!(frame.reason.contains(hint), "{frame:?}");
            }
            other => panic!("{other:?} before the close frame"),
        }
    }
    // Nothing is different for who may.
    server.socket("/api/ws/meters?refusal=close", token).await.hello().await;
    let head = wire::upgrade_head("/api/ws/meters?refusal=close");
    let foreign = head.replace("Host: localhost", "Host: localhost\r\nOrigin: https://elsewhere.example");
    assert!(wire::request(server.server.address(), &foreign).await.starts_with("HTTP/1.1 101 "));
}

#[tokio::test]
async fn bodies_are_limited() {
    let server = start().await;
    let body = vec![b' '; (8 << 20) + 1];
    let declared = server.request(Method::POST, "/api/compositions").body(body);
    problem(declared.send().await.unwrap(), 413).await;
    let mut socket = server.socket("/api/ws/stream", "").await;
    socket.hello().await;
    socket.say(json!({"type": "ping", "t0": 0})).await;
    socket.json("pong").await;
    socket.send(Message::text(" ".repeat(4097))).await;
    assert_eq!(socket.closed().await, Some(1009));
    let (mut reader, _writer) = wire::connect(server.server.address(), "/api/ws/transport").await;
    assert!(matches!(reader.next().await, Seen::Frame(TEXT, _)), "the server goes on");
}
