//! EBU Tech 3341 v4 and Tech 3342 (2023), and the calibration of ITU-R BS.1770-5: every case that can be made from
//! tones, at five sample rates and, with the same bits, in six ways of cutting the stream.
//!
//! Cases 7 and 8 of Tech 3341, which are 5 and 6 of Tech 3342, are recordings that only the EBU has.

use engine_core::analysis::layout::{Layout, Speaker};
use engine_core::analysis::loudness::Loudness;
use engine_core::units::SampleRate;

use crate::common::conformance::Requirement;
use crate::common::tones::{CHUNKS, RATES, SILENCE, sine, steps};

const TECH_3341: Requirement = Requirement {
    standard: "EBU Tech 3341",
    case: "",
    what: "",
    expected: 0.0,
    tolerance: [0.1, 0.1],
    unit: "LUFS",
};

fn rate_of(hz: u32) -> SampleRate {
    SampleRate::new(hz).unwrap()
}

fn read(meter: &Loudness) -> [f32; 6] {
    [
        meter.momentary(),
        meter.short_term(),
        meter.integrated(),
        meter.range(),
        meter.max_momentary(),
        meter.max_short_term(),
    ]
}

/// A meter after all frames, which has the same bits in each of [`CHUNKS`].
fn measured(rate: u32, layout: Layout, channels: &[&[f32]]) -> Loudness {
    let meters = CHUNKS.map(|chunk| {
        let mut meter = Loudness::with_layout(rate_of(rate), layout);
        for start in (0..channels[0].len()).step_by(chunk) {
            let end = channels[0].len().min(start + chunk);
            // As the real-time path does where there are two.
            match channels {
                [left, right] => meter.process(&left[start..end], &right[start..end]),
                _ => meter.process_planar(&channels.iter().map(|c| &c[start..end]).collect::<Vec<_>>()),
            }
        }
        meter
    });
    let bits = |meter| read(meter).map(f32::to_bits);
    meters.iter().zip(CHUNKS).for_each(|(meter, chunk)| assert_eq!(bits(meter), bits(&meters[0]), "{chunk}"));
    let [meter, ..] = meters;
    meter
}

/// 1 kHz in phase on both channels.
fn stereo(rate: u32, levels: &[(f64, f64)]) -> Loudness {
    let tone = steps(rate, levels);
    measured(rate, Layout::STEREO, &[&tone, &tone])
}

#[test]
fn tech_3341_cases_1_and_2() {
    for rate in RATES {
        for (case, level) in [("1", -23.0), ("2", -33.0)] {
            let meter = stereo(rate, &[(20.0, level)]);
            for (what, got) in
                [("M", meter.momentary()), ("S", meter.short_term()), ("I", meter.integrated())]
            {
                Requirement { case, what, expected: level, ..TECH_3341 }.check(rate, got.into());
            }
        }
    }
}

#[test]
fn tech_3341_cases_3_to_5_gate() {
    let case_3 = [(10.0, -36.0), (60.0, -23.0), (10.0, -36.0)];
    let case_4 = [&[(10.0, -72.0)][..], &case_3, &[(10.0, -72.0)]].concat();
    let case_5 = [(20.0, -26.0), (20.1, -20.0), (20.0, -26.0)];
    for rate in RATES {
        for (case, levels) in [("3", &case_3[..]), ("4", &case_4), ("5", &case_5)] {
            let got = stereo(rate, levels).integrated();
            Requirement { case, what: "I", expected: -23.0, ..TECH_3341 }.check(rate, got.into());
        }
    }
}

#[test]
fn tech_3341_case_6_is_of_five_channels() {
    use Speaker::{Front, Surround};
    for rate in RATES {
        let [front, centre, surround] = [-28.0, -24.0, -30.0].map(|level| steps(rate, &[(20.0, level)]));
        let five: [&[f32]; 5] = [&front, &front, &centre, &surround, &surround];
        let layout = Layout::new(&[Front, Front, Front, Surround, Surround]).unwrap();
        let meter = measured(rate, layout, &five);
        let case_6 = Requirement { case: "6", what: "I, 5.0", expected: -23.0, ..TECH_3341 };
        case_6.check(rate, meter.integrated().into());
        // Whatever is on the sixth, it does not count.
        let lfe = steps(rate, &[(20.0, -1.0)]);
        let six = [five[0], five[1], five[2], &lfe, five[3], five[4]];
        let with_lfe = measured(rate, Layout::of_channels(6).unwrap(), &six);
        assert_eq!(with_lfe.integrated().to_bits(), meter.integrated().to_bits());
    }
}

/// Extremes of a reading at every 10 ms after `seconds`, while a pattern plays.
fn extremes(rate: u32, pattern: &[(f64, f64)], seconds: f64, read: fn(&Loudness) -> f32) -> [f32; 2] {
    let tone = steps(rate, pattern);
    measured(rate, Layout::STEREO, &[&tone, &tone]);
    let mut meter = Loudness::new(rate_of(rate));
    let mut extremes = [f32::INFINITY, f32::NEG_INFINITY];
    for (n, part) in tone.chunks(rate as usize / 100).enumerate() {
        meter.process(part, part);
        if (n + 1) as f64 / 100.0 >= seconds {
            extremes = [extremes[0].min(read(&meter)), extremes[1].max(read(&meter))];
        }
    }
    extremes
}

