//! The worklet module.
