//! The engine: transport, sequencer, voices and mixer, one quantum at a time.
//!
//! Everything here runs on the audio thread, except [`Engine::new`]: no allocation, no lock, no log, no wait.

mod bus;
mod channel;
mod chunk;
mod click;
mod count_in;
mod drums;
mod live;
mod mixer;
mod moves;
pub mod offline;
mod patch;
mod project;
mod rack;
mod regions;
mod sampler;
mod strip;
mod synth;
mod tails;
mod transport;
mod unit;
mod voices;

use alloc::boxed::Box;

pub use self::project::Project;

use self::channel::Channels;
use self::click::Click;
use self::live::LiveNotes;
use self::mixer::Mixer;
use self::moves::Moves;
use self::regions::Regions;
use self::transport::{Boundary, Transport};
use self::voices::{Voices, World};
use crate::buffer::StereoBlock;
use crate::composition::ControlKind;
use crate::control::{ActiveNote, Command, EventKind, PlayState, Program, Quantum};
use crate::units::{MAX_TRACKS, QUANTUM, SampleRate};

/// Plays a [`Program`].
pub struct Engine {
    project: Box<Project>,
    transport: Transport,
    voices: Voices,
    channels: Channels,
    regions: Regions,
    mixer: Mixer,
    live: LiveNotes,
    /// Track that is recorded to.
    armed: Option<u16>,
    recording: bool,
    click: Click,
    click_block: [f32; QUANTUM],
    position: u64,
    revision: u32,
    /// The playhead jumped since the last quantum was handed out.
    jumped: bool,
}

impl Engine {
    /// An engine at rest with nothing to play. Allocates everything it will ever need.
    pub fn new(rate: SampleRate) -> Self {
        let project = Box::new(Project::new(Program::default(), rate));
        let sample_rate = rate.hz() as f32;
        Self {
            transport: Transport::new(rate.as_f64(), &project.program),
            project,
            voices: Voices::new(sample_rate),
            channels: Channels::new(sample_rate),
            regions: Regions::new(rate.as_f64()),
            mixer: Mixer::new(sample_rate),
            live: LiveNotes::new(),
            armed: None,
            recording: false,
            click: Click::new(sample_rate),
            click_block: [0.0; QUANTUM],
            position: 0,
            revision: 0,
            jumped: false,
        }
    }

    /// Replaces what is played and hands back the old project, to be dropped off the audio thread.
    /// The transport stops at the start, the loop is off and spans everything, nothing is armed, the metronome stays
    /// as it is.
    pub fn load(&mut self, mut project: Box<Project>) -> Box<Project> {
        core::mem::swap(&mut self.project, &mut project);
        let program = &self.project.program;
        self.voices.clear();
        self.regions.clear();
        self.transport.rest(PlayState::Stopped);
        self.transport.set_loop(program, false, 0, program.length);
        self.transport.locate(program, 0.0);
        self.live.clear();
        (self.armed, self.recording) = (None, false);
        self.chase(0.0);
        self.channels.settle();
        self.mixer.load(&self.project.program);
        self.jump();
        project
    }

    /// Replaces what is played while it plays, and hands back the old project, to be dropped off the audio
    /// thread. The playhead goes on from where it is, and so does what sounds.
    ///
    /// Tracks and buses are known by their ids: strips and sends glide to their new values; an effect of the same
    /// kind at the same place of its strip keeps its state and takes the new parameters, others are faded over.
    /// Tracks that are gone fade out. Notes whose end is not in the new program are released now.
    pub fn update(&mut self, mut project: Box<Project>) -> Box<Project> {
        core::mem::swap(&mut self.project, &mut project);
        let Project { program, notes, rack, .. } = &mut *self.project;
        let old = &project.program;
        let tracks = Moves::new(
            old.strips.iter().map(|strip| strip.id),
            self.mixer.n_mixed_tracks(),
            program.strips.iter().map(|strip| strip.id),
        );
        let buses = Moves::new(
            old.buses.iter().map(|bus| bus.id),
            self.mixer.n_mixed_buses(),
            program.buses.iter().map(|bus| bus.id),
        );
        rack.take_over(&mut project.rack, &tracks, &buses);
        self.mixer.update(program, &tracks, &buses);
        self.channels.reorder(&tracks);
        self.live.reorder(&tracks, program.strips.len());
        let n_tracks = program.strips.len();
        self.armed =
            self.armed.and_then(|track| tracks.place(track)).filter(|track| usize::from(*track) < n_tracks);
        self.recording &= self.armed.is_some();
        self.voices.reorder(&tracks);
        self.transport.update(old, program);
        self.regions.update(old, program, &tracks);
        if self.transport.state == PlayState::Playing {
            self.regions.enter(program, self.transport.next_region(), self.transport.seconds());
        }
        let old_ids = &old.sample_ids;
        let world = World { channels: &self.channels, samples: &old.samples };
        self.voices.renumber_samples(world, |idx| {
            let id = old_ids.get(usize::from(idx))?;
            u16::try_from(program.sample_ids.iter().position(|other| other == id)?).ok()
        });
        let next_event = self.transport.next_event();
        self.voices.release_unless(|note| {
            self.live.holds(note) || notes.will_end(&program.events, note.track, note.pitch, next_event)
        });
        self.chase(self.transport.tick(&self.project.program));
        self.channels.settle_new(&tracks);
        self.revision = self.revision.wrapping_add(1);
        project
    }

