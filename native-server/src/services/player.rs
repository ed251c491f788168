//! What plays, and how the engine hears of it.

use std::sync::{Arc, PoisonError, RwLock};

use engine_core::control::{Command, Program};
use engine_core::engine::Project;
use engine_core::protocol::Directory;
use engine_core::units::SampleRate;
use uuid::Uuid;

use super::PATIENCE;
use super::changes::commands_between;
use crate::audio::{EngineQueue, Place, QueueFull, ToEngine};
use crate::publisher::{EngineState, Publisher};
use crate::store::Stored;

/// The way to the engine, with what it plays. Its changes come one after another: the service sees to that.
pub(super) struct Player {
    engine: Arc<EngineQueue>,
    publisher: Publisher,
    rate: SampleRate,
    /// Kept here too, since what plays must not depend on a database that answers.
    playing: RwLock<Option<Stored>>,
}

impl Player {
    pub(super) fn new(engine: Arc<EngineQueue>, publisher: Publisher, rate: SampleRate) -> Self {
        Self { engine, publisher, rate, playing: RwLock::new(None) }
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

    /// Such a place, if this composition plays.
    pub(super) fn reserve_for(&self, id: Uuid) -> Result<Option<Place<'_>>, QueueFull> {
        let is_playing = self.playing().is_some_and(|playing| playing.id() == id);
        is_playing.then(|| self.reserve()).transpose()
    }

    /// Goes on with another version of what plays. Returns when it is heard.
    pub(super) async fn go_on_with(&self, place: Place<'_>, new: &Stored) {
        let old = self.playing();
        let old = old.as_ref().map(|stored| &*stored.composition);
        let old_program = old.map(Program::compile).unwrap_or_default();
        let program = Program::compile(&new.composition);
        let update = |program: &Program| ToEngine::Update(Box::new(Project::new(program.clone(), self.rate)));
        let messages: Vec<ToEngine> = match commands_between(&old_program, &program) {
            Some(commands) => commands.into_iter().map(ToEngine::Command).collect(),
            None => vec![update(&program)],
        };
        let at = place.send(messages, || update(&program));
        let taps = Directory::new(self.rate, Some(&new.composition));
        if taps != Directory::new(self.rate, old) {
            self.publisher.set_taps(taps, at);
        }
        self.set(Some(new.clone()));
        self.publisher.state_after(at, PATIENCE).await;
    }

    /// Plays something else, and carries out commands in the same quantum.
    pub(super) async fn load(&self, place: Place<'_>, stored: Stored, then: &[Command]) -> EngineState {
        let program = Program::compile(&stored.composition);
        let load = || ToEngine::Load(Box::new(Project::new(program.clone(), self.rate)));
        let commands = then.iter().copied().map(ToEngine::Command);
        let at = place.send(Vec::from_iter(std::iter::once(load()).chain(commands)), load);
        self.publisher.set_taps(Directory::new(self.rate, Some(&stored.composition)), at);
        self.set(Some(stored));
        self.publisher.state_after(at, PATIENCE).await
    }

    /// Plays nothing.
    pub(super) async fn silence(&self, place: Place<'_>) {
        let nothing = || ToEngine::Load(Box::new(Project::new(Program::default(), self.rate)));
        let at = place.send([nothing()], nothing);
        self.publisher.set_taps(Directory::new(self.rate, None), at);
        self.set(None);
        self.publisher.state_after(at, PATIENCE).await;
    }

    fn set(&self, playing: Option<Stored>) {
        *self.playing.write().unwrap_or_else(PoisonError::into_inner) = playing;
    }
}
