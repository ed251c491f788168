//! What is played.

#[path = "../common/mod.rs"]
mod common;

mod cuts;
mod mixer;
mod offline;
mod playback;
mod recording;
mod regions;
mod transport;
