//! Compositions as files: MIDI in and out, and rendered sound.

use reqwest::Method;
use serde_json::json;

use crate::common::{self, start};

const POST: Method = Method::POST;
const GET: Method = Method::GET;

#[tokio::test]
async fn a_midi_file_is_imported_and_loaded() {
    let server = start().await;
    let file = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../www/public/antiphon.mid")).unwrap();
    let request = server.request(POST, "/api/compositions/import?name=Imported%20file").body(file.clone());
    let imported = common::ok(request).await;
    assert_eq!(imported["name"], "Imported file");
    let loaded = server.post(&format!("/api/compositions/{}/load", imported["id"].as_str().unwrap())).await;
    assert_eq!((&loaded["is_playing"], &loaded["position_beats"]), (&json!(false), &json!(0.0)));
    let mixer = server.get("/api/mixer").await;
    assert_eq!(mixer["channels"].as_array().unwrap().len(), imported["tracks"].as_array().unwrap().len());
    let named = |n_chars| format!("/api/compositions/import?name={}", "x".repeat(n_chars));
    common::ok(server.request(POST, &named(200)).body(file.clone())).await;
    let problem = server.problem(server.request(POST, &named(201)).body(file.clone()), 422).await;
    assert_eq!(problem["errors"][0]["field"], "name");
    for broken in [&b"not MIDI"[..], &file[..file.len() / 2], &[]] {
        server.problem(server.request(POST, "/api/compositions/import").body(broken.to_vec()), 422).await;
    }
}

#[tokio::test]
async fn compositions_leave_as_midi_and_as_sound() {
    let server = start().await;
    let id = server.get("/api/compositions").await["items"][0]["id"].as_str().unwrap().to_string();
    let midi = server.request(GET, &format!("/api/compositions/{id}/export.mid")).send().await.unwrap();
    assert_eq!(midi.headers()["content-type"], "audio/midi");
    let midi = midi.bytes().await.unwrap();
    let again = engine_core::composition::midi::import(&midi, "x").unwrap();
    let notes = |value: &serde_json::Value| value["clips"][0]["notes"].as_array().unwrap().len();
    let original = server.get(&format!("/api/compositions/{id}")).await;
    assert_eq!(again.tracks.len(), original["tracks"].as_array().unwrap().len());
    assert_eq!(again.tracks[0].clips[0].notes.len(), notes(&original["tracks"][0]));

    let url = format!("/api/compositions/{id}/render.wav");
    let wav = server.request(GET, &format!("{url}?bits=16&sample_rate=8000")).send().await.unwrap();
    assert_eq!(wav.headers()["content-disposition"], "attachment; filename=\"Test.wav\"");
    let wav = wav.bytes().await.unwrap();
    // 64 beats at 120 bpm are 32 s.
    assert!(wav.starts_with(b"RIFF") && (32..34).contains(&(wav.len() / 4 / 8000)), "{}", wav.len());
    for (query, field) in [("bits=20", "bits"), ("sample_rate=1", "sample_rate")] {
        let refused = server.request(GET, &format!("{url}?{query}")).send().await.unwrap();
        assert_eq!(refused.status(), 422);
        assert!(refused.text().await.unwrap().contains(field));
    }
}

#[tokio::test]
async fn a_render_can_be_heard_while_it_is_made() {
    let server = start().await;
    let id = server.get("/api/compositions").await["items"][0]["id"].as_str().unwrap().to_string();
    let url = format!("/api/compositions/{id}/render.wav?sample_rate=8000");
    for bits in [16, 24, 32] {
        let get = async |query: &str| {
            let answer = server.request(GET, &format!("{url}&bits={bits}{query}")).send().await.unwrap();
            assert_eq!(
                (answer.status().as_u16(), &answer.headers()["content-type"]),
                (200, &"audio/wav".parse().unwrap())
            );
            answer.bytes().await.unwrap().to_vec()
        };
        let (file, mut stream) = (get("").await, get("&stream=true").await);
        let data = file.windows(4).position(|bytes| bytes == b"data").unwrap() + 4;
        for at in [4, data] {
            assert_eq!(stream[at..at + 4], [0xff; 4]);
            stream[at..at + 4].copy_from_slice(&file[at..at + 4]);
        }
        assert!(stream == file, "{bits} bits");
    }
    let head = server.request(Method::HEAD, &url).send().await.unwrap();
    assert_eq!(
        (head.status().as_u16(), &head.headers()["content-type"]),
        (200, &"audio/wav".parse().unwrap())
    );
}

#[tokio::test]
async fn a_render_ends_with_its_client_and_one_that_fits_no_file_does_not_begin() {
    let server = start().await;
    let create = async |hours: f64| {
        let spec = json!({"name": "Long", "length": (hours * 3600.0 * 2.0 * 960.0) as u64});
        let created = server.send(POST, "/api/compositions", spec).await;
        format!("/api/compositions/{}/render.wav?sample_rate=8000", created["id"].as_str().unwrap())
    };
    let (long, short) = (create(30.0).await, create(0.001).await);
    let problem = server.problem(server.request(GET, &format!("{long}&bits=32")), 422).await;
    assert!(problem["errors"][0]["message"].as_str().unwrap().contains("30.0 hours"), "{problem}");
    for query in ["&bits=16", "&bits=16&stream=true"] {
        let request = server.request(GET, &format!("{long}{query}"));
        let render = tokio::spawn(async move {
            let mut answer = request.send().await.unwrap();
            while answer.chunk().await.unwrap().is_some() {}
        });
        // The place is taken when others are refused it.
        while server.request(GET, &short).send().await.unwrap().status() != 503 {}
        render.abort();
        while server.request(GET, &short).send().await.unwrap().status() != 200 {}
    }
}
