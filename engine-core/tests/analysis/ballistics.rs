//! The standards' bursts and times for needles, at five sample rates.

use engine_core::analysis::ballistics::{Ballistics, Needles};
use engine_core::units::SampleRate;

use crate::common::conformance::Requirement;
use crate::common::tones::{RATES, gain, sine};

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
    fn play(&mut self, seconds: f64, hz: f64, dbfs: f64) -> f64 {
        let n = (seconds * self.rate).round() as usize;
        let tone = sine(n, hz / self.rate, gain(dbfs), 0.0);
        let reading = self.needles.process(&vec![0.0; n], &tone);
        assert_eq!((reading.needle[0], reading.hold[0]), (0.0, 0.0));
        self.ballistics.level(reading.needle[1]).into()
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
    // Milliseconds of 5 kHz, dB below the steady tone, tolerance. Type II is also what the BBC's test recordings
    // for programme meters are marked with. Public sources agree on type I at its integration time (5 ms, −2 dB, as in
    // ossia's `meters::ppm`), at 10 ms (−1 dB) and on its return; 20 dB in 1.7 ± 0.3 s includes the 1.5 s of DIN 45406.
    // For 3 and 0.4 ms of type I none was found.
    let type_1 = [
        ("100 ms", 0.0, 0.5),
        ("10 ms", -1.0, 0.5),
        ("5 ms", -2.0, 1.0),
        ("3 ms", -4.0, 1.0),
        ("0.4 ms", -15.0, 4.0),
    ];
    let type_2 = [
        ("100 ms", 0.0, 0.5),
        ("10 ms", -2.0, 0.5),
        ("5 ms", -4.0, 0.5),
        ("1.5 ms", -9.0, 1.0),
        ("0.5 ms", -17.0, 2.0),
    ];
    for (ballistics, standard, table, fall_db, fall_seconds) in [
        (Ballistics::Ppm1, "IEC 60268-10 type I", type_1, 20.0, 1.7),
        (Ballistics::Ppm2, "IEC 60268-10 type II", type_2, 24.0, 2.8),
    ] {
        for rate in RATES {
            let steady = Bench::new(ballistics, rate).play(1.0, 5_000.0, -6.0);
            for (case, expected, tolerance) in table {
                let milliseconds: f64 = case.strip_suffix(" ms").unwrap().parse().unwrap();
                let burst = Bench::new(ballistics, rate).play(milliseconds / 1e3, 5_000.0, -6.0);
                let tolerance = [tolerance; 2];
                Requirement { standard, case, what: "burst of 5 kHz", expected, tolerance, unit: "dB" }
                    .check(rate, burst - steady);
            }
            let mut bench = Bench::new(ballistics, rate);
            bench.play(1.0, 1_000.0, -6.0);
            let what = if fall_db == 20.0 { "20 dB" } else { "24 dB" };
            let tolerance = [0.3; 2];
            Requirement { standard, case: "return", what, expected: fall_seconds, tolerance, unit: "s" }
                .check(rate, bench.seconds_to_fall(fall_db));
        }
    }
}

#[test]
fn a_vu_meter_is_at_99_percent_after_300_ms_and_swings_over_by_1_to_1_5_percent() {
    let standard = "IEC 60268-17";
    for rate in RATES {
        let mut bench = Bench::new(Ballistics::Vu, rate);
        let tone = sine(2 * rate as usize, 1_000.0 / f64::from(rate), 0.5, 0.0);
        let positions: Vec<f64> =
            tone.iter().map(|&x| f64::from(bench.needles.process(&[0.0], &[x]).needle[1]) / 0.5).collect();
        let at_99 = positions.iter().position(|&p| p >= 0.99).unwrap() as f64 / f64::from(rate);
        let what = "time to 99 %";
        Requirement { standard, case: "rise", what, expected: 0.3, tolerance: [0.03; 2], unit: "s" }
            .check(rate, at_99);
        let highest = 100.0 * positions.iter().copied().fold(0.0, f64::max) - 100.0;
        let what = "overshoot";
        Requirement { standard, case: "rise", what, expected: 1.25, tolerance: [0.25; 2], unit: "%" }
            .check(rate, highest);
        let what = "time to 1 %";
        Requirement { standard, case: "return", what, expected: 0.3, tolerance: [0.03; 2], unit: "s" }
            .check(rate, bench.seconds_to_fall(40.0));
    }
}

#[test]
fn k_meters_are_rms_over_600_ms_with_zero_at_their_names_level() {
    for (ballistics, case, zero) in
        [(Ballistics::K12, "K-12", -12.0), (Ballistics::K14, "K-14", -14.0), (Ballistics::K20, "K-20", -20.0)]
    {
        let standard = "Katz, K-System";
        for rate in RATES {
            let mut bench = Bench::new(ballistics, rate);
            // 99 % is −0.0873 dB.
            let (what, tolerance) = ("after 600 ms", [0.001; 2]);
            Requirement { standard, case, what, expected: -0.0873, tolerance, unit: "dB" }
                .check(rate, bench.play(0.6, 5_000.0, zero));
            let (what, tolerance) = ("steady", [0.01; 2]);
            Requirement { standard, case, what, expected: 0.0, tolerance, unit: "dB" }
                .check(rate, bench.play(3.0, 5_000.0, zero));
        }
        // The power of a square wave is 3 dB above a sine's.
        let mut bench = Bench::new(ballistics, 48_000);
        let square = [0.1f32, -0.1].repeat(3 * 48_000);
        bench.needles.process(&square, &square);
        near(bench.level().into(), -20.0 + 3.01 - zero, 0.01, "square");
    }
    assert_eq!((Ballistics::K20.level(0.0), Ballistics::K20.level(0.1)), (-120.0, 0.0));
}

#[test]
fn a_peak_is_shown_at_once_held_and_falls_20_db_in_1_7_s() {
    for rate in RATES {
        let mut bench = Bench::new(Ballistics::Peak, rate);
        let reading = bench.needles.process(&[0.0], &[-0.5]);
        assert_eq!((reading.needle[1], reading.hold[1]), (0.5, 0.5));
        let (standard, what) = ("IEC 60268-18", "20 dB");
        Requirement { standard, case: "return", what, expected: 1.7, tolerance: [0.3; 2], unit: "s" }
            .check(rate, bench.seconds_to_fall(20.0));
        let n_held = (1.5 * f64::from(rate)) as usize;
        let mut bench = Bench::new(Ballistics::Peak, rate);
        bench.needles.process(&[0.0], &[0.5]);
        let silence = vec![0.0; n_held];
        assert_eq!(bench.needles.process(&silence, &silence).hold[1], 0.5);
        assert_eq!(bench.needles.position().hold[1], 0.5);
        bench.needles.process(&[0.0; 100], &[0.0; 100]);
        let falling = bench.needles.position().hold[1];
        assert!(falling < 0.5 && falling > 0.49);
    }
}

#[test]
fn a_steady_sine_reads_its_level_on_every_meter() {
    for ballistics in Ballistics::ALL {
        for rate in RATES {
            let mut bench = Bench::new(ballistics, rate);
            bench.play(3.0, 997.0, -18.0);
            let level = bench.play(0.1, 997.0, -18.0);
            let expected = ballistics.level(gain(-18.0) as f32);
            near(level, expected.into(), 0.03, &format!("{ballistics:?} at {rate}"));
        }
    }
}
