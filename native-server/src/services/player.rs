//! What plays, and how the engine hears of it.

use std::sync::{Arc, PoisonError, RwLock};

use engine_core::composition::Composition;
use engine_core::control::{Command, Program};
use engine_core::engine::Project;
use engine_core::protocol::Directory;
use engine_core::units::SampleRate;
use uuid::Uuid;

use super::changes::commands_between;
use super::{PATIENCE, SampleService, ServiceError};
use crate::audio::{EngineQueue, Place, QueueFull, ToEngine};
use crate::publisher::{EngineState, Publisher};
use crate::store::Stored;

/// The way to the engine, with what it plays. Its changes come one after another: the service sees to that.
pub(super) struct Player {
    engine: Arc<EngineQueue>,
    publisher: Publisher,
    rate: SampleRate,
    samples: Arc<SampleService>,
    /// Kept here too, since what plays must not depend on a database that answers.
    playing: RwLock<Option<Stored>>,
}

/// What the engine needs for a version of a composition.
pub(super) struct Prepared {
    /// What leads from the present version to it, where commands suffice.
    commands: Option<Vec<Command>>,
    /// All of it, with its samples.
    program: Program,
    /// Its taps, where they differ.
    new_taps: Option<Directory>,
}

impl Player {
    pub(super) fn new(
        engine: Arc<EngineQueue>,
        publisher: Publisher,
        rate: SampleRate,
        samples: Arc<SampleService>,
    ) -> Self {
        Self { engine, publisher, rate, samples, playing: RwLock::new(None) }
    }

    /// What plays.
    pub(super) fn playing(&self) -> Option<Stored> {
        self.playing.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A place for what the engine has to hear. It is taken before the store is changed: the store may refuse
    /// then, but the engine no longer can.
    pub(super) fn reserve(&self) -> Result<Place<'_>, QueueFull> {
        self.engine.reserve()
    }

    /// Makes all that the engine needs to play a composition. Decodes its samples, which may take seconds, unless they
    /// play already.
    ///
    /// # Errors
    /// A sample that cannot be decoded.
    pub(super) async fn prepare(&self, new: &Composition) -> Result<Prepared, ServiceError> {
        let old = self.playing();
        let old = old.as_ref().map(|stored| &*stored.composition);
        let mut program = Program::compile(new);
        let commands = commands_between(&old.map(Program::compile).unwrap_or_default(), &program);
        self.samples.resolve(&mut program).await?;
        let taps = Directory::new(self.rate, Some(new));
        let new_taps = (taps != Directory::new(self.rate, old)).then_some(taps);
        Ok(Prepared { commands, program, new_taps })
    }

    /// The same with a place for it, if this composition plays.
    ///
    /// # Errors
    /// A sample that cannot be decoded, or a busy engine.
    pub(super) async fn prepare_for(
        &self,
        id: Uuid,
        new: &Composition,
    ) -> Result<Option<(Place<'_>, Prepared)>, ServiceError> {
        let Some(place) = self.reserve_for(id)? else { return Ok(None) };
        Ok(Some((place, self.prepare(new).await?)))
    }

    /// A place for what the engine has to hear, if this composition plays.
    ///
    /// # Errors
    /// A busy engine.
    pub(super) fn reserve_for(&self, id: Uuid) -> Result<Option<Place<'_>>, QueueFull> {
        let is_playing = self.playing().is_some_and(|playing| playing.id() == id);
        is_playing.then(|| self.reserve()).transpose()
    }

    /// Goes on with another version of what plays. Returns when it is heard.
    pub(super) async fn go_on_with(&self, place: Place<'_>, prepared: Prepared, new: &Stored) {
        let Prepared { commands, program, new_taps } = prepared;
        let update = || ToEngine::Update(Box::new(Project::new(program.clone(), self.rate)));
        let messages: Vec<ToEngine> = match commands {
            Some(commands) => commands.into_iter().map(ToEngine::Command).collect(),
            None => vec![update()],
        };
        let at = place.send(messages, update);
        // Who is told by a stream shall find it.
        self.set(Some(new.clone()));
        if let Some(taps) = new_taps {
            self.publisher.set_taps(taps, at);
        }
        self.publisher.set_revision(new.revision, at);
        self.publisher.state_after(at, PATIENCE).await;
    }

    /// Plays something else, and carries out commands in the same quantum.
    pub(super) async fn load(
        &self,
        place: Place<'_>,
        prepared: Prepared,
        stored: Stored,
        then: &[Command],
    ) -> EngineState {
        let load = || ToEngine::Load(Box::new(Project::new(prepared.program.clone(), self.rate)));
        let commands = then.iter().copied().map(ToEngine::Command);
        let at = place.send(Vec::from_iter(std::iter::once(load()).chain(commands)), load);
        let (taps, revision) = (Directory::new(self.rate, Some(&stored.composition)), stored.revision);
        self.set(Some(stored));
        self.publisher.set_taps(taps, at);
        self.publisher.set_revision(revision, at);
        self.publisher.state_after(at, PATIENCE).await
    }

    /// Plays nothing.
    pub(super) async fn silence(&self, place: Place<'_>) {
        let nothing = || ToEngine::Load(Box::new(Project::new(Program::default(), self.rate)));
        let at = place.send([nothing()], nothing);
        self.set(None);
        self.publisher.set_taps(Directory::new(self.rate, None), at);
        self.publisher.set_revision(0, at);
        self.publisher.state_after(at, PATIENCE).await;
    }

    fn set(&self, playing: Option<Stored>) {
        *self.playing.write().unwrap_or_else(PoisonError::into_inner) = playing;
    }
}
