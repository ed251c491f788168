//! Past one machine: a server says each frame once to NATS, and any number of relays say it to any number of clients.
//!
//! ```text
//!                        ┌─ leases ◀────── "I need this stream, for 30 s" ──────┐
//! Publisher ─Mailbox─▶ bridge ──frames, once for each configuration──▶ NATS ──▶ hub ─Registry─▶ Mailboxes ─▶ sockets
//! Router ◀──────────── tunnel ◀═══════ requests, with credit ════════▶ NATS ══▶ edge ◀── REST
//! ```
//!
//! | subject `antiphon.<name>.` | what | answer |
//! |---|---|---|
//! | `info` | nothing | `letters::ServerInfo` |
//! | `changed` | `letters::ServerInfo`, when it changed and when the server is back | |
//! | `lease` | `letters::LeaseRequest` | `letters::LeaseAnswer` |
//! | `frames.<key>` | 16 bytes of `letters::id_of_taps`, then frames as on a WebSocket | |
//! | `note.<player>` | a `note` message as on a WebSocket; or nothing: what was held still is | |
//! | `rest` | the head of a request, see `line` | a line of its own |
//!
//! Architecture invariants:
//! - The publisher never waits for NATS: to it a stream on NATS is one more client with a mailbox.
//! - Nobody needs a stream, nobody publishes it.
//! - A relay keeps nothing that it could not ask for again, and holds nothing that does not end with it.

mod bridge;
mod bus;
mod edge;
mod hub;
mod leases;
mod letters;
mod line;
mod players;
mod tunnel;
mod uplink;

pub(crate) use self::bridge::{check_name, serve};
pub use self::bus::{Bus, NatsError, NatsOptions, server_name};
pub use self::edge::{Relay, RelayConfig};
