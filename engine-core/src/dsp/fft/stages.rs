//! The passes of the transform, for vectors of any width.
//!
//! Stockham's decimation in frequency: a pass of radix R at stride s turns
//! x(q + s·(p + r·L/R)) into y(q + s·(R·p + k)) = w^(pk)·Σᵣ x·e^(−2πi·rk/R), with w = e^(−2πi/L) and L the
//! length that is left.

use core::array::from_fn;
use core::ops::{Add, Mul, Sub};

use crate::dsp::simd::{ROW, Real, Row, Strided, Vector, flat, rows};

use alloc::boxed::Box;

/// Complex numbers in rows, parts apart.
pub(super) struct Rows<T> {
    pub(super) re: Box<[Row<T>]>,
    pub(super) im: Box<[Row<T>]>,
}

impl<T: Real> Rows<T> {
    pub(super) fn zeros(n: usize) -> Self {
        Self { re: rows(n), im: rows(n) }
    }
}

/// Eight complex numbers, parts apart, and side by side in memory.
#[derive(Clone, Copy, Default)]
pub(super) struct Line<T> {
    pub(super) re: Row<T>,
    pub(super) im: Row<T>,
}

/// What one step of the first pass takes of a window: two rows of each of eight parts.
pub(super) type WindowPart<T> = [[Row<T>; 2]; 8];

/// A complex number in each lane.
#[derive(Clone, Copy)]
pub(super) struct Complex<V> {
    pub(super) re: V,
    pub(super) im: V,
}

impl<V: Add<Output = V>> Add for Complex<V> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }
}

impl<V: Sub<Output = V>> Sub for Complex<V> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self { re: self.re - other.re, im: self.im - other.im }
    }
}

impl<V: Copy + Add<Output = V> + Sub<Output = V> + Mul<Output = V>> Mul for Complex<V> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self { re: self.re * other.re - self.im * other.im, im: self.re * other.im + self.im * other.re }
    }
}

impl<V: Vector> Complex<V> {
    #[inline(always)]
    fn zero() -> Self {
        Self { re: V::splat(V::Elem::default()), im: V::splat(V::Elem::default()) }
    }

    #[inline(always)]
    fn load(re: &[V::Elem; ROW], im: &[V::Elem; ROW], i: usize) -> Self {
        Self { re: V::load(re, i), im: V::load(im, i) }
    }

    #[inline(always)]
    pub(super) fn reversed(self) -> Self {
        Self { re: self.re.reversed(), im: self.im.reversed() }
    }
}

/// A butterfly; a trait, since a function that is passed as a value is not always inlined.
pub(super) trait Radix<V, const R: usize> {
    fn butterfly(x: [Complex<V>; R]) -> [Complex<V>; R];
}

pub(super) struct Four;

impl<V: Vector> Radix<V, 4> for Four {
    #[inline(always)]
    fn butterfly(x: [Complex<V>; 4]) -> [Complex<V>; 4] {
        butterfly_4(x)
    }
}

pub(super) struct Eight;

impl<V: Vector> Radix<V, 8> for Eight {
    #[inline(always)]
    fn butterfly(x: [Complex<V>; 8]) -> [Complex<V>; 8] {
        butterfly_8(x)
    }
}

/// Fourier transform of four.
#[inline(always)]
fn butterfly_4<V: Vector>(x: [Complex<V>; 4]) -> [Complex<V>; 4] {
    let (sum02, dif02) = (x[0] + x[2], x[0] - x[2]);
    let (sum13, dif13) = (x[1] + x[3], x[1] - x[3]);
    [
        sum02 + sum13,
        Complex { re: dif02.re + dif13.im, im: dif02.im - dif13.re },
        sum02 - sum13,
        Complex { re: dif02.re - dif13.im, im: dif02.im + dif13.re },
    ]
}

