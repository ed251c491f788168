//! Past one machine: what clients of a relay get is what the server says, and both outlive whatever is between them.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, SystemTime};

use engine_core::protocol::{Flags, Payload, Topic, decode_payload};
use futures_util::StreamExt;
use native_server::api::AccessRules;
use native_server::server::{Config, Server};
use reqwest::Method;
use reqwest::header::{ETAG, IF_MATCH};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::common::{BINARY, JSON, LIMIT, Received, Socket, config, problem, upgrade};
use crate::metrics::metric;
use crate::nats::Nats;
use crate::relays::{Edge, Killable, options, serve, socket_at};

/// Payloads of a topic's frames by position, but for those that depend on who asked when: snapshots and merged ones.
async fn frames(socket: &mut Socket, topic: Topic, n: usize) -> HashMap<u64, Vec<u8>> {
    let mut frames = HashMap::new();
    for _ in 0..n {
        let (header, payload) = socket.binary(topic).await;
        if !header.flags.contains(Flags::SNAPSHOT) && header.dropped == 0 {
            frames.insert(header.sample_position, payload);
        }
    }
    frames
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_are_the_servers_own_bytes() {
    let nats = Nats::start(&[]);
    let server = serve(&nats).await;
    let edge = Edge::start(&nats).await;
    for (path, topic) in [
        ("/api/ws/spectrum?fps=60&bands=96&wide=true", Topic::Spectrum),
        ("/api/ws/meters?fps=40&ballistics=vu", Topic::Meters),
        ("/api/ws/waveform", Topic::Waveform),
        ("/api/ws/stereo", Topic::Stereo),
        ("/api/ws/music", Topic::Music),
        ("/api/ws/audio?format=f32", Topic::Audio),
    ] {
        let (mut near, mut far) = (server.socket(path, BINARY).await, edge.socket(path, BINARY).await);
        let (hello, same) = (near.hello().await, far.hello().await);
        assert_eq!((hello.epoch, &hello.taps, &hello.topics), (same.epoch, &same.taps, &same.topics));
        if topic == Topic::Spectrum {
            assert_eq!(near.binary(Topic::Axis).await.1, far.binary(Topic::Axis).await.1);
        }
        let (near, far) = tokio::join!(frames(&mut near, topic, 60), frames(&mut far, topic, 60));
        let both: Vec<_> = near.iter().filter_map(|(at, near)| Some((at, near, far.get(at)?))).collect();
        assert!(both.len() >= 10, "{topic:?}: {} frames in both", both.len());
        for (at, near, far) in both {
            assert_eq!(near, far, "{topic:?} at {at}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_has_the_same_fields_and_values_within_half_a_step() {
    let nats = Nats::start(&[]);
    let server = serve(&nats).await;
    let edge = Edge::start(&nats).await;
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    for topic in Topic::STREAMS.into_iter().filter(|topic| *topic != Topic::Trigger).map(Topic::name) {
        let path = format!("/api/ws/{topic}");
        let (mut near, mut far) = (server.socket(&path, JSON).await, edge.socket(&path, JSON).await);
        let (first, other) = (near.json(topic).await, far.json(topic).await);
        assert_eq!(names(&first), names(&other), "{topic}");
        assert_eq!((&first["tap"], &first["epoch"]), (&other["tap"], &other["epoch"]));
    }
    let path = "/api/ws/spectrum?fps=60";
    let (mut near, mut far) = (server.socket(path, JSON).await, edge.socket(path, JSON).await);
    let (near, far) = tokio::join!(spectra(&mut near), spectra(&mut far));
    let both: Vec<_> = near.iter().filter_map(|(at, near)| Some((near, far.get(at)?))).collect();
    assert!(both.len() >= 10, "{} spectra in both", both.len());
    for (near, far) in both.into_iter().flat_map(|(near, far)| near.iter().zip(far)) {
        assert!((near - far).abs() <= 0.2501, "{near} and {far}");
    }
}

/// Magnitudes of spectra by position.
async fn spectra(socket: &mut Socket) -> HashMap<u64, Vec<f64>> {
    let mut spectra = HashMap::new();
    for _ in 0..60 {
        let spectrum = socket.json("spectrum").await;
        let magnitudes = serde_json::from_value(spectrum["magnitudes"].clone()).unwrap();
        spectra.insert(spectrum["sample_position"].as_u64().unwrap(), magnitudes);
    }
    spectra
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_has_is_not_published_and_what_many_have_is_published_once() {
    let nats = Nats::start(&[]);
    let _server = serve(&nats).await;
    let watcher = async_nats::connect(nats.url()).await.unwrap();
    let mut all = watcher.subscribe("antiphon.test.frames.>").await.unwrap();
    watcher.flush().await.unwrap();
    let (one, two) = (Edge::start(&nats).await, Edge::start(&nats).await);
    let second = Duration::from_secs(1);
    assert!(timeout(second, all.next()).await.is_err(), "nobody has anything");
    let mut clients = Vec::new();
    for edge in [&one, &two, &two] {
        let mut client = edge.socket("/api/ws/meters?fps=20", BINARY).await;
        client.binary(Topic::Meters).await;
        clients.push(client);
    }
    let mut numbers: HashMap<String, Vec<u32>> = HashMap::new();
    while numbers.values().map(Vec::len).sum::<usize>() < 40 {
        let message = timeout(LIMIT, all.next()).await.unwrap().unwrap();
        // Behind the id of the taps: topic, flags, tap, then seq.
        let seq = u32::from_le_bytes(message.payload[20..24].try_into().unwrap());
        numbers.entry(message.subject.to_string()).or_default().push(seq);
    }
    let [numbers] = &numbers.into_values().collect::<Vec<_>>()[..] else { panic!("one stream, one subject") };
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    clients.pop();
    clients.pop();
    clients[0].binary(Topic::Meters).await;
    drop(clients);
    let silence = async { while timeout(second, all.next()).await.is_ok() {} };
    timeout(LIMIT, silence).await.expect("the last one is gone, and the subject is silent");
}

#[tokio::test(flavor = "multi_thread")]
async fn late_clients_get_the_state_and_slow_ones_their_own_rate() {
    let nats = Nats::start(&[]);
    let _server = serve(&nats).await;
    let edge = Edge::start(&nats).await;
    let mut first = edge.socket("/api/ws/spectrum?fps=1", BINARY).await;
    let (snapshot, _) = first.binary(Topic::Spectrum).await;
    assert!(snapshot.flags.contains(Flags::SNAPSHOT));
    let mut late = edge.socket("/api/ws/spectrum?fps=1", BINARY).await;
    let (again, _) = late.binary(Topic::Spectrum).await;
    assert!(again.flags.contains(Flags::SNAPSHOT));
    assert_eq!((again.seq, snapshot.seq), (1, 1), "each connection counts for itself");
    late.say(json!({"type": "ping", "t0": 5.0})).await;
    let pong = late.json("pong").await;
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64() * 1e3;
    assert!(pong["t0"] == 5.0 && (pong["t2"].as_f64().unwrap() - unix).abs() < 60_000.0, "{pong}");
    late.say(json!({"type": "resume", "epoch": 1, "topics": {"spectrum": 1}})).await;
    assert!(late.binary(Topic::Spectrum).await.0.flags.contains(Flags::SNAPSHOT));
    late.say(json!({"type": "subscribe", "topic": "spectrum", "options": {"fft_size": 100}})).await;
    let refused = late.json("error").await;
    assert_eq!(
        (&refused["code"], &refused["topic"], &refused["tap"]),
        (&json!("invalid_option"), &json!("spectrum"), &json!("master"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_and_triggers_go_through() {
    let nats = Nats::start(&[]);
    let server = serve(&nats).await;
    let edge = Edge::start(&nats).await;
    let mut client = edge.socket("/api/ws/transport", JSON).await;
    client.json("transport").await;
    client
        .say(json!({"type": "note", "track": server.tracks[1], "pitch": 61, "velocity": 99, "on": true}))
        .await;
    let played = json!({"track_id": server.tracks[1], "pitch": 61, "velocity": 99});
    while !client.json("transport").await["active_notes"].as_array().unwrap().contains(&played) {}
    let options = json!({"kind": "loudness", "below_lufs": 20.0});
    client.say(json!({"type": "subscribe", "topic": "trigger", "options": options})).await;
    let fired = client.json("trigger").await;
    assert_eq!(
        (&fired["tap"], &fired["kind"], &fired["ended"]),
        (&json!("master"), &json!("loudness"), &json!(true))
    );
    assert!(fired["sample_position"].as_u64().unwrap() > 0, "{fired}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_answered_by_the_server() {
    let nats = Nats::start(&[]);
    let server = serve(&nats).await;
    let edge = Edge::start(&nats).await;
    let send = |method: &str, path: &str, body: Value| {
        edge.request(method.parse().unwrap(), path).json(&body).send()
    };
    let created = send("POST", "/api/compositions", json!({"name": "Far", "length": 3840})).await.unwrap();
    assert_eq!(created.status(), 201);
    let tag = created.headers()[ETAG].clone();
    let path = created.headers()["location"].to_str().unwrap().to_string();
    let patch = |tag| {
        edge.request(Method::PATCH, &path).header(IF_MATCH, tag).json(&json!({"name": "Farther"})).send()
    };
    let patched = patch(tag.clone()).await.unwrap();
    assert_eq!(patched.status(), 200);
    assert_ne!(patched.headers()[ETAG], tag);
    problem(patch(tag).await.unwrap(), 412).await;
    problem(send("PATCH", &path, json!({"name": 5})).await.unwrap(), 422).await;
    problem(edge.request(Method::POST, "/api/compositions").body("{").send().await.unwrap(), 400).await;
    problem(send("DELETE", "/api/info", json!({})).await.unwrap(), 405).await;
    let long = edge.request(Method::POST, "/api/compositions").body(vec![b' '; (8 << 20) + 1]).send().await;
    // The server need not read what it refuses: then the connection may break under a client that writes on.
    if let Ok(long) = long {
        problem(long, 413).await;
    }
    for path in
        ["/api/compositions?limit=1", &path, "/api/mixer", "/api/nothing", "/api/openapi.json", "/api/info"]
    {
        let (near, far) = (server.request(Method::GET, path).send().await.unwrap(), edge.get(path).await);
        assert_eq!(near.status(), far.status(), "{path}");
        for header in ["content-type", "etag", "content-length", "cache-control"] {
            assert_eq!(near.headers().get(header), far.headers().get(header), "{header} of {path}");
        }
        assert_eq!(near.text().await.unwrap(), far.text().await.unwrap(), "{path}");
    }
    assert!(send("POST", "/api/playback/stop", json!({})).await.unwrap().status().is_success());
    assert_eq!(server.get("/api/playback").await["is_playing"], false);
    assert_eq!(edge.request(Method::DELETE, &path).send().await.unwrap().status(), 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_on_is_told_of_every_change() {
    let nats = Nats::start(&[]);
    let server = serve(&nats).await;
    let edge = Edge::start(&nats).await;
    let composition = server.composition;
    let path = format!("/api/compositions/{composition}");
    let mut sockets = [
        server.socket("/api/ws/transport", JSON).await,
        server.socket("/api/ws/transport", BINARY).await,
        edge.socket("/api/ws/transport", JSON).await,
        edge.socket("/api/ws/transport", BINARY).await,
    ];
    for socket in sockets.iter_mut().step_by(2) {
        assert_eq!(socket.json("transport").await["composition_revision"], 1);
    }
    // A name is nothing that the engine hears of.
    let named = ["One", "Two"].map(|name| (Method::PATCH, path.clone(), json!({"name": name})));
    let steps = ["undo", "undo", "redo"].map(|step| (Method::POST, format!("{path}/{step}"), json!({})));
    for (revision, (method, path, body)) in (2..).zip(named.into_iter().chain(steps)) {
        let changed = edge.request(method, &path).json(&body).send().await.unwrap();
        assert_eq!(changed.headers()[ETAG], format!("\"{composition}-{revision}\""), "{path}");
        assert_eq!(server.get("/api/playback").await["composition_revision"], revision);
        for (idx, socket) in sockets.iter_mut().enumerate() {
            loop {
                let told = if idx % 2 == 0 {
                    socket.json("transport").await["composition_revision"].as_u64().unwrap()
                } else {
                    let (header, payload) = socket.binary(Topic::Transport).await;
                    match decode_payload(&header, &payload) {
                        Ok(Payload::Transport(transport)) => transport.composition_revision,
                        other => panic!("{other:?}"),
                    }
                };
                if told == revision {
                    break;
                }
                assert_eq!(told, revision - 1, "one after another");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_any_length_go_both_ways() {
    let nats = Nats::start(&[]);
    let server = serve(&nats).await;
    let edge = Edge::start(&nats).await;
    let path = format!("/api/compositions/{}/render.wav?bits=32", server.composition);
    let near = server.request(Method::GET, &path).send().await.unwrap().bytes().await.unwrap();
    let far = edge.get(&path).await;
    assert_eq!((far.status().as_u16(), &far.headers()["content-type"]), (200, &"audio/wav".parse().unwrap()));
    let far = far.bytes().await.unwrap();
    assert!(near.len() > 8 << 20, "longer than all that may be on its way");
    assert!(near == far, "the same {} bytes", near.len());
    // And back, as a recording: 3 s of it, since a recording needs a beginning only.
    let mut cursor = std::io::Cursor::new(Vec::new());
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 48_000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut wav = hound::WavWriter::new(&mut cursor, spec).unwrap();
    let samples = hound::WavReader::new(&far[..]).unwrap().into_samples::<f32>().take(6 * 48_000);
    samples.for_each(|sample| wav.write_sample(sample.unwrap()).unwrap());
    wav.finalize().unwrap();
    let wav = cursor.into_inner();
    let sent = edge.request(Method::POST, "/api/samples?name=back").body(wav.clone()).send().await.unwrap();
    assert_eq!(sent.status(), 201);
    let path = format!("{}/audio", sent.headers()["location"].to_str().unwrap());
    assert!(edge.get(&path).await.bytes().await.unwrap() == wav, "the same {} bytes", wav.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_guards_its_own_door() {
    let nats = Nats::start(&[]);
    let _server = serve(&nats).await;
    let access = AccessRules { token: Some(String::from("s3cret")), ..AccessRules::default() };
    let edge = Edge::start_with(&nats.url(), access).await;
    assert_eq!(edge.relay.wait(LIMIT).await, None);
    for path in ["/api/info", "/api/compositions", "/metrics", "/api/ws/meters"] {
        problem(edge.get(path).await, 401).await;
    }
    assert_eq!(edge.get("/api/health").await.status(), 200);
    let open = |method, path: &str| edge.request(method, path).bearer_auth("s3cret").send();
    assert_eq!(open(Method::GET, "/api/info").await.unwrap().status(), 200);
    assert_eq!(
        metric(edge.request(Method::GET, "/metrics").bearer_auth("s3cret"), "antiphon_relay_server_up").await,
        1.0
    );
    problem(
        edge.request(Method::GET, "/api/health").header("host", "evil.example").send().await.unwrap(),
        403,
    )
    .await;
    let evil = edge.request(Method::GET, "/api/health").header("origin", "https://evil.example");
    problem(evil.send().await.unwrap(), 403).await;
    let ticket: Value = open(Method::POST, "/api/tickets").await.unwrap().json().await.unwrap();
    let path = format!("/api/ws/meters?ticket={}", ticket["ticket"].as_str().unwrap());
    edge.socket(&path, BINARY).await.binary(Topic::Meters).await;
    edge.socket("/api/ws/meters", "antiphon.v1.json, antiphon.token.s3cret").await.json("meters").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_dies_and_its_clients_go_on_at_another() {
    let nats = Nats::start(&[]);
    let server = serve(&nats).await;
    let other = Edge::start(&nats).await;
    let doomed = Killable::start(&nats.url());
    assert!(doomed.greeting.starts_with("Antiphon relays from nats://127.0.0.1:"), "{}", doomed.greeting);
    let mut client = socket_at(doomed.address(), "/api/ws/stream", BINARY).await;
    let hello = client.hello().await;
    let (last, _) = client.binary(Topic::Meters).await;
    // A note is held through each relay: one ends with its relay, the other goes on.
    let note = |pitch: u8| json!({"type": "note", "track": server.tracks[1], "pitch": pitch, "velocity": 99, "on": true});
    let mut watcher = other.socket("/api/ws/transport", JSON).await;
    watcher.say(note(64)).await;
    client.say(note(61)).await;
    let pitches = async |watcher: &mut Socket| -> Vec<u64> {
        let transport = watcher.json("transport").await;
        let notes = transport["active_notes"].as_array().unwrap();
        notes
            .iter()
            .map(|note| note["pitch"].as_u64().unwrap())
            .filter(|pitch| [61, 64].contains(pitch))
            .collect()
    };
    let both = async |watcher: &mut Socket| while pitches(watcher).await.len() != 2 {};
    both(&mut watcher).await;
    drop(doomed);
    assert_eq!(client.closed().await, None, "cut, without a word");
    let rest = loop {
        let held = pitches(&mut watcher).await;
        if held.len() != 2 {
            break held;
        }
    };
    assert_eq!(rest, [64], "what the living relay's client holds");
    let mut client = other.socket("/api/ws/stream", BINARY).await;
    let again = client.hello().await;
    assert_eq!((hello.epoch, hello.taps), (again.epoch, again.taps));
    client.say(json!({"type": "resume", "epoch": hello.epoch, "topics": {"meters": last.seq}})).await;
    let (next, _) = client.binary(Topic::Meters).await;
    assert!(next.flags.contains(Flags::SNAPSHOT) && next.sample_position >= last.sample_position);
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_goes_and_comes_back() {
    let mut nats = Nats::start(&[]);
    let server = serve(&nats).await;
    let edge = Edge::start(&nats).await;
    let mut client = edge.socket("/api/ws/meters", BINARY).await;
    client.binary(Topic::Meters).await;
    let connected = || metric(server.request(Method::GET, "/metrics"), "antiphon_nats_connected");
    assert_eq!(connected().await, 1.0);
    assert!(metric(server.request(Method::GET, "/metrics"), "antiphon_nats_frames_total").await > 0.0);
    nats.stop();
    assert_eq!(client.json("error").await["code"], "server_away");
    for path in ["/api/health", "/api/compositions"] {
        let answer = edge.get(path).await;
        assert!(answer.headers().contains_key("retry-after"));
        assert!(problem(answer, 503).await["detail"].as_str().unwrap().contains("NATS is away"));
    }
    let stream = TcpStream::connect(edge.relay.address()).await.unwrap();
    let (mut refused, _) = upgrade(stream, "/api/ws/meters?refusal=close", "").await.unwrap();
    assert_eq!(refused.closed().await, Some(1013));
    // The server does not care.
    while connected().await != 0.0 {}
    server.socket("/api/ws/meters", BINARY).await.binary(Topic::Meters).await;
    nats.resume();
    let mut after = client.binary(Topic::Meters).await.0;
    while !after.flags.contains(Flags::SNAPSHOT) {
        after = client.binary(Topic::Meters).await.0;
    }
    assert!(after.flags.contains(Flags::DISCONTINUITY), "{after:?}");
    assert_eq!(edge.get("/api/health").await.status(), 200);
    assert_eq!(connected().await, 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_restarts_behind_its_relay() {
    let nats = Nats::start(&[]);
    let server = serve(&nats).await;
    let edge = Edge::start(&nats).await;
    let mut client = edge.socket("/api/ws/meters", BINARY).await;
    let hello = client.hello().await;
    let (before, _) = client.binary(Topic::Meters).await;
    let namesake = Server::start(Config { nats: Some(options(&nats.url())), ..config() }).await;
    let refused = namesake.err().expect("a name is one server's").to_string();
    assert!(refused.contains("is called test") && refused.contains("--nats-name"), "{refused}");
    server.server.shutdown().await;
    assert_eq!(client.json("error").await["code"], "server_away");
    // An epoch is a second.
    let second = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let ended = second();
    while second() == ended {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let again = Server::start(Config { nats: Some(options(&nats.url())), ..config() }).await.unwrap();
    let Received::Text(told) = client.next().await else { panic!("a hello before frames") };
    assert_eq!(told["type"], "hello");
    assert_ne!(told["epoch"], hello.epoch);
    assert_ne!(told["taps"], json!(hello.taps), "another composition");
    let (after, _) = client.binary(Topic::Meters).await;
    assert_eq!(after.epoch, told["epoch"]);
    assert!(after.seq > before.seq && after.flags.contains(Flags::DISCONTINUITY), "{after:?}");
    again.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_says_what_it_waits_for() {
    let mut nats = Nats::start(&["--user", "u", "--pass", "p@"]);
    let url = nats.url().replace("nats://", "nats://u:p%40@");
    let edge = Edge::start_with(&url, AccessRules::default()).await;
    let why = loop {
        let why = edge.relay.wait(Duration::ZERO).await.expect("there is no server");
        if !why.contains("not been found") {
            break why;
        }
        tokio::task::yield_now().await;
    };
    assert!(why.contains("no server answers") && why.contains("--nats-name test"), "{why}");
    assert!(!why.contains("u:"), "{why}");
    // Nor does a server start with a wrong password: that would never become right.
    let wrong = Config { nats: Some(options(&url.replace(":p", ":q"))), ..config() };
    let refused = Server::start(wrong).await.err().expect("refused").to_string();
    assert!(
        refused.contains("refuses us") && refused.contains("--nats-creds") && !refused.contains("u:"),
        "{refused}"
    );
    nats.stop();
    let waiting = Killable::start(&nats.url());
    assert!(
        waiting.greeting.starts_with("Antiphon waits: NATS is away at nats://127.0.0.1:"),
        "{}",
        waiting.greeting
    );
    assert_eq!(
        reqwest::get(format!("http://{}/", waiting.address())).await.unwrap().status(),
        200,
        "the page"
    );
}
