//! Stream sockets, over real WebSockets: what each endpoint sends, in both encodings, and what clients may say.

mod common;

use std::collections::HashMap;

use common::{BINARY, JSON, Received, Socket, start};
use engine_core::protocol::{Flags, Payload, Topic, decode_payload};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, Message};

const TOPICS: [&str; 7] = ["transport", "meters", "spectrum", "waveform", "analytics", "stereo", "music"];

#[tokio::test]
async fn every_endpoint_streams_its_topic_in_both_encodings() {
    let server = start().await;
    for name in TOPICS {
        let path = format!("/api/ws/{name}");
        for protocols in ["", JSON] {
            let mut socket = server.socket(&path, protocols).await;
            let hello = socket.hello().await;
            assert_eq!((hello.version, hello.sample_rate, hello.taps.len()), (1, 48_000, 4));
            assert_eq!(hello.taps[1].track_id, Some(server.tracks[0]));
            let mut last = 0;
            for _ in 0..4 {
                let frame = socket.json(name).await;
                let seq = frame["seq"].as_u64().unwrap();
                assert!(seq > last, "seq must rise: {seq} after {last}");
                last = seq;
                assert_eq!((&frame["epoch"], &frame["dropped"]), (&json!(hello.epoch), &json!(0)));
            }
        }
        let mut socket = server.socket(&path, BINARY).await;
        let epoch = socket.hello().await.epoch;
        let topic = Topic::from_name(name).unwrap();
        let (first, _) = socket.binary(topic).await;
        assert!(first.flags.contains(Flags::SNAPSHOT), "{name} starts with a snapshot");
        let mut last = first.seq;
        for _ in 0..3 {
            let (header, payload) = socket.binary(topic).await;
            assert!(header.seq > last && header.epoch == epoch && header.dropped == 0, "{header:?}");
            assert_eq!(decode_payload(&header, &payload).expect("a payload").topic(), topic);
            last = header.seq;
        }
    }
}

#[tokio::test]
async fn the_fields_are_those_of_the_contract() {
    let server = start().await;
    let fields = [
        (
            "transport",
            "is_playing is_paused is_recording position_beats position_seconds sample_position tempo \
          time_signature_num time_signature_den loop_enabled loop_start loop_end metronome_enabled active_notes \
          server_time discontinuity",
        ),
        ("spectrum", "tap sample_position sample_rate fft_size scale frequencies magnitudes"),
        ("waveform", "tap sample_position sample_rate samples_left samples_right"),
        ("meters", "sample_position tracks master"),
        ("stereo", "tap sample_position correlation balance width points"),
        ("music", "tap sample_position pitch_clarity chroma tuning_cents key_name n_onsets bpm_strength"),
        ("audio", "tap sample_position sample_rate discontinuity samples_left samples_right"),
        (
            "analytics",
            "cpu_usage memory_usage active_voices active_tracks sample_rate buffer_size latency_ms xruns \
          clients frames_sent frames_merged",
        ),
    ];
    for (name, fields) in fields {
        let frame = server.socket(&format!("/api/ws/{name}"), "").await.json(name).await;
        for field in fields.split_whitespace().chain(["type", "seq", "epoch", "dropped"]) {
            assert!(!frame[field].is_null(), "{name} has no {field}: {frame}");
        }
    }
    let meters = server.socket("/api/ws/meters", "").await.json("meters").await;
    for field in "track_id name peak_left peak_right rms_left rms_right true_peak_left true_peak_right clips"
        .split(' ')
    {
        assert!(!meters["tracks"][0][field].is_null(), "{field}");
    }
    for field in "peak_left lufs_momentary lufs_short_term lufs_integrated lra correlation".split(' ') {
        assert!(!meters["master"][field].is_null(), "{field}");
    }
}

#[tokio::test]
async fn what_is_heard_is_what_is_seen() {
    let server = start().await;
    // The upper track alone: C5, 523.25 Hz.
    let path = format!("/api/ws/spectrum?tap={}&fft_size=8192&scale=log&bands=240", server.tracks[1]);
    let mut socket = server.socket(&path, "").await;
    for _ in 0..200 {
        let frame = socket.json("spectrum").await;
        assert_eq!(frame["tap"], server.tracks[1].to_string());
        let numbers = |field: &str| -> Vec<f64> {
            frame[field].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
        };
        let (frequencies, magnitudes) = (numbers("frequencies"), numbers("magnitudes"));
        assert_eq!((frequencies.len(), magnitudes.len()), (240, 240));
        let loudest = (0..240).max_by(|&a, &b| magnitudes[a].total_cmp(&magnitudes[b])).unwrap();
        let octaves = (frequencies[loudest] / 523.25).log2();
        if magnitudes[loudest] > -50.0 && (octaves - octaves.round()).abs() < 0.05 {
            return;
        }
    }
    panic!("the note is not in the spectrum");
}

