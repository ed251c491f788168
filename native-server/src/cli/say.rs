//! What is printed.

use std::fmt::Display;
use std::io::{ErrorKind, Write, stdout};

use super::Failure;

/// Prints to stdout. Returns whether somebody reads it: `| head` goes when it has enough, which is no failure.
///
/// # Errors
/// It cannot be written for another reason.
pub(super) fn say(text: impl Display) -> Result<bool, Failure> {
    let mut out = stdout().lock();
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure(format!("cannot write to stdout ({error})"))),
    }
}
