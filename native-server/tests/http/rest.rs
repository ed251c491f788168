//! REST, over real HTTP: what each call does, and how each refuses.

use reqwest::Method;
use serde_json::{Value, json};

use crate::common::{self, TestServer, start};

const PUT: Method = Method::PUT;
const POST: Method = Method::POST;
const PATCH: Method = Method::PATCH;
const GET: Method = Method::GET;

#[tokio::test]
async fn health_and_info_describe_the_server() {
    let server = start().await;
    assert_eq!(server.get("/api/health").await["status"], "ok");
    let info = server.get("/api/info").await;
    assert_eq!((&info["sample_rate"], &info["device"]), (&json!(48_000), &json!("the null device")));
    assert_eq!(info["topics"].as_array().unwrap().len(), 9);
}

#[tokio::test]
async fn the_transport_does_what_it_is_told_and_answers_with_the_new_state() {
    let server = start().await;
    assert_eq!(server.get("/api/playback").await["is_playing"], true);
    let stopped = server.post("/api/playback/stop").await;
    assert_eq!((&stopped["is_playing"], &stopped["position_beats"]), (&json!(false), &json!(0.0)));
    let located = server.send(POST, "/api/playback/seek", json!({"position_beats": 12.5})).await;
    assert_eq!(located["position_beats"], 12.5);
    // 120 bpm: two beats a second.
    let located = server.send(POST, "/api/playback/seek", json!({"position_seconds": 4})).await;
    assert_eq!(located["position_beats"], 8.0);
    let located = server.send(POST, "/api/playback/seek", json!({"position_beats": 1e9})).await;
    assert_eq!(located["position_beats"], 64.0);
    server.send(POST, "/api/playback/seek", json!({"position_beats": 4})).await;
    let playing = server.post("/api/playback/play").await;
    assert_eq!(playing["is_playing"], true);
    assert!(playing["position_beats"].as_f64().unwrap() >= 4.0, "{playing}");
    let paused = server.post("/api/playback/pause").await;
    assert_eq!((&paused["is_playing"], &paused["is_paused"]), (&json!(false), &json!(true)));
    let resumed = server.post("/api/playback/resume").await;
    assert_eq!((&resumed["is_playing"], &resumed["is_paused"]), (&json!(true), &json!(false)));
    assert!(resumed["position_beats"].as_f64() >= paused["position_beats"].as_f64());
}

#[tokio::test]
async fn tempo_loop_and_metronome_are_settings_of_the_engine() {
    let server = start().await;
    assert_eq!(server.send(PUT, "/api/playback/tempo", json!({"bpm": 90})).await["tempo"], 90.0);
    assert_eq!(server.get("/api/playback").await["tempo"], 90.0);
    let path = format!("/api/compositions/{}", server.composition);
    assert_eq!(server.get(&path).await["tempo"][0]["bpm"], 90.0, "the composition has the tempo too");
    // 90 bpm: 1.5 beats a second.
    let located = server.send(POST, "/api/playback/seek", json!({"position_seconds": 10})).await;
    assert!((located["position_beats"].as_f64().unwrap() - 15.0).abs() < 0.1, "{located}");

    let region = json!({"enabled": true, "start_beats": 8, "end_beats": 8.5});
    let looped = server.send(PUT, "/api/playback/loop", region).await;
    assert_eq!(
        (&looped["loop_enabled"], &looped["loop_start"], &looped["loop_end"]),
        (&json!(true), &json!(8.0), &json!(8.5))
    );
    server.send(POST, "/api/playback/seek", json!({"position_beats": 8})).await;
    let mut socket = server.socket("/api/ws/transport?fps=60", "").await;
    let mut last = 0.0;
    loop {
        let frame = socket.json("transport").await;
        let beats = frame["position_beats"].as_f64().unwrap();
        assert!((8.0..8.5).contains(&beats), "{beats} is outside of the loop");
        if beats < last {
            break;
        }
        last = beats;
    }
    assert_eq!(
        server.send(PUT, "/api/playback/metronome", json!({"enabled": true})).await["metronome_enabled"],
        true
    );
}

