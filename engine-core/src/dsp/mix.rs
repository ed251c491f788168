//! Where the oscillators of a note are summed, with edges that reach into the past.

use core::array::from_fn;

use super::blep::{Residual, TAPS};
use super::phase::TURN;
use crate::units::{QUANTUM, SPAN};

/// Frames by which oscillators run ahead of what is heard: an edge reaches so far into the past.
pub(crate) const LEAD: usize = TAPS / 2;
/// Spans that an oscillator is asked for before the first that is heard.
pub const LEAD_SPANS: usize = LEAD.div_ceil(SPAN);

/// Where the oscillators of a note are summed, up to a quantum at a time. All notes can share one.
#[derive(Clone, Debug)]
pub struct Mix {
    /// Ideal waves, which lie [`LEAD`] ahead. Apart from the edges, so that the order of the sums does not depend on how
    /// many spans are made at once.
    waves: [[f32; LEAD + QUANTUM]; 2],
    /// Edges, and in the end everything.
    channels: [[f32; TAPS + QUANTUM]; 2],
}

/// What edges of the last spans add to the next ones: the memory of a note's mix.
#[derive(Clone, Copy, Debug)]
pub struct MixRest {
    waves: [[f32; LEAD]; 2],
    channels: [[f32; TAPS]; 2],
}

impl MixRest {
    /// Silence.
    pub const SILENCE: Self = Self { waves: [[0.0; LEAD]; 2], channels: [[0.0; TAPS]; 2] };
}

impl Mix {
    /// Silence. Allocate it once.
    pub const SILENCE: Self =
        Self { waves: [[0.0; LEAD + QUANTUM]; 2], channels: [[0.0; TAPS + QUANTUM]; 2] };

    /// Starts the next `n_spans` of a note, in one channel or two.
    #[inline]
    pub fn begin<const CHANNELS: usize>(&mut self, rest: &MixRest, n_spans: usize) {
        for (channel, rest) in self.channels[..CHANNELS].iter_mut().zip(&rest.channels) {
            channel[..TAPS].copy_from_slice(rest);
            channel[TAPS..TAPS + n_spans * SPAN].fill(0.0);
        }
        for (wave, rest) in self.waves[..CHANNELS].iter_mut().zip(&rest.waves) {
            wave[..LEAD].copy_from_slice(rest);
            wave[LEAD..LEAD + n_spans * SPAN].fill(0.0);
        }
    }

    /// Adds span `span` of a wave that needs no correction.
    #[inline(always)]
    pub fn add<const CHANNELS: usize>(&mut self, span: usize, wave: &[f32; SPAN], gains: [f32; 2]) {
        let from = LEAD + span * SPAN;
        for (sums, gain) in self.waves[..CHANNELS].iter_mut().zip(gains) {
            for (sum, x) in sums[from..from + SPAN].iter_mut().zip(wave) {
                *sum += x * gain;
            }
        }
    }

    /// Adds spans from `span` on of a ramp from −1 to 1, once a turn.
    #[inline(always)]
    pub(crate) fn add_ramp<const CHANNELS: usize>(
        &mut self,
        span: usize,
        n_spans: usize,
        (phase, step): (u32, u32),
        gains: [f32; 2],
    ) {
        let frames = LEAD + span * SPAN..LEAD + (span + n_spans) * SPAN;
        let ramp = |phase: u32| (phase ^ 0x8000_0000) as i32 as f32;
        for (sums, gain) in self.waves[..CHANNELS].iter_mut().zip(gains) {
            let (mut phase, scale) = (phase, gain * (2.0 / TURN));
            // In this form, four phases at a time.
            for sum in &mut sums[frames.clone()] {
                *sum += ramp(phase) * scale;
                phase = phase.wrapping_add(step);
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
            let Some(sums) = channel[at..].first_chunk_mut::<TAPS>() else {
                unreachable!("an edge in the mix")
            };
            // Whole before it is written, so that it vectorises though the table may lie in the mix to the compiler.
            *sums = from_fn(|tap| {
                let (a, b) = (before[tap], after[tap]);
                sums[tap] + (a + (b - a) * t) * gain
            });
        }
    }

    /// Ends the spans: keeps what belongs to the next ones.
    #[inline]
    pub fn end<const CHANNELS: usize>(&mut self, rest: &mut MixRest, n_spans: usize) {
        let n = n_spans * SPAN;
        for channel in 0..CHANNELS {
            let (edges, waves) = (&mut self.channels[channel], &self.waves[channel]);
            rest.channels[channel].copy_from_slice(&edges[n..n + TAPS]);
            rest.waves[channel].copy_from_slice(&waves[n..n + LEAD]);
            edges[..n].iter_mut().zip(waves).for_each(|(sum, x)| *sum += x);
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