    /// Carries out a command from the next frame on.
    pub fn command(&mut self, command: Command) {
        self.revision = self.revision.wrapping_add(1);
        match command {
            Command::Play => self.play(),
            Command::PlayWithCountIn { bars } => self.play_after(bars),
            Command::Stop => {
                self.transport.rest(PlayState::Stopped);
                self.locate(0.0);
            }
            Command::Pause => {
                self.recording = false;
                if self.transport.state == PlayState::Playing {
                    self.transport.rest(PlayState::Paused);
                    self.cut_off();
                } else {
                    self.transport.rest(self.transport.state);
                }
            }
            Command::Resume if self.transport.state == PlayState::Paused => self.play(),
            Command::Resume => {}
            Command::Locate { tick } => self.locate(tick),
            Command::SetTempo { at_tick, bpm } => {
                let place = self.transport.place(&self.project.program);
                if self.project.program.tempo.set_bpm_at(at_tick, bpm).is_ok() {
                    self.transport.tempo_changed(&self.project.program, place);
                }
            }
            Command::SetLoop { enabled, start, end } => {
                self.transport.set_loop(&self.project.program, enabled, start, end);
            }
            Command::SetMetronome { enabled } => self.transport.set_metronome(&self.project.program, enabled),
            Command::SetStrip { target, change } => self.mixer.set(target, change),
            Command::SetSend { track, bus, gain_db, pre_fader } => {
                self.mixer.set_send(track, bus, gain_db, pre_fader);
            }
            Command::NoteOn { track, pitch, velocity } => {
                self.live.set(track, pitch, true);
                self.note_on(ActiveNote { track, pitch: pitch.min(127), velocity: velocity.min(127) }, 0);
            }
            Command::NoteOff { track, pitch } => {
                self.live.set(track, pitch, false);
                self.voices.note_off(self.channels.get(track), track, pitch);
            }
            Command::Control { track, kind, value } => self.control(track, kind, value),
            Command::Arm { track } => {
                let n_tracks = self.project.program.strips.len().min(MAX_TRACKS);
                self.armed = track.filter(|track| usize::from(*track) < n_tracks);
                self.recording = false;
            }
            Command::Record { count_in_bars } if self.armed.is_some() => {
                self.recording = true;
                self.play_after(count_in_bars);
            }
            Command::Record { .. } => {}
        }
    }

    /// Renders the next 128 frames into every tap of `out`. Without `input`, the input tap is silent.
    pub fn process(&mut self, input: Option<&StereoBlock>, out: &mut Quantum) {
        let n_tracks = self.project.program.strips.len().min(MAX_TRACKS);
        let n_mixed = self.mixer.n_mixed_tracks();
        let mut has_snapshot = false;
        out.tracks[..n_mixed].iter_mut().for_each(StereoBlock::clear);
        let mut frame = 0;
        while frame < QUANTUM {
            while let Some(boundary) = self.transport.due(&self.project.program) {
                self.carry_out(boundary, frame);
            }
            if !has_snapshot {
                // After what is due at the first frame: the snapshot says what this quantum starts with.
                self.snapshot(out);
                has_snapshot = true;
            }
            let n = self.transport.frames_to_next(&self.project.program, QUANTUM - frame);
            let (program, tracks) = (&self.project.program, &mut out.tracks[..n_mixed]);
            let world = World { channels: &self.channels, samples: &program.samples };
            self.voices.render(world, tracks, frame, frame + n);
            self.channels.apply(tracks, frame, frame + n);
            self.regions.render(program, tracks, frame, frame + n);
            self.click.render(&mut self.click_block[frame..frame + n]);
            self.transport.advance(n);
            frame += n;
        }
        match input {
            Some(input) => out.input.sanitise(input),
            None => out.input.clear(),
        }
        let tracks = &mut out.tracks[..n_mixed];
        let rack = &mut self.project.rack;
        self.mixer.process(rack, tracks, &out.input, &self.click_block, &mut out.master);
        if self.mixer.n_mixed_tracks() < n_mixed {
            self.voices.forget_tracks_from(n_tracks);
        }
        out.n_tracks = n_tracks as u16;
        out.n_voices = self.voices.count();
        out.discontinuity = core::mem::take(&mut self.jumped);
        out.sample_position = self.position;
        self.position += QUANTUM as u64;
    }

