//! Real FFT with one operation order, so that its bits are the same natively and in wasm.
//!
//! n real samples are packed into n/2 complex ones, transformed by a Stockham radix-4 FFT (self-sorting, no
//! bit reversal) and unpacked. Real and imaginary parts live in separate arrays and every inner loop is
//! contiguous, without a reduction: a compiler may vectorise it at any width and still get these bits.
//! T. G. Stockham, "High-speed convolution and correlation" (1966); P. N. Swarztrauber, "FFT algorithms for
//! vector computers" (1984).

use alloc::boxed::Box;
use alloc::vec;
use core::f64::consts::TAU;
use core::mem::swap;
use core::ops::{Add, Mul, Sub};

/// Smallest [`RealFft`].
pub const MIN_FFT_SIZE: usize = 256;
/// Largest [`RealFft`].
pub const MAX_FFT_SIZE: usize = 32_768;

/// A forward FFT of real samples.
#[expect(clippy::len_without_is_empty, reason = "a transform is never empty")]
pub trait Fft {
    /// Samples that go in, n.
    fn len(&self) -> usize;

    /// Bins that come out: n/2 + 1, from 0 Hz to half the sample rate.
    fn n_bins(&self) -> usize {
        self.len() / 2 + 1
    }

    /// X(k) = Σ x(t)·e^(−2πi·kt/n), unnormalised, for k = 0..=n/2, real and imaginary parts apart. Never
    /// allocates.
    ///
    /// # Panics
    /// When `input` is not n or an output not n/2 + 1 long.
    fn forward(&mut self, input: &[f32], re: &mut [f32], im: &mut [f32]);
}

/// Antiphon's own FFT, for powers of two.
pub struct RealFft {
    n: usize,
    /// e^(−2πi·k/n), k < n/4 + 1, for unpacking.
    unpack: Complex,
    /// e^(−2πi·pk/m) of the first stage, for k = 1, 2, 3 and p < m/4, with m = n/2. Later stages take every
    /// 4th, 16th, … of them.
    twiddles: [Complex; 3],
    front: Complex,
    back: Complex,
}

/// Complex numbers, parts apart.
struct Complex {
    re: Box<[f32]>,
    im: Box<[f32]>,
}

impl Complex {
    fn zeros(n: usize) -> Self {
        Self { re: vec![0.0; n].into(), im: vec![0.0; n].into() }
    }

    /// e^(−2πi·k·step/n) for k < len, in f64, then rounded.
    fn roots(len: usize, step: usize, n: usize) -> Self {
        let angle = |k: usize| TAU * (k * step) as f64 / n as f64;
        Self {
            re: (0..len).map(|k| libm::cos(angle(k)) as f32).collect(),
            im: (0..len).map(|k| -libm::sin(angle(k)) as f32).collect(),
        }
    }
}

#[expect(clippy::len_without_is_empty, reason = "a transform is never empty")]
impl RealFft {
    /// Allocates tables and scratch.
    ///
    /// # Panics
    /// When `n` is not a power of two from [`MIN_FFT_SIZE`] to [`MAX_FFT_SIZE`].
    pub fn new(n: usize) -> Self {
        assert!(n.is_power_of_two() && (MIN_FFT_SIZE..=MAX_FFT_SIZE).contains(&n), "FFT size");
        let m = n / 2;
        Self {
            n,
            unpack: Complex::roots(m / 2 + 1, 1, n),
            twiddles: [1, 2, 3].map(|k| Complex::roots(m / 4, k, m)),
            front: Complex::zeros(m),
            back: Complex::zeros(m),
        }
    }

    /// Samples that go in, n.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Bins that come out: n/2 + 1.
    pub fn n_bins(&self) -> usize {
        self.n / 2 + 1
    }

    /// See [`Fft::forward`].
    pub fn forward(&mut self, input: &[f32], re: &mut [f32], im: &mut [f32]) {
        let m = self.n / 2;
        assert!(input.len() == self.n && re.len() == m + 1 && im.len() == m + 1, "FFT buffers");
        let (mut x, mut y) = (&mut self.front, &mut self.back);
        pack(input, x);
        first_stage(&self.twiddles, x, y);
        swap(&mut x, &mut y);
        let (mut length, mut stride) = (m / 4, 4);
        while length >= 8 {
            middle_stage(&self.twiddles, stride, x, y);
            swap(&mut x, &mut y);
            length /= 4;
            stride *= 4;
        }
        if length == 4 {
            last_radix_4(x, y)
        } else {
            last_radix_2(x, y)
        }
        unpack(&self.unpack, y, re, im);
    }
}