/// Values of both encodings, by sample position.
async fn both(server: &common::TestServer, path: &str, topic: Topic) -> Vec<(Value, Payload)> {
    let mut json = server.socket(path, JSON).await;
    let mut binary = server.socket(path, BINARY).await;
    let (mut texts, mut payloads) = (HashMap::new(), HashMap::new());
    for _ in 0..40 {
        let frame = json.json(topic.name()).await;
        texts.insert(frame["sample_position"].as_u64().unwrap(), frame);
        let (header, payload) = binary.binary(topic).await;
        if !header.flags.contains(Flags::SNAPSHOT) {
            payloads.insert(header.sample_position, decode_payload(&header, &payload).unwrap());
        }
    }
    let pairs: Vec<_> =
        payloads.into_iter().filter_map(|(at, payload)| Some((texts.remove(&at)?, payload))).collect();
    assert!(pairs.len() >= 10, "only {} frames in both encodings", pairs.len());
    pairs
}

fn close(json: &Value, binary: f32, step: f64) {
    let json = json.as_f64().unwrap();
    assert!((json - f64::from(binary)).abs() <= 0.5 * step + 1e-4, "{json} as JSON, {binary} as binary");
}

#[tokio::test]
async fn json_and_binary_say_the_same() {
    let server = start().await;
    for (wide, step) in [(false, 0.5), (true, 0.01)] {
        for (json, payload) in
            both(&server, &format!("/api/ws/spectrum?fps=60&wide={wide}"), Topic::Spectrum).await
        {
            let Payload::Spectrum(spectrum) = payload else { panic!("{payload:?}") };
            let magnitudes = json["magnitudes"].as_array().unwrap();
            assert_eq!(magnitudes.len(), spectrum.magnitudes.len());
            magnitudes.iter().zip(&spectrum.magnitudes).for_each(|(json, &binary)| close(json, binary, step));
        }
    }
    for (json, payload) in both(&server, "/api/ws/waveform?fps=60&samples=64", Topic::Waveform).await {
        let Payload::Waveform(waveform) = payload else { panic!("{payload:?}") };
        let (left, right) = waveform.samples.split_at(64);
        for (json, binary) in [(&json["samples_left"], left), (&json["samples_right"], right)] {
            json.as_array()
                .unwrap()
                .iter()
                .zip(binary)
                .for_each(|(json, &binary)| close(json, binary, 1.0 / 32767.0));
        }
    }
    for (json, payload) in both(&server, "/api/ws/meters?fps=60", Topic::Meters).await {
        let Payload::Meters(meters) = payload else { panic!("{payload:?}") };
        let db = engine_core::math::db_from_gain;
        close(&json["master"]["peak_left"], db(meters.taps[0].1.peak[0]), 0.01);
        close(&json["tracks"][1]["rms_right"], db(meters.taps[2].1.rms(1)), 0.01);
        close(&json["master"]["lufs_momentary"], meters.loudness.momentary, 0.01);
    }
    for (json, payload) in both(&server, "/api/ws/transport?fps=60", Topic::Transport).await {
        let Payload::Transport(transport) = payload else { panic!("{payload:?}") };
        // serde_json reads numbers of this size to within the last bit.
        assert!((json["position_seconds"].as_f64().unwrap() - transport.snapshot.seconds).abs() < 1e-9);
        assert!((json["server_time"].as_f64().unwrap() - transport.server_time).abs() < 0.01);
        assert_eq!(json["active_notes"].as_array().unwrap().len(), transport.snapshot.n_active_notes);
    }
}

