//! Everything that the worklet gave: per quantum the master's samples, then the frames of each lane.
//!
//! Little-endian: 128 left and 128 right f32, then for each lane a u32 length and that many bytes.

use engine_core::buffer::StereoBlock;
use engine_core::protocol::{Header, Topic};
use engine_core::units::QUANTUM;

use crate::scenario::N_LANES;

/// Bytes of one quantum's audio.
const AUDIO_LEN: usize = 2 * QUANTUM * 4;

/// A performance in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording(pub Vec<u8>);

/// A piece of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// 128 frames of audio.
    Audio {
        /// Number of the quantum.
        quantum: usize,
        /// Its bytes.
        bytes: &'a [u8],
    },
    /// One encoded frame.
    Frame {
        /// Number of the quantum.
        quantum: usize,
        /// On which lane.
        lane: usize,
        /// From its header.
        header: Header,
        /// Header and payload.
        bytes: &'a [u8],
    },
}

impl Piece<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Audio { bytes, .. } | Self::Frame { bytes, .. } => bytes,
        }
    }

    /// `pcm`, or the frame's topic.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Audio { .. } => "pcm",
            Self::Frame { header, .. } => Topic::from_id(header.topic).map_or("unknown", Topic::name),
        }
    }
}

impl Recording {
    /// Appends a quantum's audio.
    pub fn push_audio(&mut self, block: &StereoBlock) {
        let samples = block.left.iter().chain(&block.right);
        self.0.extend(samples.flat_map(|sample| sample.to_le_bytes()));
    }

    /// Appends a lane's frames of this quantum.
    pub fn push_frames(&mut self, frames: &[u8]) {
        self.0.extend((frames.len() as u32).to_le_bytes());
        self.0.extend(frames);
    }

    /// Its pieces, in order; up to the first that is incomplete.
    pub fn pieces(&self) -> Vec<Piece<'_>> {
        let mut out = Vec::new();
        let mut rest = self.0.as_slice();
        for quantum in 0.. {
            let Some((audio, after)) = rest.split_at_checked(AUDIO_LEN) else { break };
            out.push(Piece::Audio { quantum, bytes: audio });
            rest = after;
            for lane in 0..N_LANES {
                let Some((len, after)) = rest.split_first_chunk::<4>() else { return out };
                let Some((mut frames, after)) = after.split_at_checked(u32::from_le_bytes(*len) as usize)
                else {
                    return out;
                };
                rest = after;
                while let Some((header, _, next)) = Header::split(frames) {
                    let bytes = &frames[..frames.len() - next.len()];
                    out.push(Piece::Frame { quantum, lane, header, bytes });
                    frames = next;
                }
            }
        }
        out
    }

    /// Where two recordings first differ, in words; `None` if they are equal.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let offset = self.0.iter().zip(&other.0).position(|(a, b)| a != b);
        if offset.is_none() && self.0.len() == other.0.len() {
            return None;
        }
        let lengths = format!("{} and {} bytes", self.0.len(), other.0.len());
        let (ours, theirs) = (self.pieces(), other.pieces());
        let Some((a, b)) = ours.iter().zip(&theirs).find(|(a, b)| a != b) else {
            return Some(format!("one ends before the other ({lengths})"));
        };
        let inside = a.bytes().iter().zip(b.bytes()).position(|(a, b)| a != b);
        Some(format!(
            "{lengths}; first difference at byte {inside:?} of\n  {}\n  {}",
            describe(a),
            describe(b)
        ))
    }
}

fn describe(piece: &Piece<'_>) -> String {
    match piece {
        Piece::Audio { quantum, .. } => format!("the audio of quantum {quantum}"),
        Piece::Frame { quantum, lane, header, .. } => {
            format!("a frame of {} in quantum {quantum}, lane {lane}: {header:?}", piece.kind())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(sample: f32, tap: u16) -> Recording {
        let mut recording = Recording::default();
        let mut block = StereoBlock::SILENCE;
        block.right[5] = sample;
        for quantum in 0..2u32 {
            recording.push_audio(&block);
            for lane in 0..N_LANES {
                let header = Header {
                    topic: Topic::Meters as u8,
                    tap,
                    seq: quantum,
                    payload_len: 3,
                    ..Header::default()
                };
                let frames = [&header.encode()[..], &[1, 2, 3]].concat();
                recording.push_frames(if lane == 1 { &frames } else { &[] });
            }
        }
        recording
    }

    #[test]
    fn differences_are_named() {
        let base = recording(0.25, 0);
        assert_eq!(base.pieces().len(), 4);
        assert_eq!(base.difference(&base), None);
        let audio = base.difference(&recording(0.5, 0)).unwrap();
        assert!(audio.contains("the audio of quantum 0"), "{audio}");
        let frame = base.difference(&recording(0.25, 3)).unwrap();
        assert!(frame.contains("a frame of meters in quantum 0, lane 1"), "{frame}");
        let mut short = base.clone();
        short.0.truncate(base.0.len() - 4);
        assert!(base.difference(&short).unwrap().contains("ends before"));
    }
}
