//! Music: onsets, tempo, pitch, chroma and key of a tap, measured on the mean of left and right.
//!
//! ```text
//! left, right ─ mean ─ halve to ≤ 64 kHz ─┬─▶ pitch (when asked)
//!                                         ├─▶ onsets ─ strength ─▶ tempo
//!                                         └─ halve ─▶ chroma ─▶ key
//! ```

mod chroma;
mod frames;
mod key;
mod mono;
mod onset;
mod pitch;
mod tempo;

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::finite;
use crate::units::SampleRate;
use chroma::Chroma;
pub use key::{Key, KeyMode};
use mono::{Halver, Mono};
pub use onset::Onset;
use onset::Onsets;
use pitch::Pitch;
use tempo::Tempo;

/// Frames that are mixed at a time.
const BLOCK: usize = 128;
/// Onsets a second, at most.
const MAX_ONSETS_PER_SECOND: u64 = 25;

/// What is heard now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema, ts_rs::TS))]
pub struct MusicSnapshot {
    /// Pitch of the newest 64 to 128 ms (48 kHz: 85 ms), Hz, 40 to 4000 and at most an eighth of the sample rate,
    /// if they are one note: within 5 cents for a steady tone. `None` for noise, silence and most chords; a major
    /// triad in root position may read as its root two octaves below, whose partials its notes are.
    pub pitch_hz: Option<f32>,
    /// How periodic those milliseconds are, 0 to 1; from 0.8 there is a pitch.
    pub pitch_clarity: f32,
    /// Strength of the pitch classes C, C♯ … B in the newest third of a second; the greatest is 1, in silence
    /// all are 0.
    pub chroma: [f32; 12],
    /// How far the tuning is above A4 = 440 Hz, cents, −50 to 50. `chroma` and `key` are relative to it.
    pub tuning_cents: f32,
    /// Key of the last seconds (exponential, 8 s), or of the whole. `None` before one second of sound.
    pub key: Option<Key>,
    /// Correlation of the key's profile with what was heard, −1 to 1.
    pub key_strength: f32,
    /// Tempo of the last seconds (windows of 10 s, exponential 4 s), or the most frequent one of the whole, beats a
    /// minute, 40 to 240. `None` before three seconds and where nothing repeats.
    pub bpm: Option<f32>,
    /// How exactly onsets repeat at that tempo, 0 to 1.
    pub bpm_strength: f32,
    /// Onsets since the start of the stream.
    #[cfg_attr(feature = "schema", ts(type = "number"))]
    pub n_onsets: u64,
    /// The last of them; told 15 ms after its position.
    pub last_onset: Option<Onset>,
}

/// Music features of a stereo stream.
///
/// Cost at 48 kHz: an FFT of 1024 every 5 ms, one of 8192 every 50 ms, two of 4096 every 500 ms, and two of 8192
/// for a snapshot. A signal at another rate has windows of the same durations, to a power of two.
pub struct Music {
    mono: Mono,
    pitch: Pitch,
    onsets: Onsets,
    tempo: Tempo,
    chroma_halver: Halver,
    chroma: Chroma,
    scratch: [f32; BLOCK],
    /// Frames of the stream between two frames of the onset detection.
    onset_hop: u64,
    n_onsets: u64,
    last_onset: Option<Onset>,
    /// Of a whole file: every onset.
    kept: Option<Vec<Onset>>,
}

impl Music {
    /// For a live stream: tempo, key and tuning follow what is played. Silence came before.
    pub fn new(rate: SampleRate) -> Self {
        Self::with(rate, None)
    }

    /// For a whole file of about `n_frames`: tempo, key and tuning are those of all of it, and every onset is kept,
    /// 0.4 KB a second of sound. Allocates only after that many frames.
    pub fn whole(rate: SampleRate, n_frames: u64) -> Self {
        let n_onsets = n_frames.saturating_mul(MAX_ONSETS_PER_SECOND) / u64::from(rate.hz()) + 1;
        Self::with(rate, Some(Vec::with_capacity(n_onsets as usize)))
    }

