//! Every programme's pitch, loudness and end; what velocity, bends and vibrato do.

use alloc::vec::Vec;

use super::super::patch::patch_for_program;
use super::*;
use crate::math::{cos, sin};

fn note(program: u8, pitch: u8, at: usize, context: &mut SynthContext<'_>) -> SynthVoice {
    SynthVoice::new(patch_for_program(program), pitch, 100, (at, 1), context, 48_000.0)
}

fn stereo(voice: &mut SynthVoice, context: &mut SynthContext<'_>, n: usize) -> [Vec<f32>; 2] {
    let (mut left, mut right) = (alloc::vec![0.0; n], alloc::vec![0.0; n]);
    // The engine asks for a quantum at most.
    for (left, right) in left.chunks_mut(QUANTUM).zip(right.chunks_mut(QUANTUM)) {
        voice.render(context, left, right);
    }
    [left, right]
}

/// Renders A4 in spans of the given lengths, and lets it go after `held` frames.
fn render(program: u8, spans: &[usize], held: usize) -> Vec<f32> {
    let (edges, mut mix, mut lanes) = (EdgeTable::new(), Mix::SILENCE, Lanes::SILENCE);
    let mut context =
        SynthContext { edges: &edges, mix: &mut mix, lanes: &mut lanes, controls: Controls::default() };
    let mut voice = note(program, 69, 0, &mut context);
    let mut out = Vec::new();
    for &n in spans {
        if out.len() == held {
            voice.release();
        }
        out.extend(stereo(&mut voice, &mut context, n)[0].iter());
    }
    out
}

#[test]
fn spans_leave_no_trace() {
    for program in 0..128 {
        let whole = render(program, &[700, 300], 700);
        let cut = render(program, &[1, 15, 16, 17, 128, 441, 82, 300], 700);
        assert!(whole == cut, "programme {program}");
    }
}

#[test]
fn a_note_starts_and_ends_at_its_frame() {
    let (edges, mut mix, mut lanes) = (EdgeTable::new(), Mix::SILENCE, Lanes::SILENCE);
    let mut context =
        SynthContext { edges: &edges, mix: &mut mix, lanes: &mut lanes, controls: Controls::default() };
    for program in [0, 19, 33, 48, 54, 73, 81, 88, 90] {
        for at in [0, 1, 7, 15] {
            let mut voice = note(program, 69, at, &mut context);
            let [left, right] = stereo(&mut voice, &mut context, 300);
            // Only the grid on which it looks at its controls differs.
            let [first, _] = stereo(&mut note(program, 69, 0, &mut context), &mut context, 300);
            assert!(left.iter().take(4).chain(right.iter().take(4)).any(|x| *x != 0.0), "{program} at {at}");
            let apart = left.iter().zip(&first).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            let peak = first.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
            assert!(apart < 0.05 * peak, "programme {program} at {at}: {apart} of {peak}");
            voice.release();
            let before = voice.chunk.amp;
            let level = before[voice.chunk.at.max(1) - 1];
            assert!(before[voice.chunk.at..].iter().all(|amp| *amp < level), "falls from the next frame on");
        }
    }
}

fn energy(sound: &[f32], hz: f32) -> f32 {
    let (mut re, mut im) = (0.0, 0.0);
    for (i, x) in sound.iter().enumerate() {
        let angle = core::f32::consts::TAU * (hz * i as f32 / 48_000.0 % 1.0);
        re += x * cos(angle);
        im += x * sin(angle);
    }
    re * re + im * im
}

#[test]
fn every_program_sounds_at_its_pitch_and_ends() {
    for program in 0..128 {
        let sound = render(program, &[24_000], usize::MAX);
        let at_pitch = energy(&sound, 440.0);
        // A tritone away there is no partial of any patch.
        assert!(at_pitch > 50.0 * energy(&sound, 622.25) && at_pitch > 100.0, "programme {program}");
        let peak = sound.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
        assert!(peak < 1.0, "programme {program} peaks at {peak}");

        let (edges, mut mix, mut lanes) = (EdgeTable::new(), Mix::SILENCE, Lanes::SILENCE);
        let mut context =
            SynthContext { edges: &edges, mix: &mut mix, lanes: &mut lanes, controls: Controls::default() };
        let mut voice = note(program, 69, 0, &mut context);
        stereo(&mut voice, &mut context, 128);
        voice.release();
        stereo(&mut voice, &mut context, 400_000);
        assert!(voice.is_done(), "programme {program} never ends");
    }
}

