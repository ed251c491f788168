//! The accept loop. Our own, because only so does hyper get a timer, and with it a deadline for headers.
//!
//! ```text
//! accept ─▶ caps ─▶ (TLS handshake) ─▶ hyper ─▶ router
//!            └─▶ hyper ─▶ 429 or 503
//! ```

mod caps;
mod stream;
pub mod tls;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{CONNECTION, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

pub use self::caps::Limits;

pub(crate) use self::stream::Connection;

use self::caps::{Caps, Place, Refusal};
use crate::api::{self, ApiError, Via};

/// Time for requests that run when the server shuts down; less than the ten seconds that service managers give.
const GRACE: Duration = Duration::from_secs(8);
/// Bytes that the system may hold for a client. What waits there is old when it arrives, and a stalled client
/// is only seen when it is full.
const SEND_BUFFER: u32 = 64 << 10;
/// Longest request line and headers, bytes.
const MAX_HEADERS: usize = 32 << 10;
/// Connections that are being told why they are not served; more are just closed.
const MAX_REFUSING: usize = 64;
/// Time for such a client to ask, and to read the answer.
const REFUSAL: Duration = Duration::from_secs(1);

/// Binds an address.
///
/// # Errors
/// The address is in use, or not this machine's.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A port whose last server has just ended is free. On Windows this would mean to share it.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(1024)
}

/// How connections are taken.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How many, and how long they may take.
    pub limits: Limits,
    /// Certificate and key; plain HTTP without.
    pub tls: Option<Arc<ServerConfig>>,
}

/// What every connection shares.
struct Shared {
    http: http1::Builder,
    tls: Option<TlsAcceptor>,
    limits: Limits,
    router: Router,
    refusing: Semaphore,
    shutdown: watch::Receiver<bool>,
}

/// Accepts connections until `shutdown` turns true, then lets requests finish for a moment.
pub async fn run(
    listener: TcpListener,
    router: Router,
    options: Options,
    mut shutdown: watch::Receiver<bool>,
) {
    let Options { limits, tls } = options;
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.headers);
    http.max_header_size(MAX_HEADERS).max_buf_size(2 * MAX_HEADERS);
    let shared = Arc::new(Shared {
        http,
        tls: tls.map(TlsAcceptor::from),
        limits,
        router,
        refusing: Semaphore::new(MAX_REFUSING),
        shutdown: shutdown.clone(),
    });
    let caps = Caps::new(limits);
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = until(&mut shutdown) => break,
        };
        match accepted {
            Ok((tcp, peer)) => {
                let shared = shared.clone();
                match caps.admit(peer.ip()) {
                    Ok(place) => connections.spawn(async move { shared.take(tcp, place).await }),
                    Err(refusal) => connections.spawn(async move { shared.refuse(tcp, refusal).await }),
                };
            }
            Err(error) => {
                // Mostly too many open files: a pause lets connections end.
                tracing::warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    let _ = timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
}

impl Shared {
    async fn take(&self, tcp: TcpStream, place: Place) {
        // Frames are small and must not wait for more.
        let Ok(own) = tcp.set_nodelay(true).and_then(|()| tcp.local_addr()) else { return };
        let via = Via { address: own.ip().to_canonical(), is_tls: self.tls.is_some() };
        let connection = Connection::new(tcp, self.limits.write, place);
        match &self.tls {
            None => self.serve(connection, via).await,
            Some(tls) => match timeout(self.limits.headers, tls.accept(connection)).await {
                Ok(Ok(connection)) => self.serve(connection, via).await,
                Ok(Err(error)) => tracing::debug!("a TLS handshake failed: {error}"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            },
        }
    }

    async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, via: Via) {
        let service = TowerToHyperService::new(self.router.clone().layer(Extension(via)));
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(stream), service).with_upgrades());
        let mut shutdown = self.shutdown.clone();
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = until(&mut shutdown) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!("a connection ended: {error}");
        }
    }

    /// Tells a client why it is not served, if it asks at once.
    async fn refuse(&self, tcp: TcpStream, refusal: Refusal) {
        let Ok(_permit) = self.refusing.try_acquire() else { return };
        let _ = timeout(REFUSAL, async {
            match &self.tls {
                None => self.answer(tcp, refusal).await,
                Some(tls) => self.answer(tls.accept(tcp).await?, refusal).await,
            }
        })
        .await;
    }

    async fn answer(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        refusal: Refusal,
    ) -> io::Result<()> {
        let router = api::refusing(move || error_of(refusal));
        let connection = self.http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
        connection.with_upgrades().await.map_err(io::Error::other)
    }
}

fn error_of(refusal: Refusal) -> ApiError {
    let (status, detail) = match refusal {
        Refusal::Total => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the server has as many connections as it may; start it with a higher --max-connections",
        ),
        Refusal::PerAddress => (
            StatusCode::TOO_MANY_REQUESTS,
            "your address has as many connections as it may; close one, or start the server with a higher \
             --max-connections-per-address",
        ),
    };
    ApiError::new(status, "too-many-connections", detail)
        .with_header(RETRY_AFTER, HeaderValue::from_static("5"))
        .with_header(CONNECTION, HeaderValue::from_static("close"))
}

/// Waits until a flag is true, or can no longer become so.
pub(crate) async fn until(flag: &mut watch::Receiver<bool>) {
    let _ = flag.wait_for(|&is_set| is_set).await;
}
