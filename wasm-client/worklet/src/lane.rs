//! A lane is what one connection is on a server: it numbers its frames and collects their bytes.

use alloc::vec::Vec;

use engine_core::control::{MAX_ACTIVE_NOTES, TapId};
use engine_core::protocol::{
    Axis, FeedId, Flags, Frame, HEADER_LEN, Header, MAX_AUDIO_FRAMES, Payload, Subscription, Topic,
    encode_payload,
};
use engine_core::units::MAX_TRACKS;

/// One subscription of a lane.
struct Stream {
    id: FeedId,
    subscription: Subscription,
    /// Where the number of its last frame is.
    seq_idx: usize,
    /// Its state at subscription was not sent yet.
    is_new: bool,
    /// Longest encoding of a quantum's frames.
    max_len: usize,
}

/// The streams of one connection and the bytes that they made in this quantum.
#[derive(Default)]
pub(crate) struct Lane {
    streams: Vec<Stream>,
    /// Number of the last frame by topic and tap: another stream that takes one's place counts on.
    seqs: Vec<(Topic, TapId, u32)>,
    /// Axes of new spectra, encoded; they come before everything else in the next quantum.
    axes: Vec<u8>,
    bytes: Vec<u8>,
}

impl Lane {
    /// Bytes made since [`begin`](Self::begin): headers and payloads, one after the other.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Starts the bytes of a quantum.
    pub(crate) fn begin(&mut self) {
        self.bytes.clear();
        self.bytes.extend_from_slice(&self.axes);
        self.axes.clear();
    }

    /// Room for a stream's frames is made here, so that none is needed while rendering.
    pub(crate) fn add(
        &mut self,
        id: FeedId,
        subscription: &Subscription,
        axis: Option<&Axis>,
        numbers: Numbers,
    ) {
        let max_len = max_len(subscription, axis);
        let (topic, tap) = (subscription.topic, subscription.tap);
        let known = self.seqs.iter().position(|seq| (seq.0, seq.1) == (topic, tap));
        let seq_idx = known.unwrap_or_else(|| {
            self.seqs.push((topic, tap, 0));
            self.seqs.len() - 1
        });
        self.streams.push(Stream { id, subscription: subscription.clone(), seq_idx, is_new: true, max_len });
        if let Some(axis) = axis {
            let frame = Frame {
                tap: subscription.tap,
                flags: Flags::default(),
                sample_position: numbers.sample_position,
                payload: Payload::Axis(axis.clone()),
            };
            append(&mut self.axes, numbers.epoch, 0, &frame);
        }
        let room = self.axes.len() + self.streams.iter().map(|stream| stream.max_len).sum::<usize>();
        self.bytes.reserve(room.saturating_sub(self.bytes.len()));
    }

    pub(crate) fn carries(&self, subscription: &Subscription) -> bool {
        self.streams.iter().any(|stream| subscription.is_instead_of(&stream.subscription))
    }

    pub(crate) fn remove(&mut self, id: FeedId) {
        self.streams.retain(|stream| stream.id != id);
    }

    /// Streams that have not sent anything yet; each is handed out once.
    pub(crate) fn take_new(&mut self) -> Option<FeedId> {
        let stream = self.streams.iter_mut().find(|stream| stream.is_new)?;
        stream.is_new = false;
        Some(stream.id)
    }

    /// Appends a frame of a stream of this lane; those of other lanes are ignored.
    pub(crate) fn push(&mut self, id: FeedId, epoch: u16, frame: &Frame) {
        if let Some(stream) = self.streams.iter_mut().find(|stream| stream.id == id) {
            let seq = &mut self.seqs[stream.seq_idx].2;
            *seq = seq.wrapping_add(1);
            append(&mut self.bytes, epoch, *seq, frame);
        }
    }
}

/// What goes into the header of an axis.
#[derive(Clone, Copy)]
pub(crate) struct Numbers {
    pub(crate) epoch: u16,
    pub(crate) sample_position: u64,
}

fn append(bytes: &mut Vec<u8>, epoch: u16, seq: u32, frame: &Frame) {
    let start = bytes.len();
    bytes.extend_from_slice(&[0; HEADER_LEN]);
    encode_payload(&frame.payload, bytes);
    let is_wide = matches!(&frame.payload, Payload::Spectrum(spectrum) if spectrum.wide);
    let header = Header {
        topic: frame.payload.topic() as u8,
        flags: if is_wide { frame.flags.with(Flags::WIDE) } else { frame.flags },
        tap: frame.tap.0,
        seq,
        sample_position: frame.sample_position,
        payload_len: (bytes.len() - start - HEADER_LEN) as u32,
        epoch,
        dropped: 0,
    };
    bytes[start..start + HEADER_LEN].copy_from_slice(&header.encode());
}

/// Bytes of a snapshot and a frame of a stream, or of the two frames that a quantum can make.
fn max_len(subscription: &Subscription, axis: Option<&Axis>) -> usize {
    let payload = match subscription.topic {
        Topic::Transport => 60 + 4 * MAX_ACTIVE_NOTES,
        // Values of each tap, its loudness, and its needles.
        Topic::Meters => 20 + (16 + 8 + 8) * (MAX_TRACKS + 2),
        Topic::Spectrum | Topic::Axis => 8 + 2 * 2 * axis.map_or(0, |axis| axis.frequencies.len()),
        Topic::Waveform => 4 + 2 * 2 * 3 * usize::from(subscription.waveform.samples),
        Topic::Analytics => 1024,
        Topic::Stereo => 8 + 2 * usize::from(subscription.points),
        Topic::Music => 768,
        Topic::Trigger => 256,
        Topic::Audio => 4 + 2 * 4 * MAX_AUDIO_FRAMES,
    };
    2 * (HEADER_LEN + payload)
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use engine_core::analysis::ballistics::{Ballistics, Reading};
    use engine_core::analysis::meter::MeterBlock;
    use engine_core::control::TapId;
    use engine_core::protocol::{Loudness, MeterNeedles, Meters, StreamOptions};

    use super::*;

    #[test]
    fn the_longest_meters_have_room_twice() {
        let options = StreamOptions {
            ballistics: Some(Ballistics::Vu),
            tap_loudness: Some(true),
            ..StreamOptions::default()
        };
        let subscription = Subscription::new(Topic::Meters, TapId::MASTER, None, &options).unwrap();
        let readings = vec![Reading::default(); MAX_TRACKS + 2];
        let meters = Meters {
            taps: vec![(TapId::MASTER, MeterBlock::default()); MAX_TRACKS + 2],
            needles: Some(MeterNeedles { ballistics: Ballistics::Vu, readings }),
            tap_loudness: vec![Loudness::default(); MAX_TRACKS + 2],
            ..Meters::default()
        };
        let mut bytes = Vec::new();
        encode_payload(&Payload::Meters(meters), &mut bytes);
        assert_eq!(2 * (HEADER_LEN + bytes.len()), max_len(&subscription, None));
    }
}
