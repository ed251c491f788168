//! Playing and recording through the front door: a stream socket plays, REST arms and records.

mod common;

use common::{JSON, Socket, TestServer, config, start_with};
use engine_core::composition::midi;
use native_server::server::Config;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// A server at rest.
async fn at_rest() -> TestServer {
    start_with(Config { play: false, ..config() }).await
}

fn note(track: Uuid, pitch: u8, on: bool) -> Value {
    json!({"type": "note", "track": track, "pitch": pitch, "velocity": 100, "on": on})
}

fn held(frame: &Value) -> Vec<(String, u64)> {
    let notes = frame["active_notes"].as_array().unwrap();
    notes
        .iter()
        .map(|n| (n["track_id"].as_str().unwrap().to_string(), n["pitch"].as_u64().unwrap()))
        .collect()
}

/// Waits for a transport like that. Returns its position and that of the frame before, in ticks.
async fn transport(socket: &mut Socket, what: &str, is_it: impl Fn(&Value) -> bool) -> (f64, f64) {
    let mut before = f64::NAN;
    for _ in 0..5_000 {
        let frame = socket.json("transport").await;
        let tick = frame["position_beats"].as_f64().unwrap() * 960.0;
        if is_it(&frame) {
            return (before, tick);
        }
        before = tick;
    }
    panic!("{what} never happens");
}

async fn arm(server: &TestServer, track: Uuid) -> Value {
    server.send(Method::PUT, "/api/playback/armed", json!({"track_id": track})).await
}

#[tokio::test]
async fn notes_sound_while_stopped_and_end_with_their_socket() {
    let server = at_rest().await;
    let [low, high] = server.tracks[..] else { panic!("two tracks") };
    let mut watcher = server.socket("/api/ws/transport?fps=120", JSON).await;
    let mut meters = server.socket("/api/ws/meters", JSON).await;
    let mut player = server.socket("/api/ws/stream", JSON).await;
    let mut other = server.socket("/api/ws/analytics", JSON).await;
    player.say(note(high, 72, true)).await;
    player.say(note(high, 76, true)).await;
    other.say(note(high, 79, true)).await;
    let all = [72, 76, 79].map(|pitch| (high.to_string(), pitch));
    let is_chord = |frame: &Value| {
        let mut notes = held(frame);
        notes.sort();
        assert_eq!(frame["is_playing"], false);
        notes == all
    };
    transport(&mut watcher, "the chord", is_chord).await;
    loop {
        let frame = meters.json("meters").await;
        let peak = |track: Uuid| {
            let tracks = frame["tracks"].as_array().unwrap();
            let levels = tracks.iter().find(|levels| levels["track_id"] == track.to_string());
            levels.unwrap()["peak_left"].as_f64().unwrap()
        };
        assert_eq!(peak(low), -120.0, "nobody plays there");
        if peak(high) > -40.0 {
            break;
        }
    }
    player.say(note(high, 76, false)).await;
    transport(&mut watcher, "76 ends", |frame| held(frame).len() == 2).await;
    // A client that goes without a word; what the other one holds goes on.
    drop(player);
    transport(&mut watcher, "72 ends", |frame| held(frame) == all[2..]).await;
    drop(other);
    transport(&mut watcher, "silence", |frame| held(frame).is_empty()).await;
}

#[tokio::test]
async fn notes_that_cannot_be_are_refused_and_the_socket_stays() {
    let server = at_rest().await;
    let track = server.tracks[0];
    let mut player = server.socket("/api/ws/stream", JSON).await;
    let nobody = Uuid::from_u128(1);
    let mut cases = vec![
        (note(nobody, 60, true), "invalid_option", nobody.to_string()),
        (note(track, 128, true), "invalid_option", String::from("pitch: 128 is not between 0 and 127")),
        (note(track, 128, false), "invalid_option", String::from("pitch: 128")),
        (
            json!({"type": "note", "track": "piano", "pitch": 1, "velocity": 1, "on": true}),
            "invalid_message",
            String::from("UUID"),
        ),
        (
            json!({"type": "note", "track": track, "pitch": 1, "on": true}),
            "invalid_message",
            String::from("velocity"),
        ),
    ];
    for velocity in [0, 128] {
        let message = json!({"type": "note", "track": track, "pitch": 60, "velocity": velocity, "on": true});
        cases.push((message, "invalid_option", format!("velocity: {velocity} is not between 1 and 127")));
    }
    for (message, code, text) in cases {
        player.say(message.clone()).await;
        let error = player.json("error").await;
        assert_eq!(error["code"], code, "{message}");
        assert!(error["message"].as_str().unwrap().contains(&text), "{message}: {error}");
    }
    player.say(note(track, 60, true)).await;
    transport(&mut player, "a note after all that", |frame| held(frame).len() == 1).await;
}