#[tokio::test]
async fn wrong_values_are_named() {
    let server = start().await;
    let refused: &[(Method, &str, Value, &str)] = &[
        (PUT, "/api/playback/tempo", json!({"bpm": 401}), "bpm"),
        (PUT, "/api/playback/tempo", json!({"bpm": "fast"}), "bpm"),
        (PUT, "/api/playback/tempo", json!({}), "bpm"),
        (PUT, "/api/playback/tempo", json!([120]), "."),
        (POST, "/api/playback/seek", json!([1, null]), "."),
        (POST, "/api/playback/record", json!([1]), "."),
        (PATCH, "/api/mixer/master", json!([0]), "."),
        (POST, "/api/compositions", json!("x"), "."),
        (PUT, "/api/playback/tempo", json!({"bpm": 100, "swing": 1}), "swing"),
        (PUT, "/api/playback/loop", json!({"enabled": true, "start_beats": 4, "end_beats": 4}), "end_beats"),
        (
            PUT,
            "/api/playback/loop",
            json!({"enabled": true, "start_beats": -1, "end_beats": 4}),
            "start_beats",
        ),
        (PUT, "/api/playback/metronome", json!({"enabled": 1}), "enabled"),
        (POST, "/api/playback/seek", json!({"position_beats": -1}), "position_beats"),
        (POST, "/api/playback/seek", json!({}), "position_beats"),
        (POST, "/api/playback/seek", json!({"position_beats": 1, "position_seconds": 1}), "position_beats"),
        (PATCH, "/api/mixer/master", json!({"gain_db": 12.5}), "gain_db"),
        (POST, "/api/compositions", json!({"name": "", "length": 0}), "name"),
        (POST, "/api/compositions", json!({"name": "x"}), "length"),
        (
            POST,
            "/api/compositions",
            json!({"name": "x", "length": 1, "tracks": [{"name": "t", "effects": [{"type": "delay", "x": 1}]}]}),
            "tracks[0].effects[0].x",
        ),
        (
            POST,
            "/api/compositions",
            json!({"name": "x", "length": 1, "tracks": [{"name": "t", "clips": [{"start": 0}]}]}),
            "tracks[0].clips[0].length",
        ),
        (
            POST,
            "/api/compositions",
            json!({"name": "x", "length": 1, "tracks": [{"name": "t", "gain_db": 20}]}),
            "tracks[0].gain_db",
        ),
        (
            POST,
            "/api/compositions",
            json!({"name": "x", "length": 1, "tempo": [{"tick": 0, "bpm": 1}]}),
            "tempo",
        ),
        (
            POST,
            "/api/compositions",
            json!({"name": "x", "length": 1, "tempo": [{"tick": 0, "bpm": 100, "curve": 1}]}),
            "tempo[0].curve",
        ),
        (
            POST,
            "/api/compositions",
            json!({"name": "x", "length": 1, "time_signatures": [
                {"tick": 0, "numerator": 3, "denominator": 4, "beats": 3}]}),
            "time_signatures[0].beats",
        ),
    ];
    for (method, path, body, field) in refused {
        let request = server.request(method.clone(), path).json(body);
        let problem = server.problem(request, 422).await;
        assert_eq!(problem["errors"][0]["field"], *field, "{path} {body}: {problem}");
        assert!(!problem["errors"][0]["message"].as_str().unwrap().is_empty());
    }
    lists_are_no_objects(&server).await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("limit=1&limit=2", "limit"),
        ("cursor=x", "cursor"),
        ("page=2", "page"),
    ] {
        let request = server.request(GET, &format!("/api/compositions?{query}"));
        assert_eq!(server.problem(request, 422).await["errors"][0]["field"], field, "{query}");
    }
}

/// Not even those of the fields' values in their order, however deep.
async fn lists_are_no_objects(server: &TestServer) {
    let band = json!(["bell", 100, 0, 1]);
    let equaliser = json!([{"type": "equaliser", "bands": [band]}]);
    let clip = json!({"start": 0, "length": 9, "notes": [[60, 100, 0, 1]]});
    let whole = [
        (json!({"master": [0]}), "master"),
        (json!({"tempo": [[0, 120.0]]}), "tempo[0]"),
        (json!({"time_signatures": [[0, 4, 4]]}), "time_signatures[0]"),
        (json!({"tracks": [["x"]]}), "tracks[0]"),
        (json!({"tracks": [{"name": "a"}, {"name": "b", "instrument": [3]}]}), "tracks[1].instrument"),
        (json!({"tracks": [{"name": "t", "clips": [clip]}]}), "tracks[0].clips[0].notes[0]"),
        (json!({"tracks": [{"name": "t", "effects": [["delay", {}]]}]}), "tracks[0].effects[0]"),
        (json!({"tracks": [{"name": "t", "effects": equaliser}]}), "tracks[0].effects[0].bands[0]"),
    ];
    let path = format!("/api/compositions/{}", server.composition);
    let track = format!("{path}/tracks/{}", server.tracks[0]);
    for (part, field) in whole {
        let mut composition = json!({"name": "x", "length": 960});
        composition.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        for (method, path, body) in
            [(POST, "/api/compositions", &composition), (PUT, &path, &composition), (PATCH, &path, &part)]
        {
            let problem = server.problem(server.request(method.clone(), path).json(body), 422).await;
            let named = problem["errors"][0]["field"].as_str().unwrap();
            assert!(named.starts_with(field), "{method} {body}: {problem}");
        }
    }
    for (path, body, field) in [
        (&track, json!({"instrument": [3]}), "instrument"),
        (&track, json!({"effects": [["delay", {}]]}), "effects[0]"),
    ] {
        let problem = server.problem(server.request(PATCH, path).json(&body), 422).await;
        assert_eq!(problem["errors"][0]["field"], field, "{body}: {problem}");
    }
}

