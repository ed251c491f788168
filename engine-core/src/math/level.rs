//! Levels: dB from gains and powers, and back.

use crate::units::FLOOR_DB;

/// Linear gain from dB. −120 dB and below is exactly 0: the floor means silence.
pub fn gain_from_db(db: f32) -> f32 {
    if db <= FLOOR_DB { 0.0 } else { libm::powf(10.0, db / 20.0) }
}

/// dB from a linear gain or amplitude; [`FLOOR_DB`] for anything at or below it, and for NaN.
pub fn db_from_gain(gain: f32) -> f32 {
    let gain = gain.abs();
    if gain > 1e-6 { 20.0 * libm::log10f(gain) } else { FLOOR_DB }
}

/// dB from a mean square or squared magnitude; [`FLOOR_DB`] for anything at or below it, and for NaN.
pub fn db_from_power(power: f32) -> f32 {
    if power > 1e-12 { 10.0 * libm::log10f(power) } else { FLOOR_DB }
}

/// [`db_from_power`] within 0.0002 dB, many times faster and in a form that vectorises: for spectra, where
/// the platform's logarithm would be most of the work. Exact at every power of two; rises with `power`;
/// [`FLOOR_DB`] for NaN, about +385 dB for infinity.
///
/// The mantissa m = 1 + t gives log2 m = t + t(1 − t)·r(t), with r interpolated at the Chebyshev nodes of
/// 0..1: both ends are exact, so there is no step between octaves.
#[inline(always)]
pub fn fast_db_from_power(power: f32) -> f32 {
    const DB_PER_OCTAVE: f32 = 3.010_3;
    let bits = power.to_bits();
    let exponent = (((bits >> 23) & 0xff) as i32 - 127) as f32;
    let t = f32::from_bits((bits & 0x007f_ffff) | 0x3f80_0000) - 1.0;
    let r = 0.442_418_58 + t * (-0.269_578 + t * (0.150_533_2 + t * -0.044_873_957));
    let db = DB_PER_OCTAVE * (exponent + (t + t * (1.0 - t) * r));
    // Two selects and no early return, or the loop around would not vectorise.
    let db = if power > 1e-12 { db } else { FLOOR_DB };
    if db > FLOOR_DB { db } else { FLOOR_DB }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_db_is_within_its_bound_and_monotonic() {
        assert_eq!(fast_db_from_power(1.0), 0.0);
        for quiet in [0.0, -1.0, 1e-12, 1e-30, f32::NAN, f32::NEG_INFINITY] {
            assert_eq!(fast_db_from_power(quiet), FLOOR_DB);
        }
        assert!(fast_db_from_power(f32::INFINITY).is_finite());
        let (mut power, mut last) = (1.01e-12f32, FLOOR_DB);
        while power < 1e6 {
            let db = fast_db_from_power(power);
            let exact = 10.0 * libm::log10(f64::from(power));
            assert!((f64::from(db) - exact).abs() < 2e-4, "{power}: {db}, not {exact}");
            assert!(db >= last - 2e-5, "falls at {power}");
            last = db;
            power *= 1.000_37;
        }
    }

    #[test]
    fn levels_convert_both_ways_and_stop_at_the_floor() {
        assert_eq!(gain_from_db(-120.0), 0.0);
        assert_eq!(db_from_gain(0.0), FLOOR_DB);
        assert_eq!(db_from_gain(f32::NAN), FLOOR_DB);
        assert_eq!(db_from_power(f32::NAN), FLOOR_DB);
        for db in [-100.0f32, -23.0, -6.0, 0.0, 12.0] {
            assert!((db_from_gain(gain_from_db(db)) - db).abs() < 1e-4);
            assert!((db_from_power(gain_from_db(db) * gain_from_db(db)) - db).abs() < 1e-4);
        }
    }
}