impl Fft for RealFft {
    fn len(&self) -> usize {
        self.n
    }

    fn forward(&mut self, input: &[f32], re: &mut [f32], im: &mut [f32]) {
        RealFft::forward(self, input, re, im);
    }
}

/// Four numbers that go through the same arithmetic: one SSE2 or simd128 register.
///
/// Whole vectors are read before any is written. Loops over slices would need proof that some twenty of them
/// do not overlap, which compilers give up on.
#[derive(Clone, Copy)]
struct Lanes([f32; 4]);

impl Lanes {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        let ([a, b, c, d], [e, g, h, i]) = (self.0, other.0);
        Self([f(a, e), f(b, g), f(c, h), f(d, i)])
    }

    #[inline(always)]
    fn reversed(self) -> Self {
        let [a, b, c, d] = self.0;
        Self([d, c, b, a])
    }
}

impl Add for Lanes {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }
}

impl Sub for Lanes {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }
}

impl Mul for Lanes {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }
}

/// Four complex numbers, or one.
type Pair<T> = (T, T);

/// Four outputs of a radix-4 butterfly before their twiddles.
#[inline(always)]
fn butterfly<T: Copy + Add<Output = T> + Sub<Output = T>>(re: [T; 4], im: [T; 4]) -> [Pair<T>; 4] {
    let (sum02, dif02) = ((re[0] + re[2], im[0] + im[2]), (re[0] - re[2], im[0] - im[2]));
    let (sum13, dif13) = ((re[1] + re[3], im[1] + im[3]), (re[1] - re[3], im[1] - im[3]));
    [
        (sum02.0 + sum13.0, sum02.1 + sum13.1),
        (dif02.0 + dif13.1, dif02.1 - dif13.0),
        (sum02.0 - sum13.0, sum02.1 - sum13.1),
        (dif02.0 - dif13.1, dif02.1 + dif13.0),
    ]
}

