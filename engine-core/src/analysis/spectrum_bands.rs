//! How bins become bands.

use alloc::boxed::Box;

use super::spectrum::{Scale, SpectrumConfig, Weighting};
use super::{greater, greatest};
use crate::boxed;
use crate::dsp::window::Window;
use crate::math::{fast_db_from_power, wide, within};
use crate::units::{FLOOR_DB, SampleRate};

/// Octave ratio of IEC 61260-1:2014 is 10^(3/10).
const LOG10_OCTAVE: f64 = 0.3;
/// Nominal octave frequencies (31.5, 12,500 …) are up to 0.8 % off the exact ones; a limit means either.
const NOMINAL_TOLERANCE: f64 = 1.01;

/// What bands are made of: the valid part of a configuration.
pub(super) struct Plan {
    pub(super) scale: Scale,
    /// 0 for a band for every bin, on the linear scale.
    pub(super) n_bands: usize,
    pub(super) fraction: u8,
    pub(super) weighting: Weighting,
    pub(super) min_hz: f64,
    pub(super) max_hz: f64,
    pub(super) bin_hz: f64,
    pub(super) n_bins: usize,
    pub(super) window: Window,
}

/// One band of a spectrum.
#[derive(Clone, Debug)]
enum Band {
    /// Narrower than a bin: the cubic through the bins around `bin` + `fraction`, in dB, and the weighting of
    /// the band's centre.
    Narrow { bin: usize, fraction: f32, weighting_db: f32 },
    /// The greatest bin of `first..end`.
    Wide { first: usize, end: usize },
    /// The power of `first..=last`; of those two only shares lie in the band.
    Sum { first: usize, last: usize, first_share: f32, last_share: f32 },
}

/// The bands of one configuration.
#[derive(Clone, Debug)]
pub(super) struct Bands {
    bands: Box<[Band]>,
    /// Power weighting of each bin; empty when it is 1.
    weights: Box<[f32]>,
    /// dB of the bins that narrow bands look at, from bin −1 on.
    narrow_db: Box<[f32]>,
    window: Window,
    /// What makes a sum of power read the level of a tone: 1/noise bandwidth in bins.
    sum_gain: f32,
}

impl Plan {
    /// Of a configuration that was checked, for a transform of `n`.
    pub(super) fn new(rate: SampleRate, config: &SpectrumConfig, n: usize) -> Self {
        Self {
            scale: config.scale,
            n_bands: usize::from(config.bands),
            fraction: config.fraction,
            weighting: config.weighting,
            min_hz: f64::from(config.min_hz),
            max_hz: f64::from(config.max_hz).min(rate.as_f64() / 2.0),
            bin_hz: rate.as_f64() / n as f64,
            n_bins: n / 2 + 1,
            window: config.window,
        }
    }
}

/// Edges and centre of each band, Hz. Empty when no octave band has its centre between the limits.
pub(super) fn spans(plan: &Plan) -> Box<[[f64; 3]]> {
    match plan.scale {
        Scale::Octave => octaves(plan),
        Scale::Linear if plan.n_bands == 0 => every_bin(plan),
        _ => equal_parts(plan),
    }
}

