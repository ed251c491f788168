//! x86-64: SSE2, which all have, and AVX2 where the processor says so.
//!
//! Safety of this file. Loads and stores are unaligned ones of `N` numbers at `i·N` of a row of eight, and
//! `at` asserts that these lie in the row (known when compiled, so that nothing is left of it). The AVX
//! types are private, and named only where the processor has been asked.

use core::arch::x86_64::*;
use core::ops::{Add, Mul, Sub};

use super::{Kernel, ROW, Real, Vector};

cpufeatures::new!(avx2, "avx2");

/// See [`Real::run`].
#[inline]
pub(super) fn run_f32<K: Kernel<f32>>(kernel: K) {
    // SAFETY: the processor has AVX2, and the operating system keeps its registers.
    if avx2::get() { unsafe { with_avx2::<f32, F32x8, K>(kernel) } } else { kernel.run::<F32x4>() }
}

/// See [`Real::run`].
#[inline]
pub(super) fn run_f64<K: Kernel<f64>>(kernel: K) {
    // SAFETY: as above.
    if avx2::get() { unsafe { with_avx2::<f64, F64x4, K>(kernel) } } else { kernel.run::<F64x2>() }
}

/// Compiles the kernel with AVX2, without FMA, which would round differently.
#[target_feature(enable = "avx2")]
fn with_avx2<T: Real, V: Vector<Elem = T>, K: Kernel<T>>(kernel: K) {
    kernel.run::<V>();
}

/// Four by four, in each half of its own.
#[inline(always)]
fn quads([a, b, c, d]: [__m256; 4]) -> [__m256; 4] {
    // SAFETY: see the file.
    unsafe {
        let (ab, ab2) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
        let (cd, cd2) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
        [
            _mm256_shuffle_ps::<0b01_00_01_00>(ab, cd),
            _mm256_shuffle_ps::<0b11_10_11_10>(ab, cd),
            _mm256_shuffle_ps::<0b01_00_01_00>(ab2, cd2),
            _mm256_shuffle_ps::<0b11_10_11_10>(ab2, cd2),
        ]
    }
}

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
    ($(#[$doc:meta])* $name:ident, $inner:ty, $elem:ty, $n:literal: $add:ident $sub:ident $mul:ident $splat:ident
     $load:ident $store:ident; $($shuffles:item)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(super) struct $name($inner);

        impl Add for $name {
            type Output = Self;
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                // SAFETY: see the file.
                Self(unsafe { $add(self.0, other.0) })
            }
        }

        impl Sub for $name {
            type Output = Self;
            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                // SAFETY: see the file.
                Self(unsafe { $sub(self.0, other.0) })
            }
        }

        impl Mul for $name {
            type Output = Self;
            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                // SAFETY: see the file.
                Self(unsafe { $mul(self.0, other.0) })
            }
        }

        impl Vector for $name {
            type Elem = $elem;
            const N: usize = $n;

            #[inline(always)]
            fn splat(x: $elem) -> Self {
                // SAFETY: see the file.
                Self(unsafe { $splat(x) })
            }

            #[inline(always)]
            fn load(row: &[$elem; ROW], i: usize) -> Self {
                // SAFETY: see the file.
                Self(unsafe { $load(at::<_, $n>(row, i)) })
            }

            #[inline(always)]
            fn store(self, row: &mut [$elem; ROW], i: usize) {
                // SAFETY: see the file.
                unsafe { $store(at_mut::<_, $n>(row, i), self.0) }
            }

            $($shuffles)*
        }
    };
}

vector! {
    /// SSE2.
    F32x4, __m128, f32, 4: _mm_add_ps _mm_sub_ps _mm_mul_ps _mm_set1_ps _mm_loadu_ps _mm_storeu_ps;

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
        // SAFETY: see the file.
        Self(unsafe { _mm_shuffle_ps::<0b00_01_10_11>(self.0, self.0) })
    }

    #[inline(always)]
    fn deinterleaved(self, next: Self) -> (Self, Self) {
        // SAFETY: see the file.
        unsafe {
            let even = _mm_shuffle_ps::<0b10_00_10_00>(self.0, next.0);
            let odd = _mm_shuffle_ps::<0b11_01_11_01>(self.0, next.0);
            (Self(even), Self(odd))
        }
    }

    #[inline(always)]
    fn transposed(columns: [Self; ROW]) -> [Self; ROW] {
        let mut rows = columns;
        for half in 0..2 {
            let r = 4 * half;
            let [a, b, c, d] = [columns[r].0, columns[r + 1].0, columns[r + 2].0, columns[r + 3].0];
            // SAFETY: see the file.
            let lines = unsafe {
                let (ab, ab2) = (_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
                let (cd, cd2) = (_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
                [_mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab), _mm_movelh_ps(ab2, cd2), _mm_movehl_ps(cd2, ab2)]
            };
            for l in 0..4 {
                rows[2 * l + half] = Self(lines[l]);
            }
        }
        rows
    }
}

