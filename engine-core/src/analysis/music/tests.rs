use alloc::vec;
use core::f64::consts::TAU;

use super::*;
use crate::analysis::test_signals::{CHUNKS, Noise};

/// The usual rates, and those that are halved once and twice.
const RATES: [u32; 4] = [44_100, 48_000, 96_000, 192_000];

fn rate(hz: u32) -> SampleRate {
    SampleRate::new(hz).unwrap()
}

/// Adds the partials below half the rate, and below `max_hz`, with the amplitudes that `shape` gives for 1, 2, 3 …
fn add_tone(out: &mut [f32], hz: f64, rate: u32, max_hz: f64, shape: Shape) {
    let rate = f64::from(rate);
    for partial in 1..=((0.49 * rate).min(max_hz) / hz) as u32 {
        let amplitude = shape(partial);
        if amplitude == 0.0 {
            continue;
        }
        // A rotation in f64: many times faster than a sine for each sample.
        let step = TAU * f64::from(partial) * hz / rate;
        let (sin_step, cos_step) = (libm::sin(step), libm::cos(step));
        let (mut sin, mut cos) = (0.0, amplitude);
        for x in &mut *out {
            *x += sin as f32;
            (sin, cos) = (sin * cos_step + cos * sin_step, cos * cos_step - sin * sin_step);
        }
    }
}

fn sine(partial: u32) -> f64 {
    if partial == 1 { 0.2 } else { 0.0 }
}

fn saw(partial: u32) -> f64 {
    0.1 / f64::from(partial)
}

fn square(partial: u32) -> f64 {
    if partial.is_multiple_of(2) { 0.0 } else { 0.15 / f64::from(partial) }
}

/// Amplitude of a partial.
type Shape = fn(u32) -> f64;

const SHAPES: [(&str, Shape); 3] = [("sine", sine), ("saw", saw), ("square", square)];

/// Frequency of a MIDI pitch for a tuning of A4.
fn hz_from_pitch(pitch: i32, a4: f64) -> f64 {
    a4 * libm::exp2(f64::from(pitch - 69) / 12.0)
}

/// Chords of one second, one after the other.
fn chords(pitches: &[Vec<i32>], a4: f64, shape: Shape) -> Vec<f32> {
    let mut out = vec![0.0; 48_000 * pitches.len()];
    for (part, chord) in out.chunks_mut(48_000).zip(pitches) {
        chord.iter().for_each(|&pitch| add_tone(part, hz_from_pitch(pitch, a4), 48_000, 5_000.0, shape));
    }
    out
}

fn whole(samples: &[f32]) -> Music {
    let mut music = Music::whole(SampleRate::DEFAULT, samples.len() as u64);
    music.process(samples, samples);
    music
}

#[test]
fn pitch_is_within_five_cents_from_40_hz_to_4_khz() {
    for hz in [8_000, 16_000, 22_050].into_iter().chain(RATES) {
        let mut music = Music::new(rate(hz));
        for (name, shape) in SHAPES {
            let pitches = (0..=67).map(|step| 40.0 * libm::pow(100.0, f64::from(step) / 67.0));
            for pitch in pitches.filter(|&pitch| pitch <= f64::from(hz) / 8.0) {
                let mut samples = vec![0.0; hz as usize / 7];
                add_tone(&mut samples, pitch, hz, f64::MAX, shape);
                music.reset();
                music.process(&samples, &samples);
                let s = music.snapshot();
                let found = f64::from(s.pitch_hz.unwrap_or(1.0));
                let cents = 1_200.0 * libm::log2(found / pitch);
                assert!(cents.abs() < 5.0, "{name} of {pitch} Hz at {hz}: {found}");
                assert!(s.pitch_clarity > 0.9, "{name} of {pitch} Hz at {hz}: {}", s.pitch_clarity);
            }
        }
    }
}

#[test]
fn only_one_note_has_a_pitch() {
    let pitch = |samples: &[f32]| whole(samples).snapshot().pitch_hz;
    assert_eq!(pitch(&Noise(1).take(9_600)), None);
    assert_eq!(pitch(&[0.0; 9_600]), None);
    assert_eq!(pitch(&[0.3; 9_600]), None);
    for (hz, shape) in [(8_000.0, sine as Shape), (20.0, saw)] {
        let mut samples = vec![0.0; 9_600];
        add_tone(&mut samples, hz, 48_000, f64::MAX, shape);
        assert_eq!(pitch(&samples), None, "{hz}");
    }
    assert_eq!(pitch(&chords(&[vec![57, 60, 63, 68]], 440.0, saw)), None);
    // The notes of a major triad are partials of the root two octaves below.
    let root = pitch(&chords(&[vec![57, 61, 64]], 440.0, saw)).unwrap();
    assert!((root - 55.0).abs() < 0.1, "{root}");
    // With noise 20 dB below it is still a note.
    let mut noisy = chords(&[vec![57]], 440.0, saw);
    noisy.iter_mut().zip(Noise(2).take(48_000)).for_each(|(x, noise)| *x += 0.02 * noise);
    let found = pitch(&noisy).unwrap();
    assert!((found - 220.0).abs() < 0.6, "{found}");
}

