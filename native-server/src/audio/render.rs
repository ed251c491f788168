//! The one real-time callback: the engine's quanta of 128 frames, cut to what the device asks for.
//!
//! Nothing here allocates, locks, logs or waits (`tests/no_alloc.rs` proves the first).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use engine_core::buffer::StereoBlock;
use engine_core::control::{Command, Quantum};
use engine_core::engine::Engine;
use engine_core::units::{QUANTUM, SampleRate};
use rtrb::Consumer;

use super::queue::{Played, RenderEnds, Rendered, ToEngine};
use super::round_trip::RoundTrip;
use crate::priority::{Priority, Role};

/// What the audio thread counts, for others to read.
#[derive(Debug, Default)]
pub struct AudioStats {
    /// Callbacks that came too late, and quanta that the publisher missed.
    pub xruns: AtomicU64,
    /// From a callback to the loudspeaker, µs.
    pub latency_micros: AtomicU32,
    /// Frames of the latest callback.
    pub buffer_frames: AtomicU32,
    /// From the engine to the loudspeaker and back from the microphone.
    pub round_trip: RoundTrip,
    gap: AtomicBool,
}

impl AudioStats {
    /// Notes that sound was lost: the next quantum is marked as a discontinuity.
    pub fn count_xrun(&self) {
        self.xruns.fetch_add(1, Ordering::Relaxed);
        self.gap.store(true, Ordering::Relaxed);
    }
}

/// Owns the engine while a device plays.
pub struct Renderer {
    engine: Engine,
    rate: SampleRate,
    priority: Priority,
    ends: RenderEnds,
    stats: Arc<AudioStats>,
    input: Option<Consumer<[f32; 2]>>,
    /// The quantum that is being cut, and how much of it was played.
    current: StereoBlock,
    n_played: usize,
    /// Of a frame.
    duration: Duration,
    /// Takes what is rendered while the publisher has all other quanta.
    spare: Box<Quantum>,
    applied: u64,
    /// When the callback began, until its first quantum has it; and frames that it has got.
    asked: Option<Instant>,
    n_filled: u32,
}

impl Renderer {
    /// A renderer with an engine at rest. Allocates all that it will ever need.
    pub fn new(rate: SampleRate, ends: RenderEnds, stats: Arc<AudioStats>) -> Self {
        Self {
            engine: Engine::new(rate),
            rate,
            priority: Priority::Normal,
            ends,
            stats,
            input: None,
            current: StereoBlock::SILENCE,
            n_played: QUANTUM,
            duration: Duration::from_secs(1) / rate.hz(),
            spare: Box::new(Quantum::new()),
            applied: 0,
            asked: None,
            n_filled: 0,
        }
    }

    /// Feeds the `input` tap from a capture stream of the same rate.
    pub fn feed(&mut self, frames: Consumer<[f32; 2]>) {
        self.input = Some(frames);
    }

    /// Has the threads that it renders in run at this priority.
    pub fn set_priority(&mut self, priority: Priority) {
        self.priority = priority;
    }

    /// Takes its priority in the calling thread, before that renders for the first time.
    pub(super) fn begin_thread(&self) {
        // Nobody can be told here; the publisher asks for the same, and logs what it gets.
        let _ = self.priority.apply(Role::Sound);
    }

    /// Frames per second of the engine.
    pub fn rate(&self) -> SampleRate {
        self.rate
    }

    /// Counters that others may read.
    pub fn stats(&self) -> &Arc<AudioStats> {
        &self.stats
    }

    /// Fills `out`, interleaved. One channel gets the mean of left and right; channels after the second are
    /// silent. Runs on the audio thread.
    pub fn render<S: Copy>(&mut self, out: &mut [S], n_channels: usize, sample_from_f32: impl Fn(f32) -> S) {
        self.begin(out.len() / n_channels.max(1));
        self.fill(out, n_channels, sample_from_f32);
    }

    /// A callback asks for so many frames of the device, which [`fill`](Self::fill) fills in one go or several.
    pub(super) fn begin(&mut self, n_frames: usize) {
        self.stats.buffer_frames.store(n_frames as u32, Ordering::Relaxed);
        if let Some(frames) = &self.input {
            let ahead = Duration::from_micros(self.stats.latency_micros.load(Ordering::Relaxed).into());
            // The next quantum is heard after what is left of this one.
            let n_left = QUANTUM - self.n_played;
            self.stats.round_trip.measure(ahead, self.rate.as_f64(), || frames.slots() + n_left);
        }
        self.asked = Some(Instant::now());
        self.n_filled = 0;
    }