#[tokio::test]
async fn what_is_played_becomes_a_clip_that_can_be_undone_and_exported() {
    let server = at_rest().await;
    let track = server.tracks[1];
    let path = format!("/api/compositions/{}", server.composition);
    let before = server.get(&path).await;
    assert_eq!(arm(&server, track).await["armed_track_id"], track.to_string());

    let mut watcher = server.socket("/api/ws/transport?fps=120", JSON).await;
    let mut player = server.socket("/api/ws/stream", JSON).await;
    server
        .send(Method::PUT, "/api/playback/loop", json!({"enabled": false, "start_beats": 0, "end_beats": 64}))
        .await;
    let state = server.send(Method::POST, "/api/playback/record", json!({"count_in_bars": 0})).await;
    assert_eq!((&state["is_playing"], &state["is_recording"]), (&json!(true), &json!(true)));
    assert_eq!(server.get("/api/playback/take").await["state"], "recording");

    // A note starts between the last frame without it and the first one with it: the clip's own track sounds as well,
    // so pitches that it does not play.
    let shows = |pitch: u64| move |frame: &Value| held(frame).iter().any(|held| held.1 == pitch);
    let mut expected = Vec::new();
    for pitch in [50u8, 55] {
        let asked = server.get("/api/playback").await["position_beats"].as_f64().unwrap() * 960.0;
        player.say(note(track, pitch, true)).await;
        let on = transport(&mut watcher, "on", shows(pitch.into())).await;
        player.say(note(server.tracks[0], 40, true)).await;
        player.say(note(track, pitch, false)).await;
        let off = transport(&mut watcher, "off", |frame| !shows(pitch.into())(frame)).await;
        // The frame before may be one that another wait has seen.
        expected.push((pitch, (on.0.max(asked), on.1), (off.0.max(on.1), off.1)));
    }
    let stopped = server.post("/api/playback/stop").await;
    assert_eq!((&stopped["is_recording"], &stopped["is_playing"]), (&json!(false), &json!(false)));

    // It is there when stop has answered, and nothing else has changed.
    let take = server.get("/api/playback/take").await;
    assert_eq!(
        (take["state"].as_str(), take["track_id"].as_str()),
        (Some("kept"), Some(&*track.to_string()))
    );
    let recorded = server.get(&path).await;
    let clips = recorded["tracks"][1]["clips"].as_array().unwrap();
    assert_eq!(clips.len(), 2);
    let clip = clips.iter().find(|clip| clip["id"] == take["clip_ids"][0]).expect("the clip of the take");
    let notes = clip["notes"].as_array().unwrap();
    assert_eq!(notes.len(), 2, "notes of other tracks are not recorded: {clip}");
    // 120 bpm at 48 kHz: 0.04 ticks a frame, 5.12 a quantum. A frame of the transport says where the quantum begins
    // that starts with the note, or a later one; rounding takes half a tick.
    let origin = clip["start"].as_f64().unwrap();
    for (note, (pitch, on, off)) in notes.iter().zip(&expected) {
        let start = origin + note["start"].as_f64().unwrap();
        let end = start + note["length"].as_f64().unwrap();
        assert_eq!((note["pitch"].as_u64(), note["velocity"].as_u64()), (Some(u64::from(*pitch)), Some(100)));
        assert!(on.0 - 0.5 <= start && start <= on.1 + 0.5, "{pitch} starts at {start}, seen in {on:?}");
        assert!(off.0 - 1.0 <= end && end <= off.1 + 1.0, "{pitch} ends at {end}, seen in {off:?}");
    }

    let exported = server.request(Method::GET, &format!("{path}/export.mid")).send().await.unwrap();
    let again = midi::import(&exported.bytes().await.unwrap(), "x").unwrap();
    let of = |pitch: u8| {
        let notes = again.tracks.iter().flat_map(|track| &track.clips);
        let notes =
            notes.flat_map(|clip| clip.notes.iter().map(|note| (note.pitch, clip.start + note.start)));
        notes.filter(|note| note.0 == pitch).map(|note| f64::from(note.1)).collect::<Vec<_>>()
    };
    for (note, pitch) in notes.iter().zip([50, 55]) {
        assert_eq!(of(pitch), [origin + note["start"].as_f64().unwrap()]);
    }

    let history = server.get(&format!("{path}/history")).await;
    assert_eq!(history["items"][0]["label"], "recorded High");
    assert_eq!(server.post(&format!("{path}/undo")).await["tracks"], before["tracks"], "one step");
    assert_eq!(server.post(&format!("{path}/redo")).await["tracks"], recorded["tracks"]);
}

