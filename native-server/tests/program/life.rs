//! The life of a server process: what outlives it, how it ends, what it logs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use native_server::priority::{Priority, Role};
use reqwest::Client;
use serde_json::{Value, json};

use crate::child::Server;

const MIDI: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../www/public/antiphon.mid");

async fn get(server: &Server, path: &str) -> Value {
    Client::new().get(server.url(path)).send().await.unwrap().json().await.unwrap()
}

async fn send(server: &Server, method: &str, path: &str, body: Value) -> Value {
    let request = Client::new().request(method.parse().unwrap(), server.url(path)).json(&body);
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {answer:?}");
    answer.json().await.unwrap_or_default()
}

async fn loaded(server: &Server) -> Vec<Value> {
    let items = get(server, "/api/compositions").await["items"].as_array().unwrap().clone();
    items.into_iter().filter(|item| item["loaded"] == true).collect()
}

fn end(mut server: Server) {
    server.signal("TERM");
    assert!(server.wait().success(), "SIGTERM ends it in peace");
}

#[tokio::test]
async fn a_restart_goes_on_with_what_was_loaded() {
    let home = tempfile::tempdir().unwrap();
    let home = [("XDG_DATA_HOME", home.path().to_str().unwrap())];
    let server = Server::start_in(&[], &home);
    assert!(server.greeting.starts_with("Antiphon plays \"Antiphon\" on"), "{}", server.greeting);
    let file = std::path::Path::new(home[0].1).join("antiphon/antiphon.db");
    assert!(file.is_file(), "the state is in the user's data directory");
    let mine = send(&server, "POST", "/api/compositions", json!({"name": "Mine", "length": 960})).await;
    let path = format!("/api/compositions/{}", mine["id"].as_str().unwrap());
    send(&server, "PATCH", &path, json!({"name": "Still mine"})).await;
    send(&server, "POST", &format!("{path}/load"), json!(null)).await;
    send(&server, "PATCH", "/api/mixer/master", json!({"gain_db": -7.25})).await;
    send(&server, "POST", "/api/playback/play", json!(null)).await;
    end(server);

    let server = Server::start_in(&[], &home);
    assert!(server.greeting.starts_with("Antiphon plays \"Still mine\" on"), "{}", server.greeting);
    assert_eq!(get(&server, "/api/playback").await["is_playing"], true);
    assert_eq!(get(&server, "/api/mixer/master").await["gain_db"], -7.25);
    assert_eq!(loaded(&server).await[0]["name"], "Still mine");
    send(&server, "POST", &format!("{path}/undo"), json!(null)).await;
    let undone = send(&server, "POST", &format!("{path}/undo"), json!(null)).await;
    assert_eq!((&undone["name"], &undone["master"]["gain_db"]), (&json!("Mine"), &json!(0.0)));

    // What was removed does not come back.
    send(&server, "DELETE", &path, json!(null)).await;
    end(server);
    let server = Server::start_in(&[], &home);
    assert!(server.greeting.starts_with("Antiphon has loaded nothing on"), "{}", server.greeting);
    assert_eq!(get(&server, "/api/compositions").await["items"].as_array().unwrap().len(), 1);
    end(server);

    // A file is the same composition at every start, with the changes that were made to it.
    let server = Server::start_in(&["--composition", MIDI], &home);
    assert!(server.greeting.starts_with("Antiphon plays \"Antiphon\" on"), "{}", server.greeting);
    assert_eq!(get(&server, "/api/compositions").await["items"].as_array().unwrap().len(), 1);
    end(server);
}

#[tokio::test]
async fn a_request_that_runs_is_answered_before_the_end() {
    let home = tempfile::tempdir().unwrap();
    let database = home.path().join("a.db");
    let args = ["--db", database.to_str().unwrap()];
    let mut server = Server::start(&args);
    let body = json!({"name": "In the last moment", "length": 960}).to_string();
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(
        stream,
        "POST /api/compositions HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        server.address,
        body.len()
    )
    .unwrap();
    let mut answer = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    answer.read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 100 Continue\r\n", "the request is being handled");
    server.signal("TERM");
    // It has got the signal when it takes no more connections.
    while TcpStream::connect(&server.address).is_ok() {}
    stream.write_all(body.as_bytes()).unwrap();
    let mut rest = String::new();
    answer.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("HTTP/1.1 201 Created"), "{rest}");
    assert!(server.wait().success());

    let server = Server::start(&args);
    let items = get(&server, "/api/compositions").await["items"].clone();
    assert_eq!(items[1]["name"], "In the last moment", "{items}");
    assert!(!home.path().join("a.db-journal").exists());
    end(server);
    assert!(!home.path().join("a.db-wal").exists(), "the log was written into the file");
}

