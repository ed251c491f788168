//! What a piece of music may be, and how it becomes a file.

#[cfg(feature = "midi")]
mod midi;
mod validation;