#[tokio::test]
async fn an_axis_comes_once_for_each_configuration() {
    let server = start().await;
    let mut socket = server.socket("/api/ws/spectrum?bands=50", BINARY).await;
    let read_axis = async |socket: &mut Socket| {
        let (header, payload) = socket.binary(Topic::Axis).await;
        let Ok(Payload::Axis(axis)) = decode_payload(&header, &payload) else { panic!("an axis") };
        axis
    };
    assert_eq!(read_axis(&mut socket).await.frequencies.len(), 50);
    for _ in 0..5 {
        match socket.next().await {
            Received::Binary(header, _) => assert_eq!(header.topic, Topic::Spectrum as u8, "no second axis"),
            other => panic!("{other:?}"),
        }
    }
    socket.say(json!({"type": "subscribe", "topic": "spectrum", "options": {"bands": 70}})).await;
    let axis = read_axis(&mut socket).await;
    assert_eq!((axis.frequencies.len(), axis.sample_rate), (70, 48_000));
    let (header, payload) = socket.binary(Topic::Spectrum).await;
    let Ok(Payload::Spectrum(spectrum)) = decode_payload(&header, &payload) else { panic!("a spectrum") };
    assert_eq!((spectrum.axis, spectrum.magnitudes.len()), (axis.id, 70));
    assert!(header.seq > 5, "seq goes on when the options change");
}

#[tokio::test]
async fn one_socket_carries_any_topics() {
    let server = start().await;
    let mut socket = server.socket("/api/ws/stream", BINARY).await;
    socket.hello().await;
    socket.binary(Topic::Meters).await;
    socket.binary(Topic::Transport).await;
    for tap in [json!(null), json!("input"), json!(server.tracks[0])] {
        socket.say(json!({"type": "subscribe", "topic": "waveform", "tap": tap, "fps": 60})).await;
    }
    socket.say(json!({"type": "subscribe", "topic": "spectrum", "fps": 60})).await;
    let mut seqs: HashMap<(u8, u16), u32> = HashMap::new();
    while seqs.len() < 6 || seqs.values().any(|&seq| seq < 3) {
        if let Received::Binary(header, _) = socket.next().await
            && header.topic != Topic::Axis as u8
        {
            let last = seqs.insert((header.topic, header.tap), header.seq).unwrap_or(0);
            assert!(header.seq > last, "{header:?} after {last}");
        }
    }
    socket.say(json!({"type": "unsubscribe", "topic": "waveform"})).await;
    socket.say(json!({"type": "unsubscribe", "topic": "spectrum"})).await;
    // The answer to a ping comes after the end of the streams.
    socket.say(json!({"type": "ping", "t0": 1.5})).await;
    let pong = socket.json("pong").await;
    assert_eq!(pong["t0"], 1.5);
    assert!(pong["t2"].as_f64() >= pong["t1"].as_f64() && pong["t1"].as_f64().unwrap() > 1.7e12);
    let mut n_late = 0;
    for _ in 0..30 {
        if let Received::Binary(header, _) = socket.next().await {
            n_late +=
                u32::from(header.topic == Topic::Waveform as u8 || header.topic == Topic::Spectrum as u8);
        }
    }
    assert!(n_late <= 4, "{n_late} frames of streams that were ended");
}

