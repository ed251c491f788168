//! Tracks, clips, undo, redo and history over HTTP.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::common::{self, LIMIT, TestServer, start};

const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

fn etag(response: &Response) -> String {
    response.headers()["etag"].to_str().unwrap().to_string()
}

fn path(server: &TestServer) -> String {
    format!("/api/compositions/{}", server.composition)
}

async fn created(server: &TestServer, path: &str, body: Value) -> (String, Value) {
    let response = server.request(Method::POST, path).json(&body).send().await.unwrap();
    assert_eq!(response.status(), 201);
    let location = response.headers()["location"].to_str().unwrap().to_string();
    (location, response.json().await.unwrap())
}

async fn refused(server: &TestServer, method: Method, path: &str, body: Value, status: u16) -> Value {
    server.problem(server.request(method, path).json(&body), status).await
}

#[tokio::test]
async fn tracks_are_added_changed_and_removed() {
    let server = start().await;
    let tracks = format!("{}/tracks", path(&server));
    let list = server.request(Method::GET, &tracks).send().await.unwrap();
    assert_eq!(etag(&list), server.tag(1), "the ETag of a part is the composition's");
    let list: Value = list.json().await.unwrap();
    assert_eq!((&list["items"][0]["name"], &list["items"][1]["name"]), (&json!("Low"), &json!("High")));
    let page = server.get(&format!("{tracks}?limit=1")).await;
    let next = page["next_cursor"].as_str().unwrap();
    let page = server.get(&format!("{tracks}?limit=1&cursor={next}")).await;
    assert_eq!((&page["items"][0]["name"], page.get("next_cursor")), (&json!("High"), None));

    let (bass, track) = created(&server, &tracks, json!({"name": "Bass", "gain_db": -6})).await;
    assert_eq!(bass, format!("{tracks}/{}", track["id"].as_str().unwrap()));
    assert_eq!((&track["gain_db"], &track["color"]), (&json!(-6.0), &json!("#7c9cff")));
    assert_eq!(server.get("/api/mixer").await["channels"][2]["name"], "Bass", "what plays has it at once");
    refused(&server, Method::POST, &tracks, track.clone(), 409).await;

    let patched =
        server.request(Method::PATCH, &bass).header("if-match", server.tag(2)).json(&json!({"pan": 0.5}));
    let patched = patched.send().await.unwrap();
    assert_eq!((patched.status().as_u16(), etag(&patched)), (200, server.tag(3)));
    let late =
        server.request(Method::PATCH, &bass).header("if-match", server.tag(2)).json(&json!({"pan": 1}));
    server.problem(late, 412).await;
    let stored = server.get(&bass).await;
    assert_eq!((&stored["pan"], &stored["gain_db"]), (&json!(0.5), &json!(-6.0)));
    let replaced = server.send(Method::PUT, &bass, json!({"name": "Cello"})).await;
    assert_eq!(
        (&replaced["id"], &replaced["pan"]),
        (&track["id"], &json!(0.0)),
        "the id of the path is kept"
    );

    for (method, body, field) in [
        (Method::PATCH, json!({"gain_db": 13}), "gain_db"),
        (Method::PATCH, json!({"gain_db": "loud"}), "gain_db"),
        (Method::PATCH, json!({"colour": "#000000"}), "colour"),
        (Method::PATCH, json!({"id": server.tracks[0]}), "id"),
        (Method::PATCH, json!({"name": null}), "name"),
        (Method::PUT, json!({"name": "x", "instrument": {"program": 200}}), "instrument.program"),
        (Method::PUT, json!({"name": "x", "clips": [{"start": 0, "length": 0}]}), "clips[0].length"),
        (Method::PUT, json!({"name": "x", "sends": [{"bus": NOBODY}]}), "sends[0].bus"),
    ] {
        let problem = refused(&server, method, &bass, body, 422).await;
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    let problem = refused(&server, Method::POST, &tracks, json!({"name": "", "pan": 0}), 422).await;
    assert_eq!(problem["errors"][0]["field"], "name");
    server.problem(server.request(Method::POST, &tracks).body("{"), 400).await;
    server.problem(server.request(Method::PUT, &bass).body(vec![b' '; (8 << 20) + 1]), 413).await;
    for query in ["limit=0", "limit=201", "cursor=x", "page=1"] {
        server.problem(server.request(Method::GET, &format!("{tracks}?{query}")), 422).await;
    }
    for missing in [
        format!("{tracks}/{NOBODY}"),
        format!("{tracks}/1"),
        format!("/api/compositions/{NOBODY}/tracks"),
        format!("/api/compositions/{NOBODY}/tracks/{}", server.tracks[0]),
    ] {
        server.problem(server.request(Method::GET, &missing), 404).await;
    }
    refused(&server, Method::PATCH, &format!("{tracks}/{NOBODY}"), json!({}), 404).await;

    server.problem(server.request(Method::DELETE, &bass).header("if-match", "\"1\""), 412).await;
    common::ok(server.request(Method::DELETE, &bass)).await;
    server.problem(server.request(Method::DELETE, &bass), 404).await;
    assert_eq!(server.get("/api/mixer").await["channels"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn pages_miss_nothing_when_what_they_showed_is_removed() {
    let server = start().await;
    let tracks = format!("{}/tracks", path(&server));
    for name in ["2", "3"] {
        created(&server, &tracks, json!({ "name": name })).await;
    }
    let page = server.get(&format!("{tracks}?limit=2")).await;
    let rest = format!("{tracks}?cursor={}", page["next_cursor"].as_str().unwrap());
    for removed in &server.tracks {
        common::ok(server.request(Method::DELETE, &format!("{tracks}/{removed}"))).await;
        if removed == &server.tracks[0] {
            let rest = server.get(&rest).await;
            assert_eq!((&rest["items"][0]["name"], &rest["items"][1]["name"]), (&json!("2"), &json!("3")));
        }
    }
}

#[tokio::test]
async fn clips_of_both_kinds_are_added_changed_and_removed() {
    let server = start().await;
    let clips = format!("{}/tracks/{}/clips", path(&server), server.tracks[1]);
    assert_eq!(server.get(&clips).await["items"].as_array().unwrap().len(), 1);
    let notes = json!([{"pitch": 60, "velocity": 90, "start": 0, "length": 480}]);
    let (clip, added) = created(&server, &clips, json!({"start": 960, "length": 960, "notes": notes})).await;
    assert_eq!(clip, format!("{clips}/{}", added["id"].as_str().unwrap()));
    let recording = include_bytes!("../../../audio-files/tests/data/tone.flac");
    let sample = common::ok(server.request(Method::POST, "/api/samples").body(recording.to_vec())).await;
    let sample = sample["id"].as_str().unwrap();
    let (audio, added_audio) =
        created(&server, &clips, json!({"sample": sample, "start": 0, "length_seconds": 1.5})).await;
    assert_eq!((&added_audio["sample"], &added_audio["gain_db"]), (&json!(sample), &json!(0.0)));
    let list = server.get(&format!("{clips}?limit=2")).await;
    assert_eq!(list["items"][1], added);
    let rest = server.get(&format!("{clips}?cursor={}", list["next_cursor"].as_str().unwrap())).await;
    assert_eq!(rest["items"], json!([added_audio]));
    refused(&server, Method::POST, &clips, added.clone(), 409).await;

    assert_eq!(server.send(Method::PATCH, &clip, json!({"start": 1920})).await["start"], 1920);
    assert_eq!(server.get(&clip).await["notes"], notes);
    assert_eq!(server.send(Method::PATCH, &audio, json!({"gain_db": -3})).await["gain_db"], -3.0);
    let stored = server.get(&path(&server)).await;
    assert_eq!(stored["tracks"][1]["audio_clips"][0]["gain_db"], -3.0);
    let replaced = server.send(Method::PUT, &audio, json!({"start": 5, "length": 10})).await;
    assert_eq!(
        (&replaced["id"], replaced.get("sample")),
        (&added_audio["id"], None),
        "it is a note clip now"
    );
    assert_eq!(server.get(&path(&server)).await["tracks"][1]["audio_clips"], json!([]));

    for (target, body, field) in [
        (&clip, json!({"length": 0}), "length"),
        (&clip, json!({"notes": [{"pitch": 128, "velocity": 1, "start": 0, "length": 1}]}), "notes[0].pitch"),
        (&clip, json!({"notes": [{"pitch": 1, "velocity": 1, "start": -1, "length": 1}]}), "notes[0].start"),
        (&clip, json!({"id": NOBODY}), "id"),
        (&clip, json!({"sample": sample}), "controls"),
    ] {
        let problem = refused(&server, Method::PATCH, target, body, 422).await;
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    let body = json!({"sample": sample, "start": 0, "length_seconds": 1, "gain_db": 13});
    let problem = refused(&server, Method::POST, &clips, body, 422).await;
    assert_eq!(problem["errors"][0]["field"], "gain_db");
    let body = json!({"sample": NOBODY, "start": 0, "length_seconds": 1});
    let problem = refused(&server, Method::POST, &clips, body, 422).await;
    assert_eq!(problem["errors"][0]["field"], "sample");
    let stale = server.request(Method::PUT, &clip).header("if-match", "\"1\"").json(&added);
    server.problem(stale, 412).await;
    for missing in [format!("{clips}/{NOBODY}"), format!("{}/tracks/{NOBODY}/clips", path(&server))] {
        server.problem(server.request(Method::GET, &missing), 404).await;
    }
    common::ok(server.request(Method::DELETE, &clip)).await;
    server.problem(server.request(Method::GET, &clip), 404).await;
}

#[tokio::test]
async fn changes_are_undone_and_redone_and_heard() {
    let server = start().await;
    let at = path(&server);
    let post = |call: &str| server.request(Method::POST, &format!("{at}/{call}"));
    assert_eq!(server.problem(post("undo"), 409).await["detail"], "there is nothing to undo");
    server.problem(post("redo"), 409).await;

    let channel = format!("/api/mixer/channels/{}", server.tracks[0]);
    for gain in [-1, -2, -3] {
        server.send(Method::PATCH, &channel, json!({"gain_db": gain})).await;
    }
    server.send(Method::PATCH, &channel, json!({"mute": true})).await;
    server.send(Method::PATCH, &at, json!({"name": "Renamed", "length": 64 * 960 + 1})).await;
    let history = server.get(&format!("{at}/history")).await;
    let labels: Vec<_> =
        history["items"].as_array().unwrap().iter().map(|step| step["label"].clone()).collect();
    assert_eq!(labels, ["changed length, name", "mute of Low", "gain_db of Low", "imported"]);
    assert_eq!((&history["can_undo"], &history["can_redo"]), (&json!(true), &json!(false)));
    assert_eq!(
        (&history["items"][0]["current"], &history["items"][1]["current"]),
        (&json!(true), &json!(false))
    );
    assert!(history["items"][0]["changed_at"].as_f64().unwrap() > 1.7e12, "Unix milliseconds");

    let undone = post("undo").header("if-match", server.tag(6)).send().await.unwrap();
    assert_eq!((undone.status().as_u16(), etag(&undone)), (200, server.tag(7)));
    assert_eq!(undone.json::<Value>().await.unwrap()["name"], "Test");
    server.problem(post("undo").header("if-match", server.tag(6)), 412).await;
    common::ok(post("undo")).await;
    assert_eq!(server.get(&channel).await["mute"], false, "the mixer follows");
    common::ok(post("undo")).await;
    assert_eq!(server.get(&channel).await["gain_db"], -6.0, "a fader's way is one step");
    assert_eq!(server.get("/api/playback").await["is_playing"], true);
    common::ok(post("redo")).await;
    assert_eq!(server.get(&channel).await["gain_db"], -3.0);
    let history = server.get(&format!("{at}/history?limit=1")).await;
    assert_eq!((&history["can_undo"], &history["can_redo"]), (&json!(true), &json!(true)));
    let next = history["next_cursor"].as_str().unwrap();
    let rest = server.get(&format!("{at}/history?cursor={next}")).await;
    assert_eq!((rest["items"].as_array().unwrap().len(), rest.get("next_cursor")), (3, None));

    server.send(Method::PATCH, &at, json!({"name": "Another way"})).await;
    server.problem(post("redo"), 409).await;
    for call in ["undo", "redo"] {
        let nobody = server.request(Method::POST, &format!("/api/compositions/{NOBODY}/{call}"));
        server.problem(nobody, 404).await;
    }
    server.problem(server.request(Method::GET, &format!("/api/compositions/{NOBODY}/history")), 404).await;
    server.problem(server.request(Method::GET, &format!("{at}/history?cursor=x")), 422).await;
}

#[tokio::test]
async fn metrics_count_what_happens() {
    let server = start().await;
    let mut socket = server.socket("/api/ws/meters?fps=60", "").await;
    for _ in 0..3 {
        socket.json("meters").await;
    }
    server.get(&path(&server)).await;
    server.problem(server.request(Method::GET, &format!("/api/compositions/{NOBODY}")), 404).await;
    server.problem(server.request(Method::GET, "/api/made/up"), 404).await;
    let scrape = async || {
        let answer = server.request(Method::GET, "/metrics").send().await.unwrap();
        assert_eq!(
            answer.headers()["content-type"],
            "application/openmetrics-text; version=1.0.0; charset=utf-8"
        );
        answer.text().await.unwrap()
    };
    let find = |text: &str, series: &str| -> f64 {
        let found = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        found.unwrap_or_else(|| panic!("{series} is not in {text}")).parse().unwrap()
    };
    // A frame counts when it was written, and a client may be quicker than that.
    let counted = async {
        loop {
            let text = scrape().await;
            if find(&text, "antiphon_stream_frames_sent_total") >= 3.0 {
                return text;
            }
        }
    };
    let text = tokio::time::timeout(LIMIT, counted).await.expect("frames are counted");
    let value = |series: &str| find(&text, series);
    let count = "antiphon_http_request_duration_seconds_count";
    let route = "/api/compositions/{id}";
    assert_eq!(value(&format!("{count}{{method=\"GET\",route=\"{route}\",status=\"200\"}}")), 1.0);
    assert_eq!(value(&format!("{count}{{method=\"GET\",route=\"{route}\",status=\"404\"}}")), 1.0);
    assert!(!text.contains(NOBODY) && !text.contains("made/up"), "paths make no series");
    assert_eq!(value("antiphon_stream_clients"), 1.0);
    assert_eq!(value("antiphon_database_up"), 1.0);
    assert_eq!(value("antiphon_http_requests_in_flight"), 1.0, "this one");
    for series in [
        "antiphon_stream_frames_merged_total",
        "antiphon_audio_xruns_total",
        "antiphon_audio_latency_seconds",
        "antiphon_engine_queue",
        "antiphon_publisher_queue",
    ] {
        assert!(value(series) >= 0.0);
    }
    assert_eq!(value(&format!("antiphon_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"))), 1.0);
    assert!(text.ends_with("# EOF\n"));
}
