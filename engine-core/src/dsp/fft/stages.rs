//! The passes of the transform, for vectors of any width.
//!
//! Stockham's decimation in frequency: a pass of radix R at stride s turns
//! x(q + s·(p + r·L/R)) into y(q + s·(R·p + k)) = w^(pk)·Σᵣ x·e^(−2πi·rk/R), with w = e^(−2πi/L) and L the
//! length that is left.
//!
//! Browsers compile this with registers for 15 vectors, and V8 puts all loads before the first store that follows
//! them, however late their numbers are needed. So loads stand between stores here: factors are loaded where their
//! product is stored, and a butterfly of eight leaves half of itself where its outputs will go.

use core::ops::{Add, Mul, Sub};
use core::sync::atomic::{Ordering, compiler_fence};

use crate::dsp::simd::{Groups, Place, ROW, Real, Row, Vector, flat};

/// Eight complex numbers, real parts first.
pub(super) type Line<T> = [Row<T>; 2];

/// Of one butterfly of four, for k = 1..4, real parts first.
pub(super) type Twiddles<T> = [[T; 2]; 3];

/// What one step of the first pass takes of a window: two rows of each of eight parts.
pub(super) type WindowPart<T> = [[Row<T>; 2]; 8];

/// An array of what an expression is for each number. Loops of the hot code are unrolled here, not by a compiler that
/// has been told to spare bytes.
macro_rules! each {
    ($n:ident in [$($number:literal)*] => $x:expr) => {
        [$({ let $n = $number; $x }),*]
    };
}

/// Does something with each vector of a row, two at a time: they share addresses.
macro_rules! each_vector {
    ($V:ident, $i:ident => $x:expr) => {
        if $V::PER_ROW == 1 {
            let $i = 0;
            $x
        } else {
            for pair in 0..$V::PER_ROW / 2 {
                let $i = 2 * pair;
                $x
                let $i = 2 * pair + 1;
                $x
            }
        }
    };
}

/// Whether what a register cannot hold is put into memory here; see the file.
const IS_WASM: bool = cfg!(target_arch = "wasm32");

