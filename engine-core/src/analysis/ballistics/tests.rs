//! The standards' bursts and times at five sample rates.

use super::*;
use crate::analysis::test_signals::{CHUNKS, Noise, sine};
use alloc::vec::Vec;

const RATES: [u32; 5] = [44_100, 48_000, 88_200, 96_000, 192_000];

/// A meter of its own and its sample rate.
struct Bench {
    ballistics: Ballistics,
    rate: f64,
    needles: Needles,
}

impl Bench {
    fn new(ballistics: Ballistics, rate: u32) -> Self {
        let needles = Needles::new(SampleRate::new(rate).unwrap(), ballistics);
        Self { ballistics, rate: f64::from(rate), needles }
    }

    /// Highest level while a tone plays, on the right; the left stays silent.
    fn play(&mut self, seconds: f64, hz: f64, dbfs: f64) -> f32 {
        let n = libm::round(seconds * self.rate) as usize;
        let tone = sine(n, hz / self.rate, libm::pow(10.0, dbfs / 20.0), 0.0);
        let reading = self.needles.process(&alloc::vec![0.0; n], &tone);
        assert_eq!((reading.needle[0], reading.hold[0]), (0.0, 0.0));
        self.ballistics.level(reading.needle[1])
    }

    fn level(&self) -> f32 {
        self.ballistics.level(self.needles.position().needle[1])
    }

    /// Seconds of silence until the needle has fallen by so many dB.
    fn seconds_to_fall(&mut self, db: f32) -> f64 {
        let (start, mut n) = (self.level(), 0);
        while self.level() > start - db {
            self.needles.process(&[0.0; 16], &[0.0; 16]);
            n += 16;
        }
        f64::from(n) / self.rate
    }
}

fn near(value: f64, target: f64, tolerance: f64, what: &str) {
    assert!((value - target).abs() <= tolerance, "{what}: {value}, not {target} ± {tolerance}");
}

#[test]
fn programme_meters_answer_bursts_as_in_iec_60268_10() {
    // Milliseconds of 5 kHz, dB below the steady tone, tolerance. Type I: IEC 60268-10 Table 1; type II: its
    // Table 2, and the levels of the BBC's test recordings.
    let type_1 =
        [(100.0, 0.0, 0.5), (10.0, -1.0, 0.5), (5.0, -2.0, 1.0), (3.0, -4.0, 1.0), (0.4, -15.0, 4.0)];
    let type_2 =
        [(100.0, 0.0, 0.5), (10.0, -2.0, 0.5), (5.0, -4.0, 0.5), (1.5, -9.0, 1.0), (0.5, -17.0, 2.0)];
    for (ballistics, table, fall_db, fall_seconds) in
        [(Ballistics::Ppm1, type_1, 20.0, 1.7), (Ballistics::Ppm2, type_2, 24.0, 2.8)]
    {
        for rate in RATES {
            let steady = Bench::new(ballistics, rate).play(1.0, 5_000.0, -6.0);
            for (milliseconds, db, tolerance) in table {
                let burst = Bench::new(ballistics, rate).play(milliseconds / 1e3, 5_000.0, -6.0);
                let what = alloc::format!("{ballistics:?}, {milliseconds} ms at {rate}");
                near(f64::from(burst - steady), db, tolerance, &what);
            }
            let mut bench = Bench::new(ballistics, rate);
            bench.play(1.0, 1_000.0, -6.0);
            // The standard allows 0.3 s either way.
            near(bench.seconds_to_fall(fall_db), fall_seconds, 0.01, "return time");
        }
    }
}

#[test]
fn a_vu_meter_is_at_99_percent_after_300_ms_and_swings_over_by_1_to_1_5_percent() {
    for rate in RATES {
        let mut bench = Bench::new(Ballistics::Vu, rate);
        let tone = sine(2 * rate as usize, 1_000.0 / f64::from(rate), 0.5, 0.0);
        let positions: Vec<f32> =
            tone.iter().map(|&x| bench.needles.process(&[0.0], &[x]).needle[1] / 0.5).collect();
        let at_99 = positions.iter().position(|&p| p >= 0.99).unwrap();
        // The standard allows 10 %.
        near(at_99 as f64 / f64::from(rate), 0.3, 0.003, "time to 99 %");
        let highest = positions.iter().copied().fold(0.0, f32::max);
        assert!((1.010..1.015).contains(&highest), "{highest} at {rate}");
        // And back: 1 % after 300 ms.
        near(bench.seconds_to_fall(40.0), 0.3, 0.003, "time to 1 %");
    }
}

