//! Recordings: kept, used by compositions, heard live and in renders.

use std::sync::Arc;

use audio_files::{SampleFormat, WavFile, decode_bytes};
use engine_core::composition::Composition;
use engine_core::engine::offline::{DEFAULT_TAIL_SECONDS, Render};
use engine_core::units::SampleRate;
use native_server::server::Config;
use native_server::store::Database;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{self, TestServer, start, start_with};

/// 0.4 s at 44.1 kHz: 1 kHz at −6 dBFS on the left, 441 Hz at −12 dBFS on the right.
const FLAC: &[u8] = include_bytes!("../../../audio-files/tests/data/tone.flac");
const MP3: &[u8] = include_bytes!("../../../audio-files/tests/data/tone.mp3");
const OGG: &[u8] = include_bytes!("../../../audio-files/tests/data/tone.ogg");
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const DELETE: Method = Method::DELETE;

/// A mono WAV file of 8 bits: a square wave, loud enough to be seen on a meter.
fn wav(rate: u32, n_frames: u32) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend((36 + n_frames).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(rate.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend(b"\x01\0\x08\0data");
    file.extend(n_frames.to_le_bytes());
    file.extend((0..n_frames).map(|i| if i / 20 % 2 == 0 { 192 } else { 64 }));
    file
}

async fn add(server: &TestServer, name: &str, file: &[u8]) -> Value {
    common::ok(server.request(POST, &format!("/api/samples?name={name}")).body(file.to_vec())).await
}

async fn sample_names(server: &TestServer) -> Vec<String> {
    let page = server.get("/api/samples").await;
    page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_string()).collect()
}

fn clip(sample: &Value, start: u32, seconds: f64) -> Value {
    json!({"sample": sample, "start": start, "length_seconds": seconds})
}