#[tokio::test]
async fn passes_of_a_loop_lie_over_one_another_after_a_count_in() {
    let server = at_rest().await;
    let track = server.tracks[0];
    arm(&server, track).await;
    server
        .send(Method::PUT, "/api/playback/loop", json!({"enabled": true, "start_beats": 0, "end_beats": 2}))
        .await;
    let mut player = server.socket("/api/ws/transport?fps=120", JSON).await;
    let state = server.post("/api/playback/record").await;
    assert_eq!((&state["is_playing"], &state["is_recording"]), (&json!(false), &json!(true)));
    assert!((1..=4).contains(&state["count_in_beats"].as_u64().unwrap()), "{state}");
    // In the last beat before the music, and held into it.
    transport(&mut player, "the last beat", |frame| frame["count_in_beats"] == 1).await;
    player.say(note(track, 30, true)).await;
    transport(&mut player, "the music", |frame| frame["position_beats"].as_f64().unwrap() > 0.5).await;
    player.say(note(track, 30, false)).await;
    // In the second pass.
    transport(&mut player, "the wrap", |frame| frame["position_beats"].as_f64().unwrap() < 0.5).await;
    player.say(note(track, 33, true)).await;
    transport(&mut player, "33", |frame| held(frame).iter().any(|held| held.1 == 33)).await;
    transport(&mut player, "the next wrap, which ends it", |frame| {
        !held(frame).iter().any(|held| held.1 == 33)
    })
    .await;
    server.post("/api/playback/pause").await;
    let take = server.get("/api/playback/take").await;
    let clips = format!("/api/compositions/{}/tracks/{track}/clips", server.composition);
    let clip = server.get(&format!("{clips}/{}", take["clip_ids"][0].as_str().unwrap())).await;
    assert_eq!((&clip["start"], &clip["length"]), (&json!(0), &json!(1920)));
    let notes = clip["notes"].as_array().unwrap();
    assert_eq!(notes.len(), 2, "{clip}");
    let find = |pitch: u64| {
        let note = notes.iter().find(|note| note["pitch"] == pitch).unwrap();
        [&note["start"], &note["length"]].map(|value| value.as_u64().unwrap())
    };
    // The first quantum after a count-in may begin within it.
    let [start, length] = find(30);
    assert!(
        start <= 6 && (480..1920).contains(&(start + length)),
        "held since the count-in: {start} + {length}"
    );
    let [start, length] = find(33);
    assert!(start < 1000 && start + length == 1920, "cut at the loop's end: {start} + {length}");
}

#[tokio::test]
async fn without_an_input_none_is_recorded() {
    let server = at_rest().await;
    arm(&server, server.tracks[0]).await;
    let record = server.request(Method::POST, "/api/playback/record").json(&json!({"source": "input"}));
    let problem = server.problem(record, 409).await;
    assert!(problem["detail"].as_str().unwrap().contains("--input-device"), "{problem}");
    assert_eq!(server.get("/api/playback").await["is_recording"], false);
    assert_eq!(server.get("/api/playback/take").await["state"], "none");
}

