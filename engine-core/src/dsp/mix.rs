//! Where the oscillators of a note are summed, with edges that reach into the past.

use super::blep::{Residual, TAPS};
use crate::units::{QUANTUM, SPAN};

/// Frames by which oscillators run ahead of what is heard: an edge reaches so far into the past.
pub(crate) const LEAD: usize = TAPS / 2;
/// Spans that an oscillator is asked for before the first that is heard.
pub const LEAD_SPANS: usize = LEAD.div_ceil(SPAN);

/// Where the oscillators of a note are summed, up to a quantum at a time. All notes can share one.
#[derive(Clone, Debug)]
pub struct Mix {
    channels: [[f32; TAPS + QUANTUM]; 2],
}

/// What edges of the last spans add to the next ones: the memory of a note's mix.
#[derive(Clone, Copy, Debug)]
pub struct MixRest {
    channels: [[f32; TAPS]; 2],
}

impl MixRest {
    /// Silence.
    pub const SILENCE: Self = Self { channels: [[0.0; TAPS]; 2] };
}

impl Mix {
    /// Silence. Allocate it once.
    pub const SILENCE: Self = Self { channels: [[0.0; TAPS + QUANTUM]; 2] };

    /// Starts the next `n_spans` of a note, in one channel or two.
    #[inline]
    pub fn begin<const CHANNELS: usize>(&mut self, rest: &MixRest, n_spans: usize) {
        for (channel, rest) in self.channels[..CHANNELS].iter_mut().zip(&rest.channels) {
            channel[..TAPS].copy_from_slice(rest);
            channel[TAPS..TAPS + n_spans * SPAN].fill(0.0);
        }
    }

    /// Adds span `span` of a wave that needs no correction.
    #[inline(always)]
    pub fn add<const CHANNELS: usize>(&mut self, span: usize, wave: &[f32; SPAN], gains: [f32; 2]) {
        let from = LEAD + span * SPAN;
        for (channel, gain) in self.channels[..CHANNELS].iter_mut().zip(gains) {
            for (sum, x) in channel[from..from + SPAN].iter_mut().zip(wave) {
                *sum += x * gain;
            }
        }
    }

    /// Adds an edge after which `at` is the first frame.
    #[inline(always)]
    pub(crate) fn add_edge<const CHANNELS: usize>(
        &mut self,
        at: usize,
        Residual { before, after, t }: Residual<'_>,
        gains: [f32; 2],
    ) {
        for (channel, gain) in self.channels[..CHANNELS].iter_mut().zip(gains) {
            for ((sum, a), b) in channel[at..at + TAPS].iter_mut().zip(before).zip(after) {
                *sum += (a + (b - a) * t) * gain;
            }
        }
    }

    /// Ends the spans: keeps what belongs to the next ones.
    #[inline]
    pub fn end<const CHANNELS: usize>(&self, rest: &mut MixRest, n_spans: usize) {
        let n = n_spans * SPAN;
        for (channel, rest) in self.channels[..CHANNELS].iter().zip(&mut rest.channels) {
            rest.copy_from_slice(&channel[n..n + TAPS]);
        }
    }

    /// Both channels of the spans that were ended.
    #[inline]
    pub fn channels(&self, n_spans: usize) -> (&[f32], &[f32]) {
        let [first, second] = &self.channels;
        (&first[..n_spans * SPAN], &second[..n_spans * SPAN])
    }

    /// A channel of the spans that were ended, or room for them.
    #[inline]
    pub fn channel_mut(&mut self, channel: usize, n_spans: usize) -> &mut [f32] {
        &mut self.channels[channel][..n_spans * SPAN]
    }
}