#[inline(always)]
fn multiply<T: Copy + Add<Output = T> + Sub<Output = T> + Mul<Output = T>>(
    a: Pair<T>,
    b: Pair<T>,
) -> Pair<T> {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

/// Four equal parts of a slice, in lanes.
#[inline(always)]
fn quarters(x: &[f32]) -> [&[[f32; 4]]; 4] {
    let n = x.len() / 16;
    let x = x.as_chunks().0;
    [&x[..n], &x[n..][..n], &x[2 * n..][..n], &x[3 * n..][..n]]
}

/// Four equal parts of a slice, in lanes.
#[inline(always)]
fn quarters_mut(y: &mut [f32]) -> [&mut [[f32; 4]]; 4] {
    let n = y.len() / 16;
    let (y0, y) = y.as_chunks_mut().0.split_at_mut(n);
    let (y1, y) = y.split_at_mut(n);
    let (y2, y3) = y.split_at_mut(n);
    [y0, y1, y2, &mut y3[..n]]
}

/// Even samples to real parts, odd ones to imaginary parts.
fn pack(input: &[f32], z: &mut Complex) {
    let z = z.re.as_chunks_mut::<4>().0.iter_mut().zip(z.im.as_chunks_mut::<4>().0);
    for ((re, im), x) in z.zip(input.as_chunks::<8>().0) {
        (*re, *im) = ([x[0], x[2], x[4], x[6]], [x[1], x[3], x[5], x[7]]);
    }
}

/// Stride 1: the inputs and the twiddles are contiguous, the outputs interleaved by four.
fn first_stage(w: &[Complex; 3], x: &Complex, y: &mut Complex) {
    let (xr, xi) = (quarters(&x.re), quarters(&x.im));
    let n = xr[0].len();
    let w = [0, 1, 2].map(|k| (&w[k].re.as_chunks::<4>().0[..n], &w[k].im.as_chunks::<4>().0[..n]));
    let yr = &mut y.re.as_chunks_mut::<16>().0[..n];
    let yi = &mut y.im.as_chunks_mut::<16>().0[..n];
    for p in 0..n {
        let [y0, y1, y2, y3] = butterfly(xr.map(|q| Lanes(q[p])), xi.map(|q| Lanes(q[p])));
        let [w1, w2, w3] = w.map(|w| (Lanes(w.0[p]), Lanes(w.1[p])));
        let (y1, y2, y3) = (multiply(y1, w1), multiply(y2, w2), multiply(y3, w3));
        yr[p] = interleaved(y0.0, y1.0, y2.0, y3.0);
        yi[p] = interleaved(y0.1, y1.1, y2.1, y3.1);
    }
}

#[inline(always)]
fn interleaved(a: Lanes, b: Lanes, c: Lanes, d: Lanes) -> [f32; 16] {
    let (a, b, c, d) = (a.0, b.0, c.0, d.0);
    [a[0], b[0], c[0], d[0], a[1], b[1], c[1], d[1], a[2], b[2], c[2], d[2], a[3], b[3], c[3], d[3]]
}

/// Stride ≥ 4: one twiddle for `stride` butterflies.
fn middle_stage(w: &[Complex; 3], stride: usize, x: &Complex, y: &mut Complex) {
    let (xr, xi) = (quarters(&x.re), quarters(&x.im));
    let n = stride / 4;
    let outputs = y.re.chunks_exact_mut(4 * stride).zip(y.im.chunks_exact_mut(4 * stride));
    for (p, (yr, yi)) in outputs.enumerate() {
        let xr = xr.map(|q| &q[p * n..][..n]);
        let xi = xi.map(|q| &q[p * n..][..n]);
        let [w1, w2, w3] =
            [&w[0], &w[1], &w[2]].map(|w| (Lanes([w.re[p * stride]; 4]), Lanes([w.im[p * stride]; 4])));
        let [yr0, yr1, yr2, yr3] = quarters_mut(yr).map(|y| &mut y[..n]);
        let [yi0, yi1, yi2, yi3] = quarters_mut(yi).map(|y| &mut y[..n]);
        for q in 0..n {
            let [y0, y1, y2, y3] = butterfly(xr.map(|x| Lanes(x[q])), xi.map(|x| Lanes(x[q])));
            let (y1, y2, y3) = (multiply(y1, w1), multiply(y2, w2), multiply(y3, w3));
            (yr0[q], yr1[q], yr2[q], yr3[q]) = (y0.0.0, y1.0.0, y2.0.0, y3.0.0);
            (yi0[q], yi1[q], yi2[q], yi3[q]) = (y0.1.0, y1.1.0, y2.1.0, y3.1.0);
        }
    }
}

/// Length 4: all twiddles are 1.
fn last_radix_4(x: &Complex, y: &mut Complex) {
    let (xr, xi) = (quarters(&x.re), quarters(&x.im));
    let n = xr[0].len();
    let [yr0, yr1, yr2, yr3] = quarters_mut(&mut y.re).map(|y| &mut y[..n]);
    let [yi0, yi1, yi2, yi3] = quarters_mut(&mut y.im).map(|y| &mut y[..n]);
    for q in 0..n {
        let [y0, y1, y2, y3] = butterfly(xr.map(|x| Lanes(x[q])), xi.map(|x| Lanes(x[q])));
        (yr0[q], yr1[q], yr2[q], yr3[q]) = (y0.0.0, y1.0.0, y2.0.0, y3.0.0);
        (yi0[q], yi1[q], yi2[q], yi3[q]) = (y0.1.0, y1.1.0, y2.1.0, y3.1.0);
    }
}

/// Length 2, when log2 of the whole is odd: the twiddle is 1.
fn last_radix_2(x: &Complex, y: &mut Complex) {
    for (x, y) in [(&x.re, &mut y.re), (&x.im, &mut y.im)] {
        let (x0, x1) = x.split_at(x.len() / 2);
        let (y0, y1) = y.split_at_mut(x0.len());
        for (((x0, x1), y0), y1) in x0.iter().zip(x1).zip(y0).zip(y1) {
            (*y0, *y1) = (x0 + x1, x0 - x1);
        }
    }
}

/// From Z, the transform of even + i·odd samples, to X: E = (Z(k) + Z̄(m−k))/2, O = (Z(k) − Z̄(m−k))/2i,
/// X(k) = E + W^k·O and X(m−k) = conj(E − W^k·O).
fn unpack(w: &Complex, z: &Complex, re: &mut [f32], im: &mut [f32]) {
    let m = z.re.len();
    (re[0], im[0]) = (z.re[0] + z.im[0], 0.0);
    (re[m], im[m]) = (z.re[0] - z.im[0], 0.0);
    // Bins 1..m/2 from the front and m..m/2 from the back; the middle one comes out of both.
    let n = m / 8;
    let [a_re, a_im, w_re, w_im] =
        [&z.re[1..=m / 2], &z.im[1..=m / 2], &w.re[1..], &w.im[1..]].map(|x| &x.as_chunks::<4>().0[..n]);
    let [b_re, b_im] = [&z.re[m / 2..], &z.im[m / 2..]].map(|x| &x.as_chunks::<4>().0[..n]);
    for k in 0..n {
        let (low, high) = (1 + 4 * k, m - 4 - 4 * k);
        let (a, w) = ((Lanes(a_re[k]), Lanes(a_im[k])), (Lanes(w_re[k]), Lanes(w_im[k])));
        let b = (Lanes(b_re[n - 1 - k]).reversed(), Lanes(b_im[n - 1 - k]).reversed());
        let half = Lanes([0.5; 4]);
        let even = (half * (a.0 + b.0), half * (a.1 - b.1));
        let odd = (half * (a.1 + b.1), half * (b.0 - a.0));
        let turned = multiply(odd, w);
        re[high..][..4].copy_from_slice(&(even.0 - turned.0).reversed().0);
        im[high..][..4].copy_from_slice(&(turned.1 - even.1).reversed().0);
        re[low..][..4].copy_from_slice(&(even.0 + turned.0).0);
        im[low..][..4].copy_from_slice(&(even.1 + turned.1).0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustfft::{FftPlanner, num_complex::Complex as C};

    /// Uniform in −1..1, from a fixed seed.
    fn noise(n: usize, mut seed: u32) -> alloc::vec::Vec<f32> {
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            f64::from(seed) / f64::from(u32::MAX) * 2.0 - 1.0
        };
        (0..n).map(|_| next() as f32).collect()
    }

    fn forward(input: &[f32]) -> (alloc::vec::Vec<f32>, alloc::vec::Vec<f32>) {
        let mut fft = RealFft::new(input.len());
        let (mut re, mut im) = (vec![0.0; fft.n_bins()], vec![0.0; fft.n_bins()]);
        fft.forward(input, &mut re, &mut im);
        (re, im)
    }

    /// Root mean square of the error over that of the spectrum.
    fn relative_error(re: &[f32], im: &[f32], exact: impl Fn(usize) -> (f64, f64)) -> f64 {
        let (mut error, mut power) = (0.0, 0.0);
        for k in 0..re.len() {
            let (r, i) = exact(k);
            let (dr, di) = (f64::from(re[k]) - r, f64::from(im[k]) - i);
            error += dr * dr + di * di;
            power += r * r + i * i;
        }
        libm::sqrt(error / power)
    }

    #[test]
    fn agrees_with_the_definition() {
        for n in [256, 512] {
            let input = noise(n, 1);
            let (re, im) = forward(&input);
            let error = relative_error(&re, &im, |k| {
                input.iter().enumerate().fold((0.0, 0.0), |(r, i), (t, &x)| {
                    let angle = TAU * ((k * t) % n) as f64 / n as f64;
                    (r + f64::from(x) * libm::cos(angle), i - f64::from(x) * libm::sin(angle))
                })
            });
            assert!(error < 2e-7, "{n}: {error}");
        }
    }

    #[test]
    fn agrees_with_rustfft_in_f64_at_every_size() {
        let mut planner = FftPlanner::<f64>::new();
        for shift in 8..=15 {
            let n = 1 << shift;
            let input = noise(n, 7 + shift);
            let (re, im) = forward(&input);
            let mut exact: alloc::vec::Vec<_> = input.iter().map(|&x| C::new(f64::from(x), 0.0)).collect();
            planner.plan_fft_forward(n).process(&mut exact);
            let error = relative_error(&re, &im, |k| (exact[k].re, exact[k].im));
            assert!(error < 3e-7, "{n}: {error}");
        }
    }

    #[test]
    fn an_impulse_is_flat_and_silence_stays_silent() {
        let mut input = vec![0.0; 1024];
        let (re, im) = forward(&input);
        assert!(re.iter().chain(&im).all(|&x| x == 0.0));
        input[0] = 1.0;
        let (re, im) = forward(&input);
        assert!(re.iter().all(|&x| x == 1.0) && im.iter().all(|&x| x == 0.0));
    }

    #[test]
    fn state_does_not_leak_between_calls() {
        let (a, b) = (noise(2048, 3), noise(2048, 4));
        let mut fft = RealFft::new(2048);
        let (mut re, mut im) = (vec![0.0; 1025], vec![0.0; 1025]);
        fft.forward(&b, &mut re, &mut im);
        fft.forward(&a, &mut re, &mut im);
        assert_eq!((re, im), forward(&a));
    }
}
