//! Antiphon's server: plays a composition through a sound card, and streams what it measures to any number
//! of clients.
//!
//! ```text
//!  REST ─▶ services ─commands─▶ audio (real-time thread: engine) ─quanta─▶ publisher (thread: analysis)
//!            │                                                                 │ frames, encoded once
//!          store                                              ws (one latest-wins mailbox per client) ─▶
//! ```
//!
//! With NATS, `relay` stands on both sides of it: a bridge in the server, and an edge without an engine.
//!
//! Modules are listed in dependency order where there is one; `api` and `ws` share [`api::ApiError`].
//!
//! Invariants:
//! - The real-time thread never allocates, locks, logs or waits; queues to and from it are bounded.
//! - A client never delays the publisher, and none delays another.
//! - All measuring and encoding is engine-core's; nothing here knows a formula.
// But for `ws::ring`.
#![deny(unsafe_code)]

pub mod priority;

pub mod audio;

pub mod publisher;

pub mod store;

pub mod services;

pub mod midi_input;

pub mod ws;

pub mod api;

pub mod listener;

pub mod relay;

pub mod server;

pub mod cli;
