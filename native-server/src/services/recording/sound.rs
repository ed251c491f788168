//! The input of a recording, written to a file as it goes on.

use std::fs::File;
use std::io::{BufWriter, Read, Seek};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread::{self, JoinHandle};

use audio_files::{SampleFormat, WavFile};
use bytes::Bytes;
use engine_core::buffer::StereoBlock;
use engine_core::composition::AudioClip;
use engine_core::units::{QUANTUM, SampleRate, Ticks};
use uuid::Uuid;

use super::super::{MAX_FILE_BYTES, MAX_SECONDS};
use super::follow::{Phase, Span};

/// Blocks that may wait for the disk: 1 MiB, 2.7 s at 48 kHz.
const QUEUE: usize = 1024;
const BYTES_PER_FRAME: u64 = 6;
const MAX_HEADER: u64 = 80;

/// A block, and how many were lost before it. They become silence, so that what follows is in its place.
struct Chunk {
    n_lost: u64,
    block: StereoBlock,
}

/// A stretch of the recording that lies at one place of the composition: a pass of a loop, or all of it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pass {
    start: Ticks,
    from_frame: f64,
    to_frame: f64,
}

/// What comes in while a recording goes on.
pub(super) struct SoundTake {
    rate: SampleRate,
    /// Frames by which what comes in is late.
    latency: u64,
    disk: SyncSender<Chunk>,
    writer: JoinHandle<Result<File, String>>,
    passes: Vec<Pass>,
    /// Blocks that were sent or given up.
    n_blocks: u64,
    n_lost: u64,
    max_frames: u64,
}

impl SoundTake {
    /// A take of what comes in `latency` frames after what it was played to.
    ///
    /// # Errors
    /// What the system says when it gives no file or no thread.
    pub(super) fn new(rate: SampleRate, latency: u64) -> std::io::Result<Self> {
        // It has no name: nobody finds it half written, and the system removes it however we end.
        let file = tempfile::tempfile()?;
        let (disk, chunks) = mpsc::sync_channel(QUEUE);
        let writer = thread::Builder::new()
            .name(String::from("take-writer"))
            .spawn(move || write(file, rate, &chunks))?;
        let max_frames = (MAX_FILE_BYTES as u64 - MAX_HEADER) / BYTES_PER_FRAME;
        Ok(Self {
            rate,
            latency,
            disk,
            writer,
            passes: Vec::new(),
            n_blocks: 0,
            n_lost: 0,
            max_frames: max_frames.min(MAX_SECONDS * u64::from(rate.hz())),
        })
    }

    /// Takes the input from `frame` of the recording on. Returns whether there is room for more, and more is needed.
    pub(super) fn hear(&mut self, phase: &Phase, frame: u64, input: &StereoBlock) -> bool {
        match phase {
            Phase::Waiting | Phase::CountIn => return true,
            Phase::Rolling(span) => self.place(span),
            Phase::Over if self.is_complete(frame) => return false,
            Phase::Over => {}
        }
        // A quantum that was never heard is lost as well as one that finds no room.
        let n_before = frame / QUANTUM as u64;
        self.n_lost += n_before.saturating_sub(self.n_blocks);
        self.n_blocks = n_before + 1;
        match self.disk.try_send(Chunk { n_lost: self.n_lost, block: input.clone() }) {
            Ok(()) => self.n_lost = 0,
            Err(TrySendError::Full(_)) => self.n_lost += 1,
            // The writer has failed; it says why when the take is finished.
            Err(TrySendError::Disconnected(_)) => return false,
        }
        // Room for another block after one that may be missing.
        frame + 2 * QUANTUM as u64 <= self.max_frames
    }

    /// Whether all that was played has come in before `frame`.
    fn is_complete(&self, frame: u64) -> bool {
        self.passes.last().is_none_or(|last| last.to_frame + self.latency as f64 <= frame as f64)
    }

