//! What a page needs to hear a server: stretches of sound arrive when the network likes, and leave as a steady stream.
//!
//! ```text
//! audio frames ─▶ push ─▶ ring ─▶ slow resampling (the clocks differ) ─▶ fades (gaps) ─▶ 128 samples at a time
//! ```
//!
//! [`Listener`] is plain Rust, tested natively against a simulated network; `abi` is its skin in wasm.
//!
//! Invariants:
//! - The wasm module has no imports, and formats no text.
//! - [`Listener::render`] and [`Listener::push`] never allocate.
//! - What is heard never jumps: wherever sound is missing, it fades out before and in after.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![deny(unsafe_code)]

extern crate alloc;

mod listener;
mod pace;

#[cfg(target_arch = "wasm32")]
mod abi;

pub use listener::{Counters, Listener, MAX_PUSH};
pub use pace::MAX_CORRECTION;
