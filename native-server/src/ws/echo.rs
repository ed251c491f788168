//! `/api/ws/echo`, behind `--dev-echo`: sends every message back, over the very socket that streams use, so that
//! conformance suites can drive it.

use std::future::poll_fn;

use hyper::upgrade::OnUpgrade;
use tokio_tungstenite::tungstenite::Message;

use super::outgoing::{Kind, Outlet};
use super::socket::{Socket, closing_of};

/// Longest message: what the Autobahn suite sends.
const MAX_MESSAGE: usize = 16 << 20;

/// Echoes until the connection ends.
pub(super) async fn run(on_upgrade: OnUpgrade) {
    let Some(mut socket) = Socket::open(on_upgrade, MAX_MESSAGE).await else { return };
    while let Some(received) = poll_fn(|cx| socket.poll_receive(cx)).await {
        match received {
            Ok(message) => {
                let kind = match message {
                    Message::Text(_) => Kind::Text,
                    Message::Binary(_) => Kind::Binary,
                    // Pings and the close handshake are answered below us.
                    _ => continue,
                };
                let bytes = message.into_data();
                socket.wire.message(kind, bytes.len()).extend_from_slice(&bytes);
                if poll_fn(|cx| socket.poll_flush(cx)).await.is_err() {
                    break;
                }
            }
            Err(error) => {
                if let Some(closing) = closing_of(&error) {
                    socket.say_goodbye(&closing).await;
                }
                break;
            }
        }
    }
    socket.finish().await;
}