    fn place(&mut self, span: &Span) {
        let end = (span.frame + QUANTUM as u64) as f64;
        match (self.passes.last_mut(), span.wrapped_at) {
            (Some(pass), None) => pass.to_frame = end,
            (Some(pass), Some(_)) => {
                pass.to_frame = span.wrap_frame;
                // The playhead jumped to the loop's start, which is a whole tick.
                let ticks = (span.frame as f64 - span.wrap_frame) * (span.to - span.from) / QUANTUM as f64;
                let start = (span.from - ticks).round().max(0.0) as Ticks;
                self.passes.push(Pass { start, from_frame: span.wrap_frame, to_frame: end });
            }
            (None, _) => {
                // Clips start at whole ticks; what comes before the first one is left out.
                let start = span.from.ceil();
                let frames_per_tick = QUANTUM as f64 / (span.to - span.from);
                let from_frame = (start - span.from) * frames_per_tick;
                self.passes.push(Pass { start: start as Ticks, from_frame, to_frame: end });
            }
        }
    }

    /// The file, and the clips that play it, in a composition of `length` ticks. Waits for the disk.
    ///
    /// # Errors
    /// What the writer says.
    pub(super) fn finish(self) -> Result<(Bytes, Clips), String> {
        drop(self.disk);
        let mut file = self.writer.join().map_err(|_| String::from("the writer ended"))??;
        let mut bytes = Vec::new();
        file.rewind().and_then(|()| file.read_to_end(&mut bytes)).map_err(|error| error.to_string())?;
        let n_frames = self.n_blocks * QUANTUM as u64;
        let moved = |frame: f64| (frame + self.latency as f64).min(n_frames as f64);
        let passes = self.passes.into_iter().map(|pass| Pass {
            from_frame: moved(pass.from_frame),
            to_frame: moved(pass.to_frame),
            ..pass
        });
        Ok((bytes.into(), Clips { rate: self.rate, passes: passes.collect() }))
    }
}

/// Where a recording lies.
pub(super) struct Clips {
    rate: SampleRate,
    passes: Vec<Pass>,
}

impl Clips {
    /// Clips that play `sample`, in a composition of `length` ticks.
    pub(super) fn of(&self, sample: Uuid, length: Ticks) -> Vec<AudioClip> {
        let seconds = |frames: f64| frames / self.rate.as_f64();
        let inside =
            self.passes.iter().filter(|pass| pass.start < length && pass.to_frame >= pass.from_frame + 1.0);
        let clip = |pass: &Pass| AudioClip {
            id: Uuid::new_v4(),
            sample,
            start: pass.start,
            offset_seconds: seconds(pass.from_frame),
            length_seconds: seconds(pass.to_frame - pass.from_frame),
            gain_db: 0.0,
            fade_in_seconds: 0.0,
            fade_out_seconds: 0.0,
        };
        inside.map(clip).collect()
    }
}