#[tokio::test]
async fn what_does_not_exist_and_what_is_not_json() {
    let server = start().await;
    let nobody = "00000000-0000-4000-8000-000000000000";
    let unknown = format!("/api/compositions/{nobody}");
    for path in [
        "/api/nope",
        "/api",
        "/api/",
        "//api/compositions",
        "/api//compositions",
        "/api/compositions/",
        "/metrics/",
        "/api/compositions/1",
        &unknown,
    ] {
        server.problem(server.request(GET, path), 404).await;
    }
    server.problem(server.request(POST, &format!("/api/compositions/{nobody}/load")), 404).await;
    server
        .problem(server.request(PATCH, &format!("/api/mixer/channels/{nobody}")).json(&json!({})), 404)
        .await;
    for body in ["", "{", "{\"bpm\": 1e}", "\u{0}"] {
        server.problem(server.request(PUT, "/api/playback/tempo").body(body), 400).await;
    }
    let wrong = server.request(Method::DELETE, "/api/playback").send().await.unwrap();
    assert_eq!(wrong.headers()["allow"], "GET,HEAD");
    common::problem(wrong, 405).await;
    server.problem(server.request(POST, "/api/compositions").body(vec![b' '; (8 << 20) + 1]), 413).await;
    server.problem(server.request(POST, "/index.html"), 405).await;
}

async fn channel(server: &TestServer, idx: usize, body: Value) -> Value {
    server.send(PATCH, &format!("/api/mixer/channels/{}", server.tracks[idx]), body).await
}

/// The meters of both tracks and of the master, once they are what is waited for.
async fn wait_for_meters(server: &TestServer, is_it: impl Fn(f64, f64, f64) -> bool) {
    let mut socket = server.socket("/api/ws/meters?fps=60", "").await;
    let mut last = Value::Null;
    for _ in 0..300 {
        last = socket.json("meters").await;
        let peak = |of: &Value| of["peak_left"].as_f64().unwrap();
        if is_it(peak(&last["tracks"][0]), peak(&last["tracks"][1]), peak(&last["master"])) {
            return;
        }
    }
    panic!("not within 300 frames: {last}");
}

#[tokio::test]
async fn the_mixer_is_heard() {
    let server = start().await;
    let mixer = server.get("/api/mixer").await;
    assert_eq!(mixer["channels"][0]["name"], "Low");
    assert_eq!(mixer["channels"][1]["id"], server.tracks[1].to_string());
    assert_eq!(mixer["master"]["gain_db"], 0.0);
    wait_for_meters(&server, |low, high, master| low > -40.0 && high > -40.0 && master > -40.0).await;

    assert_eq!(channel(&server, 0, json!({"mute": true})).await["mute"], true);
    wait_for_meters(&server, |low, high, master| low == -120.0 && high > -40.0 && master > -40.0).await;
    channel(&server, 0, json!({"mute": false, "solo": true})).await;
    wait_for_meters(&server, |low, high, _| low > -40.0 && high == -120.0).await;
    channel(&server, 0, json!({"solo": false, "gain_db": -120})).await;
    wait_for_meters(&server, |low, high, _| low == -120.0 && high > -40.0).await;
    assert_eq!(server.send(PATCH, "/api/mixer/master", json!({"gain_db": -120})).await["gain_db"], -120.0);
    wait_for_meters(&server, |_, high, master| high > -40.0 && master == -120.0).await;
    assert_eq!(server.get("/api/mixer/master").await["gain_db"], -120.0);

    let path = format!("/api/mixer/channels/{}", server.tracks[0]);
    assert_eq!(server.get(&path).await["gain_db"], -120.0);
    let stored = server.get(&format!("/api/compositions/{}", server.composition)).await;
    assert_eq!(stored["tracks"][0]["gain_db"], -120.0, "mixer changes are changes of the composition");
    let problem =
        server.problem(server.request(PATCH, &path).json(&json!({"gain_db": 13, "pan": 2})), 422).await;
    assert_eq!(
        (&problem["errors"][0]["field"], &problem["errors"][1]["field"]),
        (&json!("gain_db"), &json!("pan"))
    );
}

