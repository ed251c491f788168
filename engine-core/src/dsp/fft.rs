//! Real FFT with one operation order, so that its bits are the same natively and in wasm.
//!
//! n real samples are packed into m = n/2 complex ones, transformed by Stockham passes of radix 8 and 4
//! (self-sorting, no bit reversal) and unpacked. Real and imaginary parts live in separate arrays, so that every
//! lane of a vector does the same, however wide it is.
//! T. G. Stockham, "High-speed convolution and correlation" (1966); P. N. Swarztrauber, "FFT algorithms for
//! vector computers" (1984).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::array::from_fn;
use core::f64::consts::TAU;
use core::mem::swap;

use super::simd::{Kernel, Place, ROW, Real, Row, Vector, rows};
use super::window::Window;
use crate::boxed;
use stages::{Bins, Complex, Line, Twiddles, WindowPart, first_8, last_4, last_8, pass_4, unpack};

mod stages;

/// Smallest [`RealFft`].
pub const MIN_FFT_SIZE: usize = 256;
/// Largest [`RealFft`].
pub const MAX_FFT_SIZE: usize = 32_768;

/// A forward FFT of real samples, as a spectrum needs it.
#[expect(clippy::len_without_is_empty, reason = "a transform is never empty")]
pub trait Fft {
    /// Samples that go in, n.
    fn len(&self) -> usize;

    /// Bins that come out: n/2 + 1, from 0 Hz to half the sample rate.
    fn n_bins(&self) -> usize {
        self.len() / 2 + 1
    }

    /// Windows what is transformed to [`powers`](Self::powers), which need one. Allocates.
    fn set_window(&mut self, window: Window);

    /// gain·|X(k)|², where X(k) = Σ w(t)·x(t)·e^(−2πi·kt/n), for k = 0..=n/2. In f64: the rounding of an f32
    /// transform is −144 dB below a tone in the bins n/4 and n/8 away, 0.05 dB of what is at −100 dB there.
    /// Never allocates.
    ///
    /// # Panics
    /// When `input` is not n or `powers` not n/2 + 1 long, or there is no window.
    fn powers(&mut self, input: &[f32], gain: f64, powers: &mut [f32]);
}

/// Antiphon's own FFT, for powers of two: f32 where the ear judges, f64 where a level is read.
pub struct RealFft<T: Real = f32> {
    n: usize,
    /// e^(−2πi·k/n)/2, k < n/4, for unpacking.
    unpack: Box<[Line<T>]>,
    /// w^(pk) of the first pass, for k = 1..8 side by side.
    first: Box<[[Line<T>; 7]]>,
    /// w^(pk) of each pass of radix 4 but the last, for k = 1..4 side by side.
    passes: Box<[Box<[Twiddles<T>]>]>,
    /// In the order in which the first pass takes it.
    window: Box<[WindowPart<T>]>,
    /// What passes read and write in turn, n/2 complex numbers and a row of them more: the last pass leaves all real
    /// parts and one row, then all imaginary ones.
    front: Box<[Row<T>]>,
    back: Box<[Row<T>]>,
}

/// e^(−2πi·k/n) from the cosines of a quarter of a turn.
struct Roots(Box<[f64]>);

impl Roots {
    fn new(n: usize) -> Self {
        let angle = |k: usize| TAU * k as f64 / n as f64;
        // Of angles up to an eighth of a turn, so that the last is exactly 0.
        let cos = |k: usize| if k <= n / 8 { libm::cos(angle(k)) } else { libm::sin(angle(n / 4 - k)) };
        Self(boxed::from_fn(n / 4 + 1, cos))
    }

    fn get<T: Real>(&self, k: usize) -> [T; 2] {
        let quarter = self.0.len() - 1;
        let (turns, k) = (k / quarter, k % quarter);
        let (cos, sin) = (self.0[k], self.0[quarter - k]);
        let (re, im) = match turns % 4 {
            0 => (cos, -sin),
            1 => (-sin, -cos),
            2 => (-cos, sin),
            _ => (sin, cos),
        };
        [T::from_f64(re), T::from_f64(im)]
    }

    /// Of `k(0)`, `k(1)` … `k(7)`.
    fn row<T: Real>(&self, k: impl Fn(usize) -> usize) -> Line<T> {
        let roots: [[T; 2]; ROW] = core::array::from_fn(|i| self.get(k(i)));
        [Row(roots.map(|root| root[0])), Row(roots.map(|root| root[1]))]
    }
}

