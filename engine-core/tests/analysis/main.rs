//! What is measured, against the standards.

#[path = "../common/mod.rs"]
mod common;

mod ballistics;
mod frequencies;
mod loudness;
mod meters;
#[cfg(feature = "midi")]
mod music;
mod overview;
mod true_peak;