    fn with(rate: SampleRate, kept: Option<Vec<Onset>>) -> Self {
        let forgets = kept.is_none();
        let mono = Mono::new(rate.hz());
        let ratio = mono.ratio();
        let rate = rate.as_f64() / f64::from(ratio);
        let hop = onset::hop(rate);
        Self {
            mono,
            pitch: Pitch::new(rate),
            onsets: Onsets::new(rate),
            tempo: Tempo::new(rate / hop as f64, forgets),
            chroma_halver: Halver::default(),
            chroma: Chroma::new(0.5 * rate, forgets),
            scratch: [0.0; BLOCK],
            onset_hop: hop as u64 * u64::from(ratio),
            n_onsets: 0,
            last_onset: None,
            kept,
        }
    }

    /// Back to the start: silence came before.
    pub fn reset(&mut self) {
        self.mono.reset();
        self.pitch.reset();
        self.onsets.reset();
        self.tempo.reset();
        self.chroma_halver = Halver::default();
        self.chroma.reset();
        (self.n_onsets, self.last_onset) = (0, None);
        if let Some(kept) = &mut self.kept {
            kept.clear();
        }
    }

    /// Takes frames, linear, full scale ±1; NaN and infinity count as 0. Runs on the audio thread.
    ///
    /// # Panics
    /// When the channels differ in length.
    pub fn process(&mut self, left: &[f32], right: &[f32]) {
        assert!(left.len() == right.len(), "channels differ in length");
        for (left, right) in left.chunks(BLOCK).zip(right.chunks(BLOCK)) {
            let n = self.mono.process(left, right, &mut self.scratch);
            let samples = &mut self.scratch[..n];
            self.pitch.process(samples);
            self.onsets.process(samples, |strength, onset| {
                self.tempo.push(strength);
                let Some((frame, strength)) = onset else { return };
                let onset = Onset { position: frame * self.onset_hop, strength };
                self.n_onsets += 1;
                self.last_onset = Some(onset);
                if let Some(kept) = &mut self.kept {
                    kept.push(onset);
                }
            });
            let n = self.chroma_halver.process(samples);
            self.chroma.process(&samples[..n]);
        }
    }

    /// What is heard now. Computes the pitch. Does not allocate.
    pub fn snapshot(&mut self) -> MusicSnapshot {
        let (pitch_hz, pitch_clarity) = self.pitch.estimate();
        let (key, key_strength) = self.chroma.key().unzip();
        let (bpm, bpm_strength) = self.tempo.found().unzip();
        MusicSnapshot {
            pitch_hz,
            pitch_clarity,
            chroma: self.chroma.newest(),
            tuning_cents: self.chroma.tuning_cents() as f32,
            key,
            key_strength: key_strength.unwrap_or(0.0) as f32,
            bpm: bpm.map(|x: f64| x as f32),
            bpm_strength: bpm_strength.unwrap_or(0.0) as f32,
            n_onsets: self.n_onsets,
            last_onset: self.last_onset,
        }
    }

    /// Onsets of a [`whole`](Self::whole) file so far, oldest first; empty for a live stream.
    pub fn onsets(&self) -> &[Onset] {
        self.kept.as_deref().unwrap_or_default()
    }
}

/// The power spectrum of all n bins from those up to n/2. It is real and even, so that the forward transform makes
/// it the autocorrelation, times n.
fn even_powers(re: &[f32], im: &[f32], out: &mut [f32]) {
    let (lower, upper) = out.split_at_mut(re.len());
    for ((power, re), im) in lower.iter_mut().zip(re).zip(im) {
        *power = re * re + im * im;
    }
    upper.iter_mut().rev().zip(&lower[1..]).for_each(|(mirrored, power)| *mirrored = *power);
}

/// Position and height of the top of the parabola through a local maximum at `middle` and its two neighbours.
fn parabola(middle: usize, [left, top, right]: [f32; 3]) -> (f64, f32) {
    let bend = left - 2.0 * top + right;
    let shift = if bend < 0.0 { 0.5 * (left - right) / bend } else { 0.0 };
    (middle as f64 + f64::from(shift), top - 0.25 * (left - right) * shift)
}

#[cfg(test)]
mod tests;