#[test]
fn k_meters_are_rms_over_600_ms_with_zero_at_their_names_level() {
    for (ballistics, zero) in [(Ballistics::K12, -12.0), (Ballistics::K14, -14.0), (Ballistics::K20, -20.0)] {
        for rate in RATES {
            let mut bench = Bench::new(ballistics, rate);
            // 99 % is −0.0873 dB.
            near(f64::from(bench.play(0.6, 5_000.0, zero)), -0.0873, 0.001, "after 600 ms");
            near(f64::from(bench.play(3.0, 5_000.0, zero)), 0.0, 0.01, "steady");
        }
        // Power of a square wave is 3 dB above a sine's.
        let mut bench = Bench::new(ballistics, 48_000);
        let square = [0.1f32, -0.1].repeat(3 * 48_000);
        bench.needles.process(&square, &square);
        near(f64::from(bench.level()), -20.0 + 3.01 - zero, 0.01, "square");
    }
    assert_eq!((Ballistics::K20.level(0.0), Ballistics::K20.level(0.1)), (FLOOR_DB, 0.0));
}

#[test]
fn a_peak_is_shown_at_once_held_and_falls_20_db_in_1_7_s() {
    for rate in RATES {
        let mut bench = Bench::new(Ballistics::Peak, rate);
        let reading = bench.needles.process(&[0.0], &[-0.5]);
        assert_eq!((reading.needle[1], reading.hold[1]), (0.5, 0.5));
        near(bench.seconds_to_fall(20.0), 1.7, 0.001, "return time");
        let n_held = (1.5 * f64::from(rate)) as usize;
        let mut bench = Bench::new(Ballistics::Peak, rate);
        bench.needles.process(&[0.0], &[0.5]);
        let silence = alloc::vec![0.0; n_held];
        assert_eq!(bench.needles.process(&silence, &silence).hold[1], 0.5);
        assert_eq!(bench.needles.position().hold[1], 0.5);
        let falls = bench.needles.process(&[0.0; 100], &[0.0; 100]).hold[1];
        assert!(falls < 0.5 && falls > 0.49);
    }
}

#[test]
fn a_steady_sine_reads_its_level_on_every_meter() {
    for ballistics in Ballistics::ALL {
        for rate in RATES {
            let level = Bench::new(ballistics, rate).play(3.0, 997.0, -18.0);
            let expected = ballistics.level(libm::powf(10.0, -18.0 / 20.0));
            // A VU meter's highest position is its overshoot.
            let tolerance = if ballistics == Ballistics::Vu { 0.12 } else { 0.03 };
            near(
                f64::from(level),
                f64::from(expected),
                tolerance,
                &alloc::format!("{ballistics:?} at {rate}"),
            );
        }
    }
}

#[test]
fn the_bits_do_not_depend_on_blocks_and_merging_is_the_whole() {
    let (left, right) = (Noise(21).take(60_000), Noise(22).take(60_000));
    // Loud, then quiet: needles rise and fall.
    let shape = |samples: Vec<f32>| -> Vec<f32> {
        samples.iter().enumerate().map(|(i, x)| if i % 30_000 < 5_000 { *x } else { 0.01 * x }).collect()
    };
    let (left, right) = (shape(left), shape(right));
    for ballistics in Ballistics::ALL {
        let mut whole = Needles::new(SampleRate::DEFAULT, ballistics);
        let highest = whole.process(&left, &right);
        for chunk in CHUNKS {
            let mut needles = Needles::new(SampleRate::DEFAULT, ballistics);
            let mut merged = Reading::default();
            for (l, r) in left.chunks(chunk).zip(right.chunks(chunk)) {
                merged.merge(&needles.process(l, r));
                // An empty block moves nothing.
                assert_eq!(needles.process(&[], &[]), needles.position());
            }
            assert_eq!((merged, needles.position()), (highest, whole.position()), "{ballistics:?} {chunk}");
        }
    }
}

#[test]
fn needles_come_to_rest_and_bad_samples_are_silence() {
    for ballistics in Ballistics::ALL {
        assert_eq!(Ballistics::from_id(ballistics as u8), Some(ballistics));
        let mut needles = Needles::new(SampleRate::new(8_000).unwrap(), ballistics);
        let bad = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
        assert_eq!(needles.process(&bad, &bad), Reading::default());
        needles.process(&[1.0; 8_000], &[-1.0; 8_000]);
        let silence = alloc::vec![0.0; 8_000 * 35];
        needles.process(&silence, &silence);
        assert_eq!(needles.position(), Reading::default(), "{ballistics:?}");
    }
    assert_eq!((Ballistics::from_id(0), Ballistics::from_id(8)), (None, None));
}
