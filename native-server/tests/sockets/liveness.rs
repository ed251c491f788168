//! Clients that are slow, stuck or silent, and a server that ends.

use std::time::Duration;

use engine_core::protocol::Topic;
use native_server::server::Config;
use native_server::store::Database;
use native_server::ws::Timing;
use reqwest::Method;
use serde_json::json;
use tokio::net::TcpSocket;
use tokio::time::Instant;

use crate::common::{BINARY, JSON, Received, Socket, TestServer, config, start_with};

/// A client whose system holds little, so that what it does not read soon stops the server's writes.
async fn narrow_socket(server: &TestServer, path: &str, protocol: &str) -> Socket {
    let tcp = TcpSocket::new_v4().unwrap();
    tcp.set_recv_buffer_size(4096).unwrap();
    let stream = tcp.connect(server.server.address()).await.unwrap();
    server.socket_on(stream, path, protocol).await.unwrap().0
}

const HEAVY: &str = "/api/ws/spectrum?fps=120&bands=1024&fft_size=4096";

#[tokio::test]
async fn a_client_that_does_not_read_delays_nobody_and_gets_merged_frames() {
    let server = start_with(config()).await;
    let mut slow = narrow_socket(&server, HEAVY, JSON).await;
    slow.hello().await;
    let mut fast = server.socket(HEAVY, BINARY).await;
    fast.hello().await;
    // Until the server has merged something for the slow one, and then some: the fast one never waits.
    let mut load = server.socket("/api/ws/analytics", "").await;
    let mut longest = Duration::ZERO;
    let (mut n_fast, mut n_lost) = (0, 0);
    let mut merged = 0;
    while merged < 60 {
        let since = Instant::now();
        tokio::select! {
            (header, _) = fast.binary(Topic::Spectrum) => {
                n_fast += 1;
                n_lost += u32::from(header.dropped);
                longest = longest.max(since.elapsed());
            }
            frame = load.json("analytics") => merged = frame["frames_merged"].as_u64().unwrap(),
        }
        assert!(n_fast < 5000, "nothing was merged for a client that does not read");
    }
    // A few, when this machine is busy; the slow client loses all.
    assert!(n_lost <= n_fast / 5, "{n_lost} of {n_fast} frames were lost for the fast client");
    assert!(longest < Duration::from_millis(250), "a frame took {longest:?}");
    let (mut last, mut n_merged) = (0, 0);
    while n_merged < 60 {
        let frame = slow.json("spectrum").await;
        let seq = frame["seq"].as_u64().unwrap();
        assert!(seq > last, "{seq} after {last}");
        last = seq;
        n_merged += frame["dropped"].as_u64().unwrap();
    }
}

#[tokio::test]
async fn a_client_that_never_reads_is_closed_with_4408() {
    let timing = Timing { stall: Duration::from_millis(300), ..Timing::default() };
    let server = start_with(Config { timing, ..config() }).await;
    let mut stuck = narrow_socket(&server, HEAVY, JSON).await;
    let mut load = server.socket("/api/ws/analytics", "").await;
    while load.json("analytics").await["clients"] != 2 {}
    while load.json("analytics").await["frames_merged"].as_u64().unwrap() < 30 {}
    assert_eq!(stuck.closed().await, Some(4408));
    while load.json("analytics").await["clients"] != 1 {}
}

#[tokio::test]
async fn a_silent_client_is_pinged_and_then_dropped() {
    let timing =
        Timing { ping: Duration::from_millis(50), silence: Duration::from_millis(400), ..Timing::default() };
    let server = start_with(Config { timing, ..config() }).await;
    // This client answers pings while it reads, so it outlives the limit several times.
    let mut alive = server.socket("/api/ws/transport", "").await;
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(1200) {
        alive.json("transport").await;
    }
    // This one only speaks TCP after the upgrade: it never answers.
    let dead = server.socket("/api/ws/transport", "").await;
    let mut load = server.socket("/api/ws/analytics", "").await;
    while load.json("analytics").await["clients"] != 3 {
        alive.json("transport").await;
    }
    let mut clients = 3;
    while clients != 2 {
        tokio::select! {
            frame = load.json("analytics") => clients = frame["clients"].as_u64().unwrap(),
            _ = alive.json("transport") => {}
        }
    }
    drop(dead);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_hangs_up_leaves_no_change_half_done() {
    let home = tempfile::tempdir().unwrap();
    let database = Database::File(home.path().join("a.db"));
    let server = start_with(Config { database, ..config() }).await;
    let channel = format!("/api/mixer/channels/{}", server.tracks[0]);
    let path = format!("/api/compositions/{}", server.composition);
    for n in 0..60u64 {
        let body = json!({"gain_db": -60.0 + n as f64 / 2.0, "mute": n % 2 == 0});
        let request = server.request(Method::PATCH, &channel).json(&body).send();
        // It hangs up a little later each time: before the change, in the middle of it, after it.
        let _ = tokio::time::timeout(Duration::from_micros(n * 100), request).await;
        let mut n_tries = 0;
        loop {
            let (heard, stored) = (server.get(&channel).await, server.get(&path).await);
            let stored = &stored["tracks"][0];
            if heard["gain_db"] == stored["gain_db"] && heard["mute"] == stored["mute"] {
                break;
            }
            n_tries += 1;
            assert!(n_tries < 100, "{stored} is stored, and {heard} is heard");
        }
    }
    server.server.shutdown().await;
}

#[tokio::test]
async fn shutdown_closes_every_socket_with_1001_at_once() {
    let server = start_with(config()).await;
    let mut sockets = Vec::new();
    for path in ["/api/ws/meters", "/api/ws/stream", "/api/ws/transport"] {
        let mut socket = server.socket(path, "").await;
        socket.hello().await;
        sockets.push(socket);
    }
    let TestServer { server, .. } = server;
    let start = Instant::now();
    let closing = tokio::spawn(server.shutdown());
    for socket in &mut sockets {
        assert_eq!(socket.closed().await, Some(1001));
    }
    closing.await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test]
async fn the_last_unsubscription_frees_the_stream() {
    let server = start_with(config()).await;
    let mut socket = server.socket("/api/ws/stream", "").await;
    socket.hello().await;
    for round in 0..200u16 {
        let options = json!({"bands": 16 + round, "fft_size": 32768});
        socket.say(json!({"type": "subscribe", "topic": "spectrum", "options": options})).await;
    }
    socket.say(json!({"type": "ping", "t0": 0})).await;
    socket.json("pong").await;
    // 200 configurations of this size would cost several cores if they all ran.
    loop {
        match socket.next().await {
            Received::Text(frame)
                if frame["magnitudes"].as_array().is_some_and(|values| values.len() == 215) =>
            {
                break;
            }
            Received::Close(frame) => panic!("{frame:?}"),
            _ => {}
        }
    }
    let mut load = server.socket("/api/ws/analytics", "").await;
    load.hello().await;
    let mut usage = f64::MAX;
    for _ in 0..20 {
        usage = load.json("analytics").await["cpu_usage"].as_f64().unwrap();
        if usage < 1.0 {
            return;
        }
    }
    panic!("the processor is still busy: {usage}");
}
