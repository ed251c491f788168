//! A server in this process, and clients that fail instead of waiting for ever.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

pub mod wire;

use std::time::Duration;

use engine_core::composition::{Clip, Composition, CompositionSpec, Instrument, Note, Track};
use engine_core::protocol::json::ServerMessage;
use engine_core::protocol::{HEADER_LEN, Header, Topic};
use engine_core::time::TempoMap;
use futures_util::{SinkExt, StreamExt};
use native_server::api::AccessRules;
use native_server::audio::{DeviceChoice, InputChoice};
use native_server::listener::Options;
use native_server::midi_input::MidiChoice;
use native_server::priority::Priority;
use native_server::server::{Config, Server};
use native_server::services::Opened;
use native_server::store::Database;
use native_server::ws::Timing;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Response as Handshake;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use uuid::Uuid;

pub const JSON: &str = "antiphon.v1.json";
pub const BINARY: &str = "antiphon.v1.binary";

/// Everything awaited here happens within milliseconds; this only turns a hang into a failure.
pub const LIMIT: Duration = Duration::from_secs(20);

/// A track that sounds all the time: one note per second, overlapping.
pub fn track(name: &str, pitch: u8) -> Track {
    let note = |beat: u32| Note { pitch, velocity: 100, start: beat * 960, length: 960 };
    let clip = Clip { id: Uuid::new_v4(), ..Clip::new(0, 64 * 960, (0..64).map(note).collect()) };
    Track {
        id: Uuid::new_v4(),
        gain_db: -6.0,
        clips: vec![clip],
        ..Track::new(name, Instrument::program(19))
    }
}

/// 64 beats at 120 bpm.
pub fn composition(tracks: Vec<Track>) -> Composition {
    let spec = CompositionSpec {
        id: Uuid::new_v4(),
        name: String::from("Test"),
        tempo: TempoMap::constant(120.0).unwrap(),
        length: 64 * 960,
        tracks,
        ..CompositionSpec::default()
    };
    Composition::new(spec).unwrap()
}

pub fn config() -> Config {
    Config {
        bind: ([127, 0, 0, 1], 0).into(),
        device: DeviceChoice::Null,
        rate: None,
        input: InputChoice::Off,
        input_latency: None,
        midi: MidiChoice::Off,
        database: Database::Memory,
        resume: true,
        opened: Opened {
            composition: composition(vec![track("Low", 48), track("High", 72)]),
            samples: vec![],
        },
        play: true,
        access: AccessRules::default(),
        page: None,
        priority: Priority::Normal,
        recorder: true,
        timing: Timing::default(),
        listener: Options::default(),
        nats: None,
        has_echo: false,
    }
}

pub struct TestServer {
    pub server: Server,
    pub http: reqwest::Client,
    pub tracks: Vec<Uuid>,
    pub composition: Uuid,
}

pub async fn start() -> TestServer {
    start_with(config()).await
}

pub async fn start_with(config: Config) -> TestServer {
    let tracks = config.opened.composition.tracks.iter().map(|track| track.id).collect();
    let composition = config.opened.composition.id;
    let server = Server::start(config).await.expect("the server starts");
    TestServer { server, http: reqwest::Client::new(), tracks, composition }
}

impl TestServer {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    /// The ETag of the composition that it starts with.
    pub fn tag(&self, revision: u64) -> String {
        format!("\"{}-{revision}\"", self.composition)
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path)).timeout(LIMIT)
    }

    pub async fn get(&self, path: &str) -> Value {
        ok(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str) -> Value {
        ok(self.request(Method::POST, path)).await
    }

    pub async fn send(&self, method: Method, path: &str, body: Value) -> Value {
        ok(self.request(method, path).json(&body)).await
    }

    /// A request that must be refused as a problem of this status.
    pub async fn problem(&self, request: RequestBuilder, status: u16) -> Value {
        let response = request.send().await.expect("an answer");
        problem(response, status).await
    }

    pub async fn socket(&self, path: &str, protocols: &str) -> Socket {
        let (socket, response) = self.try_socket(path, protocols).await.expect("an upgrade");
        let echoed = response.headers().get("sec-websocket-protocol").map(|value| value.to_str().unwrap());
        assert_eq!(echoed, protocols.split(", ").find(|offer| [JSON, BINARY].contains(offer)), "the echo");
        socket
    }

    pub async fn try_socket(&self, path: &str, protocols: &str) -> Result<(Socket, Handshake), Error> {
        let stream = TcpStream::connect(self.server.address()).await.unwrap();
        self.socket_on(stream, path, protocols).await
    }

    pub async fn socket_on(
        &self,
        stream: TcpStream,
        path: &str,
        protocols: &str,
    ) -> Result<(Socket, Handshake), Error> {
        upgrade(stream, path, protocols).await
    }
}

