//! Playback and mixer of local mode: requests as REST has them, commands for the worklet out, and the state that
//! REST would answer with.

use engine_core::composition::{Composition, CompositionError, CompositionSpec, GAIN_DB_RANGE, PAN_RANGE};
use engine_core::control::{Command, PlayState, Program, StripChange, StripTarget, TapId};
use engine_core::protocol::json::{Body, TransportFrame};
use engine_core::protocol::rest::{
    ChannelPatch, HistoryPage, LiveNote, LoopRequest, MasterPatch, MasterStrip, MixerChannel, MixerState,
    SeekRequest, TempoRequest,
};
use engine_core::protocol::{Directory, Flags, Frame, Payload, Transport};
use engine_core::time::BPM_RANGE;
use engine_core::units::{FLOOR_DB, SampleRate, ticks_from_beats};
use uuid::Uuid;

use crate::history::{Direction, History, Label};

/// A value that was refused, by the path of its field.
pub type Refusal = CompositionError;

/// What local mode knows of its worklet.
pub struct Desk {
    rate: SampleRate,
    history: Option<History>,
    /// The newest transport that came from the worklet, with the commands that were sent since.
    transport: Frame,
    /// When what is asked for next was asked for.
    unix_ms: f64,
}

impl Desk {
    /// Nothing to play yet.
    pub fn new(rate: SampleRate) -> Self {
        let transport = Frame {
            tap: TapId::MASTER,
            flags: Flags::default(),
            sample_position: 0,
            payload: Payload::Transport(Transport::default()),
        };
        Self { rate, history: None, transport, unix_ms: 0.0 }
    }

    /// The time, for what is asked for from now on.
    pub fn set_time(&mut self, unix_ms: f64) {
        self.unix_ms = unix_ms;
    }

    /// Takes a composition to play; missing ids are made by `new_id`. Like on the server, it is looped as a whole.
    ///
    /// # Errors
    /// The first value that is out of range.
    pub fn load(
        &mut self,
        spec: CompositionSpec,
        new_id: impl FnMut() -> Uuid,
    ) -> Result<(Program, Vec<Command>), Refusal> {
        let program = self.update(spec, new_id)?;
        let (end, bpm) = self.loaded().map_or((0, 0.0), |it| (it.length, it.tempo.bpm_at(0.0)));
        let transport = self.transport_mut();
        *transport = Transport { server_time: transport.server_time, ..Transport::default() };
        transport.snapshot.bpm = bpm;
        let commands = if end > 0 { vec![self.loop_region(true, 0, end)] } else { Vec::new() };
        Ok((program, commands))
    }

    /// Takes a composition in place of the one that plays, which goes on. Its history begins anew.
    ///
    /// # Errors
    /// The first value that is out of range.
    pub fn update(
        &mut self,
        mut spec: CompositionSpec,
        new_id: impl FnMut() -> Uuid,
    ) -> Result<Program, Refusal> {
        spec.assign_ids(new_id);
        let composition = Composition::new(spec)?;
        let program = Program::compile(&composition);
        self.history = Some(History::new(composition, self.unix_ms));
        Ok(program)
    }

    /// What plays.
    pub fn composition(&self) -> Option<&CompositionSpec> {
        self.loaded().map(|composition| &**composition)
    }

    /// Names of the taps.
    pub fn directory(&self) -> Directory {
        Directory::new(self.rate, self.loaded())
    }

    /// A transport frame came from the worklet.
    pub fn observe(&mut self, frame: &Frame) {
        self.transport.clone_from(frame);
    }

    /// Where the transport stands.
    pub fn playback(&self) -> Option<TransportFrame> {
        match Body::new(&self.transport, &self.directory(), None) {
            Some(Body::Transport(frame)) => Some(frame),
            _ => None,
        }
    }

    /// Starts from where the transport stands.
    pub fn play(&mut self) -> Command {
        self.transport_mut().snapshot.state = PlayState::Playing;
        Command::Play
    }

