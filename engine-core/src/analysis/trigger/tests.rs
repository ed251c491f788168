use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::analysis::test_signals::{CHUNKS, Noise, sine};

const RATE: SampleRate = SampleRate::DEFAULT;

/// Positions and values of all events; the same for all ways to cut the stream.
fn events(config: &TriggerConfig, left: &[f32], right: &[f32]) -> Vec<(usize, f32)> {
    let run = |chunk: usize| {
        let mut trigger = Trigger::new(RATE, config, &Loudness::new(RATE)).unwrap();
        let (mut seen, mut start) = (Vec::new(), 0);
        for (l, r) in left.chunks(chunk).zip(right.chunks(chunk)) {
            trigger.process(l, r, &mut |at, value| seen.push((start + at, value)));
            start += l.len();
        }
        assert_eq!(trigger.is_over(), config.once && !seen.is_empty());
        seen
    };
    let whole = run(left.len());
    CHUNKS.iter().for_each(|&chunk| assert_eq!(run(chunk), whole, "chunks of {chunk}"));
    whole
}

fn config(condition: Condition, once: bool) -> TriggerConfig {
    TriggerConfig { condition, once }
}

#[test]
fn a_clip_fires_at_its_third_sample_and_again_after_a_quiet_second() {
    let mut left = Noise(5).take(200_000);
    let right = vec![0.5; left.len()];
    left.iter_mut().for_each(|x| *x *= 0.99);
    // Two are none; the second run comes less than a second after the first, the third one later.
    for (start, n) in [(100, 2), (1_000, 5), (30_000, 3), (30_003 + 48_000 - 1, 3), (150_000, 3)] {
        left[start..start + n].fill(-1.25);
    }
    left[120_000] = f32::INFINITY;
    let db = db_from_gain(1.25);
    let all = [(1_002, db), (150_002, db)];
    assert_eq!(events(&config(Condition::Clip, false), &left, &right), all);
    assert_eq!(events(&config(Condition::Clip, true), &right, &left), all[..1]);
    // One frame later there is a whole second between the two.
    left[30_003 + 48_000 - 1] = 0.0;
    left[30_003 + 48_000 + 2] = 1.25;
    let again = events(&config(Condition::Clip, false), &left, &right);
    assert_eq!(again, [(1_002, db), (30_003 + 48_000 + 2, db), (150_002, db)]);
}

#[test]
fn silence_fires_when_its_last_frame_is_there() {
    let silence = Condition::Silence { seconds: 0.5, below_db: -60.0 };
    let mut left = sine(48_000, 440.0 / 48_000.0, 0.5, 30.0);
    left[47_999] = 0.5;
    left.extend(vec![0.000_9; 60_000]);
    // Just above the limit: not silent, but not loud enough to arm it again.
    left.extend(vec![0.001_2; 10]);
    left.extend(vec![0.0; 60_000]);
    left.push(0.01);
    left.extend(vec![0.0; 60_000]);
    let right = vec![0.0; left.len()];
    let last = 48_000 + 60_000 + 10 + 60_000 + 1;
    let all = events(&config(silence, false), &left, &right);
    assert_eq!(all, [(48_000 + 23_999, db_from_gain(0.000_9)), (last + 23_999, FLOOR_DB)]);
    assert_eq!(events(&config(silence, true), &right, &left), all[..1]);
    // Silent from the start: it is told.
    let digital = Condition::Silence { seconds: 1.0, below_db: FLOOR_DB };
    assert_eq!(events(&config(digital, true), &right, &right), [(47_999, FLOOR_DB)]);
    assert_eq!(events(&config(digital, true), &[1e-6; 96_000], &[0.0; 96_000]), []);
}

/// A tone of 1 kHz in both channels: its loudness is its level in dB of the amplitude, but for 0.02 LU.
fn tone(parts: &[(f64, f64)]) -> Vec<f32> {
    let whole = sine(48_000, 1_000.0 / 48_000.0, 1.0, 0.0);
    let gain = |db: f64| libm::pow(10.0, db / 20.0);
    let part = |&(seconds, db): &(f64, f64)| {
        let n = (seconds * 48_000.0) as usize;
        whole.iter().cycle().take(n).map(move |x| (f64::from(*x) * gain(db)) as f32)
    };
    parts.iter().flat_map(part).collect()
}

