//! What runs in an AudioWorklet: player and feed in one object, frames out as the bytes that a server would send.
//!
//! ```text
//! postcard bytes ─▶ Worklet ─▶ Player ─▶ Quantum ─▶ Feed ─▶ Lane (numbers, encodes) ─▶ bytes to the main thread
//! ```
//!
//! The player is the engine, or the input alone for pages that only measure. All of it is compiled once; the build splits
//! the module into parts that pages load when they need them (xtask/src/parts.rs). It is plain Rust and there natively, so
//! that tests run the very same code; `abi` is its skin in wasm.
//!
//! Invariants:
//! - The module has no imports, and of its parts only those above import, from those below: an AudioWorkletGlobalScope
//!   offers next to nothing to import.
//! - It formats no text: `core::fmt` would be half of the download.
//! - [`Worklet::render`] never allocates, so memory never grows under JavaScript's views while it plays.
//!
//! Build it alone (`cargo build -p antiphon-worklet --target wasm32-unknown-unknown`): together with a crate
//! that turns on serde's `std`, Cargo would turn it on here too, and this is `no_std` there.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![deny(unsafe_code)]

extern crate alloc;

mod lane;
mod player;
mod wire;
mod worklet;

#[cfg(target_arch = "wasm32")]
mod abi;

/// Sound because the module has no shared memory, and so no second thread.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

pub use worklet::{Refused, SampleId, Worklet};
/// Independent sets of streams. Each may carry one stream of a topic and tap; another one of the same topic and
/// tap with other options needs another lane. The last one is the flight recorder's.
pub const MAX_LANES: usize = 5;
