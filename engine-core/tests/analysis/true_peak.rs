//! True peak: EBU Tech 3341 v4, cases 15 to 23, at five sample rates and in six ways of cutting the stream.

use engine_core::analysis::true_peak::TruePeak;

use crate::common::conformance::Requirement;
use crate::common::tones::{CHUNKS, RATES, sine};

const CASE: Requirement = Requirement {
    standard: "EBU Tech 3341",
    case: "",
    what: "true peak",
    expected: 0.0,
    tolerance: [0.4, 0.2],
    unit: "dBTP",
};

/// dBTP of a tone between the fades of 10 ms that Tech 3341 asks for. The same bits however it is cut, and
/// whether or not the detector is told what is exceeded already.
fn dbtp(mut tone: Vec<f32>, rate: u32) -> f64 {
    let (n, last) = (rate as usize / 100, tone.len() - 1);
    for i in 0..n {
        let gain = i as f32 / n as f32;
        tone[i] *= gain;
        tone[last - i] *= gain;
    }
    let peaks = CHUNKS.map(|chunk| {
        let (mut every, mut above, mut peaks) = (TruePeak::new(), TruePeak::new(), [0.0f32; 2]);
        for part in tone.chunks(chunk) {
            peaks = [peaks[0].max(every.process(part)), above.process_above(part, peaks[1])];
        }
        peaks.map(f32::to_bits)
    });
    assert!(peaks.as_flattened().iter().all(|&bits| bits == peaks[0][0]));
    20.0 * libm::log10(f32::from_bits(peaks[0][0]).into())
}

#[test]
fn cases_15_to_19_are_tones() {
    for rate in RATES {
        for (case, amplitude, divisor, phase, expected) in [
            ("15", 0.5, 4.0, 0.0, -6.0),
            ("16", 0.5, 4.0, 45.0, -6.0),
            ("17", 0.5, 6.0, 60.0, -6.0),
            ("18", 0.5, 8.0, 67.5, -6.0),
            ("19", 1.41, 4.0, 45.0, 3.0),
        ] {
            let tone = sine(rate as usize, 1.0 / divisor, amplitude, phase);
            Requirement { case, expected, ..CASE }.check(rate, dbtp(tone, rate));
        }
    }
}

#[test]
fn cases_20_to_23_are_one_period_that_sticks_out() {
    // One period of fs/4 at 1.0 inside fs/6 at 0.5, made at 4·fs without a jump in phase, then every fourth sample
    // from offset 0 to 3. The tones lie below fs/2, so no filter is needed before.
    for rate in RATES {
        let (n, period) = (4 * rate as usize, 16);
        let splice = (n / 2) / 24 * 24;
        let high = [
            sine(splice, 1.0 / 24.0, 0.5, 0.0),
            sine(period, 1.0 / 16.0, 1.0, 0.0),
            sine(n - splice - period, 1.0 / 24.0, 0.5, 0.0),
        ]
        .concat();
        for (offset, case) in ["20", "21", "22", "23"].into_iter().enumerate() {
            let tone = high[offset..].iter().step_by(4).copied().collect();
            Requirement { case, expected: 0.0, ..CASE }.check(rate, dbtp(tone, rate));
        }
    }
}