/// Fourier transform of eight.
#[inline(always)]
fn butterfly_8<V: Vector>(x: [Complex<V>; 8]) -> [Complex<V>; 8] {
    let half = V::splat(V::Elem::from_f64(core::f64::consts::FRAC_1_SQRT_2));
    let [y0, y2, y4, y6] = butterfly_4([x[0] + x[4], x[1] + x[5], x[2] + x[6], x[3] + x[7]]);
    let [d0, d1, d2, d3] = [x[0] - x[4], x[1] - x[5], x[2] - x[6], x[3] - x[7]];
    // Turned by −45°, −90° and −135°; a quarter of a turn is an exchange, done in the sums that follow.
    let t1 = Complex { re: half * (d1.re + d1.im), im: half * (d1.im - d1.re) };
    let t3 = Complex { re: half * (d3.im - d3.re), im: half * (d3.re + d3.im) };
    let (a, b) =
        (Complex { re: d0.re + d2.im, im: d0.im - d2.re }, Complex { re: d0.re - d2.im, im: d0.im + d2.re });
    // t3 is minus what it stands for in its imaginary part.
    let (sum, dif) =
        (Complex { re: t1.re + t3.re, im: t1.im - t3.im }, Complex { re: t1.re - t3.re, im: t1.im + t3.im });
    [
        y0,
        a + sum,
        y2,
        Complex { re: b.re + dif.im, im: b.im - dif.re },
        y4,
        a - sum,
        y6,
        Complex { re: b.re - dif.im, im: b.im + dif.re },
    ]
}

/// `R` equal parts.
#[inline(always)]
fn parts<T, const R: usize>(x: &[T]) -> [&[T]; R] {
    let n = x.len() / R;
    from_fn(|r| &x[r * n..][..n])
}

/// Radix 8 at stride 1: packs even samples as real and odd ones as imaginary parts, times `window` where
/// there is one. Inputs and twiddles are contiguous, the outputs of a butterfly a row.
#[inline(always)]
pub(super) fn first_8<V: Vector>(
    input: &[f32],
    window: Option<&[WindowPart<V::Elem>]>,
    twiddles: &[[Row<V::Elem>; 2]],
    y: &mut [Line<V::Elem>],
) {
    let samples: [&[[[f32; ROW]; 2]]; 8] = parts(input.as_chunks::<ROW>().0.as_chunks::<2>().0);
    let n = samples[0].len();
    let window = window.map(|window| &window[..n]);
    let twiddles = &twiddles.as_chunks::<7>().0[..n];
    let lines = &mut y.as_chunks_mut::<ROW>().0[..n];
    for p in 0..n {
        for i in 0..V::PER_ROW {
            let mut x = [Complex::zero(); 8];
            for r in 0..8 {
                let mut pair = [V::splat(V::Elem::default()); 2];
                for j in 0..2 {
                    let (row, i) = ((2 * i + j) / V::PER_ROW, (2 * i + j) % V::PER_ROW);
                    pair[j] = V::load_f32(&samples[r][p][row], i);
                    if let Some(window) = window {
                        pair[j] = pair[j] * V::load(&window[p][r][row].0, i);
                    }
                }
                let (re, im) = pair[0].deinterleaved(pair[1]);
                x[r] = Complex { re, im };
            }
            let y = butterfly_8(x);
            let (mut re, mut im) = ([y[0].re; 8], [y[0].im; 8]);
            for k in 1..8 {
                let [w_re, w_im] = &twiddles[p][k - 1];
                let y = y[k] * Complex::load(&w_re.0, &w_im.0, i);
                (re[k], im[k]) = (y.re, y.im);
            }
            let (re, im) = (V::transposed(re), V::transposed(im));
            for l in 0..8 {
                let line = &mut lines[p][i * V::N + l / V::PER_ROW];
                re[l].store(&mut line.re.0, l % V::PER_ROW);
                im[l].store(&mut line.im.0, l % V::PER_ROW);
            }
        }
    }
}

