//! Subscriptions, measured: quanta in, frames out at exact sample positions.

use super::frame::{Analytics, Axis, Frame};
use super::subscription::{OptionError, Subscription};
use crate::control::Quantum;
use crate::units::SampleRate;

/// Handle of a subscription in a [`Feed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedId(pub u32);

/// Turns quanta into the frames that were subscribed.
pub struct Feed {}

impl Feed {
    /// Allocates what is always measured: the loudness of the master.
    pub fn new(_rate: SampleRate) -> Self {
        Self {}
    }

    /// Starts a stream. Allocates.
    ///
    /// # Errors
    /// An option out of range at this sample rate.
    pub fn subscribe(&mut self, _subscription: &Subscription) -> Result<FeedId, OptionError> {
        Ok(FeedId(0))
    }

    /// Ends a stream.
    pub fn unsubscribe(&mut self, _id: FeedId) {}

    /// The bands of a spectrum's stream; `None` for other topics.
    pub fn axis(&self, _id: FeedId) -> Option<&Axis> {
        None
    }

    /// What the host measured of itself, for the next analytics frames.
    pub fn set_analytics(&mut self, _analytics: Analytics) {}

    /// Measures 128 frames and hands out each frame that is due. Never allocates.
    pub fn process(&mut self, _quantum: &Quantum, _emit: &mut dyn FnMut(FeedId, &mut Frame)) {}

    /// Hands out the present state of one stream, marked as a snapshot. Never allocates.
    pub fn snapshot(&mut self, _id: FeedId, _emit: &mut dyn FnMut(FeedId, &mut Frame)) {}
}
