//! `openapi.json` is committed, so that clients can be generated without a server; it must not drift.

use std::collections::HashSet;

use serde_json::{Value, json};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

#[test]
fn the_committed_document_is_that_of_the_server() {
    let mut served = serde_json::to_string_pretty(&native_server::api::openapi()).unwrap();
    served.push('\n');
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(PATH, &served).unwrap();
    }
    let committed = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(
        committed == served,
        "native-server/openapi.json is not what the server says; `UPDATE=1 cargo test -p native-server --test http openapi` writes it anew"
    );
}

#[test]
fn the_document_is_whole() {
    let document = serde_json::to_value(native_server::api::openapi()).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in [
        "TransportFrame",
        "MetersFrame",
        "SpectrumFrame",
        "WaveformFrame",
        "AnalyticsFrame",
        "StereoFrame",
        "MusicFrame",
        "TriggerFrame",
        "AudioFrame",
        "Hello",
        "ClientMessage",
        "ServerMessage",
        "Problem",
        "CompositionSpec",
        "MixerState",
        "SeekRequest",
        "Report",
    ] {
        assert!(schemas.contains_key(name), "{name} is missing");
    }
    // Every reference leads somewhere.
    let mut open = vec![&document];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(fields) => {
                if let Some(target) = fields.get("$ref").and_then(Value::as_str) {
                    let pointer = target.strip_prefix('#').expect("a reference into the document");
                    assert!(document.pointer(pointer).is_some(), "{target} leads nowhere");
                }
                open.extend(fields.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    let operations =
        || document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap());
    let mut ids = HashSet::new();
    for (method, operation) in operations() {
        let id = operation["operationId"].as_str().expect("a name");
        assert!(ids.insert(id), "{id} names two operations");
        let responses = operation["responses"].as_object().unwrap();
        let is_open = id == "health";
        assert_eq!(operation.get("security").is_some(), is_open, "{id}");
        for (status, is_there) in [("401", !is_open), ("403", true), ("429", true)] {
            assert_eq!(responses.contains_key(status), is_there, "{id}: {status}");
        }
        let has_tag = responses.get("200").is_some_and(|found| found["headers"].get("ETag").is_some());
        assert_eq!(responses.contains_key("304"), method == "get" && has_tag, "{id}");
    }
    assert_eq!(document["security"], json!([{}, {"token": []}]));
    assert_eq!(document["components"]["securitySchemes"]["token"]["scheme"], "bearer");
    assert_eq!(operations().count(), 65, "calls in the document");
}