    /// Stops and goes back to the start.
    pub fn stop(&mut self) -> Command {
        self.locate(0.0);
        self.transport_mut().snapshot.state = PlayState::Stopped;
        Command::Stop
    }

    /// Stops where it is.
    pub fn pause(&mut self) -> Command {
        let state = &mut self.transport_mut().snapshot.state;
        if *state == PlayState::Playing {
            *state = PlayState::Paused;
        }
        Command::Pause
    }

    /// Goes on after a pause.
    pub fn resume(&mut self) -> Command {
        let state = &mut self.transport_mut().snapshot.state;
        if *state == PlayState::Paused {
            *state = PlayState::Playing;
        }
        Command::Resume
    }

    /// Moves the playhead.
    ///
    /// # Errors
    /// A position that is negative or no number.
    pub fn seek(&mut self, to: SeekRequest) -> Result<Command, Refusal> {
        let (field, value) = match to {
            SeekRequest::Beats { position_beats } => ("position_beats", position_beats),
            SeekRequest::Seconds { position_seconds } => ("position_seconds", position_seconds),
        };
        check(value >= 0.0 && value.is_finite(), field, value, "at least 0")?;
        let length = self.loaded().map_or(0, |composition| composition.length);
        let tick = match (to, self.loaded()) {
            (SeekRequest::Seconds { .. }, Some(composition)) => composition.tempo.ticks_from_seconds(value),
            _ => ticks_from_beats(value),
        };
        Ok(self.locate(tick.min(f64::from(length))))
    }

    /// Replaces the tempo in force at the playhead.
    ///
    /// # Errors
    /// A tempo outside 20 to 400 bpm.
    pub fn set_tempo(&mut self, TempoRequest { bpm }: TempoRequest) -> Result<Command, Refusal> {
        check(BPM_RANGE.contains(&bpm), "bpm", bpm, "20 to 400")?;
        let at_tick = self.transport_mut().snapshot.tick;
        let label = gesture(format!("tempo {bpm}"), "tempo".to_owned());
        self.edit(label, |spec| {
            // In range: checked above.
            let _ = spec.tempo.set_bpm_at(at_tick, bpm);
        })?;
        self.transport_mut().snapshot.bpm = bpm;
        Ok(Command::SetTempo { at_tick, bpm })
    }

    /// Sets the loop region.
    ///
    /// # Errors
    /// A region that is empty, negative or longer than a composition may be.
    pub fn set_loop(&mut self, region: LoopRequest) -> Result<Command, Refusal> {
        let LoopRequest { enabled, start_beats, end_beats } = region;
        check(start_beats >= 0.0, "start_beats", start_beats, "at least 0")?;
        let (start, end) = (ticks_from_beats(start_beats).round(), ticks_from_beats(end_beats).round());
        check(end > start && end <= f64::from(u32::MAX), "end_beats", end_beats, "greater than start_beats")?;
        Ok(self.loop_region(enabled, start as u32, end as u32))
    }

    /// Switches the click.
    pub fn set_metronome(&mut self, enabled: bool) -> Command {
        self.transport_mut().snapshot.metronome = enabled;
        Command::SetMetronome { enabled }
    }

    /// Plays a note, whatever the transport does.
    ///
    /// # Errors
    /// An unknown track, or a value out of range.
    pub fn note(&self, note: LiveNote) -> Result<Command, Refusal> {
        note.check().map_err(|error| Refusal::new(error.field, error.message))?;
        let LiveNote { track: id, pitch, velocity, on } = note;
        let tracks = self.composition().into_iter().flat_map(|composition| &composition.tracks);
        let idx = tracks.map(|track| track.id).position(|other| other == id);
        let idx = idx.ok_or_else(|| Refusal::new("track", format!("{id} is not a track that plays")))?;
        let track = idx as u16;
        Ok(if on { Command::NoteOn { track, pitch, velocity } } else { Command::NoteOff { track, pitch } })
    }

    /// Whether the input is heard through the master, or only measured.
    pub fn set_monitor(&self, is_heard: bool) -> Command {
        let gain_db = if is_heard { 0.0 } else { FLOOR_DB };
        Command::SetStrip { target: StripTarget::Input, change: StripChange::GainDb(gain_db) }
    }

