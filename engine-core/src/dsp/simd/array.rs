//! The vector of processors that we have no intrinsics for, and the definition of all others.

use core::array::from_fn;
use core::ops::{Add, Mul, Sub};

use super::{ROW, Real, Vector};

/// `N` numbers, without intrinsics.
#[derive(Clone, Copy)]
pub struct Array<T, const N: usize>([T; N]);

impl<T: Real, const N: usize> Add for Array<T, N> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(from_fn(|l| self.0[l] + other.0[l]))
    }
}

impl<T: Real, const N: usize> Sub for Array<T, N> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(from_fn(|l| self.0[l] - other.0[l]))
    }
}

impl<T: Real, const N: usize> Mul for Array<T, N> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(from_fn(|l| self.0[l] * other.0[l]))
    }
}

impl<T: Real, const N: usize> Vector for Array<T, N> {
    type Elem = T;
    const N: usize = N;

    #[inline(always)]
    fn splat(x: T) -> Self {
        Self([x; N])
    }

    #[inline(always)]
    fn load(row: &[T; ROW], i: usize) -> Self {
        Self(from_fn(|l| row[i * N + l]))
    }

    #[inline(always)]
    fn store(self, row: &mut [T; ROW], i: usize) {
        row[i * N..][..N].copy_from_slice(&self.0);
    }

    #[inline(always)]
    fn load_f32(row: &[f32; ROW], i: usize) -> Self {
        Self(from_fn(|l| T::from_f64(f64::from(row[i * N + l]))))
    }

    #[inline(always)]
    fn store_f32(self, row: &mut [f32; ROW], i: usize) {
        for (to, x) in row[i * N..][..N].iter_mut().zip(self.0) {
            *to = x.to_f32();
        }
    }

    #[inline(always)]
    fn reversed(self) -> Self {
        Self(from_fn(|l| self.0[N - 1 - l]))
    }

    #[inline(always)]
    fn deinterleaved(self, next: Self) -> (Self, Self) {
        let at = |i: usize| if i < N { self.0[i] } else { next.0[i - N] };
        (Self(from_fn(|l| at(2 * l))), Self(from_fn(|l| at(2 * l + 1))))
    }

    #[inline(always)]
    fn transposed(columns: [Self; ROW]) -> [Self; ROW] {
        from_fn(|v| Self(from_fn(|l| columns[(v * N + l) % ROW].0[(v * N + l) / ROW])))
    }
}
