//! Low-frequency oscillator: a slow sine that moves other parameters.

use super::phase::sin_turns;
use crate::units::SPAN;

/// How it moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LfoSettings {
    /// Its rate.
    pub hz: f32,
    /// How long it takes to reach its full depth, in seconds: players start a vibrato late.
    pub fade_seconds: f32,
}

/// A sine from −1 to 1, stepped once per [`SPAN`].
#[derive(Clone, Copy, Debug)]
pub struct Lfo {
    phase: f32,
    step: f32,
    depth: f32,
    fade: f32,
}

impl Lfo {
    /// Starts at 0, rising.
    pub fn new(settings: &LfoSettings, sample_rate: f32) -> Self {
        let span_seconds = SPAN as f32 / sample_rate;
        Self {
            phase: 0.0,
            step: settings.hz * span_seconds,
            depth: if settings.fade_seconds > 0.0 { 0.0 } else { 1.0 },
            fade: if settings.fade_seconds > 0.0 { span_seconds / settings.fade_seconds } else { 0.0 },
        }
    }

    /// The value for this span at full depth, and how much of it has faded in (0 to 1).
    #[inline]
    pub fn advance(&mut self) -> (f32, f32) {
        let now = (sin_turns(self.phase), self.depth);
        self.phase += self.step;
        if self.phase >= 1.0 {
            self.phase -= 1.0;
        }
        self.depth = (self.depth + self.fade).min(1.0);
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_its_rate_and_fades_in() {
        let mut lfo = Lfo::new(&LfoSettings { hz: 5.0, fade_seconds: 0.5 }, 48_000.0);
        let mut rises = 0;
        let mut last = 1.0;
        for span in 0..3000 {
            let (value, depth) = lfo.advance();
            assert!(value.abs() <= 1.000_01);
            assert!((depth - (span as f32 / 1500.0).min(1.0)).abs() < 1e-3);
            rises += u32::from(last < 0.0 && value >= 0.0);
            last = value;
        }
        assert_eq!(rises, 4, "one second at 5 Hz, from a rise that is not counted");
    }
}
