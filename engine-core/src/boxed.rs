//! Slices that are made once.
//!
//! A `Vec` that becomes one might have room to give back: the code for that, which never ran, was 1 KB of a browser's
//! module.
#![allow(unsafe_code)]

use alloc::boxed::Box;

/// `n` times `value`. Allocates.
#[inline(never)]
pub(crate) fn filled<T: Clone>(n: usize, value: T) -> Box<[T]> {
    from_fn(n, |_| value.clone())
}

/// What a function makes of 0, 1 … `n` − 1. Allocates.
#[inline]
pub(crate) fn from_fn<T>(n: usize, mut value: impl FnMut(usize) -> T) -> Box<[T]> {
    let mut slice = Box::new_uninit_slice(n);
    for (idx, place) in slice.iter_mut().enumerate() {
        place.write(value(idx));
    }
    // SAFETY: each place was written above.
    unsafe { slice.assume_init() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_hold_what_was_made() {
        assert_eq!(*filled(3, 7), [7, 7, 7]);
        assert_eq!(*from_fn(4, |idx| idx * idx), [0, 1, 4, 9]);
        assert!(from_fn(0, |_| alloc::string::String::new()).is_empty());
    }
}