/// A click track and the seconds of its clicks: single samples, bursts of noise, or beeps with an accent on every
/// fourth over noise at −50 dBFS.
fn clicks(bpm: f64, hz: u32, kind: &str) -> (Vec<f32>, Vec<f64>) {
    const SECONDS: u32 = 8;
    let mut noise = Noise(3);
    let background = if kind == "beep" { 0.003 } else { 0.0 };
    let mut out: Vec<f32> = (0..SECONDS * hz).map(|_| background * noise.next()).collect();
    let times = (0..).map(|k| 0.02 + f64::from(k) * 60.0 / bpm);
    let times: Vec<f64> = times.take_while(|t| *t < f64::from(SECONDS) - 0.05).collect();
    for (k, t) in times.iter().enumerate() {
        let start = (t * f64::from(hz)) as usize;
        let accent = if k % 4 == 0 { 0.8 } else { 0.4 };
        for (i, x) in out[start..][..hz as usize / 50].iter_mut().enumerate() {
            let t = i as f64 / f64::from(hz);
            let fade = accent * libm::exp(-t / 0.004);
            *x += match kind {
                "sample" => [0.9, 0.0][i.min(1)],
                "noise" => fade as f32 * noise.next(),
                _ => (fade * libm::sin(TAU * 1_200.0 * t)) as f32,
            };
        }
    }
    (out, times)
}

#[test]
fn click_tracks_have_their_tempo_and_every_click_is_an_onset() {
    for hz in RATES {
        for kind in ["sample", "noise", "beep"] {
            let is_main = hz == 48_000 && kind == "beep";
            for bpm in (60..=200).step_by(if is_main { 1 } else { 20 }) {
                let (samples, times) = clicks(f64::from(bpm), hz, kind);
                let mut music = Music::whole(rate(hz), samples.len() as u64);
                music.process(&samples, &samples);
                let s = music.snapshot();
                let found = f64::from(s.bpm.unwrap_or(0.0));
                assert!((found / f64::from(bpm) - 1.0).abs() < 0.02, "{kind} at {bpm}, {hz}: {found}");
                assert!(s.bpm_strength > 0.5, "{kind} at {bpm}, {hz}: {}", s.bpm_strength);
                assert_eq!(music.onsets().len(), times.len(), "{kind} at {bpm}, {hz}");
                for (onset, t) in music.onsets().iter().zip(times) {
                    let late = onset.position as f64 / f64::from(hz) - t;
                    assert!((-0.001..0.010).contains(&late), "{kind} at {bpm}, {hz}: {late} s late");
                }
                assert_eq!(
                    (s.n_onsets, s.last_onset),
                    (music.onsets().len() as u64, music.onsets().last().copied())
                );
            }
        }
    }
}

#[test]
fn every_note_of_a_line_is_an_onset_and_what_sounds_on_is_none() {
    let (note, fade) = (12_000, 960);
    let line = [60, 62, 64, 65, 67, 69, 71, 72, 71, 67, 64, 60];
    let mut samples = vec![0.0; note * line.len() + fade];
    for (i, pitch) in line.into_iter().enumerate() {
        let mut tone = vec![0.0; note + fade];
        add_tone(&mut tone, hz_from_pitch(pitch, 440.0), 48_000, f64::MAX, saw);
        let n = tone.len();
        for (j, (x, out)) in tone.iter().zip(&mut samples[i * note..]).enumerate() {
            *out += x * (j.min(n - j) as f32 / fade as f32).min(1.0);
        }
    }
    let music = whole(&samples);
    assert_eq!(music.onsets().len(), line.len());
    for (i, onset) in music.onsets().iter().enumerate() {
        let late = onset.position as i64 - (i * note) as i64;
        assert!((0..1_440).contains(&late), "note {i} {late} frames late");
    }
    let mut noise = whole(&Noise(4).take(480_000));
    assert_eq!(noise.onsets().len(), 1, "noise: {:?}", noise.onsets());
    assert_eq!(noise.snapshot().bpm, None);
    let mut tone = whole(&chords(&vec![vec![57]; 10], 440.0, saw)[..48_000]);
    assert_eq!((tone.onsets().len(), tone.snapshot().bpm), (1, None));
}

#[test]
fn chroma_names_the_notes_in_any_tuning() {
    for a4 in [440.0, 430.0, 446.0, 415.3] {
        for pitch in 48..60 {
            let s = whole(&chords(&[vec![pitch, pitch + 4, pitch + 19]], a4, saw)).snapshot();
            let mut classes: Vec<usize> = (0..12).collect();
            classes.sort_by(|&a, &b| s.chroma[b].total_cmp(&s.chroma[a]));
            // A4 = 415.3 Hz is G♯4 of 440 Hz, a semitone lower.
            let shift = if a4 < 420.0 { 11 } else { 0 };
            let mut expected = [0, 4, 7].map(|degree| (pitch as usize + degree + shift) % 12);
            expected.sort_unstable();
            let mut loudest = [classes[0], classes[1], classes[2]];
            loudest.sort_unstable();
            assert_eq!(loudest, expected, "{pitch} at {a4}: {:?}", s.chroma);
            assert_eq!(s.chroma[classes[0]], 1.0);
            let cents = 1_200.0 * libm::log2(a4 / 440.0) + 100.0 * f64::from(u8::from(shift != 0));
            assert!((f64::from(s.tuning_cents) - cents).abs() < 2.0, "{a4}: {}", s.tuning_cents);
        }
    }
    let s = whole(&[0.0; 48_000]).snapshot();
    assert_eq!((s.chroma, s.tuning_cents, s.key), ([0.0; 12], 0.0, None));
}

