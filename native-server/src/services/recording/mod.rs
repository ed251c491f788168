//! Recording: what is played live, or comes in, becomes a clip of the armed track.
//!
//! ```text
//! Engine (armed, recording) ─quanta─▶ Publisher ─▶ Take ──when it is over──▶ a task ─▶ one revision
//!                                                   └─sound─▶ take-writer (a file without a name)
//! ```
//!
//! The engine says what is recorded and when; a take only listens, so it ends with whatever ends the recording:
//! stop, pause, a seek, the composition's end, a load. Times are those at which a note was heard, to the quantum that
//! starts with it. Sound comes in later than what it was played to: a take of it is moved back by the devices' latency,
//! and goes on for so long after its end.

mod follow;
mod notes;
mod sound;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine_core::control::{Command, Quantum};
use engine_core::protocol::rest::{RecordRequest, RecordSource, TakeReport, TakeState};
use engine_core::units::SampleRate;
use tokio::sync::{OwnedMutexGuard, oneshot};
use uuid::Uuid;

use self::follow::{Follower, Phase};
use self::notes::NoteTake;
use self::sound::SoundTake;
use super::{CompositionStateService, Label, PATIENCE, Precondition, SampleService, ServiceError};
use crate::audio::{AudioStats, EngineQueue, ToEngine};
use crate::publisher::{Publisher, Tape};

/// How long a stop waits until the take is kept: a long one has to be read from the disk.
const KEEPING: Duration = Duration::from_secs(20);
/// As many bars as the engine counts in.
const MAX_COUNT_IN_BARS: u8 = 16;

enum Content {
    Notes(NoteTake),
    Sound(SoundTake),
}

/// Listens to one recording, and hands over what it has when that is over.
struct Take {
    follower: Follower,
    content: Option<Content>,
    done: Option<oneshot::Sender<Content>>,
}

impl Tape for Take {
    fn hear(&mut self, quantum: &Quantum, played: &[Command]) -> bool {
        let phase = self.follower.follow(quantum);
        let is_wanted = self.done.as_ref().is_some_and(|done| !done.is_closed());
        let goes_on = match &mut self.content {
            Some(Content::Notes(notes)) => {
                notes.hear(&phase, quantum.transport.armed, played) && phase != Phase::Over
            }
            Some(Content::Sound(sound)) => sound.hear(&phase, self.follower.frame(quantum), &quantum.input),
            None => false,
        };
        if is_wanted && goes_on {
            return true;
        }
        if let (Some(done), Some(content)) = (self.done.take(), self.content.take()) {
            let _ = done.send(content);
        }
        false
    }
}

/// Arms tracks, and keeps what is recorded.
pub struct RecordingService {
    compositions: Arc<CompositionStateService>,
    samples: Arc<SampleService>,
    engine: Arc<EngineQueue>,
    publisher: Publisher,
    audio: Arc<AudioStats>,
    rate: SampleRate,
    /// Held from the start of a recording until it is kept.
    turn: Arc<tokio::sync::Mutex<()>>,
    last: Arc<Mutex<TakeReport>>,
}

/// Where a recording goes.
struct Target {
    composition: Uuid,
    track: Uuid,
    name: String,
}

impl RecordingService {
    /// A service for what `compositions` has loaded.
    pub fn new(
        compositions: Arc<CompositionStateService>,
        samples: Arc<SampleService>,
        engine: Arc<EngineQueue>,
        publisher: Publisher,
        audio: Arc<AudioStats>,
        rate: SampleRate,
    ) -> Self {
        let (turn, last) = Default::default();
        Self { compositions, samples, engine, publisher, audio, rate, turn, last }
    }

    /// Chooses the track that is recorded to; none for nothing.
    ///
    /// # Errors
    /// No such track, a recording that goes on, or a busy engine.
    pub(super) async fn arm(&self, track: Option<Uuid>) -> Result<(), ServiceError> {
        let loaded = self.compositions.loaded()?;
        let idx = track.map(|id| {
            let idx = loaded.composition.tracks.iter().position(|track| track.id == id);
            idx.and_then(|idx| u16::try_from(idx).ok())
                .ok_or_else(|| ServiceError::NotFound(format!("{id} is not a track of what plays")))
        });
        let command = Command::Arm { track: idx.transpose()? };
        if self.publisher.state().transport.recording {
            return Err(ServiceError::Conflict(String::from(
                "a recording goes on; stop it before another track is armed",
            )));
        }
        self.send(command).await.map(drop)
    }

    /// Records to the armed track.
    ///
    /// # Errors
    /// Nothing is loaded or armed, a recording goes on, or a value out of range.
    pub(super) async fn record(&self, request: RecordRequest) -> Result<(), ServiceError> {
        let RecordRequest { count_in_bars, source } = request;
        if count_in_bars > MAX_COUNT_IN_BARS {
            let message = format!("{count_in_bars} is not between 0 and {MAX_COUNT_IN_BARS}");
            return Err(ServiceError::invalid("count_in_bars", message));
        }
        let loaded = self.compositions.loaded()?;
        let armed = self.publisher.state().transport.armed;
        let armed = armed.and_then(|idx| loaded.composition.tracks.get(usize::from(idx)));
        let target =
            armed.map(|track| Target { composition: loaded.id(), track: track.id, name: track.name.clone() });
        let conflict = |text: &str| ServiceError::Conflict(String::from(text));
        let target = target.ok_or_else(|| {
            conflict("no track is armed; PUT /api/playback/armed {\"track_id\": …} chooses one")
        })?;
        let Ok(turn) = self.turn.clone().try_lock_owned() else {
            return Err(conflict("a recording goes on already; stop it first"));
        };
        let content = match source {
            RecordSource::Notes => Content::Notes(NoteTake::default()),
            RecordSource::Input => Content::Sound(self.sound_take().map_err(|error| {
                ServiceError::Unavailable(format!("a recording needs a temporary file and a thread: {error}"))
            })?),
        };
        let (done, content_of_it) = oneshot::channel();
        let take = Take { follower: Follower::new(self.rate), content: Some(content), done: Some(done) };
        self.publisher.follow(Box::new(take)).await;
        if !self.send(Command::Record { count_in_bars }).await? {
            return Err(conflict(
                "the recording ended as it began: the transport was stopped, or does not run",
            ));
        }
        self.report(TakeReport {
            state: TakeState::Recording,
            track_id: Some(target.track),
            ..TakeReport::default()
        });
        tokio::spawn(self.keeper().keep(turn, target, content_of_it));
        Ok(())
    }