    /// Fills `out` as [`render`](Self::render) does, in a callback that was begun.
    pub(super) fn fill<S: Copy>(
        &mut self,
        out: &mut [S],
        n_channels: usize,
        sample_from_f32: impl Fn(f32) -> S,
    ) {
        for frame in out.chunks_exact_mut(n_channels.max(1)) {
            if self.n_played == QUANTUM {
                let asked = self.asked.take().map(|asked| asked + self.duration * self.n_filled);
                self.next_quantum(asked);
            }
            self.n_filled += 1;
            let (left, right) = (self.current.left[self.n_played], self.current.right[self.n_played]);
            write_frame(frame, [left, right], &sample_from_f32);
            self.n_played += 1;
        }
    }

    fn next_quantum(&mut self, asked: Option<Instant>) {
        self.take_messages();
        let input = self.take_input();
        match self.ends.free.pop() {
            Ok(mut quantum) => {
                self.engine.process(input.as_ref(), &mut quantum);
                quantum.discontinuity |= self.stats.gap.swap(false, Ordering::Relaxed);
                self.current.clone_from(&quantum.master);
                let pushed = self.ends.full.push(Rendered { quantum, applied: self.applied, asked });
                debug_assert!(pushed.is_ok(), "the ring has as many places as the pool has quanta");
            }
            Err(_) => {
                self.engine.process(input.as_ref(), &mut self.spare);
                self.current.clone_from(&self.spare.master);
                self.stats.count_xrun();
            }
        }
        self.n_played = 0;
    }

    fn take_messages(&mut self) {
        // A load waits while the publisher has not yet taken the projects of earlier ones.
        while !self.ends.retired.is_full() {
            let retired = match self.ends.commands.pop() {
                Ok(ToEngine::Command(command)) => {
                    self.engine.command(command);
                    if matches!(
                        command,
                        Command::NoteOn { .. } | Command::NoteOff { .. } | Command::Control { .. }
                    ) {
                        // A publisher that is so late misses it in a recording; it is heard all the same.
                        let _ = self.ends.played.push(Played { number: self.applied + 1, command });
                    }
                    None
                }
                Ok(ToEngine::Load(project)) => Some(self.engine.load(project)),
                Ok(ToEngine::Update(project)) => Some(self.engine.update(project)),
                Err(_) => break,
            };
            if let Some(project) = retired {
                let pushed = self.ends.retired.push(project);
                debug_assert!(pushed.is_ok(), "there was room");
            }
            self.applied += 1;
        }
    }

    /// The next 128 captured frames; silence for those that are not there yet.
    fn take_input(&mut self) -> Option<StereoBlock> {
        let frames = self.input.as_mut()?;
        // The input's clock runs ahead of the output's, or the output stood still: what waits would be heard later and
        // later.
        let max_waiting = frames.buffer().capacity() / 2;
        let n_waiting = frames.slots();
        if n_waiting > max_waiting
            && let Ok(late) = frames.read_chunk(n_waiting - max_waiting / 2)
        {
            late.commit_all();
            self.stats.count_xrun();
        }
        let mut block = StereoBlock::SILENCE;
        for (left, right) in block.left.iter_mut().zip(&mut block.right) {
            let Ok(frame) = frames.pop() else { break };
            [*left, *right] = frame;
        }
        Some(block)
    }
}

/// One frame for a device of any number of channels.
pub(super) fn write_frame<S: Copy>(
    frame: &mut [S],
    [left, right]: [f32; 2],
    sample_from_f32: &impl Fn(f32) -> S,
) {
    match frame {
        [mono] => *mono = sample_from_f32(0.5 * (left + right)),
        [first, second, rest @ ..] => {
            *first = sample_from_f32(left);
            *second = sample_from_f32(right);
            rest.fill(sample_from_f32(0.0));
        }
        [] => {}
    }
}

#[cfg(test)]
mod tests {
    use engine_core::composition::midi;
    use engine_core::control::{Command, Program};
    use engine_core::engine::Project;

    use super::super::queue::connect;
    use super::*;

