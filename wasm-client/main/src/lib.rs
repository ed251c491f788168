//! The main-thread modules of the npm package: what TypeScript would otherwise have to write a second time.
//!
//! They are two builds: feature `connection` is what a page loads that shows a server, or measures what it hears, feature
//! `local` what a local source needs, and whoever reads MIDI files and recordings.
//!
//! ```text
//! WebSocket ─▶ socket ─▶ session (pure)            worklet's messages ─▶ lanes
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
#[cfg(feature = "local")]
pub mod desk;
#[cfg(feature = "local")]
pub mod history;
#[cfg(feature = "connection")]
pub mod inbound;
#[cfg(feature = "connection")]
pub mod session;
pub mod slots;

mod error;
mod from_js;
mod lanes;
#[cfg(feature = "local")]
mod local;
#[cfg(feature = "connection")]
mod measuring;
mod names;
mod objects;
#[cfg(feature = "connection")]
mod parsed;
mod read;
#[cfg(feature = "local")]
mod recording;
#[cfg(feature = "connection")]
mod socket;
mod structs;
mod to_js;
mod words;

/// Sound because these modules have one thread: their memory is not shared.
#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[cfg(feature = "local")]
pub use local::{Local, parse_midi};
#[cfg(feature = "connection")]
pub use measuring::Measuring;
#[cfg(feature = "local")]
pub use recording::{FlightRecorder, Recording};
#[cfg(feature = "connection")]
pub use socket::Connection;
