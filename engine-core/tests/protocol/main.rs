//! What is sent and kept.

#[path = "../common/mod.rs"]
mod common;

mod recorder;
mod sound_topics;
mod wire;