#[expect(clippy::len_without_is_empty, reason = "a transform is never empty")]
impl<T: Real> RealFft<T> {
    /// Allocates tables and scratch.
    ///
    /// # Panics
    /// When `n` is not a power of two from [`MIN_FFT_SIZE`] to [`MAX_FFT_SIZE`].
    pub fn new(n: usize) -> Self {
        assert!(n.is_power_of_two() && (MIN_FFT_SIZE..=MAX_FFT_SIZE).contains(&n), "FFT size");
        let (m, roots) = (n / 2, Roots::new(n));
        let half = T::from_f64(0.5);
        let halves = |line: Line<T>| line.map(|row| Row(row.0.map(|x| half * x)));
        let first = |row: usize| from_fn(|k| roots.row(|i| 2 * (k + 1) * (row * ROW + i)));
        let mut passes = Vec::new();
        let mut length = m / 8;
        while length > 8 {
            let twiddles = |p: usize| from_fn(|k| roots.get(p * (k + 1) * (n / length)));
            passes.push(boxed::from_fn(length / 4, twiddles));
            length /= 4;
        }
        Self {
            n,
            unpack: boxed::from_fn(m / 2 / ROW, |row| halves(roots.row(|i| row * ROW + i))),
            first: boxed::from_fn(m / 8 / ROW, first),
            passes: passes.into(),
            window: Box::default(),
            front: rows(2 * (m / ROW + 1)),
            back: rows(2 * (m / ROW + 1)),
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

    /// X(k) = Σ x(t)·e^(−2πi·kt/n), unnormalised, for k = 0..=n/2, real and imaginary parts apart. Never
    /// allocates.
    ///
    /// # Panics
    /// When `input` is not n or an output not n/2 + 1 long.
    pub fn forward(&mut self, input: &[f32], re: &mut [T], im: &mut [T]) {
        let n_bins = self.n_bins();
        assert!(input.len() == self.n && re.len() == n_bins && im.len() == n_bins, "FFT buffers");
        let (re, im) = (Halves::new(re), Halves::new(im));
        T::run(Forward::<_, _, false> { fft: self, input, bins: Parts { re, im } });
    }
}

impl Fft for RealFft<f64> {
    fn len(&self) -> usize {
        self.n
    }

    fn set_window(&mut self, window: Window) {
        let mut w = boxed::filled(self.n, 0.0);
        window.fill(&mut w);
        let rows = w.as_chunks::<ROW>().0.as_chunks::<2>().0;
        let n = rows.len() / 8;
        self.window = boxed::from_fn(n, |p| from_fn(|r| rows[r * n + p].map(Row)));
    }

    fn powers(&mut self, input: &[f32], gain: f64, powers: &mut [f32]) {
        assert!(input.len() == self.n && powers.len() == self.n_bins(), "FFT buffers");
        let powers = Halves::new(powers);
        f64::run(Forward::<_, _, true> { fft: self, input, bins: Powers { gain, powers } });
    }
}

struct Forward<'a, T: Real, B, const IS_WINDOWED: bool> {
    fft: &'a mut RealFft<T>,
    input: &'a [f32],
    bins: B,
}

impl<T: Real, B: Bins<T>, const IS_WINDOWED: bool> Kernel<T> for Forward<'_, T, B, IS_WINDOWED> {
    #[inline(always)]
    fn run<V: Vector<Elem = T>>(mut self) {
        let fft = self.fft;
        // Rows of Z.
        let n = fft.n / 2 / ROW;
        let (mut x, mut y) = (&mut *fft.front, &mut *fft.back);
        let window = IS_WINDOWED.then_some(&*fft.window);
        first_8::<V>(self.input, window, &fft.first, lines(x, n));
        let mut stride = 1;
        for twiddles in &fft.passes {
            pass_4::<V>(stride, twiddles, lines(x, n), lines(y, n));
            swap(&mut x, &mut y);
            stride *= 4;
        }
        let (re, im) = y.split_at_mut(n + 1);
        // A butterfly of eight costs less than two of four and two, and least in the last pass, without twiddles.
        match n / stride {
            8 => last_8::<V>(lines(x, n), &mut re[..n], &mut im[..n]),
            _ => last_4::<V>(lines(x, n), &mut re[..n], &mut im[..n]),
        }
        (re[n].0[0], im[n].0[0]) = (re[0].0[0], im[0].0[0]);
        unpack::<V>(&fft.unpack, re, im, &mut self.bins);
    }
}

/// The first `n` lines of a buffer.
#[inline(always)]
fn lines<T>(rows: &mut [Row<T>], n: usize) -> &mut [Line<T>] {
    &mut rows.as_chunks_mut().0[..n]
}

/// m + 1 numbers: rows from the front, one in the middle, rows from the back.
struct Halves<'a, T> {
    low: &'a mut [[T; ROW]],
    middle: &'a mut T,
    high: &'a mut [[T; ROW]],
}