vector! {
    /// SSE2.
    F64x2, __m128d, f64, 2: _mm_add_pd _mm_sub_pd _mm_mul_pd _mm_set1_pd _mm_loadu_pd _mm_storeu_pd;

    #[inline(always)]
    fn load_f32(row: &[f32; ROW], i: usize) -> Self {
        // SAFETY: see the file; two f32 are the eight bytes that are loaded.
        Self(unsafe { _mm_cvtps_pd(_mm_castpd_ps(_mm_load_sd(at::<_, 2>(row, i).cast()))) })
    }

    #[inline(always)]
    fn store_f32(self, row: &mut [f32; ROW], i: usize) {
        // SAFETY: see the file; two f32 are the eight bytes that are stored.
        unsafe { _mm_store_sd(at_mut::<_, 2>(row, i).cast(), _mm_castps_pd(_mm_cvtpd_ps(self.0))) }
    }

    #[inline(always)]
    fn reversed(self) -> Self {
        // SAFETY: see the file.
        Self(unsafe { _mm_shuffle_pd::<0b01>(self.0, self.0) })
    }

    #[inline(always)]
    fn deinterleaved(self, next: Self) -> (Self, Self) {
        // SAFETY: see the file.
        unsafe { (Self(_mm_unpacklo_pd(self.0, next.0)), Self(_mm_unpackhi_pd(self.0, next.0))) }
    }

    #[inline(always)]
    fn transposed(columns: [Self; ROW]) -> [Self; ROW] {
        let mut rows = columns;
        for pair in 0..4 {
            (rows[pair], rows[pair + 4]) = columns[2 * pair].deinterleaved(columns[2 * pair + 1]);
        }
        rows
    }
}

vector! {
    /// AVX2.
    F32x8, __m256, f32, 8: _mm256_add_ps _mm256_sub_ps _mm256_mul_ps _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps;

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
        // SAFETY: see the file.
        Self(unsafe { _mm256_permute_ps::<0b00_01_10_11>(_mm256_permute2f128_ps::<1>(self.0, self.0)) })
    }

    #[inline(always)]
    fn deinterleaved(self, next: Self) -> (Self, Self) {
        // SAFETY: see the file.
        unsafe {
            let (low, high) = (
                _mm256_permute2f128_ps::<0x20>(self.0, next.0),
                _mm256_permute2f128_ps::<0x31>(self.0, next.0),
            );
            let even = _mm256_shuffle_ps::<0b10_00_10_00>(low, high);
            (Self(even), Self(_mm256_shuffle_ps::<0b11_01_11_01>(low, high)))
        }
    }

    #[inline(always)]
    fn transposed(columns: [Self; ROW]) -> [Self; ROW] {
        let [a, b, c, d, e, f, g, h] = columns;
        // Four by four in each half, then halves.
        let (low, high) = (quads([a.0, b.0, c.0, d.0]), quads([e.0, f.0, g.0, h.0]));
        let mut rows = columns;
        for l in 0..4 {
            // SAFETY: see the file.
            let (first, second) = unsafe {
                (
                    _mm256_permute2f128_ps::<0x20>(low[l], high[l]),
                    _mm256_permute2f128_ps::<0x31>(low[l], high[l]),
                )
            };
            (rows[l], rows[l + 4]) = (Self(first), Self(second));
        }
        rows
    }
}