impl Bands {
    /// For some of the [`spans`]; `is_highest` when the last of all is among them.
    pub(super) fn new(plan: &Plan, spans: &[[f64; 3]], is_highest: bool) -> Self {
        let n_spans = spans.len();
        let band = |i| Band::new(plan, &spans[i], is_highest && i + 1 == n_spans);
        let bands = boxed::from_fn(n_spans, band);
        let n_narrow = bands.iter().fold(0, |n, band| match band {
            Band::Narrow { bin, .. } => n.max(bin + 4),
            _ => n,
        });
        let is_flat = matches!(plan.weighting, Weighting::None | Weighting::Z);
        let n_weights = if is_flat { 0 } else { plan.n_bins };
        Self {
            bands,
            weights: boxed::from_fn(n_weights, |k| plan.weighting.power(k as f64 * plan.bin_hz) as f32),
            narrow_db: boxed::filled(n_narrow, FLOOR_DB),
            window: plan.window,
            sum_gain: (1.0 / plan.window.noise_bandwidth()) as f32,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.bands.len()
    }

    /// dB of each band from the power of each bin (1 is a full-scale sine); `powers` is used up.
    pub(super) fn write(&mut self, powers: &mut [f32], out: &mut [f32]) {
        let n = powers.len();
        if let [below, rest @ ..] = &mut *self.narrow_db {
            // A real signal's spectrum is even around 0 Hz and half the sample rate.
            *below = fast_db_from_power(powers[1]);
            let n = n.min(rest.len());
            rest[..n].copy_from_slice(&powers[..n]);
            to_db(&mut rest[..n]);
            for k in n..rest.len() {
                rest[k] = rest[2 * (n - 1) - k];
            }
        }
        for (power, weight) in powers.iter_mut().zip(&self.weights) {
            *power *= weight;
        }
        for (out, band) in out.iter_mut().zip(&self.bands) {
            // Powers now; their dB in one loop below.
            *out = match *band {
                Band::Narrow { .. } => 0.0,
                Band::Wide { first, end } => greatest(&powers[first..end]),
                Band::Sum { first, last, first_share, last_share } => {
                    let inner = if last > first { sum(&powers[first + 1..last]) } else { 0.0 };
                    self.sum_gain * (powers[first] * first_share + inner + powers[last] * last_share)
                }
            };
        }
        to_db(out);
        let (loss, neighbour_db) = (self.window.scalloping_loss_db(), self.window.neighbour_db());
        for (out, band) in out.iter_mut().zip(&self.bands) {
            if let Band::Narrow { bin, fraction, weighting_db } = *band {
                let db = [0, 1, 2, 3].map(|i| self.narrow_db[bin + i]);
                let db = cubic(db, fraction, loss, neighbour_db) + weighting_db;
                *out = if db > FLOOR_DB { db } else { FLOOR_DB };
            }
        }
    }
}

/// Levels of powers.
#[inline(never)]
fn to_db(powers: &mut [f32]) {
    for power in powers {
        *power = fast_db_from_power(*power);
    }
}

impl Band {
    fn new(plan: &Plan, &[low, centre, high]: &[f64; 3], is_last: bool) -> Self {
        let (low, centre, high) = (low / plan.bin_hz, centre / plan.bin_hz, high / plan.bin_hz);
        let last_bin = plan.n_bins - 1;
        if plan.scale == Scale::Octave {
            // Bin k stands for k − ½ .. k + ½.
            let bin_of = |position: f64| (wide::floor(position + 0.5) as usize).min(last_bin);
            let (first, last) = (bin_of(low), bin_of(high));
            let share = |bin: usize| {
                let (from, to) = (low.max(bin as f64 - 0.5), high.min(bin as f64 + 0.5));
                (to - from).max(0.0) as f32
            };
            let last_share = if last > first { share(last) } else { 0.0 };
            return Self::Sum { first, last, first_share: share(first), last_share };
        }
        // Bins whose frequency lies in the band; the upper limit belongs to the last one.
        let first = wide::ceil(low) as usize;
        let end = if is_last { wide::floor(high) as usize + 1 } else { wide::ceil(high) as usize };
        let end = end.min(plan.n_bins);
        // A bin of room, since edges of bands of exactly one bin are rounded.
        if high - low > 1.0 - 1e-9 && first < end {
            return Self::Wide { first, end };
        }
        let bin = (wide::floor(centre) as usize).min(last_bin);
        let weighting_db = 10.0 * libm::log10(plan.weighting.power(centre * plan.bin_hz));
        Self::Narrow {
            bin,
            fraction: (centre - bin as f64) as f32,
            weighting_db: weighting_db.max(f64::from(FLOOR_DB)) as f32,
        }
    }
}

/// Bands of IEC 61260-1 whose centre lies between the limits: exact mid-band frequencies
/// 1000·G^(x/b), or 1000·G^((2x+1)/2b) for an even number b of bands an octave, G = 10^0.3.
fn octaves(plan: &Plan) -> Box<[[f64; 3]]> {
    let b = f64::from(plan.fraction);
    let offset = if plan.fraction.is_multiple_of(2) { 0.5 } else { 0.0 };
    let hz = |x: f64| 1_000.0 * libm::pow(10.0, LOG10_OCTAVE * x / b);
    let index = |hz: f64| libm::log10(hz / 1_000.0) / LOG10_OCTAVE * b - offset;
    let first = wide::ceil(index(plan.min_hz / NOMINAL_TOLERANCE)) as i32;
    let last = wide::floor(index(plan.max_hz * NOMINAL_TOLERANCE)) as i32;
    boxed::from_fn((last + 1 - first).max(0) as usize, |i| {
        let x = f64::from(first + i as i32) + offset;
        [hz(x - 0.5), hz(x), hz(x + 0.5)]
    })
}

fn every_bin(plan: &Plan) -> Box<[[f64; 3]]> {
    let first = wide::ceil(plan.min_hz / plan.bin_hz) as usize;
    let last = wide::floor(plan.max_hz / plan.bin_hz) as usize;
    let hz = |k: f64| k * plan.bin_hz;
    boxed::from_fn((last.min(plan.n_bins - 1) + 1).saturating_sub(first), |i| {
        let k = (first + i) as f64;
        [hz(k - 0.5), hz(k), hz(k + 0.5)]
    })
}

/// The range in equal parts of the scale; a centre is the middle on the scale.
fn equal_parts(plan: &Plan) -> Box<[[f64; 3]]> {
    let (from, to) = (plan.scale.position(plan.min_hz), plan.scale.position(plan.max_hz));
    let n = plan.n_bands as f64;
    let hz = |x: f64| within(plan.scale.hz(from + (to - from) * x / n), plan.min_hz, plan.max_hz);
    boxed::from_fn(plan.n_bands, |i| [0.0, 0.5, 1.0].map(|part| hz(i as f64 + part)))
}

/// In eight interleaved parts: one order on every target, short chains of rounding, vector adds.
fn sum(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<8>();
    let mut lanes = [0.0f32; 8];
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    lanes.iter().chain(rest).sum()
}

/// Catmull-Rom between the middle two of four values. In dB a window's main lobe is nearly a parabola, so
/// this gives back what a tone between two bins loses. It may not give more than that tone would have, which
/// follows from how much the two bins differ: all of `scalloping_loss` when equal, nothing at `neighbour_db`,
/// where the tone lies on a bin. Neighbouring tones would add up otherwise.
fn cubic([a, b, c, d]: [f32; 4], t: f32, scalloping_loss: f32, neighbour_db: f32) -> f32 {
    let value = b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)));
    let off_bin = (1.0 - (b - c).abs() / neighbour_db).max(0.0);
    let limit = greater(b, c) + scalloping_loss * off_bin * off_bin;
    if value < limit { value } else { limit }
}

