//! Integrated loudness, loudness range and true peak of ten minutes of stereo.

use std::f32::consts::TAU;
use std::hint::black_box;

use ebur128::{EbuR128, Mode};
use ebur128_stream::{AnalyzerBuilder, Channel, Mode as StreamMode, Report};
use engine_core::analysis::layout::Layout;
use engine_core::analysis::programme::{Programme, Summary};
use engine_core::units::SampleRate;

use crate::compare::{Case, Goal, Table};

const RATE: u32 = 48_000;
const N_FRAMES: usize = 600 * RATE as usize;
/// Frames handed over at a time, as a decoder does.
const BLOCK: usize = 4_096;

/// Measures on two kinds of sound: noise, where every point between samples must be computed, and a programme whose
/// level and spectrum are those of music.
pub fn run(table: &mut Table) {
    for (kind, sound) in [("noise", noise as fn(u32) -> Vec<f32>), ("a programme", programme)] {
        let channels = [sound(1), sound(2)];
        let interleaved: Vec<f32> =
            channels[0].iter().zip(&channels[1]).flat_map(|(&l, &r)| [l, r]).collect();
        agree(&ours(&channels), &libebur128(&channels), &stream(&interleaved));
        let name = format!("I, LRA and true peak of 600 s of {kind}, stereo");
        let case = |peer, goal| Case {
            name: &name,
            peer,
            goal: Goal::AtLeast(goal),
            note: "Both in f32 samples, blocks of 4096 frames, one thread.",
        };
        table.compare(
            &case("ebur128", 2.0),
            || _ = black_box(ours(&channels)),
            || _ = black_box(libebur128(&channels)),
        );
        table.compare(
            &case("ebur128-stream", 1.6),
            || _ = black_box(ours(&channels)),
            || _ = black_box(stream(&interleaved)),
        );
    }
}

/// The comparison is fair only if all three measure the same thing.
fn agree(ours: &Summary, libebur128: &[f64; 3], stream: &Report) {
    let [integrated, range, true_peak] = [ours.integrated, ours.range, ours.max_true_peak].map(f64::from);
    let near = |a: f64, b: f64, tolerance: f64, what: &str| {
        assert!((a - b).abs() <= tolerance, "{what}: we read {a}, the peer reads {b}");
    };
    near(integrated, libebur128[0], 0.01, "I");
    near(integrated, stream.integrated_lufs().expect("a loudness"), 0.01, "I");
    // ebur128 takes a block a second where Tech 3342 wants one every 100 ms: no oracle for the range.
    near(range, stream.loudness_range_lu().expect("a range"), 0.1, "LRA");
    // Interpolators differ near half the sample rate, where noise has as much as anywhere.
    near(true_peak, libebur128[2], 0.7, "true peak");
    near(true_peak, stream.true_peak_dbtp().expect("a peak"), 0.7, "true peak");
}

fn ours([left, right]: &[Vec<f32>; 2]) -> Summary {
    let rate = SampleRate::new(RATE).expect("a usual rate");
    let mut programme = Programme::new(rate, Layout::STEREO);
    for (left, right) in left.chunks(BLOCK).zip(right.chunks(BLOCK)) {
        programme.process(&[left, right]);
    }
    programme.summary()
}

/// I, LRA, dBTP.
fn libebur128([left, right]: &[Vec<f32>; 2]) -> [f64; 3] {
    let mut meter = EbuR128::new(2, RATE, Mode::I | Mode::LRA | Mode::TRUE_PEAK).expect("its modes");
    for (left, right) in left.chunks(BLOCK).zip(right.chunks(BLOCK)) {
        meter.add_frames_planar_f32(&[left, right]).expect("two channels");
    }
    let peak = |channel| meter.true_peak(channel).expect("a channel");
    [
        meter.loudness_global().expect("mode I"),
        meter.loudness_range().expect("mode LRA"),
        20.0 * peak(0).max(peak(1)).log10(),
    ]
}

fn stream(interleaved: &[f32]) -> Report {
    let mut analyzer = AnalyzerBuilder::new()
        .sample_rate(RATE)
        .channels(&[Channel::Left, Channel::Right])
        .modes(StreamMode::Integrated | StreamMode::Lra | StreamMode::TruePeak)
        .build()
        .expect("its modes");
    for block in interleaved.chunks(2 * BLOCK) {
        analyzer.push_interleaved::<f32>(block).expect("whole frames");
    }
    analyzer.finalize()
}

/// Uniform in ±0.5, from a seed.
fn noise(seed: u32) -> Vec<f32> {
    let mut state = seed;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (f64::from(state) / f64::from(u32::MAX) - 0.5) as f32
    };
    (0..N_FRAMES).map(next).collect()
}

/// Noise that falls towards high frequencies, under a level that swells and beats.
fn programme(seed: u32) -> Vec<f32> {
    let mut low = [0.0f32; 3];
    let shaped = noise(seed).into_iter().enumerate().map(|(i, x)| {
        for (state, coefficient) in low.iter_mut().zip([0.01, 0.1, 0.5]) {
            *state += coefficient * (x - *state);
        }
        let seconds = (i % (60 * RATE as usize)) as f32 / RATE as f32;
        let level = 0.25 + 0.2 * (TAU * seconds / 10.0).sin() + 0.1 * (TAU * seconds / 0.75).sin();
        2.0 * level * (3.0 * low[0] + low[1] + 0.4 * low[2])
    });
    shaped.collect()
}
