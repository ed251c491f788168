use super::*;
use crate::analysis::test_signals::sine;

/// `n` samples of a tone with the harmonics below half the rate that `amplitude(h)` gives.
fn tone(n: usize, hz: f64, rate: f64, amplitude: impl Fn(u32) -> f64) -> Vec<f32> {
    let mut out = alloc::vec![0.0f32; n];
    let n_harmonics = (0.49 * rate / hz) as u32;
    for h in (1..=n_harmonics).filter(|&h| amplitude(h) != 0.0) {
        let harmonic = sine(n, f64::from(h) * hz / rate, amplitude(h), 0.0);
        out.iter_mut().zip(harmonic).for_each(|(sum, x)| *sum += x);
    }
    out
}

fn saw(h: u32) -> f64 {
    0.5 / f64::from(h)
}

fn square(h: u32) -> f64 {
    if h.is_multiple_of(2) { 0.0 } else { 0.5 / f64::from(h) }
}

fn pure(h: u32) -> f64 {
    if h == 1 { 0.5 } else { 0.0 }
}

#[test]
fn pitch_is_within_five_cents_from_40_hz_to_4_khz() {
    let mut worst = 0.0f64;
    for hz in [44_100, 48_000, 96_000, 192_000, 32_000] {
        let rate = SampleRate::new(hz).unwrap();
        for (name, shape) in [("sine", pure as fn(u32) -> f64), ("saw", saw), ("square", square)] {
            let mut pitch = 40.0;
            while pitch <= 4_000.0 {
                let samples = tone(hz as usize / 8, pitch, rate.as_f64(), shape);
                let mut music = Music::new(rate);
                music.process(&samples, &samples);
                let (found, clarity) = music.pitch.estimate();
                let cents = found.map(|found| 1_200.0 * libm::log2(f64::from(found) / pitch));
                if cents.is_none_or(|c| c.abs() > 5.0) {
                    std::println!("{name} of {pitch} Hz at {hz}: {cents:?} {clarity}");
                }
                if let Some(c) = cents {
                    worst = worst.max(c.abs());
                }
                pitch *= 1.37;
            }
        }
    }
    std::println!("worst {worst}");
}
