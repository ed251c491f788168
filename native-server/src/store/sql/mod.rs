//! Compositions in a SQL database. SQLite and PostgreSQL differ in their schemas (see `migrations`) and in how
//! they are opened (see `database`); the statements are the same.
//!
//! Every transaction begins with the statement that takes the composition's lock and checks its revision, so
//! none has read what another is about to change. Those that create and remove take turns first, by the lock of the
//! number above which revisions begin.

mod rows;
mod samples;
mod steps;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use engine_core::composition::Composition;
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Row};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use uuid::Uuid;

use self::rows::{change_of, composition_of, id_from, listed, plain, signed, stored, unsigned};
use self::steps::{Lock, add_step, beside, highest_removed, lock, prune, put_in_force};
use super::history::{Change, Direction, History, Step};
use super::outage::Outage;
use super::{CompositionStore, Listed, Loaded, StoreError, Stored};

/// A database that takes longer for a call is not available.
const PATIENCE: Duration = Duration::from_secs(3);
/// The same for a call that moves a file of a hundred megabytes.
const PATIENCE_WITH_FILES: Duration = Duration::from_secs(60);

/// Keeps compositions in a database.
pub struct SqlStore {
    pool: AnyPool,
    /// Turns to read and to write: SQLite knows one writer. Who waits here waits in order, and the pool always has
    /// a connection for who does not, so that none within a second means an outage and not a crowd.
    readers: Semaphore,
    writers: Semaphore,
    outage: Outage,
}

/// What went wrong inside a call.
enum Failure {
    Refused(StoreError),
    Database(sqlx::Error),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl SqlStore {
    /// A store over a database whose schema is up to date, through a pool of so many connections.
    pub(super) fn new(pool: AnyPool, n_readers: u32, n_writers: u32) -> Self {
        let turns = |n: u32| Semaphore::new(n as usize);
        Self { pool, readers: turns(n_readers), writers: turns(n_writers), outage: Outage::default() }
    }

    /// Runs a call that only reads.
    async fn read<T>(&self, call: impl Future<Output = Result<T, Failure>> + Send) -> Result<T, StoreError> {
        self.in_turn(&self.readers, PATIENCE, call).await
    }

    /// Runs a call that writes.
    async fn write<T>(&self, call: impl Future<Output = Result<T, Failure>> + Send) -> Result<T, StoreError> {
        self.in_turn(&self.writers, PATIENCE, call).await
    }

    /// Runs a call, or refuses it at once while the database is known not to answer.
    async fn in_turn<T>(
        &self,
        turns: &Semaphore,
        patience: Duration,
        call: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, StoreError> {
        // Fails only when it is closed, which it never is.
        let _turn = turns.acquire().await;
        if let Some(reason) = self.outage.reason() {
            return Err(StoreError::Unavailable(reason));
        }
        let answer = match timeout(patience, call).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(Failure::Refused(error))) => Err(error),
            Ok(Err(Failure::Database(error))) => Err(StoreError::Unavailable(reason_of(&error))),
            Err(_) => Err(StoreError::Unavailable(String::from("no answer in time"))),
        };
        match &answer {
            Err(StoreError::Unavailable(reason)) => self.outage.begin(reason),
            _ => self.outage.end(),
        }
        answer
    }
}

fn reason_of(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::PoolTimedOut => String::from("it cannot be reached"),
        other => other.to_string(),
    }
}

#[async_trait]
impl CompositionStore for SqlStore {
    async fn list(&self, after: Option<u64>, limit: usize) -> Result<Vec<Listed>, StoreError> {
        self.read(async {
            let rows = sqlx::query(
                "SELECT position, id, name, n_tracks, seconds FROM compositions \
                 WHERE position > $1 ORDER BY position LIMIT $2",
            )
            .bind(after.map_or(0, signed))
            .bind(limit as i64)
            .fetch_all(&self.pool)
            .await?;
            rows.iter().map(listed).collect()
        })
        .await
    }

