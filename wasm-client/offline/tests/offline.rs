//! The jobs, natively: the same bits as the crates that they are made of.

use std::io::Cursor;
use std::sync::Arc;

use antiphon_offline::Offline;
use audio_files::{SampleFormat, WavFile, decode_bytes};
use engine_core::composition::{Composition, midi};
use engine_core::engine::offline::Render;
use engine_core::units::SampleRate;
use uuid::Uuid;

const FLAC: &[u8] = include_bytes!("../../../audio-files/tests/data/tone.flac");
const ID: Uuid = Uuid::from_u128(0x1234);

fn recording() -> (Composition, Vec<u8>) {
    let composition = Composition::from_audio("Tone", ID, 0.4, 120.0).unwrap();
    let json = serde_json::to_vec(&composition).unwrap();
    (composition, json)
}

/// Renders piece by piece, as JavaScript does.
fn rendered(offline: &mut Offline, n_blocks: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut progress = 0.0;
    loop {
        let goes_on = offline.step(n_blocks).unwrap();
        file.extend(offline.output());
        assert!(offline.progress() >= progress);
        progress = offline.progress();
        if !goes_on {
            break;
        }
    }
    assert_eq!(progress, 1.0);
    offline.finish().unwrap();
    let head = offline.output();
    file[..head.len()].copy_from_slice(head);
    file
}

#[test]
fn a_file_is_decoded_as_it_is_or_for_an_engine() {
    let mut offline = Offline::default();
    assert_eq!((offline.sample_rate(), offline.planes().len()), (0, 0));
    offline.decode(FLAC.to_vec(), 0).unwrap();
    let audio = decode_bytes(FLAC, None).unwrap();
    assert_eq!((offline.sample_rate(), offline.is_damaged()), (44_100, false));
    assert!(offline.planes().iter().zip(&audio.channels).all(|(a, b)| **a == **b));
    offline.decode(FLAC.to_vec(), 48_000).unwrap();
    let sample = audio.into_sample(SampleRate::DEFAULT);
    assert_eq!((offline.sample_rate(), offline.planes().len()), (48_000, 2));
    assert!(offline.planes()[0] == sample.left && offline.planes()[1] == sample.right);
    // The composition's length is the file's, not that of whole frames at another rate.
    offline.compose(ID, "Tone", 120.0).unwrap();
    assert_eq!(serde_json::from_slice::<Composition>(offline.output()).unwrap(), recording().0);
    offline.decode(FLAC[..FLAC.len() * 3 / 4].to_vec(), 0).unwrap();
    assert!(offline.is_damaged());
}

#[test]
fn a_render_in_steps_has_the_bytes_of_a_render_at_once() {
    let (composition, json) = recording();
    let sample = Arc::new(decode_bytes(FLAC, None).unwrap().into_sample(SampleRate::DEFAULT));
    for (bits, n_blocks) in [(16, 1), (24, 64), (32, 100_000)] {
        let mut offline = Offline::default();
        offline.add_sample(ID, FLAC.to_vec(), 48_000).unwrap();
        offline.start(&json, 48_000, bits, 1.0).unwrap();
        let mut expected = Cursor::new(Vec::new());
        let format = SampleFormat::from_bits(bits).unwrap();
        let mut wav = WavFile::new(&mut expected, SampleRate::DEFAULT, format).unwrap();
        for block in Render::new(&composition, |_| Some(sample.clone()), SampleRate::DEFAULT, 1.0) {
            wav.write(&block).unwrap();
        }
        wav.finish().unwrap();
        assert!(rendered(&mut offline, n_blocks) == expected.into_inner(), "{bits} bits");
    }
}

#[test]
fn a_composition_becomes_a_midi_file() {
    let file = include_bytes!("../../../www/public/antiphon.mid");
    let composition = midi::import(file, "Antiphon").unwrap();
    let mut offline = Offline::default();
    offline.export_midi(&serde_json::to_vec(&composition).unwrap()).unwrap();
    let again = midi::import(offline.output(), "Antiphon").unwrap();
    let n_notes =
        |c: &Composition| c.tracks.iter().flat_map(|t| &t.clips).map(|c| c.notes.len()).sum::<usize>();
    assert_eq!(n_notes(&again), n_notes(&composition));
}

#[test]
fn what_is_wrong_is_named() {
    let (composition, json) = recording();
    let mut offline = Offline::default();
    let refused = |result: Result<(), antiphon_offline::Failure>| {
        let failure = result.unwrap_err();
        (failure.code, failure.field.unwrap_or_default())
    };
    let of = |code, field: &str| (code, field.to_string());
    assert_eq!(refused(offline.decode(b"no sound".to_vec(), 0)), of("invalid-audio", ""));
    assert_eq!(refused(offline.decode(FLAC.to_vec(), 7)), of("invalid-value", "sampleRate"));
    assert_eq!(
        refused(offline.compose(ID, "Tone", 120.0)),
        of("invalid-composition", "tracks[0].audio_clips[0].start")
    );
    let missing = of("missing-sample", "tracks[0].audio_clips[0].sample");
    assert_eq!(refused(offline.start(&json, 48_000, 24, 1.0)), missing);
    offline.add_sample(ID, FLAC.to_vec(), 48_000).unwrap();
    assert_eq!(refused(offline.start(&json, 48_000, 20, 1.0)), of("invalid-value", "bits"));
    assert_eq!(refused(offline.start(&json, 48_000, 24, f64::NAN)), of("invalid-value", "tailSeconds"));
    assert_eq!(refused(offline.start(b"{", 48_000, 24, 1.0)), of("invalid-composition", ""));
    let mut spec = composition.into_spec();
    spec.tracks[0].gain_db = 99.0;
    let json = serde_json::to_vec(&spec).unwrap();
    assert_eq!(
        refused(offline.start(&json, 48_000, 24, 1.0)),
        of("invalid-composition", "tracks[0].gain_db")
    );
    assert_eq!(refused(offline.export_midi(&json)), of("invalid-composition", "tracks[0].gain_db"));
    assert_eq!(refused(offline.finish()), of("internal", ""));
}