    /// All strips.
    pub fn mixer(&self) -> MixerState {
        let tracks = self.loaded().into_iter().flat_map(|composition| &composition.tracks);
        let channels = tracks.map(|track| MixerChannel {
            id: track.id,
            name: track.name.clone(),
            color: track.color.clone(),
            gain_db: track.gain_db,
            pan: track.pan,
            mute: track.mute,
            solo: track.solo,
            solo_safe: track.solo_safe,
        });
        let gain_db = self.loaded().map_or(0.0, |composition| composition.master.gain_db);
        MixerState { channels: channels.collect(), master: MasterStrip { gain_db } }
    }

    /// Changes a track's strip.
    ///
    /// # Errors
    /// An unknown track, or a value out of range; then nothing changes.
    pub fn patch_channel(&mut self, id: Uuid, patch: ChannelPatch) -> Result<Vec<Command>, Refusal> {
        let ChannelPatch { gain_db, pan, mute, solo, solo_safe } = patch;
        if let Some(gain_db) = gain_db {
            check_gain(gain_db)?;
        }
        if let Some(pan) = pan {
            check(PAN_RANGE.contains(&pan), "pan", pan, "-1 to 1")?;
        }
        let channels = self.mixer().channels;
        let index = channels.iter().position(|channel| channel.id == id);
        let index = index.ok_or_else(|| Refusal::new("id", format!("{id} is not a track that plays")))?;
        self.edit(label_of(&patch, id, &channels[index].name), |spec| {
            let track = &mut spec.tracks[index];
            track.gain_db = gain_db.unwrap_or(track.gain_db);
            track.pan = pan.unwrap_or(track.pan);
            track.mute = mute.unwrap_or(track.mute);
            track.solo = solo.unwrap_or(track.solo);
            track.solo_safe = solo_safe.unwrap_or(track.solo_safe);
        })?;
        let changes = [
            gain_db.map(StripChange::GainDb),
            pan.map(StripChange::Pan),
            mute.map(StripChange::Mute),
            solo.map(StripChange::Solo),
            solo_safe.map(StripChange::SoloSafe),
        ];
        let target = StripTarget::Track(index as u16);
        Ok(changes.into_iter().flatten().map(|change| Command::SetStrip { target, change }).collect())
    }

    /// Changes the master.
    ///
    /// # Errors
    /// A gain out of range.
    pub fn patch_master(&mut self, MasterPatch { gain_db }: MasterPatch) -> Result<Vec<Command>, Refusal> {
        let Some(gain_db) = gain_db else { return Ok(Vec::new()) };
        check_gain(gain_db)?;
        let label = gesture("gain_db of the master".to_owned(), "master gain_db".to_owned());
        self.edit(label, |spec| spec.master.gain_db = gain_db)?;
        Ok(vec![Command::SetStrip { target: StripTarget::Master, change: StripChange::GainDb(gain_db) }])
    }

    /// Takes the last change back, or makes it again. `None` when there is none.
    pub fn travel(&mut self, direction: Direction) -> Option<Vec<Command>> {
        let tick = self.tick();
        let history = self.history.as_mut()?;
        let before = history.composition().clone();
        let commands = commands_between(&before, history.travel(direction)?);
        let bpm = history.composition().tempo.bpm_at(tick);
        self.transport_mut().snapshot.bpm = bpm;
        Some(commands)
    }

    /// A page of what was changed since the composition was loaded.
    pub fn history(&self, before: Option<u64>, limit: usize) -> Option<HistoryPage> {
        self.history.as_ref().map(|history| history.page(before, limit))
    }

    fn loaded(&self) -> Option<&Composition> {
        self.history.as_ref().map(History::composition)
    }

    fn tick(&self) -> f64 {
        match &self.transport.payload {
            Payload::Transport(transport) => transport.snapshot.tick,
            _ => 0.0,
        }
    }

