//! `/api/ws/echo`, behind `--dev-echo`: sends every message back, over the very socket that streams use, so that
//! conformance suites can drive it.

use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::OnUpgrade;
use tokio_tungstenite::tungstenite::Message;

use super::socket::{closing_of, finish, open, say_goodbye};

/// Longest message: what the Autobahn suite sends.
const MAX_MESSAGE: usize = 16 << 20;

/// Echoes until the connection ends.
pub(super) async fn run(on_upgrade: OnUpgrade) {
    let Some(socket) = open(on_upgrade, MAX_MESSAGE).await else { return };
    let (mut writing, mut reading) = socket.split();
    loop {
        match reading.next().await {
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => {
                if writing.send(message).await.is_err() {
                    break;
                }
            }
            // Pings and the close handshake are answered below us.
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                if let Some(closing) = closing_of(&error) {
                    say_goodbye(&mut writing, &closing).await;
                }
                break;
            }
            None => break,
        }
    }
    finish(writing, reading).await;
}
