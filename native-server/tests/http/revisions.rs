//! Tags of what was read: changes of what is known (`If-Match`), reads of what is not (`If-None-Match`).

use reqwest::header::HeaderValue;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::common::{self, start};

const PUT: Method = Method::PUT;
const POST: Method = Method::POST;
const PATCH: Method = Method::PATCH;
const GET: Method = Method::GET;

#[tokio::test]
async fn compositions_have_revisions() {
    let server = start().await;
    let spec = json!({"name": "New", "length": 9600, "tracks": [{"name": "T", "clips": [
        {"start": 0, "length": 960, "notes": [{"pitch": 60, "velocity": 90, "start": 0, "length": 480}]}]}]});
    let response = server.request(POST, "/api/compositions").json(&spec).send().await.unwrap();
    assert_eq!(response.status(), 201);
    let tag = response.headers()["etag"].clone();
    let path = response.headers()["location"].to_str().unwrap().to_string();
    let created: Value = response.json().await.unwrap();
    assert_eq!(path, format!("/api/compositions/{}", created["id"].as_str().unwrap()));
    for id in [&created["id"], &created["tracks"][0]["id"], &created["tracks"][0]["clips"][0]["id"]] {
        assert_ne!(id, "00000000-0000-0000-0000-000000000000");
    }
    server.problem(server.request(POST, "/api/compositions").json(&created), 409).await;

    let renamed = server.request(PATCH, &path).header("if-match", &tag).json(&json!({"name": "Newer"}));
    let response = renamed.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_ne!(response.headers()["etag"], tag);
    let stale = server.request(PATCH, &path).header("if-match", &tag).json(&json!({"name": "Late"}));
    server.problem(stale, 412).await;
    assert_eq!(server.get(&path).await["name"], "Newer");
    server.problem(server.request(PATCH, &path).json(&json!({"name": null})), 422).await;
    server.problem(server.request(PATCH, &path).json(&json!({"id": server.tracks[0]})), 422).await;

    let mut replacement = created.clone();
    replacement["length"] = json!(960);
    let replaced = server.send(PUT, &path, replacement.clone()).await;
    assert_eq!((&replaced["length"], &replaced["name"]), (&json!(960), &json!("New")));
    replacement["length"] = json!(959);
    let problem = server.problem(server.request(PUT, &path).json(&replacement), 422).await;
    assert_eq!(problem["errors"][0]["field"], "tracks[0].clips[0].length");

    let first = server.get("/api/compositions?limit=1").await;
    assert_eq!((&first["items"][0]["name"], &first["items"][0]["loaded"]), (&json!("Test"), &json!(true)));
    let second =
        server.get(&format!("/api/compositions?cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!((&second["items"][0]["name"], &second["items"][0]["seconds"]), (&json!("New"), &json!(0.5)));
    assert!(second.get("next_cursor").is_none());

    server.problem(server.request(Method::DELETE, &path).header("if-match", &tag), 412).await;
    assert_eq!(common::ok(server.request(Method::DELETE, &path)).await, Value::Null);
    server.problem(server.request(GET, &path), 404).await;
    common::ok(server.request(POST, "/api/compositions").json(&created)).await;
    server.problem(server.request(Method::DELETE, &path).header("if-match", &tag), 412).await;
}

#[tokio::test]
async fn whoever_changes_what_plays_may_say_which_revision() {
    let server = start().await;
    let load = format!("/api/compositions/{}/load", server.composition);
    let channel = format!("/api/mixer/channels/{}", server.tracks[0]);
    let calls = [
        (PATCH, channel.as_str(), json!({"gain_db": -3})),
        (PATCH, "/api/mixer/master", json!({"gain_db": -3})),
        (PATCH, "/api/mixer/master", json!({})),
        (PUT, "/api/playback/tempo", json!({"bpm": 90})),
        (POST, &load, json!({})),
    ];
    let tag = async || {
        let mixer = server.request(GET, "/api/mixer").send().await.unwrap();
        let tag = mixer.headers()["etag"].clone();
        for path in [channel.as_str(), "/api/mixer/master", &load.replace("/load", "")] {
            assert_eq!(server.request(GET, path).send().await.unwrap().headers()["etag"], tag, "{path}");
        }
        tag
    };
    for (method, path, body) in calls {
        let before = tag().await;
        let call = |tag: &[u8]| server.request(method.clone(), path).header("if-match", tag).json(&body);
        // A tag that is no text, or another text, is not the one that there is.
        let padded = [b"\"0", &before.as_bytes()[1..]].concat();
        let weak = [b"W/", before.as_bytes()].concat();
        let (id, other) = (server.composition.to_string(), Uuid::nil().to_string());
        let other = before.to_str().unwrap().replace(&id, &other);
        for stale in [server.tag(999).as_bytes(), other.as_bytes(), b"\"\xe9\"", &padded, &weak, b""] {
            server.problem(call(stale), 412).await;
        }
        assert_eq!(tag().await, before, "{path} changed nothing");
        let answer = call(before.as_bytes()).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let said = answer.headers().get("etag").cloned();
        assert_eq!(said.is_some(), path.contains("mixer"), "{path}");
        assert!(said.is_none_or(|said| said != server.tag(1).as_str()), "{path}");
    }
}

#[tokio::test]
async fn who_has_it_already_is_not_sent_it_again() {
    let server = start().await;
    let composition = format!("/api/compositions/{}", server.composition);
    for path in [composition.as_str(), &format!("{composition}/tracks"), "/api/mixer"] {
        let first = server.request(GET, path).send().await.unwrap();
        let tag = first.headers()["etag"].to_str().unwrap().to_string();
        let known = |known: &str| server.request(GET, path).header("if-none-match", known).send();
        for list in [&tag, &format!("\"x\", W/{tag}"), "*"] {
            let answer = known(list).await.unwrap();
            assert_eq!(
                (answer.status().as_u16(), &answer.headers()["etag"]),
                (304, &first.headers()["etag"])
            );
            assert_eq!(answer.bytes().await.unwrap().len(), 0);
        }
        assert_eq!(known("\"x\"").await.unwrap().status(), 200);
        server.send(PATCH, &composition, json!({"name": format!("after {path}")})).await;
        assert_eq!(known(&tag).await.unwrap().status(), 200, "it has changed");
    }
    // Another composition at the same revision has other strips.
    let old = server.request(GET, "/api/mixer").send().await.unwrap().headers()["etag"].clone();
    let other = server.send(POST, "/api/compositions", json!({"name": "Other", "length": 960})).await;
    let other = format!("/api/compositions/{}", other["id"].as_str().unwrap());
    let revision = |tag: &HeaderValue| tag.to_str().unwrap().rsplit_once('-').unwrap().1.to_string();
    for name in 0..3 {
        server.send(PATCH, &other, json!({"name": format!("Other {name}")})).await;
    }
    server.post(&format!("{other}/load")).await;
    let answer = server.request(GET, "/api/mixer").header("if-none-match", &old).send().await.unwrap();
    assert_eq!(revision(&answer.headers()["etag"]), revision(&old));
    assert_eq!(
        (answer.status(), &answer.headers()["cache-control"]),
        (StatusCode::OK, &"no-store".parse().unwrap())
    );
    let change = server.request(PATCH, &composition).header("if-none-match", "*").json(&json!({"name": "x"}));
    assert_eq!(common::ok(change).await["name"], "x", "only reads are conditional");
}