#[test]
fn tech_3341_cases_9_and_12_are_constant() {
    let case_9 = [(1.34, -20.0), (1.66, -30.0)].repeat(5);
    let case_12 = [(0.18, -20.0), (0.22, -30.0)].repeat(25);
    for rate in RATES {
        let readings = [
            (
                "9",
                ["S after 3 s, least", "S after 3 s, greatest"],
                extremes(rate, &case_9, 3.0, Loudness::short_term),
            ),
            (
                "12",
                ["M after 1 s, least", "M after 1 s, greatest"],
                extremes(rate, &case_12, 1.0, Loudness::momentary),
            ),
        ];
        for (case, what, got) in readings {
            for (what, got) in what.into_iter().zip(got) {
                Requirement { case, what, expected: -23.0, ..TECH_3341 }.check(rate, got.into());
            }
        }
    }
}

#[test]
fn tech_3341_cases_10_and_13_are_maxima_of_bursts_that_start_anywhere() {
    for rate in RATES {
        for i in 0..20 {
            let late = f64::from(i);
            let meter = stereo(rate, &[(late * 0.15, SILENCE), (3.0, -23.0), (1.0, SILENCE)]);
            let case = format!("10-{}", i + 1);
            Requirement { case: &case, what: "max S", expected: -23.0, ..TECH_3341 }
                .check(rate, meter.max_short_term().into());
            // As the case says, and half a step of the meter later, which is the worst that there is.
            for (what, more) in [("max M", 0.0), ("max M, 5 ms later", 0.005)] {
                let meter = stereo(rate, &[(late * 0.02 + more, SILENCE), (0.4, -23.0), (1.0, SILENCE)]);
                let case = format!("13-{}", i + 1);
                Requirement { case: &case, what, expected: -23.0, ..TECH_3341 }
                    .check(rate, meter.max_momentary().into());
            }
        }
    }
}

#[test]
fn tech_3341_cases_11_and_14_are_maxima_that_rise_without_a_reset() {
    for rate in RATES {
        let (mut short, mut momentary) = (Loudness::new(rate_of(rate)), Loudness::new(rate_of(rate)));
        let (mut case_11, mut case_14) = (Vec::new(), Vec::new());
        for i in 0..20 {
            let (late, level) = (f64::from(i), f64::from(i) - 38.0);
            let steps_11 = [(late * 0.15, SILENCE), (3.0, level), (3.0 - late * 0.15, SILENCE)];
            let steps_14 = [(late * 0.02, SILENCE), (0.4, level), (0.4 - late * 0.02, SILENCE)];
            for (meter, all, levels) in
                [(&mut short, &mut case_11, steps_11), (&mut momentary, &mut case_14, steps_14)]
            {
                let tone = steps(rate, &levels);
                meter.process(&tone, &tone);
                all.extend(tone);
            }
            let number = i + 1;
            for (case, what, got) in [
                (format!("11-{number}"), "max S", short.max_short_term()),
                (format!("14-{number}"), "max M", momentary.max_momentary()),
            ] {
                Requirement { case: &case, what, expected: level, ..TECH_3341 }.check(rate, got.into());
            }
        }
        assert_eq!(read(&measured(rate, Layout::STEREO, &[&case_11, &case_11])), read(&short));
        assert_eq!(read(&measured(rate, Layout::STEREO, &[&case_14, &case_14])), read(&momentary));
    }
}

#[test]
fn tech_3342_cases_1_to_4() {
    for rate in RATES {
        for (case, levels, expected) in [
            ("1", &[-20.0, -30.0][..], 10.0),
            ("2", &[-20.0, -15.0], 5.0),
            ("3", &[-40.0, -20.0], 20.0),
            ("4", &[-50.0, -35.0, -20.0, -35.0, -50.0], 15.0),
        ] {
            let tones: Vec<_> = levels.iter().map(|&level| (20.0, level)).collect();
            let got = stereo(rate, &tones).range();
            let tolerance = [1.0, 1.0];
            Requirement { standard: "EBU Tech 3342", case, what: "LRA", expected, tolerance, unit: "LU" }
                .check(rate, got.into());
        }
    }
}

#[test]
fn bs_1770_full_scale_997_hz_in_one_front_channel_is_minus_3_01() {
    for rate in RATES {
        let tone = sine(5 * rate as usize, 997.0 / f64::from(rate), 1.0, 0.0);
        let silence = vec![0.0; tone.len()];
        for (at, case) in ["left", "right", "centre"].into_iter().enumerate() {
            let mut channels = [&silence[..]; 3];
            channels[at] = &tone;
            let meter = measured(rate, Layout::of_channels(3).unwrap(), &channels);
            // Exact at 48 kHz, whose filters BS.1770-5 prints. Elsewhere the bilinear transform, exact at the
            // shelf's 1.7 kHz, moves the curve at 997 Hz: by 0.027 dB at 192 kHz.
            let tolerance = if rate == 48_000 { [0.005; 2] } else { [0.03; 2] };
            Requirement {
                standard: "ITU-R BS.1770-5",
                case,
                what: "I of 997 Hz at 0 dBFS",
                expected: -3.01,
                tolerance,
                unit: "LUFS",
            }
            .check(rate, meter.integrated().into());
        }
    }
}

#[test]
fn mono_and_surround_weigh_as_stated() {
    let tone = steps(48_000, &[(5.0, -20.0)]);
    let one = |speaker| measured(48_000, Layout::new(&[speaker]).unwrap(), &[&tone]).integrated();
    assert!((one(Speaker::Surround) - one(Speaker::Front) - 10.0 * libm::log10f(1.41)).abs() < 1e-4);
    assert_eq!(one(Speaker::Lfe), -120.0);
    assert!((stereo(48_000, &[(5.0, -20.0)]).integrated() - one(Speaker::Front) - 3.0103).abs() < 1e-4);
}

#[test]
#[should_panic(expected = "number of channels")]
fn a_stereo_meter_does_not_take_three_channels() {
    Loudness::new(SampleRate::DEFAULT).process_planar(&[&[0.0], &[0.0], &[0.0]]);
}
