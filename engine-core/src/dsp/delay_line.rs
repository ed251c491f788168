//! Memory of the last samples, read between samples and at a place that may change.

use alloc::boxed::Box;
use alloc::vec;

use super::smooth::Smoothed;

/// A ring of samples whose length is a power of two.
#[derive(Clone, Debug)]
pub struct DelayLine {
    samples: Box<[f32]>,
    /// Where the next sample goes.
    at: usize,
}

impl DelayLine {
    /// Silence. Taps may lie up to `max_frames` back.
    pub fn new(max_frames: usize) -> Self {
        // A tap between samples reads two more on the far side.
        let length = (max_frames + 4).next_power_of_two();
        Self { samples: vec![0.0; length].into_boxed_slice(), at: 0 }
    }

    /// Samples that it holds.
    pub fn capacity(&self) -> usize {
        self.samples.len()
    }

    /// Stores the newest sample, which is then 1 frame back.
    #[inline(always)]
    pub fn push(&mut self, x: f32) {
        self.samples[self.at] = x;
        self.at = (self.at + 1) & (self.samples.len() - 1);
    }

    /// The sample `frames` back: 1 is the newest. Less than the capacity.
    #[inline(always)]
    pub fn back(&self, frames: usize) -> f32 {
        let mask = self.samples.len() - 1;
        self.samples[self.at.wrapping_sub(frames) & mask]
    }

    /// The signal at a tap.
    #[inline(always)]
    pub fn read(&self, tap: &Tap) -> f32 {
        tap.weights[0] * self.back(tap.whole - 1)
            + tap.weights[1] * self.back(tap.whole)
            + tap.weights[2] * self.back(tap.whole + 1)
            + tap.weights[3] * self.back(tap.whole + 2)
    }

    /// Takes over the samples of a line that is not longer; before them is silence, out of which the first
    /// `n_fade` (at most all of them) rise. Copies; does not allocate.
    pub fn copy_from(&mut self, other: &Self, n_fade: usize) {
        let length = other.samples.len();
        assert!(length <= self.samples.len(), "a longer line");
        let (newer, older) = other.samples.split_at(other.at);
        let (first, rest) = self.samples.split_at_mut(older.len());
        first.copy_from_slice(older);
        rest[..newer.len()].copy_from_slice(newer);
        rest[newer.len()..].fill(0.0);
        self.at = length & (self.samples.len() - 1);
        if length < self.samples.len() {
            let mut level = Smoothed::with_frames(0.0, n_fade.min(length) as u32);
            level.set(1.0);
            self.samples[..n_fade.min(length)].iter_mut().for_each(|x| *x *= level.advance());
        }
    }
}

/// A place in a delay line, between samples by Lagrange interpolation of third order: flat within 0.1 dB up to
/// a fifth of the sample rate, and never above 1, so that a loop around it stays stable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tap {
    whole: usize,
    weights: [f32; 4],
}

impl Tap {
    /// `frames` back, at least 2.
    pub fn new(frames: f32) -> Self {
        let frames = frames.max(2.0);
        let whole = frames as usize;
        let d = frames - whole as f32;
        let weights = [
            -d * (d - 1.0) * (d - 2.0) / 6.0,
            (d + 1.0) * (d - 1.0) * (d - 2.0) / 2.0,
            -(d + 1.0) * d * (d - 2.0) / 2.0,
            (d + 1.0) * d * (d - 1.0) / 6.0,
        ];
        Self { whole, weights }
    }
}

/// A tap that fades over to another place when it moves: no click, and no change of pitch as a sliding tap
/// would have. A move during a fade waits for its end.
#[derive(Clone, Copy, Debug)]
pub struct FadingTap {
    from: Tap,
    to: Tap,
    next: Option<Tap>,
    blend: Smoothed,
}

impl FadingTap {
    /// At rest at `tap`.
    pub fn new(tap: Tap, sample_rate: f32) -> Self {
        Self { from: tap, to: tap, next: None, blend: Smoothed::new(1.0, sample_rate) }
    }

    /// Where it will be.
    pub fn target(&self) -> Tap {
        self.next.unwrap_or(self.to)
    }

    /// Fades to `tap`.
    pub fn set(&mut self, tap: Tap) {
        if tap == self.target() {
            return;
        }
        self.next = Some(tap);
        self.go_on();
    }

    /// To be called once a frame, before the reads of that frame.
    #[inline(always)]
    pub fn advance(&mut self) {
        if !self.blend.is_settled() {
            self.blend.advance();
            self.go_on();
        }
    }

    /// The signal of a line at this frame.
    #[inline(always)]
    pub fn read(&self, line: &DelayLine) -> f32 {
        let to = line.read(&self.to);
        if self.blend.is_settled() {
            return to;
        }
        let from = line.read(&self.from);
        from + (to - from) * self.blend.value()
    }

    fn go_on(&mut self) {
        if let (true, Some(next)) = (self.blend.is_settled(), self.next) {
            (self.from, self.to, self.next) = (self.to, next, None);
            self.blend.jump(0.0);
            self.blend.set(1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taps_are_where_they_say() {
        let mut line = DelayLine::new(100);
        assert_eq!(line.capacity(), 128);
        // A cubic is interpolated exactly.
        let cubic = |t: f64| 1e-6 * t * t * t - 2e-4 * t * t + 0.01 * t + 0.3;
        for t in 0..300 {
            line.push(cubic(f64::from(t)) as f32);
        }
        assert_eq!(line.back(1), cubic(299.0) as f32);
        for frames in [2.0f32, 2.25, 17.0, 50.5, 99.99] {
            let exact = cubic(300.0 - f64::from(frames));
            assert!((f64::from(line.read(&Tap::new(frames))) - exact).abs() < 1e-5, "{frames}");
        }
        assert_eq!(line.read(&Tap::new(17.0)), line.back(17), "no interpolation on a sample");
    }

    #[test]
    fn a_longer_line_takes_over_the_past() {
        let (mut short, mut long) = (DelayLine::new(60), DelayLine::new(200));
        for t in 0..100 {
            short.push(t as f32);
            long.push(7.0);
        }
        long.copy_from(&short, 10);
        for frames in 1..=54 {
            assert_eq!(long.back(frames), (100 - frames) as f32);
        }
        assert!((55..=64).all(|n| long.back(n) <= long.back(n - 1)), "it rises out of silence");
        assert_eq!(long.back(65), 0.0);
        long.push(100.0);
        assert_eq!((long.back(1), long.back(2)), (100.0, 99.0));
        let mut same = DelayLine::new(60);
        same.copy_from(&short, 10);
        assert_eq!((same.back(1), same.back(64)), (99.0, 36.0));
    }

    #[test]
    fn a_tap_moves_by_fading() {
        let mut line = DelayLine::new(1_000);
        let mut tap = FadingTap::new(Tap::new(10.0), 48_000.0);
        let mut last = 0.0f32;
        for t in 0..5_000 {
            line.push(if t < 100 { 0.0 } else { t as f32 / 5_000.0 });
            match t {
                1_200 => tap.set(Tap::new(500.0)),
                1_300 => tap.set(Tap::new(900.0)),
                _ => {}
            }
            tap.advance();
            let x = tap.read(&line);
            if t > 200 {
                assert!((x - last).abs() < 1e-3, "frame {t}");
            }
            last = x;
        }
        assert_eq!(last, line.back(900));
    }
}
