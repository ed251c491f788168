//! The engine: transport, sequencer, voices and mixer, one quantum at a time.
//!
//! Everything here runs on the audio thread, except [`Engine::new`]: no allocation, no lock, no log, no wait.

mod click;
mod drums;
mod mixer;
mod patch;
mod synth;
mod transport;
mod voices;

use alloc::boxed::Box;

use self::click::Click;
use self::mixer::Mixer;
use self::transport::{Boundary, Transport};
use self::voices::Voices;
use crate::buffer::StereoBlock;
use crate::control::{ActiveNote, Command, EventKind, PlayState, Program, Quantum};
use crate::units::{MAX_TRACKS, QUANTUM, SampleRate};

/// Plays a [`Program`].
pub struct Engine {
    program: Box<Program>,
    transport: Transport,
    voices: Voices,
    mixer: Mixer,
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
        let program = Box::<Program>::default();
        let sample_rate = rate.hz() as f32;
        Self {
            transport: Transport::new(rate.as_f64(), &program),
            program,
            voices: Voices::new(sample_rate),
            mixer: Mixer::new(sample_rate),
            click: Click::new(sample_rate),
            click_block: [0.0; QUANTUM],
            position: 0,
            revision: 0,
            jumped: false,
        }
    }

    /// Replaces what is played and hands back the old program, to be dropped off the audio thread.
    /// The transport stops at the start, the loop is off and spans everything, the metronome stays as it is.
    pub fn load(&mut self, mut program: Box<Program>) -> Box<Program> {
        core::mem::swap(&mut self.program, &mut program);
        self.voices.clear();
        self.mixer.load(&self.program);
        self.transport.state = PlayState::Stopped;
        self.transport.set_loop(false, 0, self.program.length, self.program.length);
        self.transport.locate(&self.program, 0.0);
        self.jump();
        program
    }

    /// Carries out a command from the next frame on.
    pub fn command(&mut self, command: Command) {
        self.revision = self.revision.wrapping_add(1);
        match command {
            Command::Play => self.transport.state = PlayState::Playing,
            Command::Stop => {
                self.transport.state = PlayState::Stopped;
                self.locate(0.0);
            }
            Command::Pause if self.transport.state == PlayState::Playing => {
                self.transport.state = PlayState::Paused;
                self.voices.release_all();
            }
            Command::Resume if self.transport.state == PlayState::Paused => {
                self.transport.state = PlayState::Playing;
            }
            Command::Pause | Command::Resume => {}
            Command::Locate { tick } => self.locate(tick),
            Command::SetTempo { at_tick, bpm } => {
                if self.program.tempo.set_bpm_at(at_tick, bpm).is_ok() {
                    self.transport.tempo_changed(&self.program);
                }
            }
            Command::SetLoop { enabled, start, end } => {
                self.transport.set_loop(enabled, start, end, self.program.length);
            }
            Command::SetMetronome { enabled } => self.transport.set_metronome(&self.program, enabled),
            Command::SetStrip { target, change } => self.mixer.set(target, change),
            Command::SetSend { .. } => {}
            Command::NoteOn { track, pitch, velocity } => {
                self.note_on(ActiveNote { track, pitch: pitch.min(127), velocity: velocity.min(127) });
            }
            Command::NoteOff { track, pitch } => self.voices.note_off(track, pitch),
        }
    }

    /// Renders the next 128 frames into every tap of `out`. Without `input`, the input tap is silent.
    pub fn process(&mut self, input: Option<&StereoBlock>, out: &mut Quantum) {
        let n_tracks = self.program.strips.len().min(MAX_TRACKS);
        let mut has_snapshot = false;
        out.tracks[..n_tracks].iter_mut().for_each(StereoBlock::clear);
        let mut frame = 0;
        while frame < QUANTUM {
            while let Some(boundary) = self.transport.due(&self.program) {
                self.carry_out(boundary);
            }
            if !has_snapshot {
                // After what is due at the first frame: the snapshot says what this quantum starts with.
                self.snapshot(out);
                has_snapshot = true;
            }
            let n = self.transport.frames_to_next(&self.program, QUANTUM - frame);
            self.voices.render(&mut out.tracks[..n_tracks], frame, frame + n);
            self.click.render(&mut self.click_block[frame..frame + n]);
            self.transport.advance(n);
            frame += n;
        }
        match input {
            Some(input) => sanitise(input, &mut out.input),
            None => out.input.clear(),
        }
        let tracks = &mut out.tracks[..n_tracks];
        self.mixer.process(tracks, &out.input, &self.click_block, &mut out.master);
        out.n_tracks = n_tracks as u16;
        out.n_voices = self.voices.count();
        out.discontinuity = core::mem::take(&mut self.jumped);
        out.sample_position = self.position;
        self.position += QUANTUM as u64;
    }

    fn carry_out(&mut self, boundary: Boundary) {
        match boundary {
            Boundary::Event => {
                let event = self.program.events[self.transport.take_event()];
                match event.kind {
                    EventKind::NoteOff { pitch } => {
                        self.revision = self.revision.wrapping_add(1);
                        self.voices.note_off(event.track, pitch);
                    }
                    EventKind::Control { .. } => {}
                    EventKind::NoteOn { pitch, velocity } => {
                        self.note_on(ActiveNote { track: event.track, pitch, velocity });
                    }
                }
            }
            Boundary::Tempo => {
                self.transport.take_tempo(&self.program);
                self.revision = self.revision.wrapping_add(1);
            }
            Boundary::Beat(downbeat) => {
                self.click.strike(downbeat);
                self.transport.take_beat(&self.program);
            }
            Boundary::Loop => {
                self.voices.release_all();
                self.transport.take_loop(&self.program);
                self.jump();
            }
            Boundary::End => {
                self.transport.state = PlayState::Stopped;
                self.locate(0.0);
            }
        }
    }

    fn note_on(&mut self, note: ActiveNote) {
        self.revision = self.revision.wrapping_add(1);
        if let Some(strip) = self.program.strips.get(usize::from(note.track)) {
            self.voices.note_on(strip, note);
        }
    }

    fn locate(&mut self, tick: f64) {
        self.voices.release_all();
        self.transport.locate(&self.program, tick);
        self.jump();
    }

    fn jump(&mut self) {
        self.jumped = true;
        self.revision = self.revision.wrapping_add(1);
    }

    fn snapshot(&self, out: &mut Quantum) {
        let t = &self.transport;
        let signature = self.program.time_signatures.at(t.tick());
        let s = &mut out.transport;
        s.state = t.state;
        s.tick = t.tick();
        s.seconds = t.seconds(&self.program);
        s.bpm = t.bpm(&self.program);
        (s.numerator, s.denominator) = (signature.numerator, signature.denominator);
        (s.loop_enabled, s.loop_start, s.loop_end) = (t.loop_enabled, t.loop_start, t.loop_end);
        s.metronome = t.metronome;
        s.revision = self.revision;
        s.n_active_notes = self.voices.list_held(&mut s.active_notes);
    }
}

/// Copies what enters from outside: what is not a number becomes silence, and nothing is louder than +12 dBFS,
/// so that no filter is ever poisoned.
fn sanitise(from: &StereoBlock, to: &mut StereoBlock) {
    let clean = |x: f32| if x.is_finite() { x.clamp(-4.0, 4.0) } else { 0.0 };
    for (to, from) in to.left.iter_mut().zip(&from.left).chain(to.right.iter_mut().zip(&from.right)) {
        *to = clean(*from);
    }
}