#[tokio::test]
async fn wrong_messages_are_answered_and_the_socket_stays_open() {
    let server = start().await;
    let mut socket = server.socket("/api/ws/stream", "").await;
    socket.hello().await;
    let stream = |topic: &str, tap: &str| json!([topic, tap]);
    let none = json!([null, null]);
    let cases = [
        ("nonsense", "invalid_message", none.clone()),
        ("[]", "invalid_message", none.clone()),
        (r#"["ping",5]"#, "invalid_message", none.clone()),
        (
            r#"{"type":"subscribe","topic":"meters","options":[]}"#,
            "invalid_message",
            stream("meters", "master"),
        ),
        (r#"{"type":"ping","t0":5} {}"#, "invalid_message", none.clone()),
        (r#"{"type":"dance"}"#, "invalid_message", none.clone()),
        (r#"{"type":"subscribe"}"#, "invalid_message", none.clone()),
        (r#"{"type":"subscribe","topic":"smell"}"#, "invalid_message", none.clone()),
        (r#"{"type":"subscribe","topic":"axis"}"#, "invalid_option", stream("axis", "master")),
        (r#"{"type":"subscribe","topic":"meters","fps":121}"#, "invalid_option", stream("meters", "master")),
        (
            r#"{"type":"subscribe","topic":"meters","options":{"bands":9}}"#,
            "invalid_option",
            stream("meters", "master"),
        ),
        (
            r#"{"type":"subscribe","topic":"spectrum","tap":"input","options":{"fft_size":1000}}"#,
            "invalid_option",
            stream("spectrum", "input"),
        ),
        (
            r#"{"type":"subscribe","topic":"spectrum","tap":"nowhere"}"#,
            "invalid_option",
            stream("spectrum", "nowhere"),
        ),
        (
            r#"{"type":"unsubscribe","topic":"spectrum","tap":"nowhere"}"#,
            "invalid_option",
            stream("spectrum", "nowhere"),
        ),
        (r#"{"type":"unsubscribe","topic":"stereo","fps":3}"#, "invalid_message", json!(["stereo", null])),
        (r#"{"type":"subscribe","topic":"trigger"}"#, "invalid_option", stream("trigger", "master")),
        (
            r#"{"type":"subscribe","topic":"trigger","options":{"kind":"noise"}}"#,
            "invalid_message",
            stream("trigger", "master"),
        ),
        (
            r#"{"type":"subscribe","topic":"trigger","options":{"kind":"silence","seconds":0}}"#,
            "invalid_option",
            stream("trigger", "master"),
        ),
        (
            r#"{"type":"subscribe","topic":"trigger","options":{"kind":"loudness"}}"#,
            "invalid_option",
            stream("trigger", "master"),
        ),
        (
            r#"{"type":"subscribe","topic":"stereo","options":{"points":2000}}"#,
            "invalid_option",
            stream("stereo", "master"),
        ),
        (
            r#"{"type":"subscribe","topic":"audio","options":{"format":"mp3"}}"#,
            "invalid_message",
            stream("audio", "master"),
        ),
        (r#"{"type":"resume","epoch":1,"topics":{"smell":1}}"#, "invalid_message", none.clone()),
        (
            r#"{"type":"note","track":"00000000-0000-4000-8000-000000000000","pitch":60,"velocity":1,"on":true}"#,
            "invalid_option",
            none.clone(),
        ),
    ];
    for (text, code, stream) in cases {
        socket.send(Message::text(text)).await;
        let error = socket.json("error").await;
        assert_eq!(error["code"], code, "{text}: {error}");
        assert!(!error["message"].as_str().unwrap().is_empty());
        assert_eq!(json!([error["topic"], error["tap"]]), stream, "{text}: {error}");
        let names = error.as_object().unwrap();
        assert!(names.values().all(|value| !value.is_null()), "what it is not about is absent: {error}");
    }
    for i in 0..40 {
        let options = json!({"bands": 20 + i});
        let tap = if i % 2 == 0 { json!("master") } else { json!("input") };
        socket.say(json!({"type": "subscribe", "topic": "spectrum", "tap": tap, "options": options})).await;
    }
    socket.say(json!({"type": "ping", "t0": 0})).await;
    socket.json("pong").await;
}

#[tokio::test]
async fn resume_sends_snapshots_and_tells_of_jumps_that_were_missed() {
    let server = start().await;
    let mut socket = server.socket("/api/ws/stream", BINARY).await;
    let epoch = socket.hello().await.epoch;
    for topic in [Topic::Meters, Topic::Transport] {
        socket.binary(topic).await;
    }
    drop(socket);
    server.send(Method::POST, "/api/playback/seek", json!({"position_beats": 10})).await;
    // The jump has been told to others.
    let mut other = server.socket("/api/ws/transport", JSON).await;
    while other.json("transport").await["position_beats"].as_f64().unwrap() < 10.0 {}
    other.json("transport").await;
    let mut socket = server.socket("/api/ws/stream", BINARY).await;
    for topic in [Topic::Meters, Topic::Transport] {
        let (header, _) = socket.binary(topic).await;
        assert!(!header.flags.contains(Flags::DISCONTINUITY), "who is new misses nothing: {header:?}");
    }
    socket.say(json!({"type": "resume", "epoch": epoch, "topics": {"transport": 3, "meters": 9}})).await;
    let mut missing = vec![Topic::Meters as u8, Topic::Transport as u8];
    for _ in 0..100 {
        if let Received::Binary(header, _) = socket.next().await
            && header.flags.contains(Flags::SNAPSHOT.with(Flags::DISCONTINUITY))
        {
            missing.retain(|&topic| topic != header.topic);
        }
        if missing.is_empty() {
            break;
        }
    }
    assert!(missing.is_empty(), "no marked snapshot of {missing:?}");
    let resume =
        json!({"type": "resume", "epoch": epoch, "topics": {"transport": 3, "stereo": 9, "music": 2}});
    socket.say(resume.clone()).await;
    for topic in ["music", "stereo"] {
        let error = socket.json("error").await;
        assert_eq!((&error["code"], &error["topic"]), (&json!("not_subscribed"), &json!(topic)));
        assert!(error["message"].as_str().unwrap().contains(topic), "{error}");
        assert!(error.get("tap").is_none(), "{error}");
    }
    let mut socket = server.socket("/api/ws/transport", JSON).await;
    socket.say(resume).await;
    while socket.json("transport").await["discontinuity"] != true {}
}

#[tokio::test]
async fn notes_are_played_live() {
    let server = start().await;
    server.post("/api/playback/stop").await;
    let mut socket = server.socket("/api/ws/stream", "").await;
    let track = server.tracks[1];
    let loud = |meters: &Value| meters["tracks"][1]["peak_left"].as_f64().unwrap() > -60.0;
    while loud(&socket.json("meters").await) {}
    socket.say(json!({"type": "note", "track": track, "pitch": 70, "velocity": 100, "on": true})).await;
    while !loud(&socket.json("meters").await) {}
    socket.say(json!({"type": "note", "track": track, "pitch": 70, "velocity": 0, "on": false})).await;
    while loud(&socket.json("meters").await) {}
}

#[tokio::test]
async fn another_composition_sends_hello_again_and_streams_follow_their_track() {
    let server = start().await;
    let (low, high) = (server.tracks[0], server.tracks[1]);
    let mut socket = server.socket(&format!("/api/ws/waveform?tap={high}&fps=60"), BINARY).await;
    let mut gone = server.socket(&format!("/api/ws/waveform?tap={low}&fps=60"), BINARY).await;
    assert_eq!(socket.hello().await.taps.len(), 4);
    gone.hello().await;
    assert_eq!(socket.binary(Topic::Waveform).await.0.tap, 2);
    assert_eq!(gone.binary(Topic::Waveform).await.0.tap, 1);
    let path = format!("/api/compositions/{}", server.composition);
    let tracks = server.get(&path).await["tracks"].clone();
    server.send(reqwest::Method::PATCH, &path, json!({"tracks": [tracks[1]]})).await;
    let hello = socket.json("hello").await;
    assert_eq!(hello["taps"].as_array().unwrap().len(), 3);
    assert_eq!(hello["taps"][1]["track_id"], high.to_string());
    assert_eq!(socket.binary(Topic::Waveform).await.0.tap, 1, "the track is the first one now");
    gone.json("hello").await;
    gone.say(json!({"type": "ping", "t0": 0})).await;
    match gone.next().await {
        Received::Text(pong) => assert_eq!(pong["type"], "pong"),
        other => panic!("a stream of a track that is gone goes on: {other:?}"),
    }
}

#[tokio::test]
async fn a_bad_request_is_refused_before_the_upgrade() {
    let server = start().await;
    let refused = async |path: &str, protocols: &str| match server.try_socket(path, protocols).await {
        Err(Error::Http(response)) => {
            let problem: Value =
                serde_json::from_slice(response.body().as_deref().unwrap_or(b"null")).unwrap();
            (response.status().as_u16(), problem)
        }
        Err(other) => panic!("{path}: {other}"),
        Ok(_) => panic!("{path} {protocols} was accepted"),
    };
    for query in
        ["fps=0", "fps=121", "fps=x", "tap=nobody", "fft_size=1000", "bands=0", "scale=wavy", "colour=red"]
    {
        let (status, problem) = refused(&format!("/api/ws/spectrum?{query}"), "").await;
        assert_eq!(status, 400, "{query}");
        assert_eq!(problem["errors"][0]["field"], query.split('=').next().unwrap(), "{problem}");
    }
    assert_eq!(refused("/api/ws/meters?bands=10", "").await.0, 400);
    for protocols in ["antiphon.v2.json", "chat", "antiphon.token.x", "chat, antiphon.v9.binary"] {
        assert_eq!(refused("/api/ws/meters", protocols).await.0, 400, "{protocols}");
    }
    assert_eq!(refused("/api/ws/smells", "").await.0, 404);
    server.socket("/api/ws/meters", &format!("chat, {BINARY}, {JSON}")).await.hello().await;
    server.socket("/api/ws/meters", &format!("antiphon.token.x, {JSON}")).await.hello().await;
    server.problem(server.request(reqwest::Method::GET, "/api/ws/meters"), 426).await;
}

#[tokio::test]
async fn what_is_not_text_or_too_long_closes_the_socket() {
    let server = start().await;
    for (message, code) in [(Message::binary(vec![1, 2, 3]), 1003), (Message::text("x".repeat(4097)), 1009)] {
        let mut socket = server.socket("/api/ws/meters", "").await;
        socket.hello().await;
        socket.send(message).await;
        assert_eq!(socket.closed().await, Some(code));
    }
    let mut socket = server.socket("/api/ws/meters", "").await;
    socket.send(Message::text(" ".repeat(4096))).await;
    assert_eq!(socket.json("error").await["code"], "invalid_message");
}
