//! The main-thread module of the npm package: what TypeScript would otherwise have to write a second time.
//!
//! ```text
//! WebSocket ─▶ socket ─▶ session (pure)            worklet's messages ─▶ local
//!                 └─ bytes / JSON ─▶ slots (newest frame of each stream, merged) ◀──┤
//!                                                                     recording ◀──┘
//!                                       └─ drain, once per animation frame ─▶ objects (JavaScript)
//! ```
//!
//! Invariants:
//! - No formula of engine-core has a second version here: decoding, dB and merging are calls to it.
//! - `session`, `slots`, `inbound`, `desk`, `history` and `clock` know no browser, and are tested natively.
//! - Nothing happens at import; a module-level side effect would break rendering on a server.

pub mod clock;
pub mod desk;
pub mod history;
pub mod inbound;
pub mod session;
pub mod slots;

mod error;
mod local;
mod objects;
mod parsed;
mod recording;
mod socket;

pub use local::{Local, parse_midi};
pub use recording::{FlightRecorder, Recording};
pub use socket::Connection;
