//! The main-thread module.
