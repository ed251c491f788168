//! The standards' bursts and times are in `tests/analysis/ballistics.rs`.

use super::*;
use crate::analysis::test_signals::{CHUNKS, Noise};
use alloc::vec::Vec;

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
