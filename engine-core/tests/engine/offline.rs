//! Rendering to a file gives what is played live.

use std::sync::Arc;

use engine_core::buffer::StereoBlock;
use engine_core::composition::{AudioClip, Composition, CompositionSpec, Instrument, Track};
use engine_core::control::{Command, Quantum, Sample};
use engine_core::engine::offline::{DEFAULT_TAIL_SECONDS, Render, TAIL_DB};
use engine_core::math::gain_from_db;
use engine_core::units::{PPQ, QUANTUM, SampleRate};
use uuid::Uuid;

use crate::common::{DRUMS, ORGAN, composition, engine, note, track};

fn song() -> Composition {
    let notes: Vec<_> = (0..24).map(|i| note(40 + i as u8, i * 240, 300)).collect();
    let pads = Track { clips: track(ORGAN, &notes).clips, ..Track::new("Pad", Instrument::program(89)) };
    composition(7, &[(0, 133.0), (1000, 97.0)], vec![track(ORGAN, &notes), track(DRUMS, &notes), pads])
}

fn render(c: &Composition, rate: u32, tail: f64) -> Vec<StereoBlock> {
    Render::new(c, |_| None, SampleRate::new(rate).unwrap(), tail).collect()
}

#[test]
fn a_render_has_the_bits_of_live_playing() {
    for rate in [44_100, 48_000] {
        let blocks = render(&song(), rate, DEFAULT_TAIL_SECONDS);
        let mut live = engine(rate, &song());
        live.command(Command::Play);
        let mut q = Quantum::new();
        for (idx, block) in blocks.iter().enumerate() {
            live.process(None, &mut q);
            assert!(*block == q.master, "block {idx}");
        }
        // It ends with the last audible block, and nothing comes after it.
        let threshold = gain_from_db(TAIL_DB);
        let peak =
            |block: &StereoBlock| block.left.iter().chain(&block.right).fold(0f32, |p, x| p.max(x.abs()));
        assert!(peak(blocks.last().unwrap()) >= threshold);
        for _ in 0..2000 {
            live.process(None, &mut q);
            assert!(peak(&q.master) < threshold);
        }
        // Longer than the composition, since the pad sounds on.
        let length = song().tempo.seconds_from_ticks(f64::from(7 * PPQ)) * f64::from(rate);
        let n = (blocks.len() * QUANTUM) as f64;
        assert!(n > length + f64::from(rate) * 0.05 && n < length + f64::from(rate) * 10.0);
    }
}

#[test]
fn silence_has_its_length_and_a_tail_its_maximum() {
    let c = composition(4, &[(0, 120.0)], vec![]);
    // Two seconds, in whole blocks.
    assert_eq!(render(&c, 48_000, 30.0).len(), 750);
    assert_eq!(render(&c, 48_000, 0.0).len(), 750);
    assert_eq!(render(&composition(0, &[(0, 120.0)], vec![]), 48_000, 30.0).len(), 0);
    let full = render(&song(), 48_000, 30.0).len();
    let cut = render(&song(), 48_000, 0.05).len();
    let length = (song().tempo.seconds_from_ticks(f64::from(7 * PPQ)) * 48_000.0).ceil() as usize;
    assert!(cut < full && (cut * QUANTUM).abs_diff(length + 2400) <= QUANTUM, "{cut} of {full}");
}

#[test]
fn progress_rises_to_one_and_samples_are_found() {
    let sample = Arc::new(Sample::new(vec![0.1; 96_000].into(), vec![0.1; 96_000].into()));
    let id = Uuid::from_u128(5);
    let clip = AudioClip {
        id: Uuid::nil(),
        sample: id,
        start: 960,
        offset_seconds: 0.0,
        length_seconds: 0.5,
        gain_db: 0.0,
        fade_in_seconds: 0.0,
        fade_out_seconds: 0.0,
    };
    let spec = CompositionSpec {
        tracks: vec![Track { audio_clips: vec![clip], ..Track::new("a", Instrument::default()) }],
        ..composition(4, &[(0, 120.0)], vec![]).into_spec()
    };
    let c = Composition::new(spec).unwrap();
    let find = |wanted: &Uuid| (*wanted == id).then(|| sample.clone());
    let mut render = Render::new(&c, find, SampleRate::DEFAULT, 1.0);
    assert_eq!(render.n_frames(), 96_000);
    let (mut last, mut energy) = (render.progress(), 0.0);
    assert_eq!(last, 0.0);
    while let Some(block) = render.next() {
        assert!(render.progress() >= last);
        last = render.progress();
        energy += block.left.iter().map(|x| f64::from(*x * *x)).sum::<f64>();
    }
    assert_eq!(last, 1.0);
    assert!((energy - 24_000.0 * 0.01).abs() < 1.0, "{energy}");
}