/// Keeps loads and stores on the side of this where they are written; see the file.
#[inline(always)]
fn in_order() {
    if IS_WASM {
        compiler_fence(Ordering::SeqCst);
    }
}

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
    fn load(re: &[V::Elem; ROW], im: &[V::Elem; ROW], i: usize) -> Self {
        Self { re: V::load(re, i), im: V::load(im, i) }
    }

    #[inline(always)]
    fn of([re, im]: &Line<V::Elem>, i: usize) -> Self {
        Self::load(&re.0, &im.0, i)
    }

    #[inline(always)]
    fn store(self, [re, im]: &mut Line<V::Elem>, i: usize) {
        self.store_apart(re, im, i);
    }

    #[inline(always)]
    fn store_apart(self, re: &mut Row<V::Elem>, im: &mut Row<V::Elem>, i: usize) {
        self.re.store(&mut re.0, i);
        self.im.store(&mut im.0, i);
    }

    #[inline(always)]
    pub(super) fn reversed(self) -> Self {
        Self { re: self.re.reversed(), im: self.im.reversed() }
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

/// Numbers `k` and `k` + 4 of a Fourier transform of eight, from those `k` of its even and of its odd inputs: the sum
/// and the difference of `even` and e^(−2πi·k/8)·`odd`.
#[inline(always)]
fn join<V: Vector>(k: usize, even: Complex<V>, odd: Complex<V>) -> [Complex<V>; 2] {
    let half = V::splat(V::Elem::from_f64(core::f64::consts::FRAC_1_SQRT_2));
    // Its parts exchanged, and maybe minus the imaginary one, which the sums take into account.
    let (turned, is_conjugate) = match k {
        0 => (odd, false),
        1 => (Complex { re: half * (odd.re + odd.im), im: half * (odd.im - odd.re) }, false),
        2 => (Complex { re: odd.im, im: odd.re }, true),
        _ => (Complex { re: half * (odd.im - odd.re), im: half * (odd.re + odd.im) }, true),
    };
    let (sum, dif) = (even + turned, even - turned);
    if is_conjugate {
        [Complex { re: sum.re, im: dif.im }, Complex { re: dif.re, im: sum.im }]
    } else {
        [sum, dif]
    }
}

/// Radix 8 at stride 1: packs even samples as real and odd ones as imaginary parts, times `window` where
/// there is one. Inputs and twiddles (for k = 1..8 side by side) are contiguous, the outputs of a butterfly a row.
#[inline(always)]
pub(super) fn first_8<V: Vector>(
    input: &[f32],
    window: Option<&[WindowPart<V::Elem>]>,
    twiddles: &[[Line<V::Elem>; 7]],
    y: &mut [Line<V::Elem>],
) {
    let samples = input.as_chunks::<ROW>().0.as_chunks::<2>().0;
    let y = y.as_chunks_mut::<ROW>().0;
    let n = samples.len() / 8;
    assert!(twiddles.len() == n && y.len() == n && window.is_none_or(|window| window.len() == n));
    for p in 0..n {
        let place = Place::new(p, n);
        let (samples, window) = (place.column::<_, 8>(samples), window.map(|window| place.of(window)));
        let (twiddles, y) = (place.of(twiddles), place.of_mut(y));
        for i in 0..V::PER_ROW {
            let even = butterfly_4(each!(r in [0 2 4 6] => packed::<V>(samples.get(r), window, r, i)));
            let lines = &mut y[i * V::N..][..V::N];
            if V::N == ROW {
                let odd = butterfly_4(each!(r in [1 3 5 7] => packed::<V>(samples.get(r), window, r, i)));
                let pairs = each!(k in [0 1 2 3] => join(k, even[k], odd[k]));
                let y = each!(k in [0 1 2 3 4 5 6 7] => turned(twiddles, k, pairs[k % 4][k / 4], i));
                let re = V::transposed(each!(k in [0 1 2 3 4 5 6 7] => y[k].re));
                let im = V::transposed(each!(k in [0 1 2 3 4 5 6 7] => y[k].im));
                each!(l in [0 1 2 3 4 5 6 7] => Complex { re: re[l], im: im[l] }.store(&mut lines[l], 0));
                continue;
            }
            // Four outputs are as many numbers as are at hand; the others wait where they will be stored.
            each!(k in [0 1 2 3] => even[k].store(&mut lines[waiting::<V>(k).0], waiting::<V>(k).1));
            in_order();
            let odd = butterfly_4(each!(r in [1 3 5 7] => packed::<V>(samples.get(r), window, r, i)));
            let low = each!(k in [0 1 2 3] => {
                let (line, v) = waiting::<V>(k);
                let [low, high] = join(k, Complex::<V>::of(&lines[line], v), odd[k]);
                high.store(&mut lines[line], v);
                low
            });
            in_order();
            store_half(each!(k in [0 1 2 3] => turned(twiddles, k, low[k], i)), lines, 0);
            in_order();
            let high =
                each!(k in [0 1 2 3] => Complex::<V>::of(&lines[waiting::<V>(k).0], waiting::<V>(k).1));
            store_half(each!(k in [0 1 2 3] => turned(twiddles, k + 4, high[k], i)), lines, 1);
        }
    }
}

/// The vector `k` of the second halves of lines: which line, and which vector of its rows.
#[inline(always)]
fn waiting<V: Vector>(k: usize) -> (usize, usize) {
    let half = V::PER_ROW / 2;
    (k / half, half + k % half)
}

/// Stores a column in each half row.
#[inline(always)]
fn store_half<V: Vector>(y: [Complex<V>; 4], lines: &mut [Line<V::Elem>], half: usize) {
    let re = V::transposed(each!(k in [0 1 2 3 0 1 2 3] => y[k].re));
    let im = V::transposed(each!(k in [0 1 2 3 0 1 2 3] => y[k].im));
    each!(l in [0 1 2 3 4 5 6 7] => {
        let (line, v) = (l / V::PER_ROW, l % V::PER_ROW);
        if v < V::PER_ROW / 2 {
            Complex { re: re[l], im: im[l] }.store(&mut lines[line], half * V::PER_ROW / 2 + v);
        }
    });
}

/// Output `k` times its twiddle, which is 1 for the first.
#[inline(always)]
fn turned<V: Vector>(twiddles: &[Line<V::Elem>; 7], k: usize, y: Complex<V>, i: usize) -> Complex<V> {
    if k == 0 { y } else { y * Complex::of(&twiddles[k - 1], i) }
}

/// Vector `i` of two rows of samples, times their part of a window.
#[inline(always)]
fn packed<V: Vector>(
    samples: &[[f32; ROW]; 2],
    window: Option<&WindowPart<V::Elem>>,
    r: usize,
    i: usize,
) -> Complex<V> {
    let [x, y] = each!(j in [0 1] => {
        let (row, v) = ((2 * i + j) / V::PER_ROW, (2 * i + j) % V::PER_ROW);
        let x = V::load_f32(&samples[row], v);
        if let Some(window) = window { x * V::load(&window[r][row].0, v) } else { x }
    });
    let (re, im) = x.deinterleaved(y);
    Complex { re, im }
}

/// A pass of radix 4 at a stride of `n` rows: twiddles for `n` rows of butterflies at a time.
#[inline(always)]
pub(super) fn pass_4<V: Vector>(
    n: usize,
    twiddles: &[Twiddles<V::Elem>],
    x: &[Line<V::Elem>],
    y: &mut [Line<V::Elem>],
) {
    let (part, shift) = (x.len() / 4, n.trailing_zeros());
    assert!(y.len() == x.len() && twiddles.len() == part >> shift);
    let mut y = Groups::<_, 4>::new(y, n);
    for at in 0..part {
        let place = Place::new(at, part);
        let (x, mut y) = (place.column::<_, 4>(x), y.at(place));
        let twiddles = place.group(shift).of(twiddles);
        each_vector!(V, i => {
            let z = butterfly_4(each!(r in [0 1 2 3] => Complex::<V>::of(x.get(r), i)));
            z[0].store(y.get(0), i);
            each!(k in [1 2 3] => {
                in_order();
                let [re, im] = &twiddles[k - 1];
                (z[k] * Complex { re: V::splat(*re), im: V::splat(*im) }).store(y.get(k), i);
            });
            in_order();
        });
    }
}

/// The last pass, of radix 4: all twiddles are 1, and the parts of the output are apart.
#[inline(always)]
pub(super) fn last_4<V: Vector>(x: &[Line<V::Elem>], re: &mut [Row<V::Elem>], im: &mut [Row<V::Elem>]) {
    assert!(re.len() == x.len() && im.len() == x.len());
    let n = x.len() / 4;
    let (mut re, mut im) = (Groups::<_, 4>::new(re, n), Groups::<_, 4>::new(im, n));
    for q in 0..n {
        let place = Place::new(q, n);
        let (x, mut re, mut im) = (place.column::<_, 4>(x), re.at(place), im.at(place));
        each_vector!(V, i => {
            let z = butterfly_4(each!(r in [0 1 2 3] => Complex::<V>::of(x.get(r), i)));
            each!(k in [0 1 2 3] => z[k].store_apart(re.get(k), im.get(k), i));
        });
    }
}

/// The last pass, of radix 8.
#[inline(always)]
pub(super) fn last_8<V: Vector>(x: &[Line<V::Elem>], re: &mut [Row<V::Elem>], im: &mut [Row<V::Elem>]) {
    assert!(re.len() == x.len() && im.len() == x.len());
    let n = x.len() / 8;
    let (mut re, mut im) = (Groups::<_, 8>::new(re, n), Groups::<_, 8>::new(im, n));
    for q in 0..n {
        let place = Place::new(q, n);
        let (x, mut re, mut im) = (place.column::<_, 8>(x), re.at(place), im.at(place));
        each_vector!(V, i => {
            let even = butterfly_4(each!(r in [0 2 4 6] => Complex::<V>::of(x.get(r), i)));
            if IS_WASM {
                each!(k in [0 1 2 3] => even[k].store_apart(re.get(k), im.get(k), i));
                in_order();
            }
            let odd = butterfly_4(each!(r in [1 3 5 7] => Complex::<V>::of(x.get(r), i)));
            each!(k in [0 1 2 3] => {
                let even = if IS_WASM { Complex::load(&re.get(k).0, &im.get(k).0, i) } else { even[k] };
                let [low, high] = join(k, even, odd[k]);
                low.store_apart(re.get(k), im.get(k), i);
                high.store_apart(re.get(k + 4), im.get(k + 4), i);
            });
        });
    }
}

/// Where the bins of a real signal go.
pub(super) trait Bins<T: Real> {
    /// Rows of bins below the middle, and above.
    fn n_rows(&self) -> usize;
    /// The bins of vector `i` of a row, and those as far below the last bin, first one last.
    fn put<V: Vector<Elem = T>>(&mut self, row: Place, i: usize, low: Complex<V>, high: Complex<V>);
    /// The bin in the middle.
    fn put_middle(&mut self, middle: Complex<T>);
}

/// From Z, the transform of even + i·odd samples, with Z(m) = Z(0) appended, to X:
/// E = (Z(k) + Z̄(m−k))/2, O = (Z(k) − Z̄(m−k))/2i, X(k) = E + W^k·O and X(m−k) = conj(E − W^k·O). The
/// twiddles are W^k/2.
#[inline(always)]
pub(super) fn unpack<V: Vector>(
    twiddles: &[Line<V::Elem>],
    re: &[Row<V::Elem>],
    im: &[Row<V::Elem>],
    bins: &mut impl Bins<V::Elem>,
) {
    let n = twiddles.len();
    let m = 2 * n * ROW;
    let (re, im) = (flat(re), flat(im));
    let (a_re, a_im) = (re[..m / 2].as_chunks::<ROW>().0, im[..m / 2].as_chunks::<ROW>().0);
    let (b_re, b_im) = (re[m / 2 + 1..=m].as_chunks::<ROW>().0, im[m / 2 + 1..=m].as_chunks::<ROW>().0);
    assert!(a_re.len() == n && a_im.len() == n && b_re.len() == n && b_im.len() == n && bins.n_rows() == n);
    let half = V::splat(V::Elem::from_f64(0.5));
    for k in 0..n {
        let row = Place::new(k, n);
        let (a_re, a_im, twiddles) = (row.of(a_re), row.of(a_im), row.of(twiddles));
        let (b_re, b_im) = (row.mirrored().of(b_re), row.mirrored().of(b_im));
        each_vector!(V, i => {
            let a = Complex::<V>::load(a_re, a_im, i);
            let b = Complex::<V>::load(b_re, b_im, V::PER_ROW - 1 - i).reversed();
            let even = Complex { re: half * (a.re + b.re), im: half * (a.im - b.im) };
            let odd = Complex { re: a.im + b.im, im: b.re - a.re };
            let turned = odd * Complex::of(twiddles, i);
            let high = Complex { re: even.re - turned.re, im: turned.im - even.im };
            bins.put(row, i, even + turned, high.reversed());
        });
    }
    bins.put_middle(Complex { re: re[m / 2], im: V::Elem::default() - im[m / 2] });
}
