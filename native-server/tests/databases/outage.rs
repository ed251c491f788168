//! PostgreSQL goes away while the server runs, and comes back: requests are refused meanwhile, the music plays on,
//! and nothing has to be restarted.

use std::time::Duration;

use native_server::server::Config;
use native_server::store::Database;
use reqwest::Method;
use serde_json::json;

use crate::common::{TestServer, config, problem, start_with};
use crate::metrics::metric;
use crate::postgres::Postgres;

/// The position after some more frames of the transport: that they come at all means that it plays.
async fn plays_on(server: &TestServer) {
    let mut socket = server.socket("/api/ws/transport?fps=60", "").await;
    let first = socket.json("transport").await["sample_position"].as_u64().unwrap();
    for _ in 0..1000 {
        let frame = socket.json("transport").await;
        assert_eq!(frame["is_playing"], true);
        if frame["sample_position"].as_u64().unwrap() > first + 4800 {
            return;
        }
    }
    panic!("the playhead stands still");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_gone_for_a_while_is_no_end() {
    let mut postgres = Postgres::start();
    let database = Database::Postgres(postgres.database("outage"));
    let server = start_with(Config { database, ..config() }).await;
    let path = format!("/api/compositions/{}", server.composition);
    server.send(Method::PATCH, &path, json!({"name": "Before"})).await;
    assert!(database_up(&server).await);

    postgres.stop();
    let channel = format!("/api/mixer/channels/{}", server.tracks[0]);
    let refused = [
        server.request(Method::GET, &path),
        server.request(Method::GET, "/api/compositions"),
        server.request(Method::PATCH, &path).json(&json!({"name": "Meanwhile"})),
        server.request(Method::PATCH, &channel).json(&json!({"mute": true})),
        server.request(Method::POST, &format!("{path}/undo")),
        server.request(Method::DELETE, &path),
        server.request(Method::POST, "/api/compositions").json(&json!({"name": "x", "length": 1})),
    ];
    for request in refused {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["retry-after"], "1");
        let problem = problem(answer, 503).await;
        assert_eq!(problem["type"], "/problems/storage");
    }
    assert!(!database_up(&server).await);
    // What plays needs no database: transport and mixer can be read, and the transport obeys.
    plays_on(&server).await;
    assert_eq!(server.get("/api/mixer").await["channels"][0]["mute"], false, "what was refused is not heard");
    let located = server.send(Method::POST, "/api/playback/seek", json!({"position_beats": 8})).await;
    assert!(located["position_beats"].as_f64().unwrap() >= 8.0);

    postgres.resume();
    // The server asks again at most half a second after the last failure.
    let mut n_refused = 0;
    let composition = loop {
        let answer = server.request(Method::GET, &path).send().await.unwrap();
        if answer.status() == 200 {
            break answer.json::<serde_json::Value>().await.unwrap();
        }
        problem(answer, 503).await;
        n_refused += 1;
        assert!(n_refused < 100, "the database is back for long");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(composition["name"], "Before", "what was refused is not there");
    server.send(Method::PATCH, &path, json!({"name": "After"})).await;
    server.send(Method::PATCH, &channel, json!({"mute": true})).await;
    assert_eq!(server.get("/api/mixer").await["channels"][0]["mute"], true);
    assert_eq!(server.post(&format!("{path}/undo")).await["name"], "After");
    assert!(database_up(&server).await);
    plays_on(&server).await;
    server.server.shutdown().await;
}

async fn database_up(server: &TestServer) -> bool {
    metric(server.request(Method::GET, "/metrics"), "antiphon_database_up").await == 1.0
}
