//! A minute with 500 clients that come and go, stall, reset their connections and send half messages, while others
//! write and the database goes away and comes back: no sequence goes backwards, the sound has no gap, memory stays
//! where it is, and nothing that was acknowledged is lost.
//!
//! `ANTIPHON_SOAK_SECONDS=600` makes it longer, `ANTIPHON_SOAK_CLIENTS` the crowd larger. What it measured is printed
//! as a line of JSON.

#![cfg(target_os = "linux")]

#[path = "common/child.rs"]
mod child;
#[path = "common/postgres.rs"]
mod postgres;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use child::Server;
use engine_core::protocol::Header;
use futures_util::{SinkExt, StreamExt};
use postgres::Postgres;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

/// What one waits for comes within a second; this only turns a hang into a failure.
const LIMIT: Duration = Duration::from_secs(30);
const WRITERS: u64 = 4;

/// A small generator of numbers (SplitMix64), the same at every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// What all see.
struct Field {
    address: String,
    is_over: AtomicBool,
    n_frames: AtomicU64,
    n_sessions: AtomicU64,
}

/// Sequence numbers of a connection, by topic and tap.
#[derive(Default)]
struct Sequences(HashMap<(u64, u64), u64>);

impl Sequences {
    fn check(&mut self, topic: u64, tap: u64, seq: u64) {
        if let Some(last) = self.0.insert((topic, tap), seq) {
            assert!(seq > last, "topic {topic} of tap {tap}: {seq} after {last}");
        }
    }

    /// Every frame of a message.
    fn read(&mut self, message: &Message) -> u64 {
        let mut n_frames = 0;
        match message {
            Message::Binary(bytes) => {
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    let (header, _, after) = Header::split(rest).expect("whole frames");
                    self.check(header.topic.into(), header.tap.into(), header.seq.into());
                    (rest, n_frames) = (after, n_frames + 1);
                }
            }
            Message::Text(text) => {
                let frame: Value = serde_json::from_str(text).expect("JSON");
                if let Some(seq) = frame["seq"].as_u64() {
                    let name = |field: &str| fnv(frame[field].as_str().unwrap_or_default());
                    self.check(name("type"), name("tap"), seq);
                    n_frames = 1;
                }
            }
            _ => {}
        }
        n_frames
    }
}

/// A number for a name (FNV-1a).
fn fnv(name: &str) -> u64 {
    name.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Comes, looks and goes, again and again.
async fn visit(field: Arc<Field>, mut dice: Dice) {
    while !field.is_over.load(Ordering::Relaxed) {
        session(&field, &mut dice).await;
        field.n_sessions.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(dice.below(500))).await;
    }
}

async fn open(field: &Field, dice: &mut Dice) -> WebSocketStream<TcpStream> {
    let path = ["stream", "meters", "spectrum?bands=64", "transport", "waveform", "analytics"]
        [dice.below(6) as usize];
    let fps = if path.contains('?') { "&fps=10" } else { "?fps=10" };
    let mut request = format!("ws://{}/api/ws/{path}{fps}", field.address).into_client_request().unwrap();
    if dice.below(2) == 0 {
        request.headers_mut().insert("sec-websocket-protocol", "antiphon.v1.binary".parse().unwrap());
    }
    let stream = TcpStream::connect(&field.address).await.unwrap();
    let (mut socket, _) =
        timeout(LIMIT, client_async(request, stream)).await.expect("in time").expect("an upgrade");
    let hello = timeout(LIMIT, socket.next()).await.expect("in time").expect("a message").expect("a hello");
    assert!(hello.to_text().unwrap().contains("\"hello\""), "{hello}");
    if path == "stream" {
        for topic in ["meters", "spectrum", "stereo", "music", "waveform"] {
            if dice.below(2) == 0 {
                let subscribe = json!({"type": "subscribe", "topic": topic, "fps": 5 + dice.below(20)});
                socket.send(Message::text(subscribe.to_string())).await.unwrap();
            }
        }
    }
    socket
}

async fn session(field: &Field, dice: &mut Dice) {
    let mut socket = open(field, dice).await;
    let mut sequences = Sequences::default();
    let stalls_at = dice.below(200);
    let n_messages = 20 + dice.below(100);
    for n in 0..n_messages {
        if field.is_over.load(Ordering::Relaxed) {
            break;
        }
        if n == stalls_at {
            // Frames are merged meanwhile; the server closes those who stall for more than ten seconds.
            tokio::time::sleep(Duration::from_millis(dice.below(3_000))).await;
        }
        // A topic may be silent, such as transport while paused; then a message comes at least five times a second.
        let message = timeout(LIMIT, socket.next())
            .await
            .expect("a message in time")
            .expect("no end")
            .expect("a message");
        assert!(!message.is_close(), "closed without a reason: {message}");
        field.n_frames.fetch_add(sequences.read(&message), Ordering::Relaxed);
    }
    match dice.below(4) {
        0 => {
            socket.close(None).await.unwrap();
            while timeout(LIMIT, socket.next())
                .await
                .expect("the end in time")
                .is_some_and(|last| last.is_ok())
            {}
        }
        // A reset.
        1 => socket.get_ref().set_zero_linger().unwrap(),
        // Half a message: FIN and text, 100 bytes masked, of which none come.
        2 => {
            let _ = socket.get_mut().write_all(&[0x81, 0xe4, 1, 2, 3, 4]).await;
        }
        // Gone without a word.
        _ => {}
    }
}