#[test]
fn loudness_fires_in_the_hundredth_of_a_second_that_crosses() {
    let loudness = |measure, limit| Condition::Loudness { measure, limit };
    let signal = tone(&[(4.0, -40.0), (4.0, -20.0), (4.0, -40.0), (4.0, -20.0)]);
    let fires = |condition, once| events(&config(condition, once), &signal, &signal);
    // The share s of the window that is loud gives −20 + 10·lg s, the quiet rest adds a hundredth of itself.
    let crossing = |window: f64, lufs: f64| window * (libm::pow(10.0, (lufs + 20.0) / 10.0) - 0.01) / 0.99;
    for (measure, window) in [(LoudnessMeasure::Momentary, 0.4), (LoudnessMeasure::ShortTerm, 3.0)] {
        let up = fires(loudness(measure, Limit::Above(-23.0)), false);
        assert_eq!(up.len(), 2, "{up:?}");
        for ((at, value), start) in up.iter().zip([4.0, 12.0]) {
            let expected = start + crossing(window, -23.0);
            let seconds = (*at + 1) as f64 / 48_000.0;
            // The end of the hundredth in which it happens; 0.02 LU are a 400th of the window.
            let slack = 0.003 * window;
            assert!((-slack..0.01 + slack).contains(&(seconds - expected)), "{seconds}, not {expected}");
            assert!((*at + 1).is_multiple_of(480) && (-23.0..-22.0).contains(value), "{at} {value}");
        }
        assert_eq!(fires(loudness(measure, Limit::Above(-23.0)), true), up[..1]);
        let down = fires(loudness(measure, Limit::Below(-30.0)), false);
        // The quiet start counts when its window is full.
        assert_eq!(down.len(), 2, "{down:?}");
        assert_eq!(down[0].0 + 1, (window * 48_000.0) as usize);
        let seconds = (down[1].0 + 1) as f64 / 48_000.0 - 8.0;
        let share = window - crossing(window, -30.0);
        assert!((seconds - share).abs() < 0.02 + 0.01 * window, "{seconds}, not {share}");
    }
    // The gate leaves the quiet parts out: nothing ever brings it below again.
    let integrated = fires(loudness(LoudnessMeasure::Integrated, Limit::Above(-21.0)), false);
    assert_eq!(integrated.len(), 1, "{integrated:?}");
    let silence = vec![0.0; 96_000];
    let below = config(loudness(LoudnessMeasure::Integrated, Limit::Below(-23.0)), true);
    assert_eq!(events(&below, &silence, &silence), [], "no loudness is not a low one");
}

#[test]
fn a_loudness_goes_on_from_the_one_that_it_is_given() {
    let signal = tone(&[(1.0, -10.0)]);
    let mut master = Loudness::new(RATE);
    master.process(&signal[..10_001], &signal[..10_001]);
    let condition = Condition::Loudness { measure: LoudnessMeasure::Momentary, limit: Limit::Above(-12.0) };
    let mut trigger = Trigger::new(RATE, &config(condition, true), &master).unwrap();
    let mut seen = Vec::new();
    trigger.process(&signal[10_001..], &signal[10_001..], &mut |at, value| seen.push((10_001 + at, value)));
    assert_eq!(seen, events(&config(condition, true), &signal, &signal));
}

#[test]
fn what_is_out_of_range_is_refused_by_name() {
    let silence = |seconds, below_db| Condition::Silence { seconds, below_db };
    let loudness = |limit| Condition::Loudness { measure: LoudnessMeasure::ShortTerm, limit };
    for (condition, field) in [
        (silence(0.0, -60.0), "seconds"),
        (silence(f32::NAN, -60.0), "seconds"),
        (silence(1.0, 0.1), "below_db"),
        (silence(1.0, -121.0), "below_db"),
        (loudness(Limit::Above(20.5)), "above_lufs"),
        (loudness(Limit::Below(f32::NAN)), "below_lufs"),
    ] {
        let refused = Trigger::new(RATE, &config(condition, true), &Loudness::new(RATE)).unwrap_err();
        assert_eq!(refused.field(), field);
    }
}
