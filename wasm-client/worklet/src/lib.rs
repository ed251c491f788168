//! The module that runs in an AudioWorklet: engine and feed in one object, frames out as the bytes that a
//! server would send.
//!
//! ```text
//! postcard bytes ─▶ Worklet ─▶ Engine ─▶ Quantum ─▶ Feed ─▶ Lane (numbers, encodes) ─▶ bytes to the main thread
//! ```
//!
//! [`Worklet`] is plain Rust, so that the parity test runs the very same code natively; `abi` is its skin in
//! wasm.
//!
//! Invariants:
//! - The wasm module has no imports: an AudioWorkletGlobalScope offers next to nothing to import.
//! - It formats no text: `core::fmt` would be half of the download.
//! - [`Worklet::render`] never allocates, so memory never grows under JavaScript's views while it plays.
//!
//! Build it alone (`cargo build -p antiphon-worklet --target wasm32-unknown-unknown`): together with a crate
//! that turns on serde's `std`, Cargo would turn it on here too, and this is `no_std` there.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![deny(unsafe_code)]

extern crate alloc;

mod lane;
mod worklet;

#[cfg(target_arch = "wasm32")]
mod abi;

pub use worklet::{Refused, SampleId, Worklet};
/// Independent sets of streams. Each may carry one stream of a topic and tap; another one of the same topic and
/// tap with other options needs another lane. The last one is the flight recorder's.
pub const MAX_LANES: usize = 5;