    /// Does what is due at frame `frame` of the quantum.
    fn carry_out(&mut self, boundary: Boundary, frame: usize) {
        match boundary {
            Boundary::Event => {
                let event = self.project.program.events[self.transport.take_event()];
                match event.kind {
                    EventKind::NoteOff { pitch } => {
                        self.revision = self.revision.wrapping_add(1);
                        self.voices.note_off(self.channels.get(event.track), event.track, pitch);
                    }
                    EventKind::Control { kind, value } => self.control(event.track, kind, value),
                    EventKind::NoteOn { pitch, velocity } => {
                        self.note_on(ActiveNote { track: event.track, pitch, velocity }, frame);
                    }
                }
            }
            Boundary::Tempo => {
                self.transport.take_tempo();
                self.revision = self.revision.wrapping_add(1);
            }
            Boundary::Beat(downbeat) => {
                self.click.strike(downbeat);
                self.transport.take_beat(&self.project.program);
            }
            Boundary::CountInBeat(downbeat) => {
                self.click.strike(downbeat);
                self.transport.take_count_in_beat();
                self.revision = self.revision.wrapping_add(1);
            }
            Boundary::CountInEnd => {
                self.transport.take_count_in_end(&self.project.program);
                self.revision = self.revision.wrapping_add(1);
                self.enter_regions();
            }
            Boundary::Region => {
                let idx = self.transport.take_region();
                // It is due now, so less than a frame has passed since its start.
                self.regions.start(&self.project.program, idx, 0.0);
            }
            Boundary::Loop => {
                self.cut_off();
                self.transport.take_loop(&self.project.program);
                self.chase(f64::from(self.transport.loop_start));
                self.enter_regions();
                self.jump();
            }
            Boundary::End => {
                self.transport.rest(PlayState::Stopped);
                self.locate(0.0);
            }
        }
    }

    /// Starts a note at frame `frame` of the quantum.
    fn note_on(&mut self, note: ActiveNote, frame: usize) {
        self.revision = self.revision.wrapping_add(1);
        let program = &self.project.program;
        if let Some(strip) = program.strips.get(usize::from(note.track)) {
            let world = World { channels: &self.channels, samples: &program.samples };
            self.voices.note_on(strip, world, note, frame);
        }
    }

    fn control(&mut self, track: u16, kind: ControlKind, value: f32) {
        self.channels.set(track, kind, value);
        match kind {
            ControlKind::Sustain => self.voices.lift_pedals(&self.channels),
            ControlKind::Pan => self.mixer.set_pan_offset(track, self.channels.get(track).pan),
            _ => {}
        }
    }

    /// Puts the controllers in force before `tick` in force.
    fn chase(&mut self, tick: f64) {
        let Project { program, controls, .. } = &*self.project;
        let n_tracks = program.strips.len().min(MAX_TRACKS);
        self.channels.chase(controls, &program.events, n_tracks, tick);
        self.voices.lift_pedals(&self.channels);
        for track in (0..).take(n_tracks) {
            self.mixer.set_pan_offset(track, self.channels.get(track).pan);
        }
    }

    fn play(&mut self) {
        let was_at_rest = self.transport.state != PlayState::Playing;
        self.transport.play();
        if was_at_rest {
            self.enter_regions();
        }
    }

    fn play_after(&mut self, bars: u8) {
        let was_at_rest = self.transport.state != PlayState::Playing;
        self.transport.play_after(&self.project.program, bars);
        if was_at_rest && self.transport.state == PlayState::Playing {
            self.enter_regions();
        }
    }

    /// Starts the audio clips in whose middle the playhead stands.
    fn enter_regions(&mut self) {
        let (n, seconds) = (self.transport.next_region(), self.transport.seconds());
        self.regions.enter(&self.project.program, n, seconds);
    }

    fn locate(&mut self, tick: f64) {
        self.recording = false;
        self.cut_off();
        self.transport.locate(&self.project.program, tick);
        self.chase(self.transport.tick(&self.project.program));
        if self.transport.state == PlayState::Playing {
            self.enter_regions();
        }
        self.jump();
    }

    /// What sounds ends: notes are released, drums and audio clips fade out.
    fn cut_off(&mut self) {
        let program = &self.project.program;
        self.voices.release_all(World { channels: &self.channels, samples: &program.samples });
        self.regions.cut(program);
    }

    fn jump(&mut self) {
        self.jumped = true;
        self.revision = self.revision.wrapping_add(1);
    }

    fn snapshot(&self, out: &mut Quantum) {
        let t = &self.transport;
        let tick = t.tick(&self.project.program);
        let signature = self.project.program.time_signatures.at(tick);
        let s = &mut out.transport;
        s.state = t.state;
        s.count_in_beats = t.count_in_beats();
        s.tick = tick;
        s.seconds = t.seconds();
        s.bpm = t.bpm(&self.project.program);
        (s.numerator, s.denominator) = (signature.numerator, signature.denominator);
        (s.loop_enabled, s.loop_start, s.loop_end) = (t.loop_enabled, t.loop_start, t.loop_end);
        s.metronome = t.metronome;
        (s.recording, s.armed) = (self.recording, self.armed);
        s.revision = self.revision;
        s.n_active_notes = self.voices.list_held(&mut s.active_notes);
    }
}
