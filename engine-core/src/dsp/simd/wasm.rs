//! WebAssembly's 128-bit vectors.
//!
//! Safety of this file. Loads and stores are unaligned ones of `N` numbers at `i·N` of a row of eight, and
//! `at` asserts that these lie in the row (known when compiled, so that nothing is left of it).

use core::arch::wasm32::*;
use core::ops::{Add, Mul, Sub};

use super::{ROW, Vector};

/// The vector's place in a row.
#[inline(always)]
fn at<T, const N: usize>(row: &[T; ROW], i: usize) -> *const T {
    row[i * N..][..N].as_ptr()
}

#[inline(always)]
fn at_mut<T, const N: usize>(row: &mut [T; ROW], i: usize) -> *mut T {
    row[i * N..][..N].as_mut_ptr()
}

macro_rules! vector {
    ($name:ident, $elem:ty, $n:literal: $add:ident $sub:ident $mul:ident $splat:ident; $($shuffles:item)*) => {
        /// simd128.
        #[derive(Clone, Copy)]
        pub(super) struct $name(v128);

        impl Add for $name {
            type Output = Self;
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                Self($add(self.0, other.0))
            }
        }

        impl Sub for $name {
            type Output = Self;
            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                Self($sub(self.0, other.0))
            }
        }

        impl Mul for $name {
            type Output = Self;
            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                Self($mul(self.0, other.0))
            }
        }

        impl Vector for $name {
            type Elem = $elem;
            const N: usize = $n;

            #[inline(always)]
            fn splat(x: $elem) -> Self {
                Self($splat(x))
            }

            #[inline(always)]
            fn load(row: &[$elem; ROW], i: usize) -> Self {
                // SAFETY: see the file.
                Self(unsafe { v128_load(at::<_, $n>(row, i).cast()) })
            }

            #[inline(always)]
            fn store(self, row: &mut [$elem; ROW], i: usize) {
                // SAFETY: see the file.
                unsafe { v128_store(at_mut::<_, $n>(row, i).cast(), self.0) }
            }

            $($shuffles)*
        }
    };
}

vector! {
    F32x4, f32, 4: f32x4_add f32x4_sub f32x4_mul f32x4_splat;

    #[inline(always)]
    fn load_f32(row: &[f32; ROW], i: usize) -> Self {
        Self::load(row, i)
    }

    #[inline(always)]
    fn store_f32(self, row: &mut [f32; ROW], i: usize) {
        self.store(row, i);
    }

    #[inline(always)]
    fn reversed(self) -> Self {
        Self(i32x4_shuffle::<3, 2, 1, 0>(self.0, self.0))
    }

    #[inline(always)]
    fn deinterleaved(self, next: Self) -> (Self, Self) {
        let even = i32x4_shuffle::<0, 2, 4, 6>(self.0, next.0);
        (Self(even), Self(i32x4_shuffle::<1, 3, 5, 7>(self.0, next.0)))
    }

    #[inline(always)]
    fn transposed(columns: [Self; ROW]) -> [Self; ROW] {
        // Written out: the worklet's modules are built with hardly any loop unrolled.
        let [a, b, c, d, e, f, g, h] = columns;
        let ([a, b, c, d], [e, f, g, h]) = (quads([a, b, c, d]), quads([e, f, g, h]));
        [a, e, b, f, c, g, d, h]
    }
}

/// Four by four.
#[inline(always)]
fn quads([a, b, c, d]: [F32x4; 4]) -> [F32x4; 4] {
    let (ab, ab2) = (i32x4_shuffle::<0, 4, 1, 5>(a.0, b.0), i32x4_shuffle::<2, 6, 3, 7>(a.0, b.0));
    let (cd, cd2) = (i32x4_shuffle::<0, 4, 1, 5>(c.0, d.0), i32x4_shuffle::<2, 6, 3, 7>(c.0, d.0));
    [
        F32x4(i32x4_shuffle::<0, 1, 4, 5>(ab, cd)),
        F32x4(i32x4_shuffle::<2, 3, 6, 7>(ab, cd)),
        F32x4(i32x4_shuffle::<0, 1, 4, 5>(ab2, cd2)),
        F32x4(i32x4_shuffle::<2, 3, 6, 7>(ab2, cd2)),
    ]
}

vector! {
    F64x2, f64, 2: f64x2_add f64x2_sub f64x2_mul f64x2_splat;

    #[inline(always)]
    fn load_f32(row: &[f32; ROW], i: usize) -> Self {
        // SAFETY: see the file; two f32 are the 64 bits that are loaded.
        Self(f64x2_promote_low_f32x4(unsafe { v128_load64_zero(at::<_, 2>(row, i).cast()) }))
    }

    #[inline(always)]
    fn store_f32(self, row: &mut [f32; ROW], i: usize) {
        // SAFETY: see the file; two f32 are the 64 bits that are stored.
        unsafe { v128_store64_lane::<0>(f32x4_demote_f64x2_zero(self.0), at_mut::<_, 2>(row, i).cast()) }
    }

    #[inline(always)]
    fn reversed(self) -> Self {
        Self(i64x2_shuffle::<1, 0>(self.0, self.0))
    }

    #[inline(always)]
    fn deinterleaved(self, next: Self) -> (Self, Self) {
        (Self(i64x2_shuffle::<0, 2>(self.0, next.0)), Self(i64x2_shuffle::<1, 3>(self.0, next.0)))
    }

    #[inline(always)]
    fn transposed(columns: [Self; ROW]) -> [Self; ROW] {
        let [a, b, c, d, e, f, g, h] = columns;
        let ((a, b), (c, d)) = (a.deinterleaved(b), c.deinterleaved(d));
        let ((e, f), (g, h)) = (e.deinterleaved(f), g.deinterleaved(h));
        [a, c, e, g, b, d, f, h]
    }
}
