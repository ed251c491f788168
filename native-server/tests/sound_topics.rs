//! Stereo, triggers and audio over real sockets.

mod common;

use std::collections::HashMap;

use common::{BINARY, JSON, Received, Socket, TestServer, start};
use engine_core::protocol::{Flags, Payload, Topic, decode_payload};
use reqwest::Method;
use serde_json::{Value, json};

async fn subscribe(socket: &mut Socket, topic: &str, tap: &Value, options: Value) {
    socket.say(json!({"type": "subscribe", "topic": topic, "tap": tap, "options": options})).await;
}

/// Stops, and waits until the last release has faded.
async fn become_quiet(server: &TestServer) {
    server.post("/api/playback/stop").await;
    let mut meters = server.socket("/api/ws/meters", JSON).await;
    while meters.json("meters").await["master"]["lufs_momentary"].as_f64().unwrap() > -100.0 {}
}

#[tokio::test]
async fn audio_is_complete_and_the_same_in_both_encodings() {
    let server = start().await;
    let tap = server.tracks[1];
    let mut json = server.socket(&format!("/api/ws/audio?tap={tap}&fps=60"), JSON).await;
    let mut binary = server.socket(&format!("/api/ws/audio?tap={tap}&fps=60&format=f32"), BINARY).await;
    let (mut texts, mut floats) = (HashMap::new(), HashMap::new());
    let (mut json_end, mut binary_end) = (None, None);
    for n in 0..60 {
        let frame = json.json("audio").await;
        assert_eq!((&frame["tap"], &frame["discontinuity"]), (&json!(tap), &json!(false)));
        let end = frame["sample_position"].as_u64().unwrap();
        let left = frame["samples_left"].as_array().unwrap().clone();
        assert!(json_end.replace(end).is_none_or(|before| before == end - left.len() as u64), "frame {n}");
        texts.insert(end, left);
        let (header, payload) = binary.binary(Topic::Audio).await;
        assert_eq!((header.flags, header.dropped), (Flags::default(), 0), "no snapshot, nothing lost");
        let Ok(Payload::Audio(audio)) = decode_payload(&header, &payload) else { panic!("audio") };
        let start = header.sample_position - audio.n_frames() as u64;
        assert!(binary_end.replace(header.sample_position).is_none_or(|end| end == start), "frame {n}");
        floats.insert(header.sample_position, audio);
    }
    let mut n_equal = 0;
    for (end, audio) in floats {
        let Some(text) = texts.get(&end) else { continue };
        let n = text.len().min(audio.n_frames());
        let lefts = audio.samples.chunks_exact(2).map(|frame| frame[0]);
        let texts = text.iter().map(|x| x.as_f64().unwrap());
        for (a, b) in lefts.skip(audio.n_frames() - n).zip(texts.skip(text.len() - n)) {
            assert!((f64::from(a) - b).abs() < 1e-6);
            n_equal += usize::from(b != 0.0);
        }
    }
    assert!(n_equal > 10_000, "{n_equal} samples in both");
}