#[tokio::test]
async fn who_asks_twice_does_not_wait() {
    let mut server = Server::start(&["--db", "memory"]);
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let head = format!("Host: {}\r\nContent-Length: 9\r\nExpect: 100-continue", server.address);
    write!(stream, "POST /api/compositions HTTP/1.1\r\n{head}\r\n\r\n").unwrap();
    let mut line = String::new();
    BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
    server.signal("INT");
    while TcpStream::connect(&server.address).is_ok() {}
    server.signal("INT");
    assert_eq!(server.wait().code(), Some(2));
}

#[tokio::test]
async fn nor_for_a_render() {
    let mut server = Server::start(&["--db", "memory"]);
    let client = Client::new();
    let create = async |beats: u32| {
        let created =
            client.post(server.url("/api/compositions")).json(&json!({"name": "A", "length": beats * 960}));
        let created: Value = created.send().await.unwrap().json().await.unwrap();
        server.url(&format!("/api/compositions/{}/render.wav", created["id"].as_str().unwrap()))
    };
    // Two hours, at 120 beats a minute.
    let (long, short) = (create(2 * 60 * 120).await, create(1).await);
    let render = tokio::spawn(client.get(&long).send());
    // The place is taken when others are refused it.
    while client.get(&short).send().await.unwrap().status() != 503 {}
    server.signal("INT");
    while TcpStream::connect(&server.address).is_ok() {}
    server.signal("INT");
    assert_eq!(server.wait().code(), Some(2));
    assert!(render.await.unwrap().is_err());
}

#[tokio::test]
async fn the_log_can_be_json() {
    let mut server = Server::start(&["--db", "memory", "--log-format", "json"]);
    let mut log = BufReader::new(server.stderr());
    let request = Client::new().get(server.url("/api/compositions/1")).header("x-request-id", "my-id-7");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["x-request-id"], "my-id-7");
    let mut found = None;
    while found.is_none() {
        let mut line = String::new();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "the log ended without the request");
        let entry: Value = serde_json::from_str(&line).expect("each line is JSON");
        assert!(entry["timestamp"].is_string() && entry["level"].is_string(), "{entry}");
        found = Some(entry).filter(|entry| entry["span"]["id"] == "my-id-7");
    }
    let entry = found.unwrap();
    assert_eq!((&entry["status"], &entry["span"]["method"]), (&json!(404), &json!("GET")));
    assert_eq!((&entry["level"], &entry["span"]["path"]), (&json!("INFO"), &json!("/api/compositions/1")));
    assert!(entry["milliseconds"].as_f64().unwrap() > 0.0);
    let other = Client::new().get(server.url("/api/health")).send().await.unwrap();
    assert_eq!(other.headers()["x-request-id"].len(), 36, "who has no id gets one");
    end(server);
}

/// Scheduling policies of the threads of sound and streams, as the kernel says.
#[cfg(target_os = "linux")]
fn policies(server: &Server) -> Vec<(String, u32)> {
    let threads = std::fs::read_dir(format!("/proc/{}/task", server.id())).unwrap();
    let policy = |thread: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap();
        let (name, rest) = stat.split_once('(').unwrap().1.rsplit_once(") ").unwrap();
        // Field 41 of proc(5); 3 is the first after the name.
        Some((name.to_string(), rest.split(' ').nth(38)?.parse().unwrap()))
    };
    let all = threads.filter_map(|thread| policy(thread.unwrap()));
    let mut ours: Vec<_> = all.filter(|(name, _)| ["null-audio", "publisher"].contains(&&name[..])).collect();
    ours.sort();
    ours
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn sound_and_streams_have_real_time_priority_where_the_system_allows_it() {
    let is_allowed = std::thread::spawn(|| Priority::RealTime.apply(Role::Sound).is_ok()).join().unwrap();
    if !is_allowed {
        eprintln!("not tried: this system gives no real-time priority");
    }
    let fifo = u32::from(is_allowed);
    for (args, expected) in [(&["--db", "memory"][..], fifo), (&["--db", "memory", "--no-realtime"], 0)] {
        let server = Server::start(args);
        // Both threads have worked when this is answered.
        send(&server, "POST", "/api/playback/play", json!(null)).await;
        let expected = ["null-audio", "publisher"].map(|name| (name.to_string(), expected));
        assert_eq!(policies(&server), expected, "{args:?}");
        end(server);
    }
}
