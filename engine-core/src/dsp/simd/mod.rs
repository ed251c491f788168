//! Vectors of floats whose results do not depend on their width.
//!
//! A [`Kernel`] is written once, over rows of eight numbers; [`Real::run`] runs it with the widest vector that the
//! processor has. Lanes never meet except to change places, and nothing is fused, so each number goes through
//! the same operations in the same order whether four lanes are one register, two, or an array. That is what
//! makes a laptop's AVX2 and a browser's simd128 agree to the bit.

use crate::boxed;
use alloc::boxed::Box;
use core::ops::{Add, Mul, Sub};

mod array;
#[allow(unsafe_code, reason = "checks once a loop what it uses unchecked")]
mod place;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[allow(unsafe_code, reason = "intrinsics load and store through pointers")]
mod wasm;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "intrinsics load and store through pointers, and some need AVX2")]
mod x86;

pub use array::Array;
pub use place::{Column, Groups, Place, Spread};

/// Numbers in a row: as many as the widest vector has lanes.
pub const ROW: usize = 8;

/// f32 or f64.
pub trait Real:
    Copy + Default + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + 'static
{
    /// The nearest value.
    fn from_f64(x: f64) -> Self;
    /// The nearest f32.
    fn to_f32(self) -> f32;
    /// Runs a kernel with the widest vector of these that the processor has.
    fn run<K: Kernel<Self>>(kernel: K);
}

impl Real for f32 {
    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x as f32
    }

    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }

    #[inline]
    fn run<K: Kernel<Self>>(kernel: K) {
        #[cfg(target_arch = "x86_64")]
        x86::run_f32(kernel);
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        kernel.run::<wasm::F32x4>();
        #[cfg(not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128"))))]
        kernel.run::<Array<f32, 4>>();
    }
}

impl Real for f64 {
    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x
    }

    #[inline(always)]
    fn to_f32(self) -> f32 {
        self as f32
    }

    #[inline]
    fn run<K: Kernel<Self>>(kernel: K) {
        #[cfg(target_arch = "x86_64")]
        x86::run_f64(kernel);
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        kernel.run::<wasm::F64x2>();
        #[cfg(not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128"))))]
        kernel.run::<Array<f64, 2>>();
    }
}

/// `N` numbers that go through the same arithmetic, `N` a divisor of [`ROW`].
pub trait Vector: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> {
    /// f32 or f64.
    type Elem: Real;
    /// Lanes.
    const N: usize;
    /// Vectors in a row.
    const PER_ROW: usize = ROW / Self::N;

    /// The same number in every lane.
    fn splat(x: Self::Elem) -> Self;
    /// The `i`th vector of a row, `i` < [`PER_ROW`](Self::PER_ROW).
    fn load(row: &[Self::Elem; ROW], i: usize) -> Self;
    /// The inverse of [`load`](Self::load).
    fn store(self, row: &mut [Self::Elem; ROW], i: usize);
    /// The `i`th vector of a row of samples.
    fn load_f32(row: &[f32; ROW], i: usize) -> Self;
    /// Rounded to the nearest f32.
    fn store_f32(self, row: &mut [f32; ROW], i: usize);
    /// Last lane first.
    fn reversed(self) -> Self;
    /// Of `self` and what follows it: the lanes of even and of odd number.
    fn deinterleaved(self, next: Self) -> (Self, Self);
    /// Lane 0 of all eight vectors, then lane 1 and so on: [`N`](Self::N) rows of
    /// [`PER_ROW`](Self::PER_ROW) vectors.
    fn transposed(columns: [Self; ROW]) -> [Self; ROW];
}

/// Eight numbers that no load of a vector finds on two cache lines.
#[derive(Clone, Copy, Default)]
#[repr(C, align(32))]
pub struct Row<T>(pub [T; ROW]);

/// `n` rows of zeros.
pub fn rows<T: Real>(n: usize) -> Box<[Row<T>]> {
    boxed::filled(n, Row::default())
}

/// The numbers of rows.
#[allow(unsafe_code)]
pub fn flat<T: Real>(rows: &[Row<T>]) -> &[T] {
    // SAFETY: `Row` is eight numbers of 4 or 8 bytes, 32 or 64 together, so that its alignment of 32 adds no
    // padding: n rows are 8n numbers in sequence.
    unsafe { core::slice::from_raw_parts(rows.as_ptr().cast(), rows.len() * ROW) }
}

/// Work that is written for any vector. Its `run` and all that this calls must be `#[inline(always)]`: only
/// code inside the function that turns a feature on is compiled with it.
pub trait Kernel<T: Real> {
    /// Does it.
    fn run<V: Vector<Elem = T>>(self);
}