vector! {
    /// AVX2.
    F64x4, __m256d, f64, 4: _mm256_add_pd _mm256_sub_pd _mm256_mul_pd _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd;

    #[inline(always)]
    fn load_f32(row: &[f32; ROW], i: usize) -> Self {
        // SAFETY: see the file.
        Self(unsafe { _mm256_cvtps_pd(_mm_loadu_ps(at::<_, 4>(row, i))) })
    }

    #[inline(always)]
    fn store_f32(self, row: &mut [f32; ROW], i: usize) {
        // SAFETY: see the file.
        unsafe { _mm_storeu_ps(at_mut::<_, 4>(row, i), _mm256_cvtpd_ps(self.0)) }
    }

    #[inline(always)]
    fn reversed(self) -> Self {
        // SAFETY: see the file.
        Self(unsafe { _mm256_permute4x64_pd::<0b00_01_10_11>(self.0) })
    }

    #[inline(always)]
    fn deinterleaved(self, next: Self) -> (Self, Self) {
        // SAFETY: see the file.
        unsafe {
            let (low, high) = (
                _mm256_permute2f128_pd::<0x20>(self.0, next.0),
                _mm256_permute2f128_pd::<0x31>(self.0, next.0),
            );
            (Self(_mm256_unpacklo_pd(low, high)), Self(_mm256_unpackhi_pd(low, high)))
        }
    }

    #[inline(always)]
    fn transposed(columns: [Self; ROW]) -> [Self; ROW] {
        let mut rows = columns;
        for half in 0..2 {
            let r = 4 * half;
            let [a, b, c, d] = [columns[r].0, columns[r + 1].0, columns[r + 2].0, columns[r + 3].0];
            // SAFETY: see the file.
            let lines = unsafe {
                let (ab, ab2) = (_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
                let (cd, cd2) = (_mm256_unpacklo_pd(c, d), _mm256_unpackhi_pd(c, d));
                [
                    _mm256_permute2f128_pd::<0x20>(ab, cd),
                    _mm256_permute2f128_pd::<0x20>(ab2, cd2),
                    _mm256_permute2f128_pd::<0x31>(ab, cd),
                    _mm256_permute2f128_pd::<0x31>(ab2, cd2),
                ]
            };
            for l in 0..4 {
                rows[2 * l + half] = Self(lines[l]);
            }
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dsp::simd::Array;
    use alloc::vec::Vec;

    /// All that a vector can do, on the bits of one row after another.
    struct Everything<'a, T>(&'a [[T; ROW]], &'a mut Vec<f32>);

    impl<T: Real> Kernel<T> for Everything<'_, T> {
        #[inline(always)]
        fn run<V: Vector<Elem = T>>(self) {
            for row in self.0 {
                let mut samples = [0.0; ROW];
                let mut out = [[T::default(); ROW]; 4];
                for i in 0..V::PER_ROW {
                    let x = V::load(row, i);
                    ((x + V::splat(row[0])) * x - x).store(&mut out[0], i);
                    x.reversed().store(&mut out[1], V::PER_ROW - 1 - i);
                    x.store_f32(&mut samples, i);
                }
                for i in 0..V::PER_ROW {
                    V::load_f32(&samples, i).store(&mut out[2], i);
                }
                self.1.extend(out.concat().iter().map(|x| x.to_f32()));
            }
            // Eight rows in columns, and even and odd numbers of two.
            let mut sorted = [[T::default(); ROW]; ROW];
            for i in 0..V::PER_ROW {
                let columns = core::array::from_fn(|r| V::load(&self.0[r], i));
                for (v, x) in V::transposed(columns).into_iter().enumerate() {
                    x.store(&mut sorted[i * V::N + v / V::PER_ROW], v % V::PER_ROW);
                }
            }
            self.1.extend(sorted.concat().iter().map(|x| x.to_f32()));
            let [mut even, mut odd] = [[T::default(); ROW]; 2];
            for i in 0..V::PER_ROW {
                let at = |j: usize| V::load(&self.0[j / V::PER_ROW], j % V::PER_ROW);
                let (a, b) = at(2 * i).deinterleaved(at(2 * i + 1));
                a.store(&mut even, i);
                b.store(&mut odd, i);
            }
            self.1.extend([even, odd].concat().iter().map(|x| x.to_f32()));
        }
    }

    fn check<T: Real, A: Vector<Elem = T>, B: Vector<Elem = T>>(wide: fn(Everything<'_, T>)) {
        let rows: [[T; ROW]; ROW] =
            core::array::from_fn(|r| core::array::from_fn(|i| T::from_f64((r * 8 + i) as f64 / 7.0 - 3.1)));
        let (mut array, mut narrow, mut widest) = (Vec::new(), Vec::new(), Vec::new());
        Everything(&rows, &mut array).run::<A>();
        Everything(&rows, &mut narrow).run::<B>();
        wide(Everything(&rows, &mut widest));
        assert_eq!(array, narrow);
        assert_eq!(array, widest);
    }

    #[test]
    fn all_vectors_do_the_same() {
        check::<f32, Array<f32, 1>, F32x4>(|kernel| run_f32(kernel));
        check::<f64, Array<f64, 1>, F64x2>(|kernel| run_f64(kernel));
    }
}