impl<'a, T> Halves<'a, T> {
    fn new(x: &'a mut [T]) -> Self {
        let (low, rest) = x.split_at_mut(x.len() / 2);
        let (middle, high) = rest.split_first_mut().expect("an odd number");
        Self { low: low.as_chunks_mut().0, middle, high: high.as_chunks_mut().0 }
    }

    #[inline(always)]
    fn n_rows(&self) -> usize {
        let n = self.low.len();
        assert!(self.high.len() == n);
        n
    }

    /// A row above the first one, and that as far below the last.
    #[inline(always)]
    fn rows(&mut self, row: Place) -> [&mut [T; ROW]; 2] {
        [row.of_mut(self.low), row.mirrored().of_mut(self.high)]
    }
}

/// Real and imaginary parts.
struct Parts<'a, T> {
    re: Halves<'a, T>,
    im: Halves<'a, T>,
}

impl<T: Real> Bins<T> for Parts<'_, T> {
    #[inline(always)]
    fn n_rows(&self) -> usize {
        let n = self.re.n_rows();
        assert!(self.im.n_rows() == n);
        n
    }

    #[inline(always)]
    fn put<V: Vector<Elem = T>>(&mut self, row: Place, i: usize, low: Complex<V>, high: Complex<V>) {
        let ([low_re, high_re], [low_im, high_im]) = (self.re.rows(row), self.im.rows(row));
        low.re.store(low_re, i);
        low.im.store(low_im, i);
        high.re.store(high_re, V::PER_ROW - 1 - i);
        high.im.store(high_im, V::PER_ROW - 1 - i);
    }

    #[inline(always)]
    fn put_middle(&mut self, middle: Complex<T>) {
        (*self.re.middle, *self.im.middle) = (middle.re, middle.im);
    }
}

/// Squared magnitudes times a gain, as f32.
struct Powers<'a> {
    gain: f64,
    powers: Halves<'a, f32>,
}

impl Bins<f64> for Powers<'_> {
    #[inline(always)]
    fn n_rows(&self) -> usize {
        self.powers.n_rows()
    }

    #[inline(always)]
    fn put<V: Vector<Elem = f64>>(&mut self, row: Place, i: usize, low: Complex<V>, high: Complex<V>) {
        let gain = V::splat(self.gain);
        let low = gain * (low.re * low.re + low.im * low.im);
        let high = gain * (high.re * high.re + high.im * high.im);
        let [low_powers, high_powers] = self.powers.rows(row);
        low.store_f32(low_powers, i);
        high.store_f32(high_powers, V::PER_ROW - 1 - i);
    }

    #[inline(always)]
    fn put_middle(&mut self, z: Complex<f64>) {
        *self.powers.middle = (self.gain * (z.re * z.re + z.im * z.im)) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dsp::simd::Array;
    use alloc::vec;
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

    /// Runs a transform with one kind of vector.
    fn bits<T: Real, V: Vector<Elem = T>>(input: &[f32]) -> alloc::vec::Vec<u64>
    where
        f64: From<T>,
    {
        let mut fft = RealFft::<T>::new(input.len());
        let (mut re, mut im) = (vec![T::default(); fft.n_bins()], vec![T::default(); fft.n_bins()]);
        let bins = Parts { re: Halves::new(&mut re), im: Halves::new(&mut im) };
        Forward::<_, _, false> { fft: &mut fft, input, bins }.run::<V>();
        re.into_iter().chain(im).map(|x| f64::from(x).to_bits()).collect()
    }

    #[test]
    fn every_width_gives_the_same_bits() {
        for shift in 8..=15 {
            let input = noise(1 << shift, 99);
            let scalar = bits::<f32, Array<f32, 1>>(&input);
            assert_eq!(bits::<f32, Array<f32, 4>>(&input), scalar);
            assert_eq!(bits::<f32, Array<f32, 8>>(&input), scalar);
            let (re, im) = forward(&input);
            assert!(re.iter().chain(&im).map(|&x| f64::from(x).to_bits()).eq(scalar), "2^{shift}, f32");
            let scalar = bits::<f64, Array<f64, 1>>(&input);
            assert_eq!(bits::<f64, Array<f64, 4>>(&input), scalar);
            let mut fft = RealFft::<f64>::new(input.len());
            let (mut re, mut im) = (vec![0.0; fft.n_bins()], vec![0.0; fft.n_bins()]);
            fft.forward(&input, &mut re, &mut im);
            assert!(re.iter().chain(&im).map(|x| x.to_bits()).eq(scalar), "2^{shift}, f64");
        }
    }
}
