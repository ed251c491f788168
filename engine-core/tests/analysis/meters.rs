//! What is merged is what was there: blocks of meters and needles against the stream that they are parts of.

use engine_core::analysis::ballistics::{Ballistics, Needles, Reading};
use engine_core::analysis::meter::{MeterBlock, StereoMeter};
use engine_core::units::SampleRate;
use proptest::prelude::*;

/// Sound with peaks, clips, silence, and what no sound has.
fn sample() -> impl Strategy<Value = f32> {
    prop_oneof![
        8 => -1.0f32..1.0,
        3 => Just(1.0f32),
        2 => Just(-1.5f32),
        2 => Just(0.0f32),
        1 => prop_oneof![Just(f32::NAN), Just(f32::INFINITY), Just(f32::NEG_INFINITY), Just(1e-42f32)],
    ]
}

/// The parts between cuts, some of them empty.
fn parts<'a>(frames: &'a [(f32, f32)], cuts: &[usize]) -> Vec<(Vec<f32>, Vec<f32>)> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (frames.len() + 1)).collect();
    ends.sort_unstable();
    ends.push(frames.len());
    let mut start = 0;
    let part = |end| {
        let part: &'a [(f32, f32)] = &frames[start..end];
        start = end;
        part.iter().copied().unzip()
    };
    ends.into_iter().map(part).collect()
}

proptest! {
    #[test]
    fn merged_meters_are_those_of_the_whole(
        frames in prop::collection::vec((sample(), sample()), 0..700),
        cuts in prop::collection::vec(any::<usize>(), 0..20),
    ) {
        let (left, right): (Vec<f32>, Vec<f32>) = frames.iter().copied().unzip();
        let whole = StereoMeter::new().process(&left, &right);
        let (mut meter, mut merged) = (StereoMeter::new(), MeterBlock::default());
        for (left, right) in parts(&frames, &cuts) {
            merged.merge(&meter.process(&left, &right));
        }
        prop_assert_eq!((merged.peak, merged.true_peak), (whole.peak, whole.true_peak));
        prop_assert_eq!((merged.n_frames, merged.clips), (whole.n_frames, whole.clips));
        // The naive reading of what was measured: the power mean, over all frames.
        for (ch, samples) in [&left, &right].into_iter().enumerate() {
            let finite = |x: &f32| if x.is_finite() { f64::from(*x) } else { 0.0 };
            let energy: f64 = samples.iter().map(|x| finite(x) * finite(x)).sum();
            let expected = (energy / samples.len().max(1) as f64).sqrt() as f32;
            let peak = samples.iter().map(|x| finite(x).abs() as f32).fold(0.0, f32::max);
            prop_assert!((merged.rms(ch) - expected).abs() <= 1e-6 * expected);
            prop_assert_eq!(merged.peak[ch], peak);
            prop_assert!(merged.true_peak[ch] >= peak && merged.true_peak[ch] <= 2.03 * peak);
        }
    }

    #[test]
    fn merged_needles_are_those_of_the_whole(
        frames in prop::collection::vec((sample(), sample()), 1..700),
        cuts in prop::collection::vec(any::<usize>(), 0..20),
        kind in 0usize..7,
    ) {
        let new = || Needles::new(SampleRate::DEFAULT, Ballistics::ALL[kind]);
        let (left, right): (Vec<f32>, Vec<f32>) = frames.iter().copied().unzip();
        let mut whole = new();
        let highest = whole.process(&left, &right);
        let (mut needles, mut merged) = (new(), Reading::default());
        for (left, right) in parts(&frames, &cuts) {
            merged.merge(&needles.process(&left, &right));
        }
        prop_assert_eq!((merged, needles.position()), (highest, whole.position()));
        prop_assert!(highest.needle.iter().chain(&highest.hold).all(|x| (0.0..3.0).contains(x)));
    }
}
