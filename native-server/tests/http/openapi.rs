//! `openapi.json` is committed, so that clients can be generated without a server; it must not drift.

use serde_json::Value;

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
                    let name = target.strip_prefix("#/components/schemas/").expect("a reference to a schema");
                    assert!(schemas.contains_key(name), "{target} leads nowhere");
                }
                open.extend(fields.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    let n_calls: usize =
        document["paths"].as_object().unwrap().values().map(|path| path.as_object().unwrap().len()).sum();
    assert_eq!(n_calls, 65, "calls in the document");
}
