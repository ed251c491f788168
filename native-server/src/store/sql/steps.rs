//! What a transaction does to one composition: lock it, add a step to its history, put a step in force, forget old
//! ones.

use engine_core::composition::Composition;
use sqlx::{Any, Row, Transaction};
use uuid::Uuid;

use super::Failure;
use super::rows::{plain, signed, unsigned};
use crate::store::history::{Change, Direction, n_kept};
use crate::store::{Listed, StoreError};

/// A composition that a transaction has locked, with its next revision.
pub(super) struct Lock {
    pub(super) position: i64,
    pub(super) revision: u64,
    pub(super) step: i64,
}

pub(super) async fn lock(
    transaction: &mut Transaction<'_, Any>,
    id: Uuid,
    expected: u64,
) -> Result<Lock, Failure> {
    let row = sqlx::query(
        "UPDATE compositions SET revision = revision + 1 WHERE id = $1 AND revision = $2 \
         RETURNING position, revision, step",
    )
    .bind(id.to_string())
    .bind(signed(expected))
    .fetch_optional(&mut **transaction)
    .await?;
    if let Some(row) = row {
        return Ok(Lock {
            position: row.try_get("position")?,
            revision: unsigned(row.try_get("revision")?),
            step: row.try_get("step")?,
        });
    }
    let row = sqlx::query("SELECT revision FROM compositions WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(&mut **transaction)
        .await?;
    let row = row.ok_or(StoreError::NotFound(id))?;
    Err(StoreError::Stale(unsigned(row.try_get("revision")?)).into())
}

/// The highest revision of all that were removed, with this one among them. No other transaction creates or removes
/// before this one is over.
pub(super) async fn highest_removed(
    transaction: &mut Transaction<'_, Any>,
    revision: u64,
) -> Result<u64, Failure> {
    let row = sqlx::query(
        "UPDATE highest_removed SET revision = CASE WHEN revision < $1 THEN $1 ELSE revision END \
         RETURNING revision",
    )
    .bind(signed(revision))
    .fetch_one(&mut **transaction)
    .await?;
    Ok(unsigned(row.try_get("revision")?))
}

pub(super) async fn add_step(
    transaction: &mut Transaction<'_, Any>,
    position: i64,
    step: i64,
    composition: &Composition,
    change: &Change,
) -> Result<(), Failure> {
    let unwritable = |error: serde_json::Error| StoreError::Unreadable(error.to_string());
    let document = serde_json::to_string(&**composition).map_err(unwritable)?;
    sqlx::query(
        "INSERT INTO steps (composition, step, label, gesture, changed_at, size, document) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(position)
    .bind(step)
    .bind(plain(&change.label))
    .bind(plain(change.gesture.as_deref().unwrap_or_default()))
    .bind(signed(change.at))
    .bind(document.len() as i64)
    .bind(document)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

pub(super) async fn put_in_force(
    transaction: &mut Transaction<'_, Any>,
    position: i64,
    step: i64,
    composition: &Composition,
) -> Result<(), Failure> {
    let Listed { name, n_tracks, seconds, .. } = Listed::new(0, composition);
    sqlx::query(
        "UPDATE compositions SET step = $1, name = $2, n_tracks = $3, seconds = $4 WHERE position = $5",
    )
    .bind(step)
    .bind(plain(&name))
    .bind(i64::from(n_tracks))
    .bind(seconds)
    .bind(position)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Finds the step beside another one, of a composition.
pub(super) fn beside(direction: Direction) -> &'static str {
    match direction {
        Direction::Undo => {
            "SELECT step, document FROM steps WHERE composition = $1 AND step < $2 ORDER BY step DESC LIMIT 1"
        }
        Direction::Redo => {
            "SELECT step, document FROM steps WHERE composition = $1 AND step > $2 ORDER BY step LIMIT 1"
        }
    }
}

/// Forgets the steps that are too old.
pub(super) async fn prune(transaction: &mut Transaction<'_, Any>, position: i64) -> Result<(), Failure> {
    let rows = sqlx::query("SELECT step, size FROM steps WHERE composition = $1 ORDER BY step DESC")
        .bind(position)
        .fetch_all(&mut **transaction)
        .await?;
    let sizes = rows.iter().map(|row| Ok(unsigned(row.try_get("size")?)));
    let sizes = sizes.collect::<Result<Vec<u64>, sqlx::Error>>()?;
    if let Some(row) = rows.get(n_kept(sizes)) {
        let newest_to_forget: i64 = row.try_get("step")?;
        sqlx::query("DELETE FROM steps WHERE composition = $1 AND step <= $2")
            .bind(position)
            .bind(newest_to_forget)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}
