//! Where compositions and samples are kept: a trait for each, one file per backend.

mod memory;
mod samples;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use engine_core::composition::Composition;
use uuid::Uuid;

pub use self::memory::MemoryStore;
pub use self::samples::{MemorySamples, SampleStore, StoredSample};

/// A composition as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Order of creation; lists are in this order.
    pub position: u64,
    /// Counts changes, from 1.
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

/// Why the store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// There is no composition of that id.
    NotFound(Uuid),
    /// There is one of that id already.
    Exists(Uuid),
    /// It was changed since the revision that the caller knows; this is its revision now.
    Stale(u64),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(id) => write!(f, "there is no composition {id}"),
            Self::Exists(id) => {
                write!(f, "there is a composition {id} already; change it with PUT, or leave its id out")
            }
            Self::Stale(revision) => {
                write!(f, "the composition was changed meanwhile: its ETag is \"{revision}\"; read it again")
            }
        }
    }
}

impl std::error::Error for StoreError {}

/// Keeps compositions. Changes of one composition happen one after another.
#[async_trait]
pub trait CompositionStore: Send + Sync {
    /// At most `limit` compositions after a position, in order of creation.
    async fn list(&self, after: Option<u64>, limit: usize) -> Result<Vec<Stored>, StoreError>;

    /// One composition.
    async fn get(&self, id: Uuid) -> Result<Stored, StoreError>;

    /// Adds a composition with revision 1.
    async fn insert(&self, composition: Composition) -> Result<Stored, StoreError>;

    /// Replaces the composition of that id if it has the `expected` revision.
    async fn replace(&self, expected: u64, composition: Composition) -> Result<Stored, StoreError>;

    /// Removes a composition if it has the `expected` revision.
    async fn remove(&self, id: Uuid, expected: u64) -> Result<(), StoreError>;
}
