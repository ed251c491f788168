//! Where compositions and samples are kept: a trait for each, one file per backend, and here the choice between them.
//!
//! ```text
//! CompositionStore ─┬─ MemoryStore, MemorySamples    gone when the server ends
//! SampleStore ──────┴─ SqlStore ─┬─ SQLite      a file, in this process
//!                                └─ PostgreSQL  a server elsewhere
//! ```
//!
//! Architecture invariant: what a store has acknowledged is durable. SQLite runs with a write-ahead log and
//! `synchronous = FULL`, which waits for the disk before every acknowledgement; PostgreSQL does so by default.

mod database;
mod history;
mod memory;
mod migrations;
mod outage;
mod samples;
mod sql;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use engine_core::composition::Composition;
use uuid::Uuid;

pub use self::database::{Database, OpenError, Stores, open};
pub use self::history::{Change, Direction, History, MAX_HISTORY_BYTES, MAX_STEPS, Step};
pub use self::memory::MemoryStore;
pub use self::samples::{MemorySamples, SampleStore, StoredSample};
pub use self::sql::SqlStore;

/// A composition as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Order of creation; lists are in this order.
    pub position: u64,
    /// Counts changes, undo and redo among them, from 1, or from above those of all that were removed: an id that is
    /// used again never has the same revision again.
    pub revision: u64,
    /// What it is. Its id, and those of its tracks and clips, are never nil.
    pub composition: Arc<Composition>,
}

impl Stored {
    /// The composition's id.
    pub fn id(&self) -> Uuid {
        self.composition.id
    }
}

/// A composition in a list: what can be said without reading all of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Order of creation.
    pub position: u64,
    /// The composition's id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Number of tracks.
    pub n_tracks: u32,
    /// Length in seconds.
    pub seconds: f64,
}

impl Listed {
    fn new(position: u64, composition: &Composition) -> Self {
        Self {
            position,
            id: composition.id,
            name: composition.name.clone(),
            n_tracks: u32::try_from(composition.tracks.len()).unwrap_or(u32::MAX),
            seconds: composition.tempo.seconds_from_ticks(f64::from(composition.length)),
        }
    }
}

/// What plays, as far as the store knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loaded {
    /// Nothing was ever loaded: the store is new.
    Never,
    /// What was loaded has been removed.
    Nothing,
    /// This composition.
    Composition(Uuid),
}

/// Why the store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// There is no composition of that id.
    NotFound(Uuid),
    /// There is one of that id already.
    Exists(Uuid),
    /// It was changed since the revision that the caller knows; this is its revision now.
    Stale(u64),
    /// The history ends here.
    NoStep(Direction),
    /// The database does not answer, or cannot write; it may work again in a moment.
    Unavailable(String),
    /// What the database holds cannot be read.
    Unreadable(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(id) => write!(f, "there is no composition {id}"),
            Self::Exists(id) => {
                write!(f, "there is a composition {id} already; change it with PUT, or leave its id out")
            }
            Self::Stale(revision) => {
                write!(
                    f,
                    "the composition was changed meanwhile: it is at revision {revision}; read it again"
                )
            }
            Self::NoStep(Direction::Undo) => f.write_str("there is nothing to undo"),
            Self::NoStep(Direction::Redo) => f.write_str("there is nothing to redo"),
            Self::Unavailable(reason) => write!(f, "the database is not available ({reason}); try again"),
            Self::Unreadable(reason) => {
                write!(f, "the database holds a composition that cannot be read: {reason}")
            }
        }
    }
}

impl std::error::Error for StoreError {}

/// Keeps compositions with their history. Changes of one composition happen one after another; each is kept
/// completely or not at all.
#[async_trait]
pub trait CompositionStore: Send + Sync {
    /// At most `limit` compositions after a position, in order of creation.
    async fn list(&self, after: Option<u64>, limit: usize) -> Result<Vec<Listed>, StoreError>;

    /// One composition.
    async fn get(&self, id: Uuid) -> Result<Stored, StoreError>;

    /// Adds a composition with revision 1, or with the one after the highest that was removed.
    async fn insert(&self, composition: Composition, change: Change) -> Result<Stored, StoreError>;

    /// Replaces the composition of that id if it has the `expected` revision. What could be redone is forgotten.
    async fn replace(
        &self,
        expected: u64,
        composition: Composition,
        change: Change,
    ) -> Result<Stored, StoreError>;

    /// What a step back or forth leads to.
    async fn beside(&self, id: Uuid, direction: Direction) -> Result<Composition, StoreError>;

    /// Goes one step of its history back or forth if the composition has the `expected` revision.
    async fn travel(&self, id: Uuid, expected: u64, direction: Direction) -> Result<Stored, StoreError>;

    /// At most `limit` steps of a composition's history before a step, the newest first.
    async fn history(&self, id: Uuid, before: Option<u64>, limit: usize) -> Result<History, StoreError>;

    /// Removes a composition if it has the `expected` revision, with its history. When it was loaded, nothing is.
    async fn remove(&self, id: Uuid, expected: u64) -> Result<(), StoreError>;

    /// What plays.
    async fn loaded(&self) -> Result<Loaded, StoreError>;

    /// Remembers what plays.
    async fn set_loaded(&self, id: Uuid) -> Result<(), StoreError>;

    /// Whether it answers at present.
    fn is_available(&self) -> bool {
        true
    }

    /// Ends it. What was acknowledged is safe without this, too.
    async fn close(&self) {}
}
