//! A parameter that glides to its target instead of jumping: no clicks.

/// Length of every glide.
pub const GLIDE_SECONDS: f32 = 0.02;

/// A glide of [`GLIDE_SECONDS`], advanced once a frame, so that it does not depend on block sizes.
///
/// It follows the polynomial of fifth order that starts with the value, slope and curvature of now and ends at
/// rest at the target (the path of least jerk). Two derivatives are continuous, also when a glide is turned
/// into another on its way, so that what a gain adds to the spectrum of the sound falls by 24 dB per octave
/// from some 100 Hz on. A one-pole glide has a corner at its start, which is heard as a click on low tones;
/// a raised cosine has one in its second derivative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Smoothed {
    value: f32,
    target: f32,
    /// The path is target + r³·(c0 + u·(c1 + u·c2)), with u from 0 to 1 and r = 1 − u.
    c: [f32; 3],
    frames_left: u32,
    n_frames: u32,
}

impl Smoothed {
    /// At rest at `value`.
    pub fn new(value: f32, sample_rate: f32) -> Self {
        Self::with_frames(value, (GLIDE_SECONDS * sample_rate) as u32)
    }

    /// At rest at `value`, with glides of another length.
    pub fn with_frames(value: f32, n_frames: u32) -> Self {
        Self { value, target: value, c: [0.0; 3], frames_left: 0, n_frames: n_frames.max(1) }
    }

    /// Frames of a glide.
    pub fn n_frames(&self) -> u32 {
        self.n_frames
    }

    /// Where to glide. The glide that is under way, if any, bends towards it without a corner.
    pub fn set(&mut self, target: f32) {
        if target == self.target {
            return;
        }
        let (slope, curvature) = self.derivatives();
        let y = self.value - target;
        self.c = [y, slope + 3.0 * y, 0.5 * curvature + 3.0 * slope + 6.0 * y];
        self.target = target;
        self.frames_left = self.n_frames;
    }

    /// Jumps to `value` and rests there.
    pub fn jump(&mut self, value: f32) {
        (self.value, self.target, self.frames_left) = (value, value, 0);
    }

    /// Jumps to the target.
    pub fn settle(&mut self) {
        self.jump(self.target);
    }

    /// Where it is.
    #[inline(always)]
    pub fn value(&self) -> f32 {
        self.value
    }

    /// Where it glides to, or rests.
    pub fn target(&self) -> f32 {
        self.target
    }

    /// Whether it rests.
    #[inline(always)]
    pub fn is_settled(&self) -> bool {
        self.frames_left == 0
    }

    /// Advances one frame and returns the value.
    #[inline]
    pub fn advance(&mut self) -> f32 {
        if self.frames_left > 1 {
            self.frames_left -= 1;
            let r = self.frames_left as f32 / self.n_frames as f32;
            let u = 1.0 - r;
            self.value = self.target + r * r * r * (self.c[0] + u * (self.c[1] + u * self.c[2]));
        } else if self.frames_left == 1 {
            self.frames_left = 0;
            self.value = self.target;
        }
        self.value
    }

    /// Multiplies samples by the value of their frame.
    pub fn multiply(&mut self, samples: &mut [f32]) {
        if self.is_settled() {
            if self.value != 1.0 {
                samples.iter_mut().for_each(|x| *x *= self.value);
            }
        } else {
            samples.iter_mut().for_each(|x| *x *= self.advance());
        }
    }

    /// First and second derivative, with the length of the glide as the unit of time.
    fn derivatives(&self) -> (f32, f32) {
        if self.is_settled() {
            return (0.0, 0.0);
        }
        let r = self.frames_left as f32 / self.n_frames as f32;
        let u = 1.0 - r;
        let q = self.c[0] + u * (self.c[1] + u * self.c[2]);
        let (q1, q2) = (self.c[1] + 2.0 * u * self.c[2], 2.0 * self.c[2]);
        (r * r * (r * q1 - 3.0 * q), r * (6.0 * q + r * (r * q2 - 6.0 * q1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn glides_monotonically_and_arrives_exactly() {
        let mut gain = Smoothed::new(1.0, 48_000.0);
        gain.set(0.0);
        let mut last = 1.0;
        for _ in 0..960 {
            assert!(!gain.is_settled());
            let value = gain.advance();
            assert!(value <= last && last - value < 0.002);
            last = value;
        }
        assert!(gain.is_settled());
        assert_eq!(last, 0.0);
    }

    #[test]
    fn the_path_is_smooth_however_often_the_target_changes() {
        // Third differences of a path with continuous curvature are of the order of 60/n³ per unit; a corner
        // in the slope would be of the order of 1/n, one in the value of 1.
        let mut gain = Smoothed::new(0.0, 48_000.0);
        let mut path = Vec::from([0.0f64; 3]);
        for n in 0..6_000 {
            if n % 137 == 0 && n < 4_000 {
                gain.set(if n % 274 == 0 { 1.0 } else { -0.5 });
            }
            path.push(f64::from(gain.advance()));
        }
        let worst = |limit: usize| {
            let second = path.windows(3).map(|w| w[2] - 2.0 * w[1] + w[0]);
            second.skip(limit).fold(0.0f64, |a, x| a.max(x.abs()))
        };
        // f32 rounds the values to 6e-8; the largest true second difference is of the order of 10/n².
        assert!(worst(0) < 4e-5, "{}", worst(0));
        assert!(path.iter().all(|x| (-1.0..1.5).contains(x)));
        assert_eq!(gain.value(), gain.target());
    }

    #[test]
    fn blocks_are_multiplied_as_frames_are() {
        let (mut a, mut b) = (Smoothed::new(1.0, 48_000.0), Smoothed::new(1.0, 48_000.0));
        a.set(0.3);
        b.set(0.3);
        for length in [1, 100, 500, 128, 400, 77] {
            let mut block = alloc::vec![1.0f32; length];
            a.multiply(&mut block);
            assert!(block.iter().all(|x| *x == b.advance()));
        }
        assert!(a.is_settled());
    }
}