#[tokio::test]
async fn a_trigger_fires_once_and_its_subscription_is_over() {
    let server = start().await;
    become_quiet(&server).await;
    let mut socket = server.socket("/api/ws/stream", JSON).await;
    socket.hello().await;
    let (master, track) = (json!("master"), json!(server.tracks[0]));
    // One of each kind of a tap, and one of another tap.
    subscribe(&mut socket, "trigger", &master, json!({"kind": "loudness", "above_lufs": -60})).await;
    subscribe(&mut socket, "trigger", &master, json!({"kind": "silence", "seconds": 0.2})).await;
    subscribe(&mut socket, "trigger", &track, json!({"kind": "loudness", "above_lufs": -60, "once": false}))
        .await;
    let silence = socket.json("trigger").await;
    assert_eq!((&silence["kind"], &silence["tap"], &silence["seq"]), (&json!("silence"), &master, &json!(1)));
    assert!(silence["value"].as_f64().unwrap() <= -60.0 && silence["ended"] == true);
    server.post("/api/playback/play").await;
    let mut loud = HashMap::new();
    while loud.len() < 2 {
        let frame = socket.json("trigger").await;
        assert_eq!((&frame["kind"], &frame["measure"]), (&json!("loudness"), &json!("momentary")));
        assert!(frame["value"].as_f64().unwrap() >= -60.0 && frame["above_lufs"] == -60.0);
        let position = frame["sample_position"].as_u64().unwrap();
        // The master is measured from the engine's start, a track from its subscription.
        let is_aligned = (position + 1).is_multiple_of(480);
        assert!(is_aligned || frame["tap"] != "master", "the last frame of a hundredth of a second");
        loud.insert(frame["tap"].as_str().unwrap().to_string(), frame);
    }
    assert_eq!((&loud["master"]["ended"], &loud["master"]["seq"]), (&json!(true), &json!(2)));
    let on_track = &loud[track.as_str().unwrap()];
    assert_eq!((&on_track["ended"], &on_track["seq"]), (&json!(false), &json!(1)));
    // Quiet, then loud again: only the one that arms itself tells it.
    become_quiet(&server).await;
    let quiet = json!({"kind": "loudness", "measure": "momentary", "below_lufs": -65});
    subscribe(&mut socket, "trigger", &json!("input"), quiet.clone()).await;
    assert_eq!(socket.json("trigger").await["tap"], "input");
    server.post("/api/playback/play").await;
    let again = socket.json("trigger").await;
    assert_eq!((&again["tap"], &again["seq"], &again["ended"]), (&track, &json!(2), &json!(false)));
    // To end what is over is no error.
    socket.say(json!({"type": "unsubscribe", "topic": "trigger"})).await;
    socket.say(json!({"type": "ping", "t0": 0})).await;
    loop {
        match socket.next().await {
            Received::Text(value) if value["type"] == "pong" => break,
            Received::Text(value) => {
                assert!(value["type"] != "error" && value["type"] != "trigger", "{value}")
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn one_kind_of_a_taps_triggers_ends_and_the_others_stay() {
    let server = start().await;
    become_quiet(&server).await;
    let mut socket = server.socket("/api/ws/stream", JSON).await;
    socket.hello().await;
    let master = json!("master");
    let silence = json!({"kind": "silence", "seconds": 0.1, "once": false});
    subscribe(&mut socket, "trigger", &master, silence).await;
    subscribe(&mut socket, "trigger", &master, json!({"kind": "loudness", "above_lufs": -60})).await;
    assert_eq!(socket.json("trigger").await["kind"], "silence");
    let end = |kind: &str| json!({"type": "unsubscribe", "topic": "trigger", "tap": "master", "kind": kind});
    socket.say(end("silence")).await;
    socket.say(json!({"type": "ping", "t0": 0})).await;
    socket.json("pong").await;
    server.post("/api/playback/play").await;
    assert_eq!(socket.json("trigger").await["kind"], "loudness");
    // The silence would tell it again.
    become_quiet(&server).await;
    subscribe(&mut socket, "trigger", &json!("input"), json!({"kind": "silence", "seconds": 0.2})).await;
    assert_eq!(socket.json("trigger").await["tap"], "input");
    for (topic, kind, code) in [("meters", "clip", "invalid_option"), ("trigger", "noise", "invalid_message")]
    {
        socket.say(json!({"type": "unsubscribe", "topic": topic, "kind": kind})).await;
        let error = socket.json("error").await;
        assert_eq!((&error["code"], &error["topic"]), (&json!(code), &json!(topic)), "{error}");
    }
}

#[tokio::test]
async fn everybody_has_his_own_trigger() {
    let server = start().await;
    let path = "/api/ws/trigger?kind=loudness&above_lufs=-90";
    for protocols in [JSON, BINARY, JSON] {
        let mut socket = server.socket(path, protocols).await;
        socket.hello().await;
        let json = match socket.next().await {
            Received::Text(json) => json,
            Received::Binary(header, payload) => {
                let Ok(Payload::Text(Topic::Trigger, text)) = decode_payload(&header, &payload) else {
                    panic!("a trigger")
                };
                serde_json::from_str(&text).unwrap()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!((&json["kind"], &json["ended"]), (&json!("loudness"), &json!(true)), "{json}");
    }
    for query in ["once=true", "kind=clip&seconds=1", "kind=loudness&above_lufs=99"] {
        assert!(server.try_socket(&format!("/api/ws/trigger?{query}"), JSON).await.is_err(), "{query}");
    }
}

#[tokio::test]
async fn without_a_query_the_masters_silence_is_told() {
    let server = start().await;
    become_quiet(&server).await;
    let mut socket = server.socket("/api/ws/trigger", JSON).await;
    let frame = socket.json("trigger").await;
    assert_eq!(
        (&frame["kind"], &frame["tap"], &frame["ended"]),
        (&json!("silence"), &json!("master"), &json!(false))
    );
}

#[tokio::test]
async fn a_trigger_survives_other_taps() {
    let server = start().await;
    become_quiet(&server).await;
    let mut socket = server.socket("/api/ws/stream", JSON).await;
    socket.hello().await;
    let track = json!(server.tracks[1]);
    subscribe(&mut socket, "trigger", &track, json!({"kind": "loudness", "above_lufs": -60})).await;
    let path = format!("/api/compositions/{}", server.composition);
    let tracks = server.get(&path).await["tracks"].clone();
    server.send(Method::PATCH, &path, json!({"tracks": [tracks[1]]})).await;
    socket.json("hello").await;
    server.post("/api/playback/play").await;
    assert_eq!(socket.json("trigger").await["tap"], track);
}

#[tokio::test]
async fn loudness_is_started_anew_and_everybody_is_told() {
    let server = start().await;
    let mut other = server.socket("/api/ws/meters?tap_loudness=true", JSON).await;
    let mut binary = server.socket("/api/ws/meters", BINARY).await;
    let integrated = |frame: &Value| frame["master"]["lufs_integrated"].as_f64().unwrap();
    let of_track = |frame: &Value| frame["tracks"][0]["lufs_integrated"].as_f64().unwrap();
    let mut frame = other.json("meters").await;
    while integrated(&frame) < -70.0 || of_track(&frame) < -70.0 {
        frame = other.json("meters").await;
    }
    assert_eq!(frame["loudness_resets"], 0);
    become_quiet(&server).await;
    frame = other.json("meters").await;
    assert!(integrated(&frame) > -70.0 && of_track(&frame) > -70.0, "silence is gated");

    let reset = |body: Value| server.request(Method::POST, "/api/loudness/reset").json(&body);
    let response = reset(json!({"tap": server.tracks[0]})).send().await.unwrap();
    assert_eq!(response.status(), 204);
    while of_track(&frame) > -120.0 {
        frame = other.json("meters").await;
    }
    assert!(integrated(&frame) > -70.0, "the master's goes on");
    assert_eq!(frame["loudness_resets"], 0);
    assert!(server.post("/api/loudness/reset").await.is_null());
    while integrated(&frame) > -120.0 {
        frame = other.json("meters").await;
    }
    assert_eq!(frame["loudness_resets"], 1);
    // One for the tap, one for all.
    let mut n_marked = 0;
    loop {
        let (header, payload) = binary.binary(Topic::Meters).await;
        n_marked += usize::from(header.flags.contains(Flags::DISCONTINUITY));
        let Ok(Payload::Meters(meters)) = decode_payload(&header, &payload) else { panic!("meters") };
        if meters.loudness_resets == 1 {
            break assert_eq!(meters.loudness.integrated, -120.0);
        }
    }
    assert!(n_marked >= 2, "{n_marked}");

    for (body, field) in [(json!({"tap": "nobody"}), "tap"), (json!({"taps": "master"}), "taps")] {
        let problem = server.problem(reset(body), 422).await;
        assert!(problem["detail"].as_str().unwrap().contains(field), "{problem}");
    }
}

#[tokio::test]
async fn after_a_ping_only_frames_of_the_new_options_come() {
    let server = start().await;
    for encoding in [JSON, BINARY] {
        let mut socket = server.socket("/api/ws/spectrum?fps=120", encoding).await;
        let mut frame_of = HashMap::new();
        for n in 0..20 {
            let bands = if n % 2 == 0 { 32 } else { 64 };
            socket.say(json!({"type": "subscribe", "topic": "spectrum", "fps": 120, "options": {"bands": bands}})).await;
            socket.say(json!({"type": "ping", "t0": n})).await;
            let mut is_answered = false;
            // The first frame after the pong.
            loop {
                let n_bands = match socket.next().await {
                    Received::Text(value) if value["type"] == "pong" => {
                        is_answered = value["t0"].as_f64() == Some(f64::from(n));
                        continue;
                    }
                    Received::Text(value) if value["type"] == "spectrum" => {
                        value["magnitudes"].as_array().unwrap().len()
                    }
                    Received::Binary(header, payload) if header.topic == Topic::Spectrum as u8 => {
                        let Ok(Payload::Spectrum(spectrum)) = decode_payload(&header, &payload) else {
                            panic!()
                        };
                        spectrum.magnitudes.len()
                    }
                    Received::Close(frame) => panic!("{frame:?}"),
                    _ => continue,
                };
                if is_answered {
                    assert_eq!(n_bands, bands, "{encoding}, change {n}");
                    frame_of.insert(bands, n_bands);
                    break;
                }
            }
        }
        assert_eq!(frame_of, [(32, 32), (64, 64)].into());
    }
}
