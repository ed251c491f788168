//! Relays: in this process, and as processes of their own.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use native_server::api::AccessRules;
use native_server::relay::{Bus, NatsOptions, Relay, RelayConfig};
use native_server::server::Config;
use reqwest::{Client, Method, RequestBuilder, Response};
use tokio::net::TcpStream;

use crate::common::{LIMIT, Socket, TestServer, config, start_with, upgrade};
use crate::nats::Nats;

pub fn options(url: &str) -> NatsOptions {
    NatsOptions { servers: vec![Bus::server(url).unwrap()], name: String::from("test"), credentials: None }
}

pub async fn serve(nats: &Nats) -> TestServer {
    start_with(Config { nats: Some(options(&nats.url())), ..config() }).await
}

pub struct Edge {
    pub relay: Relay,
    http: Client,
}

impl Edge {
    pub async fn start_with(url: &str, access: AccessRules) -> Self {
        Self::start_through(options(url), access).await
    }

    pub async fn start_through(nats: NatsOptions, access: AccessRules) -> Self {
        let relay = Relay::start(RelayConfig {
            bind: ([127, 0, 0, 1], 0).into(),
            nats,
            access,
            page: None,
            timing: config().timing,
            listener: config().listener,
        });
        Self { relay: relay.await.expect("the relay starts"), http: Client::new() }
    }

    /// A relay that has found its server.
    pub async fn start(nats: &Nats) -> Self {
        let edge = Self::start_with(&nats.url(), AccessRules::default()).await;
        assert_eq!(edge.relay.wait(LIMIT).await, None);
        edge
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.relay.address())).timeout(LIMIT)
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.expect("an answer")
    }

    pub async fn socket(&self, path: &str, protocols: &str) -> Socket {
        socket_at(self.relay.address(), path, protocols).await
    }
}

pub async fn socket_at(address: SocketAddr, path: &str, protocols: &str) -> Socket {
    let stream = TcpStream::connect(address).await.unwrap();
    upgrade(stream, path, protocols).await.expect("an upgrade").0
}

/// A relay as a process of its own, which can be killed.
pub struct Killable {
    process: Child,
    pub greeting: String,
}

impl Killable {
    pub fn start(url: &str) -> Self {
        Self::run(&["relay", "--nats", url], |_| {})
    }

    pub fn run(args: &[&str], prepare: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_antiphon"));
        command.args(args).args(["--bind", "127.0.0.1:0", "--nats-name", "test"]);
        prepare(&mut command);
        let mut process = command.env_remove("ANTIPHON_TOKEN").stdout(Stdio::piped()).spawn().unwrap();
        let mut greeting = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
        Self { process, greeting }
    }

    pub fn address(&self) -> SocketAddr {
        self.greeting.trim().rsplit_once("http://").expect(&self.greeting).1.parse().unwrap()
    }
}

impl Drop for Killable {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