#[tokio::test]
async fn a_null_puts_a_strip_back_to_what_a_new_track_has() {
    let server = start().await;
    let all = json!({"gain_db": -9, "pan": 0.5, "mute": true, "solo": true, "solo_safe": true});
    let nulls = json!({"gain_db": null, "pan": null, "mute": null, "solo": null, "solo_safe": null});
    let path = format!("/api/compositions/{}/tracks/{}", server.composition, server.tracks[0]);
    channel(&server, 0, all.clone()).await;
    let as_track = server.send(PATCH, &path, nulls.clone()).await;
    channel(&server, 0, all.clone()).await;
    let strip = channel(&server, 0, nulls.clone()).await;
    for name in nulls.as_object().unwrap().keys() {
        assert_ne!(strip[name], all[name], "{name}");
        assert_eq!(strip[name], as_track[name], "{name}: a channel is as its track");
    }
    server.send(PATCH, "/api/mixer/master", json!({"gain_db": -9})).await;
    let untouched = server.send(PATCH, "/api/mixer/master", json!({})).await;
    assert_eq!(untouched["gain_db"], -9.0, "what is absent stays");
    assert_eq!(server.send(PATCH, "/api/mixer/master", json!({"gain_db": null})).await["gain_db"], 0.0);
    for unknown in ["name", "nope"] {
        let patch = server.request(PATCH, "/api/mixer/master").json(&json!({ unknown: null }));
        assert_eq!(server.problem(patch, 422).await["errors"][0]["field"], unknown);
    }
}

#[tokio::test]
async fn a_change_of_notes_is_heard_without_a_jump() {
    let server = start().await;
    server.send(POST, "/api/playback/seek", json!({"position_beats": 20})).await;
    let path = format!("/api/compositions/{}", server.composition);
    server.send(PATCH, &path, json!({"length": 70 * 960, "name": "Longer"})).await;
    let state = server.get("/api/playback").await;
    let beats = state["position_beats"].as_f64().unwrap();
    assert!(state["is_playing"] == true && (20.0..30.0).contains(&beats), "{state}");
    assert_eq!((&state["loop_enabled"], &state["loop_end"]), (&json!(true), &json!(64.0)));
    let end = server.send(POST, "/api/playback/seek", json!({"position_beats": 69})).await;
    assert!(end["position_beats"].as_f64().unwrap() >= 69.0, "{end}");
}

#[tokio::test]
async fn without_a_composition_there_is_silence_and_no_channel() {
    let server = start().await;
    common::ok(server.request(Method::DELETE, &format!("/api/compositions/{}", server.composition))).await;
    assert_eq!(server.get("/api/mixer").await["channels"], json!([]));
    server.problem(server.request(PUT, "/api/playback/tempo").json(&json!({"bpm": 100})), 404).await;
    server.problem(server.request(GET, &format!("/api/mixer/channels/{}", server.tracks[0])), 404).await;
    assert_eq!(server.get("/api/playback").await["is_playing"], false);
}

#[tokio::test]
async fn the_page_and_the_documents_are_served() {
    let server = start().await;
    let response = server.request(GET, "/").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert_eq!(server.request(GET, "/assets/nothing.js").send().await.unwrap().status(), 404);
    let docs = server.request(GET, "/api/docs").send().await.unwrap().text().await.unwrap();
    assert!(docs.contains("/api/openapi.json") && !docs.contains("https://"), "nothing comes from elsewhere");
    let document = server.get("/api/openapi.json").await;
    assert_eq!(document, serde_json::to_value(native_server::api::openapi()).unwrap());
}

#[tokio::test]
async fn the_page_can_come_from_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("index.html"), "<p>mine").unwrap();
    std::fs::write(directory.path().join("a.js"), "1").unwrap();
    let server = common::start_with(native_server::server::Config {
        page: Some(directory.path().to_path_buf()),
        ..common::config()
    })
    .await;
    let text = async |path: &str| server.request(GET, path).send().await.unwrap().text().await.unwrap();
    assert_eq!(
        (text("/").await, text("/somewhere").await),
        (String::from("<p>mine"), String::from("<p>mine"))
    );
    let script = server.request(GET, "/a.js").send().await.unwrap();
    assert_eq!(script.headers()["content-type"], "text/javascript; charset=utf-8");
    let policy = script.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self' 'wasm-unsafe-eval';"), "{policy}");
    assert_eq!(server.request(GET, "/..%2fa.js").send().await.unwrap().status(), 404);
    std::fs::write(directory.path().join("index.html"), "<p>changed").unwrap();
    assert_eq!(text("/").await, "<p>changed");
}
