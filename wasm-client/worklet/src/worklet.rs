//! What plays, feed and lanes, moved one quantum at a time.

use alloc::boxed::Box;
use alloc::sync::Arc;

use engine_core::buffer::StereoBlock;
use engine_core::control::{Command, Program, Quantum, Sample, TapId};
use engine_core::engine::Project;
use engine_core::protocol::{Analytics, Feed, FeedId, Frame, Payload, Subscription};
use engine_core::units::{QUANTUM, SampleRate};

use crate::MAX_LANES;
use crate::lane::{Lane, Numbers};
use crate::player::{Measuring, Player, Playing};
use crate::wire;

/// Why a message to the worklet was not carried out. The numbers are the ABI's results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Refused {
    /// The bytes are not a message of the expected kind.
    Bytes = -1,
    /// The feed refused an option; whoever made the message should have checked it.
    Option = -2,
    /// No such lane, or it carries a stream of this topic and tap already.
    Lane = -3,
}

/// All that runs in the audio worklet, whatever plays there.
pub struct Host<P> {
    player: P,
    feed: Feed,
    quantum: Quantum,
    lanes: [Lane; MAX_LANES],
    analytics: Analytics,
    epoch: u16,
}

/// A host of the engine: `antiphon_worklet.wasm`.
pub type Worklet = Host<Playing>;
/// A host that only measures: `antiphon_analysis.wasm`.
pub type Analysis = Host<Measuring>;

/// Bytes of a sample's UUID.
pub type SampleId = [u8; 16];

impl<P: Player> Host<P> {
    /// `epoch` goes into every frame's header. `None` if the rate is not one that the engine plays. Allocates.
    pub fn new(sample_rate: u32, epoch: u16) -> Option<Self> {
        let rate = SampleRate::new(sample_rate)?;
        let quantum_ms = QUANTUM as f32 / sample_rate as f32 * 1000.0;
        let analytics = Analytics {
            sample_rate,
            buffer_size: QUANTUM as u32,
            latency_ms: quantum_ms,
            clients: 1,
            ..Analytics::default()
        };
        Some(Self {
            player: P::new(rate),
            feed: P::feed(rate),
            quantum: Quantum::new(),
            lanes: core::array::from_fn(|_| Lane::new(P::ENCODE)),
            analytics,
            epoch,
        })
    }

    /// Starts a stream, a postcard [`Subscription`], on a lane. Its present state comes with the next quantum,
    /// a spectrum's bands before it. Allocates.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn subscribe(&mut self, lane: usize, subscription: &[u8]) -> Result<FeedId, Refused> {
        let (subscription, _) = wire::take::<Subscription>(subscription).map_err(|_| Refused::Bytes)?;
        let lane =
            self.lanes.get_mut(lane).filter(|lane| !lane.carries(&subscription)).ok_or(Refused::Lane)?;
        let id = self.feed.subscribe(&subscription).map_err(|_| Refused::Option)?;
        let numbers = Numbers { epoch: self.epoch, sample_position: self.quantum.sample_position };
        lane.add(id, &subscription, self.feed.axis(id), numbers);
        Ok(id)
    }

    /// Ends a stream and the work of making it.
    pub fn unsubscribe(&mut self, id: FeedId) {
        self.feed.unsubscribe(id);
        self.lanes.iter_mut().for_each(|lane| lane.remove(id));
    }

    /// Starts the loudness of a tap anew, or of all.
    pub fn reset_loudness(&mut self, tap: Option<TapId>) {
        self.feed.reset_loudness(tap);
    }

    /// What JavaScript measured: the share of a core that rendering takes, and the delay from here to the
    /// loudspeaker in milliseconds.
    pub fn set_load(&mut self, cpu_usage: f32, latency_ms: f32, memory_usage: u64) {
        self.analytics.cpu_usage = cpu_usage;
        self.analytics.latency_ms = latency_ms;
        self.analytics.memory_usage = memory_usage;
    }

    /// Renders 128 frames; then [`master`](Self::master) and [`frames`](Self::frames) are of that quantum.
    /// `unix_ms` is stamped on transport frames. Never allocates.
    pub fn render(&mut self, input: Option<&StereoBlock>, unix_ms: f64) {
        self.player.process(input, &mut self.quantum);
        self.analytics.active_voices = u32::from(self.quantum.n_voices);
        self.analytics.active_tracks = u32::from(self.quantum.n_tracks);
        self.feed.set_analytics(self.analytics.clone());
        let Self { feed, quantum, lanes, epoch, analytics, .. } = self;
        for lane in lanes.iter_mut() {
            lane.begin();
            while let Some(new) = lane.take_new() {
                feed.snapshot(new, &mut |id, frame| {
                    lane.push(id, *epoch, stamped(frame, unix_ms));
                    analytics.frames_sent += 1;
                });
            }
        }
        feed.process(quantum, &mut |id, frame| {
            let frame = stamped(frame, unix_ms);
            lanes.iter_mut().for_each(|lane| lane.push(id, *epoch, frame));
            analytics.frames_sent += 1;
        });
    }

    /// What leaves the engine in this quantum.
    pub fn master(&self) -> &StereoBlock {
        &self.quantum.master
    }

    /// Encoded frames of a lane in this quantum: headers and payloads, one after the other.
    pub fn frames(&self, lane: usize) -> &[u8] {
        self.lanes.get(lane).map_or(&[], Lane::bytes)
    }
}

