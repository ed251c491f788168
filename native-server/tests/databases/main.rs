//! What is kept, wherever it is kept.

#![cfg(unix)]

#[path = "../common/child.rs"]
mod child;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/dice.rs"]
mod dice;
#[path = "../common/metrics.rs"]
mod metrics;
#[path = "../common/postgres.rs"]
mod postgres;

mod crash;
mod outage;
mod store;
mod upgrade;
