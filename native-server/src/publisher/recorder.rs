//! The flight recorder of a server: fed by the publisher, read by REST.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

use engine_core::control::TapId;
use engine_core::protocol::recorder::{RECORDER_LANES, Recorder};
use engine_core::protocol::{Axis, Directory, Feed, FeedId, Frame, Subscription};
use engine_core::units::SampleRate;

/// Ticks that are copied at a time: the publisher waits for the copy, some 20 µs; longer
/// only when the system takes the processor from who copies.
const TICKS_AT_A_TIME: usize = 8;

/// A recorder that several threads share. Its memory is allocated once: 135 MB, of which the system gives what is used,
/// half a megabyte a tap.
pub struct FlightRecorder {
    recorder: Mutex<Recorder>,
    axis: Axis,
}

impl FlightRecorder {
    /// An empty recorder.
    pub fn new(rate: SampleRate) -> Self {
        let recorder = Recorder::new(rate, RECORDER_LANES);
        Self { axis: recorder.axis().clone(), recorder: Mutex::new(recorder) }
    }

    /// The bands of its spectra.
    pub fn axis(&self) -> &Axis {
        &self.axis
    }

    /// Names of the taps in recorded frames.
    pub fn directory(&self) -> Directory {
        self.with(|recorder| recorder.directory())
    }

    /// Positions of the oldest and the newest tick.
    pub fn range(&self) -> Option<RangeInclusive<u64>> {
        self.with(|recorder| recorder.range())
    }

    /// How a file begins.
    pub fn file_head(&self) -> Vec<u8> {
        self.with(|recorder| recorder.file_head())
    }

    /// Some of the frames in `positions`, as on the wire, and where to go on. See [`Recorder::read`].
    pub fn read(&self, positions: &RangeInclusive<u64>, tap: Option<TapId>) -> (Vec<u8>, Option<u64>) {
        let mut bytes = Vec::with_capacity(TICKS_AT_A_TIME << 10);
        let next = self.with(|recorder| recorder.read(positions, tap, TICKS_AT_A_TIME, &mut bytes));
        (bytes, next)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Recorder) -> T) -> T {
        act(&mut self.recorder.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The recorder's streams in the feed; none when there is no recorder.
pub(super) struct Recording {
    recorder: Option<Arc<FlightRecorder>>,
    streams: Vec<(Subscription, FeedId)>,
}

impl Recording {
    pub(super) fn new(recorder: Option<Arc<FlightRecorder>>) -> Self {
        Self { recorder, streams: Vec::new() }
    }

    /// Subscribes what these taps need, and ends what they do not. What goes on is left alone.
    pub(super) fn retap(&mut self, feed: &mut Feed, directory: &Directory) {
        let Some(recorder) = &self.recorder else { return };
        recorder.with(|recorder| recorder.retap(directory));
        let wanted = Recorder::subscriptions(directory);
        self.streams.retain(|(subscription, id)| {
            let is_wanted = wanted.contains(subscription);
            if !is_wanted {
                feed.unsubscribe(*id);
            }
            is_wanted
        });
        for subscription in wanted {
            if self.streams.iter().any(|(known, _)| *known == subscription) {
                continue;
            }
            match feed.subscribe(&subscription) {
                Ok(id) => self.streams.push((subscription, id)),
                Err(error) => tracing::error!(%error, "the flight recorder misses a stream"),
            }
        }
    }

    /// Records a frame, if it is one of the recorder's streams.
    pub(super) fn take(&self, id: FeedId, frame: &Frame) -> bool {
        let is_ours = self.streams.iter().any(|(_, ours)| *ours == id);
        if is_ours && let Some(recorder) = &self.recorder {
            recorder.with(|recorder| recorder.push(frame));
        }
        is_ours
    }
}