impl Worklet {
    /// Keeps a sample, at the engine's rate, for the programs that are loaded from now on. Allocates.
    pub fn add_sample(&mut self, id: SampleId, left: Box<[f32]>, right: Box<[f32]>) {
        self.player.samples.retain(|(other, _)| *other != id);
        self.player.samples.push((id, Arc::new(Sample::new(left, right))));
    }

    /// Replaces what is played by a postcard [`Program`]; the transport stops at its start. Samples that it does not
    /// use are dropped, and those that are not here are silent. Allocates.
    ///
    /// # Errors
    /// [`Refused::Bytes`].
    pub fn load(&mut self, program: &[u8]) -> Result<(), Refused> {
        let project = self.project(program)?;
        drop(self.player.engine.load(project));
        Ok(())
    }

    /// The same while it plays: the playhead goes on, and so does what sounds. Allocates.
    ///
    /// # Errors
    /// [`Refused::Bytes`].
    pub fn update(&mut self, program: &[u8]) -> Result<(), Refused> {
        let project = self.project(program)?;
        drop(self.player.engine.update(project));
        Ok(())
    }

    fn project(&mut self, program: &[u8]) -> Result<Box<Project>, Refused> {
        let (mut program, _) = wire::take::<Program>(program).map_err(|_| Refused::Bytes)?;
        self.player.samples.retain(|(id, _)| program.sample_ids.iter().any(|used| used.as_bytes() == id));
        program.resolve(|id| {
            let found = self.player.samples.iter().find(|(other, _)| other == id.as_bytes());
            found.map(|(_, sample)| sample.clone())
        });
        self.feed.make_room(program.strips.len());
        Ok(Box::new(Project::new(program, self.player.rate)))
    }

    /// Carries out postcard [`Command`]s, one after the other, from the next quantum on.
    ///
    /// # Errors
    /// [`Refused::Bytes`], after the commands before it.
    pub fn command(&mut self, mut commands: &[u8]) -> Result<(), Refused> {
        while !commands.is_empty() {
            let (command, rest) = wire::take::<Command>(commands).map_err(|_| Refused::Bytes)?;
            self.player.engine.command(command);
            commands = rest;
        }
        Ok(())
    }
}

impl Analysis {
    /// The input is heard, and is the master; or else the master is silent.
    pub fn monitor(&mut self, is_monitored: bool) {
        self.player.monitor(is_monitored);
    }
}

fn stamped(frame: &mut Frame, unix_ms: f64) -> &Frame {
    if let Payload::Transport(transport) = &mut frame.payload {
        transport.server_time = unix_ms;
    }
    frame
}
