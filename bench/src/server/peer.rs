//! The peer: axum's WebSockets, and `tokio::sync::broadcast` from one ticker to all of them, as the documentation of
//! both does it. 1 KiB, sixty times a second.

use std::time::Duration;

use axum::Router;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::routing::get;
use axum::serve::ListenerExt;
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::time::{MissedTickBehavior, interval};

/// Bytes of a message, as ours are.
const LEN: usize = 1024;

/// Serves until it is killed.
pub fn run(is_tuned: bool) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let (frames, _) = broadcast::channel::<Bytes>(16);
        let publisher = frames.clone();
        tokio::spawn(async move {
            let mut ticks = interval(Duration::from_secs(1) / 60);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            for n in 0u8.. {
                ticks.tick().await;
                let _ = publisher.send(Bytes::from(vec![n; LEN]));
            }
        });
        let upgrade = async move |upgrade: WebSocketUpgrade| {
            let mut frames = frames.subscribe();
            let upgrade = if is_tuned {
                upgrade.read_buffer_size(4096).write_buffer_size(0).max_write_buffer_size(1 << 20)
            } else {
                upgrade
            };
            upgrade.on_upgrade(async move |mut socket| {
                loop {
                    let sent = tokio::select! {
                        frame = frames.recv() => match frame {
                            Ok(frame) => socket.send(Message::Binary(frame)).await,
                            Err(broadcast::error::RecvError::Lagged(_)) => continue,
                            Err(broadcast::error::RecvError::Closed) => return,
                        },
                        received = socket.recv() => match received {
                            Some(Ok(_)) => continue,
                            _ => return,
                        },
                    };
                    if sent.is_err() {
                        return;
                    }
                }
            })
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("{}", listener.local_addr().expect("an address"));
        let router = Router::new().route("/", get(upgrade));
        let served = if is_tuned {
            let listener = listener.tap_io(|tcp| drop(tcp.set_nodelay(true)));
            axum::serve(listener, router).await
        } else {
            axum::serve(listener, router).await
        };
        served.expect("it serves");
    });
}