    async fn get(&self, id: Uuid) -> Result<Stored, StoreError> {
        self.read(async {
            let row = sqlx::query(
                "SELECT c.position, c.revision, s.document FROM compositions c \
                 JOIN steps s ON s.composition = c.position AND s.step = c.step WHERE c.id = $1",
            )
            .bind(id.to_string())
            .fetch_optional(&self.pool)
            .await?;
            stored(&row.ok_or(StoreError::NotFound(id))?)
        })
        .await
    }

    async fn insert(&self, composition: Composition, change: Change) -> Result<Stored, StoreError> {
        self.write(async {
            let id = composition.id;
            let mut transaction = self.pool.begin().await?;
            let revision = highest_removed(&mut transaction, 0).await? + 1;
            let Listed { name, n_tracks, seconds, .. } = Listed::new(0, &composition);
            let row = sqlx::query(
                "INSERT INTO compositions (id, revision, step, name, n_tracks, seconds) \
                 VALUES ($1, $5, 1, $2, $3, $4) ON CONFLICT (id) DO NOTHING RETURNING position",
            )
            .bind(id.to_string())
            .bind(plain(&name))
            .bind(i64::from(n_tracks))
            .bind(seconds)
            .bind(signed(revision))
            .fetch_optional(&mut *transaction)
            .await?;
            let position = row.ok_or(StoreError::Exists(id))?.try_get("position")?;
            add_step(&mut transaction, position, 1, &composition, &change).await?;
            transaction.commit().await?;
            Ok(Stored { position: unsigned(position), revision, composition: Arc::new(composition) })
        })
        .await
    }

    async fn replace(
        &self,
        expected: u64,
        composition: Composition,
        change: Change,
    ) -> Result<Stored, StoreError> {
        self.write(async {
            let mut transaction = self.pool.begin().await?;
            let Lock { position, revision, step } = lock(&mut transaction, composition.id, expected).await?;
            let undone = sqlx::query("DELETE FROM steps WHERE composition = $1 AND step > $2")
                .bind(position)
                .bind(step)
                .execute(&mut *transaction)
                .await?
                .rows_affected();
            let last =
                sqlx::query("SELECT gesture, changed_at FROM steps WHERE composition = $1 AND step = $2")
                    .bind(position)
                    .bind(step)
                    .fetch_one(&mut *transaction)
                    .await?;
            let next = if undone == 0 && change_of(&last)?.continues_with(&change) {
                sqlx::query("DELETE FROM steps WHERE composition = $1 AND step = $2")
                    .bind(position)
                    .bind(step)
                    .execute(&mut *transaction)
                    .await?;
                step
            } else {
                step + 1
            };
            add_step(&mut transaction, position, next, &composition, &change).await?;
            put_in_force(&mut transaction, position, next, &composition).await?;
            prune(&mut transaction, position).await?;
            transaction.commit().await?;
            Ok(Stored { position: unsigned(position), revision, composition: Arc::new(composition) })
        })
        .await
    }

    async fn beside(&self, id: Uuid, direction: Direction) -> Result<Composition, StoreError> {
        self.read(async {
            let row = sqlx::query("SELECT position, step FROM compositions WHERE id = $1")
                .bind(id.to_string())
                .fetch_optional(&self.pool)
                .await?;
            let row = row.ok_or(StoreError::NotFound(id))?;
            let row = sqlx::query(beside(direction))
                .bind(row.try_get::<i64, _>("position")?)
                .bind(row.try_get::<i64, _>("step")?)
                .fetch_optional(&self.pool)
                .await?;
            composition_of(&row.ok_or(StoreError::NoStep(direction))?)
        })
        .await
    }