/// Renames a composition of its own, and knows the last name that was acknowledged and the last that was asked for.
async fn write(field: Arc<Field>, http: Client, writer: u64) -> (String, u64, u64, u64) {
    let id = format!("00000000-0000-4000-8000-{writer:012x}");
    let url = format!("http://{}/api/compositions", field.address);
    let body = json!({"id": id, "name": "0", "length": 960});
    let made = http.post(&url).json(&body).timeout(LIMIT).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let (mut acknowledged, mut asked, mut n_refused) = (0, 0, 0);
    while !field.is_over.load(Ordering::Relaxed) {
        asked += 1;
        let change = json!({"name": asked.to_string()});
        let request = http.request(Method::PATCH, format!("{url}/{id}")).json(&change);
        let status = request.timeout(LIMIT).send().await.unwrap().status();
        match status.as_u16() {
            200 => acknowledged = asked,
            503 => n_refused += 1,
            _ => panic!("{status}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    (format!("{url}/{id}"), acknowledged, asked, n_refused)
}

/// Resident memory of a process, in KiB.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// How long the threads that play and measure could run and did not get a processor, the one that waited longest.
fn waited_for_cpu(process: u32) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let waits = threads.filter_map(|thread| {
        let folder = thread.ok()?.path();
        let name = std::fs::read_to_string(folder.join("comm")).ok()?;
        let times = std::fs::read_to_string(folder.join("schedstat")).ok()?;
        let nanos = times.split(' ').nth(1)?.parse().ok()?;
        ["null-audio", "publisher"].contains(&name.trim()).then_some(Duration::from_nanos(nanos))
    });
    waits.max().expect("threads that play and measure")
}

async fn metric(http: &Client, server: &Server, name: &str) -> f64 {
    let text = http.get(server.url("/metrics")).timeout(LIMIT).send().await.unwrap().text().await.unwrap();
    let line = text.lines().find(|line| line.split(' ').next() == Some(name)).expect("the metric is there");
    line.split(' ').nth(1).unwrap().parse().unwrap()
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

fn median(values: &[u64]) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_come_and_go_leave_no_trace() {
    let n_seconds = number("ANTIPHON_SOAK_SECONDS", 60);
    let n_clients = number("ANTIPHON_SOAK_CLIENTS", 500);
    let mut postgres = Postgres::start();
    let mut server = Server::start(&["--db", &postgres.database("soak")]);
    // What it says belongs to the test's output; a pipe that nobody reads would stop it.
    let mut log = server.stderr();
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::stderr()));
    let field = Arc::new(Field {
        address: server.address.clone(),
        is_over: AtomicBool::new(false),
        n_frames: AtomicU64::new(0),
        n_sessions: AtomicU64::new(0),
    });
    let http = Client::new();
    let writers: Vec<_> =
        (0..WRITERS).map(|writer| tokio::spawn(write(field.clone(), http.clone(), writer))).collect();
    let clients: Vec<_> =
        (0..n_clients).map(|client| tokio::spawn(visit(field.clone(), Dice(client)))).collect();

    let (start, mut memory, mut n_outages) = (Instant::now(), Vec::new(), 0);
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    while start.elapsed() < Duration::from_secs(n_seconds) {
        seconds.tick().await;
        memory.push(resident(server.id()));
        if memory.len() % 15 == 10 {
            postgres.stop();
            seconds.tick().await;
            postgres.resume();
            n_outages += 1;
        }
    }
    field.is_over.store(true, Ordering::Relaxed);
    while metric(&http, &server, "antiphon_database_up").await < 1.0 {
        let _ = http.get(server.url("/api/compositions")).timeout(LIMIT).send().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut n_refused = 0;
    for writer in writers {
        let (url, acknowledged, asked, refused) = writer.await.unwrap();
        let seen: Value = http.get(url).timeout(LIMIT).send().await.unwrap().json().await.unwrap();
        let name: u64 = seen["name"].as_str().expect("a name").parse().unwrap();
        // A change that was cut off may have been stored or not; one that was acknowledged is there.
        assert!((acknowledged..=asked).contains(&name), "{name} is there, {acknowledged} was acknowledged");
        n_refused += refused;
    }
    for client in clients {
        client.await.unwrap();
    }
    let n_xruns = metric(&http, &server, "antiphon_audio_xruns_total").await;
    // What other programs take from the machine is not the clients' doing.
    let waited = waited_for_cpu(server.id());
    assert!(
        n_xruns == 0.0 || waited > start.elapsed() / 5,
        "{n_xruns} gaps, though the CPU was there within {waited:?}"
    );
    while metric(&http, &server, "antiphon_stream_clients").await > 0.0 {
        assert!(
            start.elapsed() < Duration::from_secs(n_seconds) + 3 * LIMIT,
            "sessions of clients that are gone"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // The first third fills caches and pools; from then on there is nothing to keep.
    let third = memory.len() / 3;
    let (middle, last) = (median(&memory[third..2 * third]), median(&memory[2 * third..]));
    let [n_frames, n_sessions] = [&field.n_frames, &field.n_sessions].map(|n| n.load(Ordering::Relaxed));
    println!(
        "{}",
        json!({"seconds": n_seconds, "clients": n_clients, "sessions": n_sessions, "frames": n_frames,
            "outages": n_outages, "refused": n_refused, "xruns": n_xruns, "waited_for_cpu": waited.as_secs_f64(), "resident_kib": memory,
            "middle_third_kib": middle, "last_third_kib": last})
    );
    assert!(n_sessions > n_clients && n_refused > 0, "{n_sessions} sessions, {n_refused} writes refused");
    assert!(last < middle + middle / 10, "memory grows: {middle} KiB, then {last} KiB");
}