/// A pass at a stride of `n` rows: one set of twiddles for `n` rows of butterflies. The last pass has
/// none.
#[inline(always)]
pub(super) fn pass<V: Vector, B: Radix<V, R>, const R: usize>(
    n: usize,
    twiddles: &[[[V::Elem; 2]; R]],
    x: &mut [Line<V::Elem>],
    y: &mut [Line<V::Elem>],
) {
    let part = x.len() / R;
    for (p, w) in twiddles.iter().enumerate() {
        let mut splats = [Complex::zero(); R];
        for k in 1..R {
            splats[k] = Complex { re: V::splat(w[k][0]), im: V::splat(w[k][1]) };
        }
        for at in 0..n * V::PER_ROW {
            let (q, i) = (at / V::PER_ROW, at % V::PER_ROW);
            let mut x = Strided::<_, R>::new(x, p * n + q, part);
            let mut z = [Complex::zero(); R];
            for r in 0..R {
                let line = x.get(r);
                z[r] = Complex::load(&line.re.0, &line.im.0, i);
            }
            let z = B::butterfly(z);
            let mut y = Strided::<_, R>::new(y, p * n * R + q, n);
            for r in 0..R {
                let z = if r == 0 { z[0] } else { z[r] * splats[r] };
                let line = y.get(r);
                z.re.store(&mut line.re.0, i);
                z.im.store(&mut line.im.0, i);
            }
        }
    }
}

/// The last pass: as [`pass`], with all twiddles 1, and the parts of the output apart.
#[inline(always)]
pub(super) fn last<V: Vector, B: Radix<V, R>, const R: usize>(
    x: &mut [Line<V::Elem>],
    y: &mut Rows<V::Elem>,
) {
    let n = x.len() / R;
    for at in 0..n * V::PER_ROW {
        let (q, i) = (at / V::PER_ROW, at % V::PER_ROW);
        let mut x = Strided::<_, R>::new(x, q, n);
        let mut z = [Complex::zero(); R];
        for r in 0..R {
            let line = x.get(r);
            z[r] = Complex::load(&line.re.0, &line.im.0, i);
        }
        let z = B::butterfly(z);
        let mut re = Strided::<_, R>::new(&mut y.re, q, n);
        let mut im = Strided::<_, R>::new(&mut y.im, q, n);
        for r in 0..R {
            z[r].re.store(&mut re.get(r).0, i);
            z[r].im.store(&mut im.get(r).0, i);
        }
    }
}

/// Where the bins of a real signal go.
pub(super) trait Bins<T: Real> {
    /// Twice the bins of vector `i` of row `row`, and twice those as far below the last bin, first one last.
    fn put<V: Vector<Elem = T>>(&mut self, row: usize, i: usize, low: Complex<V>, high: Complex<V>);
    /// Twice the bin in the middle.
    fn put_middle(&mut self, middle: Complex<T>);
}

/// From Z, the transform of even + i·odd samples, with Z(m) = Z(0) appended, to X:
/// E = (Z(k) + Z̄(m−k))/2, O = (Z(k) − Z̄(m−k))/2i, X(k) = E + W^k·O and X(m−k) = conj(E − W^k·O).
#[inline(always)]
pub(super) fn unpack<V: Vector>(
    twiddles: &Rows<V::Elem>,
    z: &Rows<V::Elem>,
    m: usize,
    bins: &mut impl Bins<V::Elem>,
) {
    let (re, im) = (flat(&z.re), flat(&z.im));
    let (a_re, a_im) = (re[..m / 2].as_chunks::<ROW>().0, im[..m / 2].as_chunks::<ROW>().0);
    let (b_re, b_im) = (re[m / 2 + 1..=m].as_chunks::<ROW>().0, im[m / 2 + 1..=m].as_chunks::<ROW>().0);
    let n = a_re.len();
    let (a_im, b_re, b_im) = (&a_im[..n], &b_re[..n], &b_im[..n]);
    let (w_re, w_im) = (&twiddles.re[..n], &twiddles.im[..n]);
    for k in 0..n {
        for i in 0..V::PER_ROW {
            let a = Complex::<V>::load(&a_re[k], &a_im[k], i);
            let b = Complex::<V>::load(&b_re[n - 1 - k], &b_im[n - 1 - k], V::PER_ROW - 1 - i).reversed();
            let even = Complex { re: a.re + b.re, im: a.im - b.im };
            let odd = Complex { re: a.im + b.im, im: b.re - a.re };
            let turned = odd * Complex::load(&w_re[k].0, &w_im[k].0, i);
            let high = Complex { re: even.re - turned.re, im: turned.im - even.im };
            bins.put(k, i, even + turned, high.reversed());
        }
    }
    let (re, im) = (re[m / 2], im[m / 2]);
    bins.put_middle(Complex { re: re + re, im: V::Elem::default() - (im + im) });
}
