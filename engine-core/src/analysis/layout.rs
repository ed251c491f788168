//! Loudspeaker layouts: which channel counts how much.

/// Channels of the widest layout, 5.1.
pub const MAX_CHANNELS: usize = 6;

/// Where a channel's loudspeaker stands, as far as loudness is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// In front: left, right, centre, or the only one. Loudspeakers behind count like these.
    Front,
    /// At the side, 60° to 120° from the front: both surround channels of 5.1.
    Surround,
    /// Low-frequency effects, which do not count.
    Lfe,
}

impl Speaker {
    /// Weight of the channel's energy (BS.1770-5 Annex 1, Table 3).
    pub const fn weight(self) -> f64 {
        match self {
            Self::Front => 1.0,
            Self::Surround => 1.41,
            Self::Lfe => 0.0,
        }
    }
}

/// One to [`MAX_CHANNELS`] channels in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    speakers: [Speaker; MAX_CHANNELS],
    n: usize,
}

impl Layout {
    /// One channel. It counts once; played on two loudspeakers it is 3 LU louder.
    pub const MONO: Self = Self::front(1);
    /// Left, right.
    pub const STEREO: Self = Self::front(2);

    /// `None` without a channel or with more than [`MAX_CHANNELS`].
    pub fn new(speakers: &[Speaker]) -> Option<Self> {
        let mut layout = Self::front(speakers.len());
        layout.speakers.get_mut(..speakers.len())?.copy_from_slice(speakers);
        (layout.n > 0).then_some(layout)
    }

    /// What a file of that many channels means when it does not say: L R C LFE Ls Rs in the order of WAVE and
    /// FLAC, without LFE below six and without C for four. `None` for 0 and for more than six.
    pub fn of_channels(n: usize) -> Option<Self> {
        use Speaker::{Front, Lfe, Surround};
        match n {
            4 => Self::new(&[Front, Front, Surround, Surround]),
            5 => Self::new(&[Front, Front, Front, Surround, Surround]),
            6 => Self::new(&[Front, Front, Front, Lfe, Surround, Surround]),
            1..4 => Some(Self::front(n)),
            _ => None,
        }
    }

    /// The channels.
    pub fn speakers(&self) -> &[Speaker] {
        &self.speakers[..self.n]
    }

    const fn front(n: usize) -> Self {
        Self { speakers: [Speaker::Front; MAX_CHANNELS], n }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_have_one_to_six_channels() {
        assert_eq!((Layout::of_channels(0), Layout::of_channels(7)), (None, None));
        assert_eq!((Layout::new(&[]), Layout::new(&[Speaker::Front; 7])), (None, None));
        for n in 1..=MAX_CHANNELS {
            assert_eq!(Layout::of_channels(n).unwrap().speakers().len(), n);
        }
        assert_eq!(Layout::of_channels(2), Some(Layout::STEREO));
        let weights: alloc::vec::Vec<f64> =
            Layout::of_channels(6).unwrap().speakers().iter().map(|speaker| speaker.weight()).collect();
        assert_eq!(weights, [1.0, 1.0, 1.0, 0.0, 1.41, 1.41]);
    }
}