/// Tonic, subdominant, dominant and tonic with their roots below, in root position.
fn cadence(tonic: i32, mode: KeyMode) -> Vec<Vec<i32>> {
    let third = if mode == KeyMode::Major { 4 } else { 3 };
    let triad = |root: i32, third: i32| vec![root - 12, root, root + third, root + 7];
    vec![
        triad(tonic, third),
        triad(tonic + 5, third),
        // Minor has its leading note.
        triad(tonic + 7, 4),
        triad(tonic, third),
    ]
}

#[test]
fn cadences_are_in_their_key_all_24() {
    for (name, shape) in SHAPES {
        for mode in [KeyMode::Major, KeyMode::Minor] {
            for tonic in 0..12 {
                let s = whole(&chords(&cadence(48 + tonic, mode), 440.0, shape)).snapshot();
                assert_eq!(s.key, Some(Key { tonic: tonic as u8, mode }), "{name}");
                assert!(s.key_strength > 0.7, "{name} {tonic} {mode:?}: {}", s.key_strength);
            }
        }
    }
    assert_eq!(Key { tonic: 6, mode: KeyMode::Major }.name(), "G♭ major");
    assert_eq!(Key { tonic: 9, mode: KeyMode::Minor }.name(), "A minor");
}

#[test]
fn a_live_stream_forgets_and_a_file_does_not() {
    let mut piece = vec![cadence(48, KeyMode::Major); 7].concat();
    piece.extend(vec![cadence(54, KeyMode::Major); 5].concat());
    let samples = chords(&piece, 440.0, saw);
    let mut live = Music::new(SampleRate::DEFAULT);
    live.process(&samples, &samples);
    assert_eq!(live.snapshot().key.unwrap().name(), "G♭ major");
    assert!(live.onsets().is_empty() && live.snapshot().n_onsets > 0);
    assert_eq!(whole(&samples).snapshot().key.unwrap().name(), "C major");
}

#[test]
fn bits_do_not_depend_on_blocks() {
    let mut samples = clicks(97.0, 48_000, "noise").0;
    samples.iter_mut().zip(chords(&cadence(50, KeyMode::Minor), 442.0, saw)).for_each(|(x, tone)| *x += tone);
    let right: Vec<f32> =
        samples.iter().zip(Noise(5).take(samples.len())).map(|(x, n)| 0.5 * x + 0.001 * n).collect();
    for hz in [44_100, 192_000] {
        let mut reference = Music::whole(rate(hz), samples.len() as u64);
        reference.process(&samples, &right);
        let expected = (reference.snapshot(), reference.onsets().to_vec());
        let mut music = Music::whole(rate(hz), samples.len() as u64);
        for chunk in CHUNKS {
            music.reset();
            for (i, (l, r)) in samples.chunks(chunk).zip(right.chunks(chunk)).enumerate() {
                music.process(l, r);
                // A look changes nothing.
                if i % 1_000 == 0 {
                    music.snapshot();
                }
            }
            assert!((music.snapshot(), music.onsets().to_vec()) == expected, "{hz} in chunks of {chunk}");
        }
    }
}

#[test]
fn bad_samples_and_opposite_channels_are_silence() {
    let tone = chords(&[vec![60, 64, 67]], 440.0, saw);
    let opposite: Vec<f32> = tone.iter().map(|x| -x).collect();
    for (l, r) in [(&tone, &opposite), (&vec![f32::NAN; 48_000], &vec![f32::INFINITY; 48_000])] {
        let mut music = Music::new(SampleRate::DEFAULT);
        music.process(l, r);
        let s = music.snapshot();
        assert_eq!((s.pitch_hz, s.pitch_clarity, s.chroma, s.n_onsets), (None, 0.0, [0.0; 12], 0));
    }
}

#[test]
fn the_snapshot_is_plain_json() {
    let s = whole(&chords(&cadence(45, KeyMode::Minor), 440.0, saw)).snapshot();
    let json = serde_json::to_value(s).unwrap();
    assert_eq!(json["key"], serde_json::json!({ "tonic": 9, "mode": "minor" }));
    assert_eq!(json["pitch_hz"], serde_json::Value::Null);
    assert_eq!(serde_json::from_value::<MusicSnapshot>(json).unwrap(), s);
}

#[test]
fn a_semitone_is_that_of_libm() {
    assert_eq!(super::onset::SEMITONE.to_bits(), libm::exp2(1.0 / 12.0).to_bits());
}