#[tokio::test]
async fn what_cannot_be_recorded_is_refused() {
    let server = at_rest().await;
    let record = |body: Value| server.request(Method::POST, "/api/playback/record").json(&body);
    let arming = |body: Value| server.request(Method::PUT, "/api/playback/armed").json(&body);
    let problem = server.problem(record(json!({})), 409).await;
    assert!(problem["detail"].as_str().unwrap().contains("no track is armed"));
    server.problem(arming(json!({"track_id": Uuid::from_u128(1)})), 404).await;
    for (body, field) in [
        (json!({"track_id": 7}), "track_id"),
        (json!({}), "track_id"),
        (json!({"track_id": null, "quantise": true}), "quantise"),
    ] {
        let problem = server.problem(arming(body.clone()), 422).await;
        assert!(problem["detail"].as_str().unwrap().contains(field), "{body}: {problem}");
    }
    arm(&server, server.tracks[0]).await;
    for body in [
        json!({"count_in_bars": 17}),
        json!({"count_in_bars": -1}),
        json!({"source": "radio"}),
        json!({"bars": 1}),
    ] {
        server.problem(record(body), 422).await;
    }
    server.problem(server.request(Method::POST, "/api/playback/record").body("{"), 400).await;

    let path = format!("/api/compositions/{}", server.composition);
    let before = server.get(&path).await;
    assert_eq!(server.post("/api/playback/record").await["is_recording"], true);
    server.problem(record(json!({})), 409).await;
    server.problem(arming(json!({"track_id": server.tracks[1]})), 409).await;
    // Nothing was played, so there is nothing to keep.
    assert_eq!(server.post("/api/playback/stop").await["armed_track_id"], server.tracks[0].to_string());
    assert_eq!(server.get("/api/playback/take").await["state"], "empty");
    assert_eq!(server.get(&path).await, before);
    assert_eq!(
        server.send(Method::PUT, "/api/playback/armed", json!({"track_id": null})).await["armed_track_id"],
        Value::Null
    );
    server.problem(record(json!({})), 409).await;

    let removed = server.request(Method::DELETE, &path).send().await.unwrap();
    assert!(removed.status().is_success());
    server.problem(record(json!({})), 404).await;
    server.problem(arming(json!({"track_id": null})), 404).await;
}

#[tokio::test]
async fn a_track_that_goes_takes_its_recording_with_it() {
    let server = at_rest().await;
    let track = server.tracks[0];
    arm(&server, track).await;
    let mut player = server.socket("/api/ws/transport?fps=120", JSON).await;
    server.send(Method::POST, "/api/playback/record", json!({"count_in_bars": 0})).await;
    player.say(note(track, 30, true)).await;
    transport(&mut player, "30", |frame| held(frame).iter().any(|held| held.1 == 30)).await;
    let path = format!("/api/compositions/{}/tracks/{track}", server.composition);
    assert!(server.request(Method::DELETE, &path).send().await.unwrap().status().is_success());
    let ended = |frame: &Value| frame["is_recording"] == false && frame["armed_track_id"].is_null();
    transport(&mut player, "the recording ends", ended).await;
    server.post("/api/playback/stop").await;
    let take = server.get("/api/playback/take").await;
    assert_eq!(take["state"], "failed");
    assert!(take["detail"].as_str().unwrap().contains(&track.to_string()), "{take}");
}

#[tokio::test]
async fn devices_are_listed() {
    let server = at_rest().await;
    let devices = server.get("/api/devices").await;
    assert_eq!(devices["output"], json!({"name": "the null device", "sample_rate": 48_000}));
    assert_eq!((&devices["input"], &devices["midi"]), (&Value::Null, &json!([])));
    assert!(["outputs", "inputs", "midi_inputs"].iter().all(|list| devices[list].is_array()), "{devices}");
}