fn write(file: File, rate: SampleRate, chunks: &Receiver<Chunk>) -> Result<File, String> {
    let text = |error: audio_files::WavError| error.to_string();
    let to = BufWriter::new(file.try_clone().map_err(|error| error.to_string())?);
    let mut wav = WavFile::new(to, rate, SampleFormat::Pcm24).map_err(text)?;
    for Chunk { n_lost, block } in chunks {
        for _ in 0..n_lost {
            wav.write(&StereoBlock::SILENCE).map_err(text)?;
        }
        wav.write(&block).map_err(text)?;
    }
    wav.finish().map_err(text)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(frame: u64, from: f64, wrapped_at: Option<f64>, wrap_frame: f64) -> Phase {
        // 16 frames a tick.
        Phase::Rolling(Span { from, to: from + 8.0, wrapped_at, frame, wrap_frame })
    }

    fn block(value: f32) -> StereoBlock {
        StereoBlock { left: [value; QUANTUM], right: [-value; QUANTUM] }
    }

    #[test]
    fn what_came_in_is_in_its_place_and_what_was_lost_is_silent() {
        let mut take = SoundTake::new(SampleRate::DEFAULT, 0).unwrap();
        assert!(take.hear(&Phase::CountIn, 0, &block(0.9)));
        assert!(take.hear(&span(0, 100.25, None, 0.0), 0, &block(0.25)));
        assert!(take.hear(&span(384, 124.25, None, 0.0), 384, &block(0.5)));
        assert!(take.hear(&span(512, 50.5, Some(132.0), 504.0), 512, &block(-0.5)));
        assert!(!take.hear(&Phase::Over, 640, &block(0.9)));
        let (bytes, clips) = take.finish().unwrap();
        let mut wav = hound::WavReader::new(&bytes[..]).unwrap();
        assert_eq!(
            (wav.spec().channels, wav.spec().sample_rate, wav.spec().bits_per_sample),
            (2, 48_000, 24)
        );
        let samples = Vec::from_iter(wav.samples::<i32>().map(Result::unwrap));
        let expected = [0.25, 0.0, 0.0, 0.5, -0.5].map(|value| (value * 8_388_608.0) as i32);
        assert_eq!(samples.len(), 5 * 2 * QUANTUM);
        for (at, frame) in samples.chunks(2).enumerate() {
            let value = expected[at / QUANTUM];
            assert_eq!(frame, [value, -value], "frame {at}");
        }
        // From tick 101 on, which is 12 frames later; and from tick 50, which came 8 frames before the block.
        let id = Uuid::new_v4();
        let clips = clips.of(id, 9600);
        let places = Vec::from_iter(clips.iter().map(|clip| {
            assert_eq!(clip.sample, id);
            (clip.start, clip.offset_seconds * 48e3, clip.length_seconds * 48e3)
        }));
        for (place, expected) in places.iter().zip([(101, 12.0, 492.0), (50, 504.0, 136.0)]) {
            assert_eq!(place.0, expected.0);
            assert!((place.1 - expected.1).abs() < 1e-9 && (place.2 - expected.2).abs() < 1e-9, "{place:?}");
        }
        assert_eq!(places.len(), 2);
    }

    #[test]
    fn a_take_is_full_before_its_file_is_too_long_to_be_kept() {
        let mut take = SoundTake::new(SampleRate::DEFAULT, 0).unwrap();
        let last = (MAX_FILE_BYTES as u64 - MAX_HEADER) / BYTES_PER_FRAME / 128 * 128 - 128;
        take.n_blocks = last / 128;
        assert!(take.hear(&span(last - 128, 0.0, None, 0.0), last - 128, &block(0.0)));
        assert!(!take.hear(&span(last, 0.0, None, 0.0), last, &block(0.0)));
    }

    #[test]
    fn what_comes_in_late_is_moved_back_and_waited_for() {
        let mut take = SoundTake::new(SampleRate::DEFAULT, 200).unwrap();
        assert!(take.hear(&span(0, 100.25, None, 0.0), 0, &block(0.0)));
        assert!(take.hear(&span(128, 108.25, None, 0.0), 128, &block(0.1)));
        // Two blocks were played, so 456 frames are needed: four blocks.
        assert!(take.hear(&Phase::Over, 256, &block(0.2)));
        assert!(take.hear(&Phase::Over, 384, &block(0.3)));
        assert!(!take.hear(&Phase::Over, 512, &block(0.9)));
        let (bytes, clips) = take.finish().unwrap();
        assert_eq!(hound::WavReader::new(&bytes[..]).unwrap().duration(), 512);
        let [clip] = &clips.of(Uuid::new_v4(), 9600)[..] else { panic!("one clip") };
        assert_eq!(clip.start, 101);
        assert!((clip.offset_seconds * 48e3 - 212.0).abs() < 1e-9, "{}", clip.offset_seconds);
        assert!((clip.length_seconds * 48e3 - 244.0).abs() < 1e-9, "{}", clip.length_seconds);
    }
}
