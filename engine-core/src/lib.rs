//! Antiphon's engine: what plays a composition and what measures the sound, without an operating system.
//!
//! ```text
//! Composition ─ compile ─▶ Program ─▶ Engine ─▶ Quantum (128 frames of every tap) ─▶ Feed ─▶ encoded frames
//!                          Command ──▶                                       analysis units   protocol
//! ```
//!
//! Modules are listed in dependency order: each imports only from those before it, and `engine` and
//! `analysis` do not know each other.
//!
//! Invariants:
//! - engine-core never reads a clock, starts a thread, opens a file or draws a random number.
//! - Every `process` runs on the audio thread: it does not allocate, lock, log or wait.
//! - The same input gives the same bits on every target: floats go through [`math`], never through `std`.
#![cfg_attr(not(any(test, feature = "schema", feature = "rustfft")), no_std)]
// Only in `boxed`, and in `dsp::simd` for intrinsics.
#![deny(unsafe_code)]

extern crate alloc;

pub mod units;

pub mod math;

pub mod buffer;

mod boxed;

mod order;

pub mod dsp;

pub mod time;

pub mod composition;

pub mod control;

pub mod engine;

pub mod analysis;

pub mod protocol;
