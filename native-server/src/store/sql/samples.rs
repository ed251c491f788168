//! Samples in the same database: a file is a value of its row, so that no file lies about without one.

use async_trait::async_trait;
use bytes::Bytes;
use engine_core::protocol::rest::SampleInfo;
use sqlx::Row;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::rows::{signed, unsigned};
use super::{Failure, PATIENCE_WITH_FILES, SqlStore};
use crate::store::{SampleStore, StoreError, StoredSample};

#[async_trait]
impl SampleStore for SqlStore {
    async fn list(&self, after: Option<u64>, limit: usize) -> Result<Vec<StoredSample>, StoreError> {
        self.read(async {
            let rows = sqlx::query(
                "SELECT position, info FROM samples WHERE position > $1 ORDER BY position LIMIT $2",
            )
            .bind(after.map_or(0, signed))
            .bind(limit as i64)
            .fetch_all(&self.pool)
            .await?;
            let stored = |row: &AnyRow| {
                Ok(StoredSample { position: unsigned(row.try_get("position")?), info: info_of(row)? })
            };
            rows.iter().map(stored).collect()
        })
        .await
    }

    async fn info(&self, id: Uuid) -> Result<Option<SampleInfo>, StoreError> {
        self.read(async {
            let row = sqlx::query("SELECT info FROM samples WHERE id = $1")
                .bind(id.to_string())
                .fetch_optional(&self.pool)
                .await?;
            row.as_ref().map(info_of).transpose()
        })
        .await
    }

    async fn file(&self, id: Uuid) -> Result<Option<Bytes>, StoreError> {
        self.in_turn(&self.readers, PATIENCE_WITH_FILES, async {
            let row = sqlx::query("SELECT file FROM samples WHERE id = $1")
                .bind(id.to_string())
                .fetch_optional(&self.pool)
                .await?;
            Ok(row.map(|row| row.try_get::<Vec<u8>, _>("file")).transpose()?.map(Bytes::from))
        })
        .await
    }

    async fn total_bytes(&self) -> Result<u64, StoreError> {
        self.read(async {
            // PostgreSQL would make a sum of BIGINT a NUMERIC.
            let row = sqlx::query("SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) AS total FROM samples")
                .fetch_one(&self.pool)
                .await?;
            Ok(unsigned(row.try_get("total")?))
        })
        .await
    }

    async fn put(&self, info: SampleInfo, file: Bytes) -> Result<(), StoreError> {
        let unwritable = |error: serde_json::Error| StoreError::Unreadable(error.to_string());
        let text = serde_json::to_string(&info).map_err(unwritable)?;
        self.in_turn(&self.writers, PATIENCE_WITH_FILES, async {
            sqlx::query("INSERT INTO samples (id, info, size, file) VALUES ($1, $2, $3, $4)")
                .bind(info.id.to_string())
                .bind(text)
                .bind(file.len() as i64)
                .bind(file.to_vec())
                .execute(&self.pool)
                .await?;
            Ok(())
        })
        .await
    }

    async fn remove(&self, id: Uuid) -> Result<bool, StoreError> {
        self.write(async {
            let removed = sqlx::query("DELETE FROM samples WHERE id = $1")
                .bind(id.to_string())
                .execute(&self.pool)
                .await?;
            Ok(removed.rows_affected() > 0)
        })
        .await
    }
}

fn info_of(row: &AnyRow) -> Result<SampleInfo, Failure> {
    let text: &str = row.try_get("info")?;
    Ok(serde_json::from_str(text).map_err(|error| StoreError::Unreadable(error.to_string()))?)
}