/// Makes a connection a WebSocket.
pub async fn upgrade(stream: TcpStream, path: &str, protocols: &str) -> Result<(Socket, Handshake), Error> {
    let address = stream.peer_addr().unwrap();
    let mut request = format!("ws://{address}{path}").into_client_request().unwrap();
    if !protocols.is_empty() {
        request.headers_mut().insert("sec-websocket-protocol", protocols.parse().unwrap());
    }
    let (socket, response) = timeout(LIMIT, client_async(request, stream)).await.expect("in time")?;
    Ok((Socket { socket, due: Vec::new() }, response))
}

pub async fn ok(request: RequestBuilder) -> Value {
    let response = request.send().await.expect("an answer");
    let status = response.status();
    let text = response.text().await.unwrap();
    assert!(status.is_success(), "{status}: {text}");
    if status == StatusCode::NO_CONTENT { Value::Null } else { serde_json::from_str(&text).expect("JSON") }
}

pub async fn problem(response: Response, status: u16) -> Value {
    assert_eq!(response.status(), status);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let problem: Value = serde_json::from_str(&response.text().await.unwrap()).expect("JSON");
    assert_eq!(problem["status"], status);
    for field in ["type", "title", "detail"] {
        assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {problem}");
    }
    problem
}

/// A client of a stream.
pub struct Socket {
    socket: WebSocketStream<TcpStream>,
    due: Vec<Received>,
}

#[derive(Clone, Debug)]
pub enum Received {
    Text(Value),
    Binary(Header, Vec<u8>),
    Close(Option<CloseFrame>),
}

impl Socket {
    pub async fn say(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }

    pub async fn send(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// The next message, or the next frame of one.
    pub async fn next(&mut self) -> Received {
        while self.due.is_empty() {
            let message = timeout(LIMIT, self.socket.next()).await.expect("a message in time");
            match message {
                Some(Ok(Message::Text(text))) => {
                    self.due.push(Received::Text(serde_json::from_str(&text).expect("JSON")));
                }
                Some(Ok(Message::Binary(bytes))) => {
                    let mut rest = &bytes[..];
                    while !rest.is_empty() {
                        let (header, payload, after) = Header::split(rest).expect("whole frames");
                        assert_eq!(rest.len(), HEADER_LEN + payload.len() + after.len());
                        self.due.push(Received::Binary(header, payload.to_vec()));
                        rest = after;
                    }
                }
                Some(Ok(Message::Close(frame))) => self.due.push(Received::Close(frame)),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => self.due.push(Received::Close(None)),
            }
        }
        self.due.remove(0)
    }

    /// The next JSON message of a type.
    pub async fn json(&mut self, kind: &str) -> Value {
        for _ in 0..2000 {
            match self.next().await {
                Received::Text(value) if value["type"] == kind => return value,
                Received::Close(frame) => panic!("closed while waiting for {kind}: {frame:?}"),
                _ => {}
            }
        }
        panic!("2000 messages and no {kind}");
    }

    /// The next binary frame of a topic.
    pub async fn binary(&mut self, topic: Topic) -> (Header, Vec<u8>) {
        for _ in 0..2000 {
            match self.next().await {
                Received::Binary(header, payload) if header.topic == topic as u8 => return (header, payload),
                Received::Close(frame) => panic!("closed while waiting for {topic:?}: {frame:?}"),
                _ => {}
            }
        }
        panic!("2000 frames and no {topic:?}");
    }

    /// The first message, which must be a hello.
    pub async fn hello(&mut self) -> engine_core::protocol::json::Hello {
        match self.next().await {
            Received::Text(value) => match serde_json::from_value(value).expect("a server message") {
                ServerMessage::Hello(hello) => hello,
                other => panic!("{other:?} before hello"),
            },
            other => panic!("{other:?} before hello"),
        }
    }

    /// The close code.
    pub async fn closed(&mut self) -> Option<u16> {
        for _ in 0..100_000 {
            if let Received::Close(frame) = self.next().await {
                // Reading on is what sends our own close.
                let _ = timeout(LIMIT, self.socket.next()).await.expect("the end in time");
                return frame.map(|frame| frame.code.into());
            }
        }
        panic!("never closed");
    }
}
