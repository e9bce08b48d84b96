//! What a SQLite file still has of rows that are gone. Rows that go are overwritten where they stood (`secure_delete`, see
//! [`connect`](super::connect)). The search index has words until what it wrote down of them is merged; pages that are free
//! as a whole keep what stood on them, and so does the write-ahead log.
//!
//! FTS5's own `secure-delete` was tried: it leaves a word on its page where the word's list of events reached the next one.

use std::time::Duration;

use sea_orm::{ConnectionTrait, FromQueryResult, Statement};

use super::wal::Log;
use crate::{
    error::{Error, Result},
    store::{
        Store,
        dialect::{Dialect, sql::Sql},
        error,
    },
};

/// Free pages that are filled in one transaction: others record between two of them.
const AT_ONCE: i64 = 512;
/// Bytes that a page takes of a long value.
const OF_A_PAGE: i64 = 8_000;
/// Pages of the search index that are written in one transaction.
const MERGED_AT_ONCE: i64 = 250;
/// What others have between two transactions.
const BETWEEN: Duration = Duration::from_millis(5);
/// How often it is tried to make the log empty while somebody reads an old state.
const TRIES: u32 = 20;
/// How long is waited between two tries.
const PAUSE: Duration = Duration::from_millis(250);

impl Store {
    /// Merges the search index into one piece, in steps, so that words which are gone are in none.
    ///
    /// # Errors
    /// Those of the database.
    pub(in crate::store) async fn merge_search_index(&self) -> Result<()> {
        // A negative number begins the merge of all pieces; others go on with it until nothing is left to do.
        let mut pages = -MERGED_AT_ONCE;
        while self.merge_some(pages).await? {
            pages = MERGED_AT_ONCE;
            tokio::time::sleep(BETWEEN).await;
        }
        Ok(())
    }

    /// False where there was nothing to merge.
    async fn merge_some(&self, pages: i64) -> Result<bool> {
        let tx = self.write.begin().await?;
        let changes = Sql::new("SELECT total_changes() AS n");
        let before = self.number_on(&tx, changes.clone()).await?;
        let merge = format!("INSERT INTO event_search (event_search, rank) VALUES ('merge', {pages})");
        tx.execute_unprepared(&merge).await.map_err(error::from)?;
        let after = self.number_on(&tx, changes).await?;
        tx.commit().await?;
        // FTS5's documentation: less than two changes mean that nothing was merged.
        Ok(after - before >= 2)
    }

    /// Overwrites free pages with zeros, and empties the write-ahead log.
    ///
    /// # Errors
    /// `UNAVAILABLE` where somebody keeps the log from being emptied; those of the database.
    pub(in crate::store) async fn wipe_free_pages(&self) -> Result<()> {
        // Each round takes free pages for zeros. What others free meanwhile is left for rounds after it, but not for ever.
        let mut left = self.free_pages().await?;
        let rounds = left / AT_ONCE + 16;
        for _ in 0..rounds {
            if left == 0 {
                break;
            }
            let bytes = left.min(AT_ONCE) * OF_A_PAGE;
            let fill = format!("INSERT INTO free_filler (filler) VALUES (zeroblob({bytes}))");
            self.write_alone(&fill).await?;
            left = self.free_pages().await?;
        }
        self.write_alone("DELETE FROM free_filler").await?;
        for _ in 0..TRIES {
            match self.empty_log(0).await? {
                Log::Held(_) => tokio::time::sleep(PAUSE).await,
                Log::Small(_) | Log::Emptied(_) => return Ok(()),
            }
        }
        Err(Error::Unavailable(std::sync::Arc::new(LogHeld)))
    }

    async fn free_pages(&self) -> Result<i64> {
        #[derive(FromQueryResult)]
        struct Row {
            freelist_count: i64,
        }
        let pragma = Statement::from_string(Dialect::Sqlite.backend(), "PRAGMA freelist_count");
        let row = Row::find_by_statement(pragma).one(&self.write).await.map_err(error::from)?;
        Ok(row.map_or(0, |row| row.freelist_count))
    }

    async fn write_alone(&self, statement: &str) -> Result<()> {
        let tx = self.write.begin().await?;
        tx.execute_unprepared(statement).await.map_err(error::from)?;
        tx.commit().await
    }
}

#[derive(Debug, thiserror::Error)]
#[error("somebody who reads the database file keeps its write-ahead log from being emptied")]
struct LogHeld;
