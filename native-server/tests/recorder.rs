//! The flight recorder over REST.

mod common;

use common::{JSON, TestServer, config, start, start_with};
use engine_core::protocol::Payload;
use engine_core::protocol::recorder::Recording;
use reqwest::Method;
use serde_json::{Value, json};

/// Waits until the recorder has ticks of a second and a half.
async fn recorded() -> TestServer {
    let server = start().await;
    let mut meters = server.socket("/api/ws/meters?fps=10", JSON).await;
    for _ in 0..16 {
        meters.json("meters").await;
    }
    server
}

fn positions(answer: &Value, kind: &str) -> Vec<u64> {
    let frames = answer["frames"].as_array().unwrap().iter().filter(|frame| frame["type"] == kind);
    frames.map(|frame| frame["sample_position"].as_u64().unwrap()).collect()
}

async fn file(server: &TestServer, path: &str) -> Recording {
    let response = server.request(Method::GET, path).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/vnd.antiphon.recording");
    let disposition = response.headers()["content-disposition"].to_str().unwrap();
    assert!(disposition.contains("recording.antirec"), "{disposition}");
    Recording::open(response.bytes().await.unwrap().to_vec()).expect("a recording")
}

#[tokio::test]
async fn the_last_minutes_are_there_as_frames_of_every_tap() {
    let server = recorded().await;
    let all = server.get("/api/recorder").await;
    assert_eq!((&all["sample_rate"], all["taps"].as_array().unwrap().len()), (&json!(48_000), 4));
    let ticks = positions(&all, "meters");
    assert!(ticks.len() >= 14, "{} ticks", ticks.len());
    assert!(ticks.windows(2).all(|pair| (pair[1] - pair[0]).abs_diff(4_800) <= 128), "{ticks:?}");
    assert_eq!((&all["oldest"], &all["newest"]), (&json!(ticks[0]), &json!(ticks[ticks.len() - 1])));
    assert_eq!(positions(&all, "spectrum").len(), 4 * ticks.len());
    let last = |kind: &str| {
        all["frames"].as_array().unwrap().iter().rev().find(|frame| frame["type"] == kind).unwrap()
    };
    let meters = last("meters");
    for field in ["seq", "epoch", "dropped"] {
        assert!(meters[field].is_u64(), "{field}: {meters}");
    }
    let loudness = |value: &Value| value["lufs_momentary"].as_f64().unwrap();
    assert!(loudness(&meters["master"]) > -60.0);
    assert!(loudness(&meters["tracks"][1]) > -60.0 && loudness(&meters["tracks"][2]) == -120.0);
    assert_eq!(last("spectrum")["frequencies"].as_array().unwrap().len(), 64);
    // A stretch, and one tap of it.
    let (from, to) = (ticks[3], ticks[6]);
    let path = format!("/api/recorder?from={from}&to={to}&tap={}", server.tracks[1]);
    let part = server.get(&path).await;
    assert_eq!(positions(&part, "meters"), ticks[3..=6]);
    assert_eq!(positions(&part, "spectrum"), ticks[3..=6]);
    for frame in part["frames"].as_array().unwrap() {
        match frame["type"].as_str() {
            Some("meters") => assert_eq!(frame["tracks"][0]["track_id"], json!(server.tracks[1])),
            _ => assert_eq!(frame["tap"], json!(server.tracks[1])),
        }
    }
    let nothing = server.get(&format!("/api/recorder?from={}", u64::MAX)).await;
    assert!(positions(&nothing, "meters").is_empty());
}

#[tokio::test]
async fn a_file_holds_what_the_answer_says() {
    let server = recorded().await;
    let all = server.get("/api/recorder").await;
    let ticks = positions(&all, "meters");
    let (from, to) = (ticks[0], ticks[9]);
    let path = format!("/api/recorder?from={from}&to={to}");
    let recording = file(&server, &format!("{path}&format=file")).await;
    assert_eq!(recording.range(), Some(from..=to));
    assert_eq!(serde_json::to_value(&recording.directory().taps).unwrap(), all["taps"]);
    let frames: Vec<_> = recording.frames(&(from..=to), None).collect();
    assert_eq!(frames.len(), 10 * 5);
    for (frame, json) in frames.iter().zip(all["frames"].as_array().unwrap()) {
        assert_eq!(frame.sample_position, json["sample_position"].as_u64().unwrap());
        match &frame.payload {
            Payload::Spectrum(spectrum) => {
                let levels: Vec<f32> = serde_json::from_value(json["magnitudes"].clone()).unwrap();
                assert_eq!(levels, spectrum.magnitudes);
            }
            Payload::Meters(meters) => {
                assert_eq!(json["master"]["lra"].as_f64().unwrap() as f32, meters.loudness.range);
            }
            other => panic!("{other:?}"),
        }
    }
    // Asked for by its type, and one tap of it.
    let request = server.request(Method::GET, &format!("{path}&tap=input"));
    let response =
        request.header("accept", "application/vnd.antiphon.recording, */*;q=0.1").send().await.unwrap();
    let one = Recording::open(response.bytes().await.unwrap().to_vec()).expect("a recording");
    assert_eq!(one.frames(&(from..=to), None).count(), 10 * 2);
}

#[tokio::test]
async fn what_is_wrong_is_named_and_a_recorder_can_be_off() {
    let server = start().await;
    for (query, field, status) in [("from=9&to=3", "to", 422), ("tap=nobody", "tap", 422)] {
        let problem =
            server.problem(server.request(Method::GET, &format!("/api/recorder?{query}")), status).await;
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    for query in ["from=-1", "to=x", "format=wav", "colour=red"] {
        server.problem(server.request(Method::GET, &format!("/api/recorder?{query}")), 422).await;
    }
    let server = start_with(native_server::server::Config { recorder: false, ..config() }).await;
    let problem = server.problem(server.request(Method::GET, "/api/recorder"), 404).await;
    assert!(problem["detail"].as_str().unwrap().contains("--recorder off"), "{problem}");
}
