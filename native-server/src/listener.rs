//! The accept loop. Our own, because only so does hyper get a timer, and with it a deadline for headers.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::api::LocalAddress;

/// A client that has not sent its request's headers by then is gone or hostile.
const HEADER_DEADLINE: Duration = Duration::from_secs(10);
/// Time for requests that run when the server shuts down; less than the ten seconds that service managers give.
const GRACE: Duration = Duration::from_secs(8);
/// Bytes that the system may hold for a client. What waits there is old when it arrives, and a stalled client
/// is only seen when it is full.
const SEND_BUFFER: u32 = 64 << 10;

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

/// Accepts connections until `shutdown` turns true, then lets requests finish for a moment.
pub async fn run(listener: TcpListener, router: Router, mut shutdown: watch::Receiver<bool>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_DEADLINE);
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = until(&mut shutdown) => break,
        };
        match accepted {
            Ok((stream, _)) => {
                connections.spawn(serve(stream, http.clone(), router.clone(), shutdown.clone()));
            }
            Err(error) => {
                // Mostly too many open files: a pause lets connections end.
                tracing::warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
}

async fn serve(stream: TcpStream, http: http1::Builder, router: Router, mut shutdown: watch::Receiver<bool>) {
    let Some(service) = service(&stream, router) else { return };
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service).with_upgrades());
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

/// Waits until a flag is true, or can no longer become so.
pub(crate) async fn until(flag: &mut watch::Receiver<bool>) {
    let _ = flag.wait_for(|&is_set| is_set).await;
}

fn service(stream: &TcpStream, router: Router) -> Option<TowerToHyperService<Router>> {
    // Frames are small and must not wait for more.
    stream.set_nodelay(true).ok()?;
    let own = stream.local_addr().ok()?;
    Some(TowerToHyperService::new(router.layer(Extension(LocalAddress(own.ip())))))
}
