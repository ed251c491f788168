//! A relay, put together: NATS on one side, page, REST and streams on the other.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRef, Request, State};
use axum::response::Response;
use axum::routing::any;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use utoipa_axum::router::OpenApiRouter;

use super::bus::{Bus, NatsOptions};
use super::hub::Hub;
use super::tunnel;
use crate::api::{self, AccessRules, ApiError, Metrics, Page, Tickets};
use crate::listener;
use crate::publisher::StreamStats;
use crate::server::StartError;
use crate::ws::{Timing, WebSocketManager};

/// What a relay is made of.
#[derive(Clone, Debug)]
pub struct RelayConfig {
    /// Where it listens; port 0 takes any.
    pub bind: SocketAddr,
    /// Where the server is to be found.
    pub nats: NatsOptions,
    /// Who may use it.
    pub access: AccessRules,
    /// Files of the page, instead of the embedded ones.
    pub page: Option<PathBuf>,
    /// How long a stream may be silent or stuck.
    pub timing: Timing,
    /// How connections are taken.
    pub listener: listener::Options,
}

/// A relay that runs.
pub struct Relay {
    address: SocketAddr,
    hub: Arc<Hub>,
    shutdown: watch::Sender<bool>,
    network: JoinHandle<()>,
}

/// Everything that handlers use. Clones share it.
#[derive(Clone)]
struct Edge {
    bus: Bus,
    hub: Arc<Hub>,
    sockets: Arc<WebSocketManager>,
    tickets: Arc<Tickets>,
    metrics: Arc<Metrics>,
}

impl FromRef<Edge> for Arc<WebSocketManager> {
    fn from_ref(edge: &Edge) -> Self {
        edge.sockets.clone()
    }
}

impl FromRef<Edge> for Arc<Tickets> {
    fn from_ref(edge: &Edge) -> Self {
        edge.tickets.clone()
    }
}

impl FromRef<Edge> for Arc<Metrics> {
    fn from_ref(edge: &Edge) -> Self {
        edge.metrics.clone()
    }
}

impl Relay {
    /// Starts a relay. It listens when this returns; NATS and the server may come later.
    ///
    /// # Errors
    /// The port is taken, or NATS refuses us.
    pub async fn start(config: RelayConfig) -> Result<Self, StartError> {
        let listener = listener::bind(config.bind).map_err(|error| StartError::Bind(config.bind, error))?;
        let address = listener.local_addr().map_err(|error| StartError::Bind(config.bind, error))?;
        let bus = Bus::connect(&config.nats).await.map_err(StartError::Nats)?;
        let (shutdown, is_down) = watch::channel(false);
        let hub = Hub::new(bus.clone());
        tokio::spawn(hub.clone().watch(is_down.clone()));
        let stats = Arc::<StreamStats>::default();
        let metrics = Metrics::new([
            Box::new(Seen { hub: hub.clone(), stats: stats.clone() }) as Box<dyn Collector>,
            Box::new(bus.clone()),
        ]);
        let edge = Edge {
            sockets: Arc::new(WebSocketManager::new(hub.clone(), stats, config.timing, is_down.clone())),
            bus,
            hub: hub.clone(),
            tickets: Arc::default(),
            metrics: Arc::new(metrics),
        };
        let router = router(edge, config.access, Page::new(config.page));
        let network = tokio::spawn(listener::run(listener, router, config.listener, is_down));
        Ok(Self { address, hub, shutdown, network })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for the server for a while. Returns what is missing then, if something is.
    pub async fn wait(&self, patience: Duration) -> Option<String> {
        self.hub.wait(patience).await
    }

    /// Closes every socket with 1001 and lets requests finish for a moment.
    pub async fn shutdown(self) {
        self.shutdown.send_replace(true);
        let _ = self.network.await;
        let _ = tokio::time::timeout(Duration::from_secs(3), self.shutdown.closed()).await;
    }
}

fn router(edge: Edge, rules: AccessRules, page: Page) -> Router {
    let (tickets, metrics) = (edge.tickets.clone(), edge.metrics.clone());
    let own = OpenApiRouter::new()
        .merge(api::streams::router::<Edge>())
        .merge(api::tickets::router())
        .merge(api::metrics::router());
    let (own, _) = own.split_for_parts();
    let calls = own.route("/api", any(pass_on)).route("/api/{*path}", any(pass_on)).with_state(edge);
    api::guarded(calls, rules, page, tickets, metrics)
}

/// Has the server answer.
async fn pass_on(State(edge): State<Edge>, request: Request) -> Result<Response, ApiError> {
    match edge.hub.away() {
        Some(why) => Err(ApiError::away(why)),
        None => tunnel::forward(&edge.bus, request).await,
    }
}

/// Connections, and whether the server is there.
struct Seen {
    hub: Arc<Hub>,
    stats: Arc<StreamStats>,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seen")
    }
}

impl Collector for Seen {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        self.stats.encode(&mut encoder)?;
        let is_there = f64::from(u8::from(self.hub.away().is_none()));
        api::metrics::gauges(&mut encoder, &[("relay_server_up", "1 while the server answers", is_there)])
    }
}
