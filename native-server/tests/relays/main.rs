//! Past one machine, through NATS.

#![cfg(unix)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/metrics.rs"]
mod metrics;
#[path = "../common/nats.rs"]
mod nats;
#[path = "../common/ready.rs"]
mod ready;
#[path = "../common/relays.rs"]
mod relays;

mod clients;
mod security;
