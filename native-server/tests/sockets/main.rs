//! Connections, and those who mean no good.

#[path = "../common/mod.rs"]
mod common;

mod autobahn;
mod handshake;
mod hostile;
mod liveness;
mod tls;
