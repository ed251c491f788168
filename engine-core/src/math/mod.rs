//! Elementary functions with the same bits on every target.
//!
//! Everything here is libm's portable code or plain arithmetic: no `std` float function, no fused
//! multiply-add, no operation order that a target may choose.

mod level;
pub(crate) mod wide;

pub use level::{db_from_gain, db_from_power, fast_db_from_power, gain_from_db};

/// Square root; correctly rounded, so equal everywhere.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub fn sqrt(x: f32) -> f32 {
    libm::sqrtf(x)
}

/// Square root; correctly rounded, so equal everywhere. An instruction.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub fn sqrt(x: f32) -> f32 {
    use core::arch::wasm32::{f32x4_extract_lane, f32x4_splat, f32x4_sqrt};
    f32x4_extract_lane::<0>(f32x4_sqrt(f32x4_splat(x)))
}

/// Sine of an angle in radians.
pub fn sin(x: f32) -> f32 {
    libm::sinf(x)
}

/// Cosine of an angle in radians.
pub fn cos(x: f32) -> f32 {
    libm::cosf(x)
}

/// Tangent of an angle in radians.
pub fn tan(x: f32) -> f32 {
    libm::tanf(x)
}

/// e to the power x.
pub fn exp(x: f32) -> f32 {
    libm::expf(x)
}

/// 2 to the power x.
pub fn exp2(x: f32) -> f32 {
    libm::exp2f(x)
}

/// Frequency in Hz of a MIDI pitch (equal temperament, A4 = 69 = 440 Hz). Fractions are cents/100.
pub fn hz_from_pitch(pitch: f32) -> f32 {
    440.0 * exp2((pitch - 69.0) / 12.0)
}

/// `x` where it is between `low` and `high`, which are in that order, else the nearer of them.
///
/// `clamp` has the same bits; where the bounds are no constants it has a panic too, whose message prints floats: 2 KB of
/// a worklet's module.
#[inline]
pub(crate) fn within<T: PartialOrd>(x: T, low: T, high: T) -> T {
    if x < low {
        low
    } else if x > high {
        high
    } else {
        x
    }
}

/// Zero for a value too small to hear (below 1e-15, −300 dBFS), else the value.
///
/// wasm has no flush-to-zero mode, and subnormal arithmetic costs many times a normal one: every
/// recursive filter passes its state through here, on both targets alike.
#[inline(always)]
pub fn flush(x: f32) -> f32 {
    if x.abs() < 1e-15 { 0.0 } else { x }
}