    fn edit(&mut self, label: Label, change: impl FnOnce(&mut CompositionSpec)) -> Result<(), Refusal> {
        if let Some(history) = &mut self.history {
            let mut spec = CompositionSpec::clone(history.composition());
            change(&mut spec);
            history.push(Composition::new(spec)?, label, self.unix_ms);
        }
        Ok(())
    }

    fn locate(&mut self, tick: f64) -> Command {
        let seconds = self.loaded().map_or(0.0, |it| it.tempo.seconds_from_ticks(tick));
        let snapshot = &mut self.transport_mut().snapshot;
        (snapshot.tick, snapshot.seconds) = (tick, seconds);
        Command::Locate { tick }
    }

    fn loop_region(&mut self, enabled: bool, start: u32, end: u32) -> Command {
        let snapshot = &mut self.transport_mut().snapshot;
        (snapshot.loop_enabled, snapshot.loop_start, snapshot.loop_end) = (enabled, start, end);
        Command::SetLoop { enabled, start, end }
    }

    fn transport_mut(&mut self) -> &mut Transport {
        if !matches!(self.transport.payload, Payload::Transport(_)) {
            self.transport.payload = Payload::Transport(Transport::default());
        }
        match &mut self.transport.payload {
            Payload::Transport(transport) => transport,
            _ => unreachable!("it was just made one"),
        }
    }
}

/// What takes an engine from one state of a composition to another: strips and tempi, which is all that can be
/// changed here.
fn commands_between(before: &Composition, after: &Composition) -> Vec<Command> {
    let mut commands = Vec::new();
    for (old, new) in before.tempo.points().iter().zip(after.tempo.points()) {
        if old.bpm != new.bpm {
            commands.push(Command::SetTempo { at_tick: f64::from(new.tick), bpm: new.bpm });
        }
    }
    for (idx, (old, new)) in before.tracks.iter().zip(&after.tracks).enumerate() {
        let changes = [
            (old.gain_db != new.gain_db, StripChange::GainDb(new.gain_db)),
            (old.pan != new.pan, StripChange::Pan(new.pan)),
            (old.mute != new.mute, StripChange::Mute(new.mute)),
            (old.solo != new.solo, StripChange::Solo(new.solo)),
            (old.solo_safe != new.solo_safe, StripChange::SoloSafe(new.solo_safe)),
        ];
        let target = StripTarget::Track(idx as u16);
        let changed = changes.into_iter().filter(|(is_other, _)| *is_other);
        commands.extend(changed.map(|(_, change)| Command::SetStrip { target, change }));
    }
    if before.master.gain_db != after.master.gain_db {
        let change = StripChange::GainDb(after.master.gain_db);
        commands.push(Command::SetStrip { target: StripTarget::Master, change });
    }
    commands
}

fn gesture(text: String, name: String) -> Label {
    Label { text, gesture: Some(name) }
}

/// Faders and pans are dragged; switches are not.
fn label_of(patch: &ChannelPatch, id: Uuid, name: &str) -> Label {
    let ChannelPatch { gain_db, pan, mute, solo, solo_safe } = patch;
    let fields = [
        ("gain_db", gain_db.is_some()),
        ("pan", pan.is_some()),
        ("mute", mute.is_some()),
        ("solo", solo.is_some()),
        ("solo_safe", solo_safe.is_some()),
    ];
    let fields = Vec::from_iter(fields.into_iter().filter(|field| field.1).map(|field| field.0)).join(", ");
    let is_switch = mute.is_some() || solo.is_some() || solo_safe.is_some();
    let text = format!("{fields} of {name}");
    if is_switch { Label { text, gesture: None } } else { gesture(text, format!("{id} {fields}")) }
}

fn check_gain(gain_db: f32) -> Result<(), Refusal> {
    check(GAIN_DB_RANGE.contains(&gain_db), "gain_db", gain_db, "-120 to 12 dB")
}

fn check(holds: bool, field: &str, value: impl ToString, allowed: &str) -> Result<(), Refusal> {
    let message = || format!("{} is not {allowed}", value.to_string());
    if holds { Ok(()) } else { Err(Refusal::new(field, message())) }
}
