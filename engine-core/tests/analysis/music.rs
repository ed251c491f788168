//! The bundled composition, rendered by the engine and heard by the analysis.
use engine_core::analysis::music::{KeyMode, Music, MusicSnapshot};
use engine_core::composition::Composition;
use engine_core::composition::midi::import;
use engine_core::engine::offline::{DEFAULT_TAIL_SECONDS, Render};
use engine_core::units::{QUANTUM, SampleRate};

const RATE: f64 = 48_000.0;

fn bundled() -> Composition {
    import(include_bytes!("../../../www/public/antiphon.mid"), "Antiphon").unwrap()
}

/// What is heard live after each second, and the whole.
fn heard(c: &Composition) -> (Vec<MusicSnapshot>, Music) {
    let (mut live, mut whole) =
        (Music::new(SampleRate::DEFAULT), Music::whole(SampleRate::DEFAULT, 5_000_000));
    let mut seconds = vec![];
    for (i, block) in Render::new(c, |_| None, SampleRate::DEFAULT, DEFAULT_TAIL_SECONDS).enumerate() {
        live.process(&block.left, &block.right);
        whole.process(&block.left, &block.right);
        if (i + 1) % (RATE as usize / QUANTUM) == 0 {
            seconds.push(live.snapshot());
        }
    }
    (seconds, whole)
}

#[test]
fn the_bundled_composition_has_its_tempo_its_key_and_its_onsets() {
    let c = bundled();
    let (live, mut whole) = heard(&c);
    let near = |found: Option<f32>, bpm: f32| found.is_some_and(|found| (found / bpm - 1.0).abs() < 0.02);

    // Its longest part is at 92 beats a minute.
    let s = whole.snapshot();
    assert!(near(s.bpm, 92.0), "{:?}", s.bpm);
    assert_eq!(s.key.map(|key| (key.tonic, key.mode)), Some((2, KeyMode::Minor)));
    // Live: 52 s at 92, and from bar 25 (64 s) at 100, heard within ten seconds, to bar 33 (83 s).
    for second in (5..=52).chain(74..=83) {
        let bpm = if second < 60 { 92.0 } else { 100.0 };
        assert!(near(live[second - 1].bpm, bpm), "{second} s: {:?}", live[second - 1].bpm);
    }

    let mut starts: Vec<f64> = vec![];
    for clip in c.tracks.iter().flat_map(|track| &track.clips) {
        starts.extend(
            clip.notes.iter().map(|note| c.tempo.seconds_from_ticks(f64::from(clip.start + note.start))),
        );
    }
    starts.sort_by(f64::total_cmp);
    starts.dedup_by(|b, a| *b - *a < 0.03);
    let onsets: Vec<f64> = whole.onsets().iter().map(|onset| onset.position as f64 / RATE).collect();
    // MIREX's window of 50 ms.
    let is_near = |t: &f64, others: &[f64]| others.iter().any(|other| (t - other).abs() < 0.05);
    let precision = onsets.iter().filter(|t| is_near(t, &starts)).count() as f64 / onsets.len() as f64;
    let recall = starts.iter().filter(|t| is_near(t, &onsets)).count() as f64 / starts.len() as f64;
    println!("{} onsets, {} starts: precision {precision}, recall {recall}", onsets.len(), starts.len());
    assert!(precision > 0.9 && recall > 0.9, "precision {precision}, recall {recall}");
}