#[test]
fn bends_and_vibrato_move_the_pitch() {
    let (edges, mut mix, mut lanes) = (EdgeTable::new(), Mix::SILENCE, Lanes::SILENCE);
    for program in [0, 19, 81] {
        let mut at = |controls| {
            let mut context = SynthContext {
                edges: &edges,
                mix: &mut mix,
                lanes: &mut lanes,
                controls: Controls::default(),
            };
            let mut voice = note(program, 69, 0, &mut context);
            context.controls = controls;
            // 100 ms for the glide to end.
            stereo(&mut voice, &mut context, 4800);
            stereo(&mut voice, &mut context, 9600)[0].clone()
        };
        let bent = at(Controls { bend: 2.0, modulation: 0.0 });
        assert!(energy(&bent, 493.883) > 30.0 * energy(&bent, 440.0), "programme {program}");
        let moved = at(Controls { bend: 0.0, modulation: 1.0 });
        let still = at(Controls::default());
        assert!(energy(&moved, 440.0) < 0.9 * energy(&still, 440.0), "programme {program}");
    }
}

/// Loudness of a second of one note, the mean over four notes around middle C.
fn loudness(program: u8) -> f32 {
    let (edges, mut mix, mut lanes) = (EdgeTable::new(), Mix::SILENCE, Lanes::SILENCE);
    let mut context =
        SynthContext { edges: &edges, mix: &mut mix, lanes: &mut lanes, controls: Controls::default() };
    let mut measured = [0.0f32; 4];
    for (level, pitch) in measured.iter_mut().zip([48, 60, 67, 76]) {
        let rate = crate::units::SampleRate::DEFAULT;
        let mut meter = crate::analysis::loudness::Loudness::new(rate);
        let mut voice = note(program, pitch, 0, &mut context);
        let [left, right] = stereo(&mut voice, &mut context, 48_000);
        meter.process(&left, &right);
        *level = meter.max_momentary();
    }
    measured.iter().sum::<f32>() / 4.0
}

#[test]
fn all_programs_are_about_equally_loud() {
    let far: Vec<_> = (0..128u8)
        .map(|program| {
            let target = if (32..40).contains(&program) { -19.0 } else { -22.0 };
            (program, loudness(program) - target)
        })
        .filter(|(_, apart)| apart.abs() >= 1.5)
        .collect();
    assert!(far.is_empty(), "programme and LU off: {far:?}");
}

#[test]
fn velocity_changes_level_and_brightness() {
    let (edges, mut mix, mut lanes) = (EdgeTable::new(), Mix::SILENCE, Lanes::SILENCE);
    let mut context =
        SynthContext { edges: &edges, mix: &mut mix, lanes: &mut lanes, controls: Controls::default() };
    for program in [0, 4, 33, 61, 81] {
        let mut at = |velocity| {
            let patch = patch_for_program(program);
            let mut voice = SynthVoice::new(patch, 57, velocity, (0, 1), &mut context, 48_000.0);
            let [sound, _] = stereo(&mut voice, &mut context, 24_000);
            let power: f32 = sound.iter().map(|x| x * x).sum();
            // The slope's power against the sound's: high partials weigh more.
            let slope: f32 = sound.windows(2).map(|w| (w[1] - w[0]) * (w[1] - w[0])).sum();
            (10.0 * libm::log10f(power), slope / power)
        };
        let (soft, hard) = (at(40), at(120));
        assert!((15.0..26.0).contains(&(hard.0 - soft.0)), "programme {program}: {soft:?} {hard:?}");
        assert!(hard.1 > 1.05 * soft.1, "programme {program}: {soft:?} {hard:?}");
    }
}