    async fn travel(&self, id: Uuid, expected: u64, direction: Direction) -> Result<Stored, StoreError> {
        self.write(async {
            let mut transaction = self.pool.begin().await?;
            let Lock { position, revision, step } = lock(&mut transaction, id, expected).await?;
            let row = sqlx::query(beside(direction))
                .bind(position)
                .bind(step)
                .fetch_optional(&mut *transaction)
                .await?;
            let row = row.ok_or(StoreError::NoStep(direction))?;
            let composition = composition_of(&row)?;
            put_in_force(&mut transaction, position, row.try_get("step")?, &composition).await?;
            transaction.commit().await?;
            Ok(Stored { position: unsigned(position), revision, composition: Arc::new(composition) })
        })
        .await
    }

    async fn history(&self, id: Uuid, before: Option<u64>, limit: usize) -> Result<History, StoreError> {
        self.read(async {
            // In one statement, so that it is the history of one moment.
            let rows = sqlx::query(
                "SELECT c.step AS current, s.step, s.label, s.gesture, s.changed_at, \
                 (SELECT MIN(step) FROM steps WHERE composition = c.position) AS oldest, \
                 (SELECT MAX(step) FROM steps WHERE composition = c.position) AS newest \
                 FROM compositions c JOIN steps s ON s.composition = c.position \
                 WHERE c.id = $1 AND (s.step < $2 OR s.step = c.step) ORDER BY s.step DESC",
            )
            .bind(id.to_string())
            .bind(before.map_or(i64::MAX, signed))
            .fetch_all(&self.pool)
            .await?;
            let first = rows.first().ok_or(StoreError::NotFound(id))?;
            let number = |name| Ok::<u64, Failure>(unsigned(first.try_get(name)?));
            let (current, oldest, newest) = (number("current")?, number("oldest")?, number("newest")?);
            let step = |row: &AnyRow| {
                Ok(Step {
                    number: unsigned(row.try_get("step")?),
                    change: Change { label: row.try_get("label")?, ..change_of(row)? },
                })
            };
            let steps = rows.iter().map(step).collect::<Result<Vec<Step>, Failure>>()?;
            let is_before = |step: &Step| before.is_none_or(|before| step.number < before);
            let steps = steps.into_iter().filter(is_before).take(limit).collect();
            Ok(History { steps, current, oldest, newest })
        })
        .await
    }

    async fn remove(&self, id: Uuid, expected: u64) -> Result<(), StoreError> {
        self.write(async {
            let mut transaction = self.pool.begin().await?;
            highest_removed(&mut transaction, expected).await?;
            let Lock { position, .. } = lock(&mut transaction, id, expected).await?;
            sqlx::query("DELETE FROM compositions WHERE position = $1")
                .bind(position)
                .execute(&mut *transaction)
                .await?;
            Ok(transaction.commit().await?)
        })
        .await
    }

    async fn loaded(&self) -> Result<Loaded, StoreError> {
        self.read(async {
            let row = sqlx::query(
                "SELECT c.id FROM playing p LEFT JOIN compositions c ON c.position = p.composition",
            )
            .fetch_optional(&self.pool)
            .await?;
            let Some(row) = row else { return Ok(Loaded::Never) };
            let id: Option<String> = row.try_get("id")?;
            id.map_or(Ok(Loaded::Nothing), |id| Ok(Loaded::Composition(id_from(&id)?)))
        })
        .await
    }

    async fn set_loaded(&self, id: Uuid) -> Result<(), StoreError> {
        self.write(async {
            let set = sqlx::query(
                "INSERT INTO playing (only_row, composition) SELECT 1, position FROM compositions WHERE id = $1 \
                 ON CONFLICT (only_row) DO UPDATE SET composition = excluded.composition",
            )
            .bind(id.to_string())
            .execute(&self.pool)
            .await?;
            if set.rows_affected() == 0 { Err(StoreError::NotFound(id).into()) } else { Ok(()) }
        })
        .await
    }

    fn is_available(&self) -> bool {
        self.outage.is_over()
    }

    async fn close(&self) {
        // With a database that does not answer there is nothing to say good-bye to.
        let _ = timeout(PATIENCE, self.pool.close()).await;
    }
}
