//! Key of a piece: C. L. Krumhansl, "Cognitive foundations of musical pitch" (1990), with the profiles of
//! D. Temperley, "Music and probability" (2007), from the Kostka–Payne corpus.

use crate::math::wide;
use serde::{Deserialize, Serialize};

/// Major or minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum KeyMode {
    /// Major.
    Major,
    /// Minor.
    Minor,
}

/// A key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct Key {
    /// Pitch class of the tonic, 0 (C) to 11 (B).
    pub tonic: u8,
    /// Major or minor.
    pub mode: KeyMode,
}

/// Names as they are spelt with the fewest accidentals.
const MAJOR_NAMES: [&str; 12] = [
    "C major",
    "D♭ major",
    "D major",
    "E♭ major",
    "E major",
    "F major",
    "G♭ major",
    "G major",
    "A♭ major",
    "A major",
    "B♭ major",
    "B major",
];
const MINOR_NAMES: [&str; 12] = [
    "C minor",
    "C♯ minor",
    "D minor",
    "E♭ minor",
    "E minor",
    "F minor",
    "F♯ minor",
    "G minor",
    "G♯ minor",
    "A minor",
    "B♭ minor",
    "B minor",
];

impl Key {
    /// "C major" … "B minor", with ♯ and ♭.
    ///
    /// # Panics
    /// When the tonic is above 11.
    pub const fn name(self) -> &'static str {
        match self.mode {
            KeyMode::Major => MAJOR_NAMES[self.tonic as usize],
            KeyMode::Minor => MINOR_NAMES[self.tonic as usize],
        }
    }
}

/// How often each degree is heard in a segment, from the tonic upwards in semitones.
const MAJOR: [f64; 12] = [0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400];
const MINOR: [f64; 12] = [0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330];

/// The key whose profile correlates best with a chroma (Pearson), and the correlation, −1 to 1. `None` when all
/// classes are equal.
pub(super) fn best_key(chroma: &[f64; 12]) -> Option<(Key, f64)> {
    let mut best: Option<(Key, f64)> = None;
    for (mode, profile) in [(KeyMode::Major, &MAJOR), (KeyMode::Minor, &MINOR)] {
        for tonic in 0..12 {
            let r = correlation(chroma, profile, tonic)?;
            if best.is_none_or(|(_, least)| r > least) {
                best = Some((Key { tonic: tonic as u8, mode }, r));
            }
        }
    }
    best
}

fn correlation(chroma: &[f64; 12], profile: &[f64; 12], tonic: usize) -> Option<f64> {
    let mean = |x: &[f64; 12]| x.iter().sum::<f64>() / 12.0;
    let (chroma_mean, profile_mean) = (mean(chroma), mean(profile));
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for degree in 0..12 {
        let x = chroma[(tonic + degree) % 12] - chroma_mean;
        let y = profile[degree] - profile_mean;
        xy += x * y;
        xx += x * x;
        yy += y * y;
    }
    (xx > 1e-12).then(|| xy / wide::sqrt(xx * yy))
}
