//! The program, as it is started.

#[cfg(unix)]
#[path = "../common/child.rs"]
mod child;

mod cli;
#[cfg(unix)]
mod files;
#[cfg(unix)]
mod life;