    fn sound_take(&self) -> std::io::Result<SoundTake> {
        let frames = self.audio.round_trip.get().as_secs_f64() * self.rate.as_f64();
        SoundTake::new(self.rate, frames.round() as u64)
    }

    /// What came of the last recording.
    pub fn last_take(&self) -> TakeReport {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until a recording that is over has been kept.
    pub(super) async fn settle(&self) {
        if !self.publisher.state().transport.recording {
            let _ = tokio::time::timeout(KEEPING, self.turn.lock()).await;
        }
    }

    /// Sends a command. Returns whether the engine records after it.
    async fn send(&self, command: Command) -> Result<bool, ServiceError> {
        let at = self.engine.send([ToEngine::Command(command)])?;
        Ok(self.publisher.state_after(at, PATIENCE).await.transport.recording)
    }

    fn report(&self, report: TakeReport) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = report;
    }

    fn keeper(&self) -> TakeKeeper {
        TakeKeeper {
            compositions: self.compositions.clone(),
            samples: self.samples.clone(),
            engine: self.engine.clone(),
            publisher: self.publisher.clone(),
            last: self.last.clone(),
        }
    }
}

/// Makes a revision of a take that is over.
struct TakeKeeper {
    compositions: Arc<CompositionStateService>,
    samples: Arc<SampleService>,
    engine: Arc<EngineQueue>,
    publisher: Publisher,
    last: Arc<Mutex<TakeReport>>,
}

impl TakeKeeper {
    async fn keep(self, _turn: OwnedMutexGuard<()>, target: Target, content: oneshot::Receiver<Content>) {
        // Without content the server ends.
        let Ok(content) = content.await else { return };
        // A take that is full ends before the engine knows.
        let transport = self.publisher.state().transport;
        if transport.recording {
            let _ = self.engine.send([ToEngine::Command(Command::Arm { track: transport.armed })]);
        }
        let kept = match content {
            Content::Notes(notes) => self.keep_notes(&target, notes).await,
            Content::Sound(sound) => self.keep_sound(&target, sound).await,
        };
        let track_id = Some(target.track);
        let report = match kept {
            Ok(clip_ids) if clip_ids.is_empty() => {
                TakeReport { state: TakeState::Empty, track_id, ..TakeReport::default() }
            }
            Ok(clip_ids) => TakeReport { state: TakeState::Kept, track_id, clip_ids, detail: None },
            Err(error) => {
                tracing::error!(%error, track = target.name, "a recording is lost");
                let detail = Some(error.to_string());
                TakeReport { state: TakeState::Failed, track_id, clip_ids: Vec::new(), detail }
            }
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = report;
    }

    async fn keep_notes(&self, target: &Target, notes: NoteTake) -> Result<Vec<Uuid>, ServiceError> {
        let length = self.compositions.get(target.composition).await?.composition.length;
        let Some(mut clip) = notes.into_clip(length) else { return Ok(Vec::new()) };
        clip.id = Uuid::new_v4();
        let ids = vec![clip.id];
        self.change(target, |track| track.clips.push(clip)).await?;
        Ok(ids)
    }

    async fn keep_sound(&self, target: &Target, sound: SoundTake) -> Result<Vec<Uuid>, ServiceError> {
        let lost = |error: &dyn std::fmt::Display| {
            ServiceError::Unavailable(format!("the recording could not be written: {error}"))
        };
        let finished =
            tokio::task::spawn_blocking(move || sound.finish()).await.map_err(|error| lost(&error))?;
        let (file, clips) = finished.map_err(|error| lost(&error))?;
        let length = self.compositions.get(target.composition).await?.composition.length;
        if clips.of(Uuid::nil(), length).is_empty() {
            return Ok(Vec::new());
        }
        let name = Vec::from_iter(format!("Recording of {}", target.name).chars().take(200));
        let sample = self.samples.add(file, name.into_iter().collect()).await?.id;
        let clips = clips.of(sample, length);
        let ids = clips.iter().map(|clip| clip.id).collect();
        let changed = self.change(target, |track| track.audio_clips.extend(clips)).await;
        if changed.is_err() {
            let _ = self.samples.remove(sample).await;
        }
        changed.map(|()| ids)
    }

    async fn change(
        &self,
        target: &Target,
        change: impl FnOnce(&mut engine_core::composition::Track) + Send,
    ) -> Result<(), ServiceError> {
        let label = Label::new(format!("recorded {}", target.name));
        let changed = self.compositions.change(target.composition, &Precondition::None, label, |spec| {
            let mut spec = spec.clone();
            let track = spec.tracks.iter_mut().find(|track| track.id == target.track);
            change(track.ok_or_else(|| {
                ServiceError::NotFound(format!("the track {} was removed meanwhile", target.track))
            })?);
            Ok(spec)
        });
        changed.await.map(drop)
    }
}
