//! Clients that come, look, stall and go, each in its own bad manner, and check what they get.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use engine_core::protocol::Header;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::dice::Dice;
use crate::{Field, LIMIT};

/// Sequence numbers of a connection, by topic and tap.
#[derive(Default)]
struct Sequences(HashMap<(u64, u64), u64>);

impl Sequences {
    fn check(&mut self, topic: u64, tap: u64, seq: u64) {
        if let Some(last) = self.0.insert((topic, tap), seq) {
            assert!(seq > last, "topic {topic} of tap {tap}: {seq} after {last}");
        }
    }

    /// Every frame of a message.
    fn read(&mut self, message: &Message) -> u64 {
        let mut n_frames = 0;
        match message {
            Message::Binary(bytes) => {
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    let (header, _, after) = Header::split(rest).expect("whole frames");
                    self.check(header.topic.into(), header.tap.into(), header.seq.into());
                    (rest, n_frames) = (after, n_frames + 1);
                }
            }
            Message::Text(text) => {
                let frame: Value = serde_json::from_str(text).expect("JSON");
                if let Some(seq) = frame["seq"].as_u64() {
                    let name = |field: &str| fnv(frame[field].as_str().unwrap_or_default());
                    self.check(name("type"), name("tap"), seq);
                    n_frames = 1;
                }
            }
            _ => {}
        }
        n_frames
    }
}

/// A number for a name (FNV-1a).
fn fnv(name: &str) -> u64 {
    name.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Comes, looks and goes, again and again. A relay may turn it away while NATS is gone.
pub(crate) async fn visit(field: Arc<Field>, address: String, is_relay: bool, mut dice: Dice) {
    while !field.is_over.load(Ordering::Relaxed) {
        match open(&address, &mut dice).await {
            Ok(socket) => {
                session(&field, socket, &mut dice).await;
                field.n_sessions.fetch_add(1, Ordering::Relaxed);
            }
            Err(Error::Http(refusal)) if is_relay && refusal.status() == 503 => {
                field.n_turned_away.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => panic!("no upgrade: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(dice.below(500))).await;
    }
}

async fn open(address: &str, dice: &mut Dice) -> Result<WebSocketStream<TcpStream>, Error> {
    let path = ["stream", "meters", "spectrum?bands=64", "transport", "waveform", "analytics"]
        [dice.below(6) as usize];
    let fps = if path.contains('?') { "&fps=10" } else { "?fps=10" };
    let mut request = format!("ws://{address}/api/ws/{path}{fps}").into_client_request().unwrap();
    if dice.below(2) == 0 {
        request.headers_mut().insert("sec-websocket-protocol", "antiphon.v1.binary".parse().unwrap());
    }
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut socket, _) = timeout(LIMIT, client_async(request, stream)).await.expect("in time")?;
    let hello = timeout(LIMIT, socket.next()).await.expect("in time").expect("a message").expect("a hello");
    assert!(hello.to_text().unwrap().contains("\"hello\""), "{hello}");
    if path == "stream" {
        for topic in ["meters", "spectrum", "stereo", "music", "waveform"] {
            if dice.below(2) == 0 {
                let subscribe = json!({"type": "subscribe", "topic": topic, "fps": 5 + dice.below(20)});
                socket.send(Message::text(subscribe.to_string())).await.unwrap();
            }
        }
    }
    Ok(socket)
}

async fn session(field: &Field, mut socket: WebSocketStream<TcpStream>, dice: &mut Dice) {
    let mut sequences = Sequences::default();
    let stalls_at = dice.below(200);
    let n_messages = 20 + dice.below(100);
    for n in 0..n_messages {
        if field.is_over.load(Ordering::Relaxed) {
            break;
        }
        if n == stalls_at {
            // Frames are merged meanwhile; the server closes those who stall for more than ten seconds.
            tokio::time::sleep(Duration::from_millis(dice.below(3_000))).await;
        }
        // A topic may be silent, such as transport while paused; then a message comes at least five times a second.
        let message = timeout(LIMIT, socket.next())
            .await
            .expect("a message in time")
            .expect("no end")
            .expect("a message");
        assert!(!message.is_close(), "closed without a reason: {message}");
        field.n_frames.fetch_add(sequences.read(&message), Ordering::Relaxed);
    }
    match dice.below(4) {
        0 => {
            socket.close(None).await.unwrap();
            while timeout(LIMIT, socket.next())
                .await
                .expect("the end in time")
                .is_some_and(|last| last.is_ok())
            {}
        }
        1 => {
            socket.get_ref().set_zero_linger().unwrap();
            field.n_resets.fetch_add(1, Ordering::Relaxed);
        }
        // Half a message: FIN and text, 100 bytes masked, of which none come.
        2 => {
            let _ = socket.get_mut().write_all(&[0x81, 0xe4, 1, 2, 3, 4]).await;
        }
        // Gone without a word.
        _ => {}
    }
}