    #[test]
    fn any_callback_size_gives_the_same_sound_at_any_channel_count() {
        let (queue, ends, mut publisher) = connect(64);
        let mut renderer = Renderer::new(SampleRate::DEFAULT, ends, Arc::default());
        queue
            .send([
                ToEngine::Command(Command::SetMetronome { enabled: true }),
                ToEngine::Command(Command::Play),
            ])
            .unwrap();
        let mut heard = Vec::new();
        for (n_frames, n_channels) in [(1, 2), (127, 2), (128, 6), (300, 1), (1000, 2)] {
            let mut out = vec![7.0f32; n_frames * n_channels];
            renderer.render(&mut out, n_channels, |x| x);
            for frame in out.chunks(n_channels) {
                heard.push(if n_channels == 1 { frame[0] } else { 0.5 * (frame[0] + frame[1]) });
                assert!(frame.iter().skip(2).all(|&x| x == 0.0), "only the first two channels sound");
            }
        }
        let mut rendered = Vec::new();
        while let Ok(Rendered { quantum, applied, .. }) = publisher.full.pop() {
            assert_eq!(applied, 2);
            rendered
                .extend(quantum.master.left.iter().zip(&quantum.master.right).map(|(l, r)| 0.5 * (l + r)));
        }
        assert!(rendered.len() >= heard.len() && heard == rendered[..heard.len()]);
    }

    #[test]
    fn notes_have_the_same_bits_at_every_callback_size() {
        let file = include_bytes!("../../../www/public/antiphon.mid");
        let program = Program::compile(&midi::import(file, "antiphon").unwrap());
        let play = |n_frames: usize| {
            let (queue, ends, _publisher) = connect(2);
            let mut renderer = Renderer::new(SampleRate::DEFAULT, ends, Arc::default());
            let project = Box::new(Project::new(program.clone(), SampleRate::DEFAULT));
            queue.send([ToEngine::Load(project), ToEngine::Command(Command::Play)]).unwrap();
            let mut out = vec![0.0f32; 2 * 96_000];
            out.chunks_mut(2 * n_frames).for_each(|block| renderer.render(block, 2, |x| x));
            out
        };
        let whole = play(128);
        assert!(whole.iter().any(|x| x.abs() > 0.1));
        for n_frames in [1, 64, 441, 4_800] {
            assert!(play(n_frames) == whole, "callbacks of {n_frames} frames");
        }
    }

    #[test]
    fn a_slow_publisher_is_counted_and_the_next_quantum_is_marked() {
        let (_queue, ends, mut publisher) = connect(1);
        let mut renderer = Renderer::new(SampleRate::DEFAULT, ends, Arc::default());
        let mut out = [0.0f32; QUANTUM];
        renderer.render(&mut out, 1, |x| x);
        renderer.render(&mut out, 1, |x| x);
        assert_eq!(renderer.stats().xruns.load(Ordering::Relaxed), 1);
        let first = publisher.full.pop().unwrap();
        assert!(publisher.full.pop().is_err());
        publisher.free.push(first.quantum).unwrap();
        renderer.render(&mut out, 1, |x| x);
        assert!(publisher.full.pop().unwrap().quantum.discontinuity);
    }

    #[test]
    fn captured_frames_reach_the_input_tap() {
        let (mut frames_tx, frames_rx) = rtrb::RingBuffer::new(200);
        let (_queue, ends, mut publisher) = connect(2);
        let mut renderer = Renderer::new(SampleRate::DEFAULT, ends, Arc::default());
        renderer.feed(frames_rx);
        for i in 0..100 {
            frames_tx.push([i as f32 / 100.0, -0.5]).unwrap();
        }
        renderer.render(&mut [0.0f32; QUANTUM], 1, |x| x);
        let quantum = publisher.full.pop().unwrap().quantum;
        assert_eq!((quantum.input.left[50], quantum.input.right[50]), (0.5, -0.5));
        assert_eq!(quantum.input.left[100..], [0.0; 28]);
    }

    #[test]
    fn an_input_that_runs_ahead_is_caught_up_with() {
        let (mut frames_tx, frames_rx) = rtrb::RingBuffer::new(2000);
        let (_queue, ends, mut publisher) = connect(2);
        let mut renderer = Renderer::new(SampleRate::DEFAULT, ends, Arc::default());
        renderer.feed(frames_rx);
        (0..1500u16).for_each(|i| frames_tx.push([f32::from(i) / 2000.0; 2]).unwrap());
        renderer.render(&mut [0.0f32; QUANTUM], 1, |x| x);
        // 500 of the 1,500 were left; the quantum that follows the gap is marked.
        let first = publisher.full.pop().unwrap().quantum;
        assert!(first.discontinuity);
        assert_eq!(first.input.left[0], 0.5);
        assert_eq!(renderer.stats().xruns.load(Ordering::Relaxed), 1);
        renderer.render(&mut [0.0f32; QUANTUM], 1, |x| x);
        let second = publisher.full.pop().unwrap().quantum;
        assert!(!second.discontinuity);
        assert_eq!(second.input.left[0], 1128.0 / 2000.0);
    }
}