impl Scale {
    /// Position of a frequency on the scale, in units of the scale; octaves have their own bands.
    fn position(self, hz: f64) -> f64 {
        match self {
            Self::Linear | Self::Octave => hz,
            Self::Log => libm::log(hz),
            Self::Mel => libm::log1p(hz / 700.0),
            Self::Bark => hz / (1_960.0 + hz),
        }
    }

    /// The inverse of [`position`](Self::position).
    fn hz(self, position: f64) -> f64 {
        match self {
            Self::Linear | Self::Octave => position,
            Self::Log => libm::exp(position),
            Self::Mel => 700.0 * libm::expm1(position),
            Self::Bark => 1_960.0 * position / (1.0 - position),
        }
    }
}

impl Weighting {
    /// Power gain at a frequency in Hz: the analogue transfer functions of IEC 61672-1:2013 Annex E, 1 at 1 kHz.
    pub fn power(self, hz: f64) -> f64 {
        const F1: f64 = 20.598_997;
        const F2: f64 = 107.652_65;
        const F3: f64 = 737.862_23;
        const F4: f64 = 12_194.217;
        let c = |hz: f64| {
            let amplitude = hz * hz / ((hz * hz + F1 * F1) * (hz * hz + F4 * F4));
            amplitude * amplitude
        };
        let a = |hz: f64| c(hz) * hz * hz * hz * hz / ((hz * hz + F2 * F2) * (hz * hz + F3 * F3));
        match self {
            Self::None | Self::Z => 1.0,
            Self::A => a(hz) / a(1_000.0),
            Self::C => c(hz) / c(1_000.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn plan(scale: Scale, n_bands: usize) -> Plan {
        Plan {
            scale,
            n_bands,
            fraction: 3,
            weighting: Weighting::None,
            min_hz: 20.0,
            max_hz: 20_000.0,
            bin_hz: 48_000.0 / 4_096.0,
            n_bins: 2_049,
            window: Window::Hann,
        }
    }

    fn centres(plan: &Plan) -> Vec<f64> {
        spans(plan).iter().map(|span| span[1]).collect()
    }

    #[test]
    fn third_octaves_are_the_usual_31() {
        let f = centres(&plan(Scale::Octave, 0));
        assert_eq!(f.len(), 31);
        // An even number an octave has 1 kHz on an edge (IEC 61260-1 section 5.3).
        let sixths = centres(&Plan { fraction: 6, ..plan(Scale::Octave, 0) });
        assert!(sixths.iter().all(|f| (f - 1_000.0).abs() > 50.0));
        assert!(spans(&Plan { min_hz: 1_100.0, max_hz: 1_110.0, ..plan(Scale::Octave, 0) }).is_empty());
    }

    #[test]
    fn octave_bands_meet_half_a_band_from_their_centres() {
        // IEC 61260-1:2014 section 5.5: an edge is half a band away, 10^(0.3/2b).
        for fraction in 1..=24 {
            let spans = spans(&Plan { fraction, ..plan(Scale::Octave, 0) });
            let half = libm::pow(10.0, 0.15 / f64::from(fraction));
            for pair in spans.windows(2) {
                assert!((pair[0][2] / pair[1][0] - 1.0).abs() < 1e-12);
                assert!((pair[0][1] * half / pair[0][2] - 1.0).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn mel_and_bark_follow_their_published_formulas() {
        // 1000 Hz is 1000 mel by definition, and 8.53 Bark by Traunmüller's formula.
        let mel = |hz: f64| 2_595.0 * libm::log10(1.0 + hz / 700.0);
        let bark = |hz: f64| 26.81 * hz / (1_960.0 + hz) - 0.53;
        assert!((mel(1_000.0) - 1_000.0).abs() < 0.1 && (bark(1_000.0) - 8.53).abs() < 0.01);
        for (scale, units) in [(Scale::Mel, &mel as &dyn Fn(f64) -> f64), (Scale::Bark, &bark)] {
            let spans = spans(&plan(scale, 40));
            let width = (units(20_000.0) - units(20.0)) / 40.0;
            for (i, [low, centre, high]) in spans.iter().enumerate() {
                let from = units(20.0) + width * i as f64;
                for (hz, position) in [(low, from), (centre, from + 0.5 * width), (high, from + width)] {
                    assert!((units(*hz) - position).abs() < 1e-6, "{scale:?} {i}: {hz} Hz");
                }
            }
        }
    }

    #[test]
    fn every_bin_in_range_belongs_to_exactly_one_wide_band() {
        for scale in [Scale::Linear, Scale::Log, Scale::Mel, Scale::Bark] {
            for n_bands in [1, 7, 64, 256] {
                let plan = plan(scale, n_bands);
                let bands = Bands::new(&plan, &spans(&plan), true);
                let mut next = None;
                for band in &bands.bands {
                    if let Band::Wide { first, end } = *band {
                        assert_eq!(first, next.unwrap_or(first), "{scale:?} {n_bands}");
                        next = Some(end);
                    }
                }
                assert_eq!(next, Some(1_707), "{scale:?} {n_bands}: 20 kHz is bin 1706.7");
            }
        }
    }

    #[test]
    fn every_bin_as_a_band_is_the_bins() {
        let plan = Plan { min_hz: 0.0, max_hz: 24_000.0, ..plan(Scale::Linear, 0) };
        let spans = spans(&plan);
        let mut bands = Bands::new(&plan, &spans, true);
        let powers: Vec<f32> = (0..2_049).map(|k| 1.0 / (1.0 + k as f32)).collect();
        let mut out = vec![0.0; bands.len()];
        bands.write(&mut powers.clone(), &mut out);
        assert_eq!(out, powers.iter().map(|&power| fast_db_from_power(power)).collect::<Vec<_>>());
        assert_eq!((spans[0][1], spans[2_048][1]), (0.0, 24_000.0));
    }

    #[test]
    fn the_cubic_goes_through_its_points_and_keeps_its_limit() {
        assert_eq!(cubic([-9.0, -3.0, -7.0, 0.0], 0.0, 1.43, 6.02), -3.0);
        assert_eq!(cubic([-120.0, 0.0, 0.0, -120.0], 0.5, 1.43, 6.02), 1.43);
        assert!(cubic([-6.02, 0.0, -6.02, -120.0], 0.1, 1.43, 6.02) <= 0.0);
    }
}
