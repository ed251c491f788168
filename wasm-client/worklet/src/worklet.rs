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
    /// No such lane, or it carries a stream in this one's place already.
    Lane = -3,
    /// Nothing plays here: there is no engine.
    Engine = -4,
}

/// All that runs in the audio worklet: it measures its input, and plays once it has an engine.
pub struct Worklet {
    rate: SampleRate,
    player: Player,
    feed: Feed,
    quantum: Quantum,
    lanes: [Lane; MAX_LANES],
    analytics: Analytics,
    epoch: u16,
}

/// Bytes of a sample's UUID.
pub type SampleId = [u8; 16];

impl Worklet {
    /// With an engine. `epoch` goes into every frame's header. `None` if the rate is not one that it plays. Allocates.
    pub fn new(sample_rate: u32, epoch: u16) -> Option<Self> {
        let mut worklet = Self::measuring(sample_rate, epoch)?;
        worklet.add_engine();
        Some(worklet)
    }

    /// The same without an engine: its input is all that it measures. Allocates.
    pub fn measuring(sample_rate: u32, epoch: u16) -> Option<Self> {
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
            rate,
            player: Player::Measuring(Measuring::default()),
            feed: Feed::new(rate),
            quantum: Quantum::new(),
            lanes: Default::default(),
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

    /// Without an engine: the input is heard, and is the master; or else the master is silent. An engine has a command
    /// for it.
    pub fn monitor(&mut self, is_monitored: bool) {
        if let Player::Measuring(measuring) = &mut self.player {
            measuring.is_monitored = is_monitored;
        }
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

/// What there is an engine for. All but the first are refused without: [`Refused::Engine`].
impl Worklet {
    /// An engine at rest plays from now on. Allocates.
    pub fn add_engine(&mut self) {
        self.player = Player::Playing(Box::new(Playing::new(self.rate)));
    }

    /// Keeps a sample, at the engine's rate, for the programs that are loaded from now on. Allocates.
    ///
    /// # Errors
    /// [`Refused::Engine`].
    pub fn add_sample(&mut self, id: SampleId, left: Box<[f32]>, right: Box<[f32]>) -> Result<(), Refused> {
        let samples = &mut self.playing()?.samples;
        samples.retain(|(other, _)| *other != id);
        samples.push((id, Arc::new(Sample::new(left, right))));
        Ok(())
    }

    /// Replaces what is played by a postcard [`Program`]; the transport stops at its start. Samples that it does not
    /// use are dropped, and those that are not here are silent. Allocates.
    ///
    /// # Errors
    /// [`Refused::Bytes`].
    pub fn load(&mut self, program: &[u8]) -> Result<(), Refused> {
        let project = self.project(program)?;
        drop(self.playing()?.engine.load(project));
        Ok(())
    }

    /// The same while it plays: the playhead goes on, and so does what sounds. Allocates.
    ///
    /// # Errors
    /// [`Refused::Bytes`].
    pub fn update(&mut self, program: &[u8]) -> Result<(), Refused> {
        let project = self.project(program)?;
        drop(self.playing()?.engine.update(project));
        Ok(())
    }

    fn project(&mut self, program: &[u8]) -> Result<Box<Project>, Refused> {
        let (mut program, _) = wire::take::<Program>(program).map_err(|_| Refused::Bytes)?;
        let samples = &mut self.playing()?.samples;
        samples.retain(|(id, _)| program.sample_ids.iter().any(|used| used.as_bytes() == id));
        program.resolve(|id| {
            let found = samples.iter().find(|(other, _)| other == id.as_bytes());
            found.map(|(_, sample)| sample.clone())
        });
        self.feed.make_room(program.strips.len());
        Ok(Box::new(Project::new(program, self.rate)))
    }

    /// Carries out postcard [`Command`]s, one after the other, from the next quantum on.
    ///
    /// # Errors
    /// [`Refused::Bytes`], after the commands before it.
    pub fn command(&mut self, mut commands: &[u8]) -> Result<(), Refused> {
        let engine = &mut self.playing()?.engine;
        while !commands.is_empty() {
            let (command, rest) = wire::take::<Command>(commands).map_err(|_| Refused::Bytes)?;
            engine.command(command);
            commands = rest;
        }
        Ok(())
    }

    fn playing(&mut self) -> Result<&mut Playing, Refused> {
        match &mut self.player {
            Player::Playing(playing) => Ok(playing),
            Player::Measuring(_) => Err(Refused::Engine),
        }
    }
}

fn stamped(frame: &mut Frame, unix_ms: f64) -> &Frame {
    if let Payload::Transport(transport) = &mut frame.payload {
        transport.server_time = unix_ms;
    }
    frame
}