#[tokio::test]
async fn samples_are_kept_as_they_came_and_described() {
    let server = start().await;
    let square = wav(8000, 4000);
    for (name, file, media_type, rate, channels) in [
        ("flac", FLAC, "audio/flac", 44_100, 2),
        ("mp3", MP3, "audio/mpeg", 44_100, 2),
        ("ogg", OGG, "audio/ogg", 44_100, 2),
        ("wav", &square[..], "audio/wav", 8000, 1),
    ] {
        let response = server
            .request(POST, &format!("/api/samples?name={name}"))
            .body(file.to_vec())
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 201);
        let path = response.headers()["location"].to_str().unwrap().to_string();
        let info: Value = response.json().await.unwrap();
        assert_eq!(path, format!("/api/samples/{}", info["id"].as_str().unwrap()));
        assert_eq!((&info["name"], &info["media_type"]), (&json!(name), &json!(media_type)));
        assert_eq!((&info["sample_rate"], &info["channels"]), (&json!(rate), &json!(channels)));
        assert_eq!((&info["bytes"], &info["is_damaged"]), (&json!(file.len()), &json!(false)));
        let (frames, seconds) = (info["frames"].as_f64().unwrap(), info["seconds"].as_f64().unwrap());
        assert_eq!(seconds, frames / f64::from(rate));
        assert!(frames == if name == "wav" { 4000.0 } else { 17_640.0 } || name == "mp3", "{name}: {frames}");
        assert_eq!(server.get(&path).await, info);
        let audio = server.request(GET, &format!("{path}/audio")).send().await.unwrap();
        assert_eq!(audio.headers()["content-type"], media_type);
        assert_eq!(audio.headers()["x-content-type-options"], "nosniff");
        assert!(audio.headers()["cache-control"].to_str().unwrap().contains("immutable"));
        assert_eq!(audio.bytes().await.unwrap(), file);
    }
    assert_eq!(sample_names(&server).await, ["flac", "mp3", "ogg", "wav"]);
    let first = server.get("/api/samples?limit=3").await;
    let next = server.get(&format!("/api/samples?cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!((first["items"].as_array().unwrap().len(), &next["items"][0]["name"]), (3, &json!("wav")));
    assert!(next.get("next_cursor").is_none());

    let path = format!("/api/samples/{}", next["items"][0]["id"].as_str().unwrap());
    assert_eq!(common::ok(server.request(DELETE, &path)).await, Value::Null);
    for (method, path) in [(GET, path.clone()), (GET, format!("{path}/audio")), (DELETE, path)] {
        server.problem(server.request(method, &path), 404).await;
    }
    for query in ["limit=0", "limit=201", "cursor=x", "page=2"] {
        server.problem(server.request(GET, &format!("/api/samples?{query}")), 422).await;
    }
}

#[tokio::test]
async fn what_is_no_recording_is_refused_and_nothing_is_kept() {
    let server = start().await;
    for (path, file, status, word) in [
        ("/api/samples", &b"this is no sound"[..], 422, "known format"),
        ("/api/samples", b"", 422, "known format"),
        ("/api/samples", &wav(8000, 0), 422, "no sound"),
        ("/api/samples", &wav(1000, 8000), 422, "1000 Hz"),
        // 7.2 MB, but half an hour and a second.
        ("/api/samples", &wav(4000, 4000 * 1801), 422, "30 minutes"),
        ("/api/samples?name=", FLAC, 422, "name"),
        ("/api/compositions/import", b"this is no sound", 422, "MThd"),
        ("/api/compositions/import", &OGG[..OGG.len() / 2], 422, "ends too early"),
        ("/api/compositions/import?bpm=19", FLAC, 422, "bpm"),
        ("/api/compositions/import?bpm=fast", FLAC, 422, "bpm"),
        ("/api/compositions/import?name=", FLAC, 422, "name"),
        ("/api/compositions/import?bpm=100", b"MThd\0\0\0\x06", 422, "own tempo"),
    ] {
        let problem = server.problem(server.request(POST, path).body(file.to_vec()), status).await;
        assert!(problem["detail"].as_str().unwrap().contains(word), "{path}: {problem}");
    }
    let mut midi = b"MThd".to_vec();
    midi.resize((8 << 20) + 1, 0);
    server.problem(server.request(POST, "/api/compositions/import").body(midi), 413).await;
    assert_eq!(sample_names(&server).await, Vec::<String>::new());
    assert_eq!(server.get("/api/compositions").await["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_limits_are_stated_and_kept() {
    let server = start().await;
    let limits = &server.get("/api/info").await["file_limits"];
    assert_eq!((&limits["body_bytes"], &limits["sample_seconds"]), (&json!(8 << 20), &json!(1800)));
    let too_long = limits["sample_bytes"].as_u64().unwrap() + 1;
    // It is refused by its announced length, before a byte of it.
    for path in ["/api/samples", "/api/compositions/import"] {
        let mut connection = tokio::net::TcpStream::connect(server.server.address()).await.unwrap();
        let host = server.server.address();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {too_long}\r\nConnection: close\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        let mut answer = vec![0; 12];
        tokio::time::timeout(common::LIMIT, connection.read_exact(&mut answer))
            .await
            .expect("in time")
            .unwrap();
        assert_eq!(answer, b"HTTP/1.1 413");
    }
}

#[tokio::test]
async fn a_recording_becomes_a_composition_and_is_heard() {
    let server = start().await;
    let import = server.request(POST, "/api/compositions/import?name=Take%201&bpm=90").body(FLAC);
    let composition = common::ok(import).await;
    // 0.4 s at 90 bpm are 0.6 beats.
    assert_eq!((&composition["name"], &composition["length"]), (&json!("Take 1"), &json!(576)));
    assert_eq!(composition["tempo"], json!([{"tick": 0, "bpm": 90.0}]));
    let imported = &composition["tracks"][0]["audio_clips"][0];
    assert_eq!((&imported["start"], &imported["length_seconds"]), (&json!(0), &json!(0.4)));
    assert_ne!(imported["id"], NOBODY);
    let sample = server.get(&format!("/api/samples/{}", imported["sample"].as_str().unwrap())).await;
    assert_eq!((&sample["name"], &sample["frames"]), (&json!("Take 1"), &json!(17_640)));

    server.post(&format!("/api/compositions/{}/load", composition["id"].as_str().unwrap())).await;
    let length = json!({"enabled": true, "start_beats": 0, "end_beats": 0.6});
    server.send(Method::PUT, "/api/playback/loop", length).await;
    server.post("/api/playback/play").await;
    // At the centre of the pan law both channels keep their level: −6.02 and −12.04 dBFS.
    let mut socket = server.socket("/api/ws/meters?fps=30", "").await;
    let mut peaks = (0.0, 0.0);
    for _ in 0..300 {
        let track = &socket.json("meters").await["tracks"][0];
        peaks = (track["peak_left"].as_f64().unwrap(), track["peak_right"].as_f64().unwrap());
        if peaks.0 > -20.0 && peaks.1 > -20.0 {
            break;
        }
    }
    assert!((peaks.0 - peaks.1 - 6.02).abs() < 0.1, "{peaks:?}");
}

/// One test, since a server renders one at a time.
#[tokio::test]
async fn renders_have_the_recordings() {
    let server = start().await;
    a_clip_is_rendered_at_any_rate(&server).await;
    a_sampler_is_rendered(&server).await;
}

async fn a_clip_is_rendered_at_any_rate(server: &TestServer) {
    let composition = common::ok(server.request(POST, "/api/compositions/import").body(FLAC)).await;
    let parsed: Composition = serde_json::from_value(composition.clone()).unwrap();
    let path = format!("/api/compositions/{}/render.wav", composition["id"].as_str().unwrap());
    for hz in [48_000, 44_100, 22_050] {
        let url = format!("{path}?bits=32&sample_rate={hz}");
        let wav = server.request(GET, &url).send().await.unwrap().bytes().await.unwrap();
        // The same by hand.
        let rate = SampleRate::new(hz).unwrap();
        let sample = Arc::new(decode_bytes(FLAC, None).unwrap().into_sample(rate));
        let mut expected = std::io::Cursor::new(Vec::new());
        let mut file = WavFile::new(&mut expected, rate, SampleFormat::Float32).unwrap();
        for block in Render::new(&parsed, |_| Some(sample.clone()), rate, DEFAULT_TAIL_SECONDS) {
            file.write(&block).unwrap();
        }
        file.finish().unwrap();
        assert!(wav == expected.into_inner(), "{hz} Hz");
        let peak = |side: usize| {
            let channel = &decode_bytes(wav.clone(), None).unwrap().channels[side];
            channel.iter().fold(0f32, |peak, x| peak.max(x.abs()))
        };
        assert!(peak(0) > 0.3 && peak(1) > 0.15, "{} {}", peak(0), peak(1));
    }
}

async fn a_sampler_is_rendered(server: &TestServer) {
    let sample = add(server, "tone", FLAC).await;
    let zone = json!({"sample": sample["id"], "root_pitch": 60, "low_pitch": 0, "high_pitch": 127});
    let note = json!({"pitch": 60, "velocity": 127, "start": 0, "length": 480});
    let spec = json!({"name": "Sampler", "length": 960, "tracks": [{
        "name": "S", "instrument": {"program": 0, "zones": [zone]},
        "clips": [{"start": 0, "length": 960, "notes": [note]}],
    }]});
    let created = server.send(POST, "/api/compositions", spec).await;
    let url = format!("/api/compositions/{}/render.wav?bits=32", created["id"].as_str().unwrap());
    let wav = server.request(GET, &url).send().await.unwrap().bytes().await.unwrap();
    let sound = decode_bytes(wav, None).unwrap();
    let tone = Arc::new(decode_bytes(FLAC, None).unwrap().into_sample(SampleRate::DEFAULT));
    let composition = serde_json::from_value(created).unwrap();
    let blocks = Render::new(&composition, |_| Some(tone.clone()), SampleRate::DEFAULT, DEFAULT_TAIL_SECONDS);
    let expected: Vec<f32> = blocks.flat_map(|block| block.left).collect();
    assert_eq!(sound.channels[0], expected);
    assert!(expected.iter().any(|x| x.abs() > 0.1));
}

#[tokio::test]
async fn compositions_use_only_samples_that_are_there() {
    let server = start().await;
    let zone = json!({"sample": NOBODY, "root_pitch": 60, "low_pitch": 0, "high_pitch": 127});
    let spec = json!({"name": "New", "length": 960, "tracks": [
        {"name": "A", "audio_clips": [clip(&json!(NOBODY), 0, 0.1)]},
        {"name": "B", "instrument": {"program": 0, "zones": [zone]}},
    ]});
    let problem = server.problem(server.request(POST, "/api/compositions").json(&spec), 422).await;
    let fields: Vec<&Value> =
        problem["errors"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
    assert_eq!(fields, ["tracks[0].audio_clips[0].sample", "tracks[1].instrument.zones[0].sample"]);
    assert!(problem["detail"].as_str().unwrap().contains("POST /api/samples"), "{problem}");

    let path = format!("/api/compositions/{}", server.composition);
    let before = server.get(&path).await;
    let tracks = json!({"tracks": spec["tracks"].clone()});
    server.problem(server.request(Method::PATCH, &path).json(&tracks), 422).await;
    assert_eq!(server.get(&path).await, before);

    let sample = add(&server, "tone", FLAC).await;
    let sample_path = format!("/api/samples/{}", sample["id"].as_str().unwrap());
    let track = json!({"name": "Tone", "audio_clips": [clip(&sample["id"], 0, 0.4)]});
    server.send(Method::PATCH, &path, json!({"tracks": [track]})).await;
    let problem = server.problem(server.request(DELETE, &sample_path), 409).await;
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("\"Test\"") && detail.contains("tracks[0].audio_clips[0].sample"), "{detail}");
    server.send(Method::PATCH, &path, json!({"tracks": []})).await;
    common::ok(server.request(DELETE, &sample_path)).await;
}

#[tokio::test]
async fn a_clip_that_is_added_while_it_plays_is_heard() {
    let server = start().await;
    let sample = add(&server, "square", &wav(8000, 80_000)).await;
    let path = format!("/api/compositions/{}", server.composition);
    // Ten seconds from the start, among the organs that play.
    let clips: Vec<Value> = (0..3).map(|i| clip(&sample["id"], i * 19_200, 10.0)).collect();
    server.send(Method::PATCH, &path, json!({"tracks": [{"name": "Square", "audio_clips": clips}]})).await;
    assert_eq!(server.get("/api/playback").await["is_playing"], true);
    let mut socket = server.socket("/api/ws/meters?fps=30", "").await;
    for _ in 0..300 {
        let track = &socket.json("meters").await["tracks"][0];
        if track["peak_left"].as_f64().unwrap() > -10.0 {
            assert_eq!(track["name"], "Square");
            return;
        }
    }
    panic!("not heard in 300 frames");
}

#[tokio::test]
async fn undo_brings_samples_back_unless_they_are_gone() {
    let server = start().await;
    let sample = add(&server, "flac", FLAC).await;
    let composition = format!("/api/compositions/{}", server.composition);
    let clips = format!("{composition}/tracks/{}/clips", server.tracks[0]);
    let added = server.send(POST, &clips, clip(&sample["id"], 0, 0.4)).await;
    let added = format!("{clips}/{}", added["id"].as_str().unwrap());
    let sample = format!("/api/samples/{}", sample["id"].as_str().unwrap());
    server.problem(server.request(DELETE, &sample), 409).await;
    common::ok(server.request(DELETE, &added)).await;
    server.post(&format!("{composition}/undo")).await;
    server.get(&added).await;
    server.post(&format!("{composition}/redo")).await;

    common::ok(server.request(DELETE, &sample)).await;
    let refused = server.problem(server.request(POST, &format!("{composition}/undo")), 409).await;
    assert!(refused["detail"].as_str().unwrap().contains("samples of that state were deleted"), "{refused}");
    server.problem(server.request(GET, &added), 404).await;
    // Nothing else is in the way.
    server.send(Method::PATCH, "/api/mixer/master", json!({"gain_db": -1})).await;
}

#[tokio::test]
async fn samples_and_what_is_made_of_them_survive_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let config = || Config { database: Database::File(home.path().join("a.db")), ..common::config() };
    let server = start_with(config()).await;
    let imported = server.request(POST, "/api/compositions/import?name=Square").body(wav(8000, 4000));
    let imported = common::ok(imported).await;
    let path = format!("/api/compositions/{}", imported["id"].as_str().unwrap());
    server.post(&format!("{path}/load")).await;
    let render = async |server: &TestServer| {
        let answer = server.request(GET, &format!("{path}/render.wav?bits=32")).send().await.unwrap();
        answer.bytes().await.unwrap()
    };
    let before = (server.get("/api/samples").await, render(&server).await);
    let TestServer { server, .. } = server;
    server.shutdown().await;

    let server = start_with(config()).await;
    assert_eq!(server.server.loaded().as_deref(), Some("Square"));
    assert!((server.get("/api/samples").await, render(&server).await) == before, "the same to the last bit");
    server.post("/api/playback/play").await;
    let mut socket = server.socket("/api/ws/meters?fps=60", "").await;
    let mut peak = -120.0;
    for _ in 0..300 {
        peak = socket.json("meters").await["master"]["peak_left"].as_f64().unwrap();
        if peak > -40.0 {
            return;
        }
    }
    panic!("the sample is not heard: {peak} dBFS");
}
