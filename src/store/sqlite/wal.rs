//! Looks after SQLite's files: that they are still there, and that the write-ahead log shrinks again.
//!
//! Commits copy the log into the database file from time to time, and begin it anew. While somebody reads an old state
//! (a backup, an open `sqlite3`), the log grows without end, and it keeps its size afterwards.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr, Statement};
use sqlx::{AssertSqlSafe, Connection, Executor, Row};

use super::{connect, files::Files};
use crate::{
    error::Result,
    store::{Store, connection::writes::Writes, dialect::Dialect, error, trouble::Trouble},
};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Bytes from which the log is made empty. Commits alone keep it below, see `wal_autocheckpoint`.
const LARGE: u64 = 128 << 20;
/// Frames that a checkpoint may leave behind to commits that came meanwhile.
const MEANWHILE: i64 = 1_000;

/// What became of the write-ahead log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    /// It has so many bytes, which is no more than was allowed.
    Small(u64),
    /// It had so many bytes, and was made empty.
    Emptied(u64),
    /// It has so many bytes, and somebody who reads keeps it from being made empty.
    Held(u64),
}

impl Store {
    /// Looks after the files of a SQLite database, for ever.
    pub(in crate::store) async fn watch_files(&self) {
        let (mut gone, mut held, mut failed) = (Trouble::default(), Trouble::default(), Trouble::default());
        let mut is_rescued = false;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let Some(files) = self.write.files() else { return };
            let missing = files.check();
            metrics::gauge!("ledgerline_database_files_gone").set(f64::from(u8::from(missing.is_err())));
            if let Err(error) = missing {
                if gone.is_told() {
                    tracing::error!("nothing can be recorded: {error}");
                }
                if !is_rescued {
                    is_rescued = self.rescue(files).await;
                }
                continue;
            }
            (gone, is_rescued) = (Trouble::default(), false);
            match self.empty_log(LARGE).await {
                Ok(Log::Small(_)) => {}
                Ok(Log::Emptied(bytes)) => tracing::info!(bytes, "the write-ahead log was made empty"),
                Ok(Log::Held(bytes)) => {
                    if held.is_told() {
                        tracing::warn!(
                            bytes,
                            "the write-ahead log has grown to {} MB: somebody who reads the database file (a backup, an \
                             open sqlite3) keeps it from shrinking",
                            bytes >> 20
                        );
                    }
                    continue;
                }
                Err(error) => {
                    if failed.is_told() {
                        let cause = error.cause_text();
                        tracing::error!(cause, "the write-ahead log cannot be copied into the database file: {error}");
                    }
                    continue;
                }
            }
            (held, failed) = (Trouble::default(), Trouble::default());
        }
    }

    /// Copies a write-ahead log of more than `above` bytes into the database file and makes it empty. Writers wait only
    /// while its last piece is copied.
    ///
    /// # Errors
    /// Those of the database; the log is as good as before.
    pub async fn empty_log(&self, above: u64) -> Result<Log> {
        let Writes::Sqlite(single) = &self.write else { return Ok(Log::Small(0)) };
        let bytes = single.files().log_bytes();
        #[expect(clippy::cast_precision_loss, reason = "exact up to nine petabytes")]
        metrics::gauge!("ledgerline_sqlite_wal_bytes").set(bytes as f64);
        let done = if bytes > above {
            checkpoint(single.url(), bytes).await.map_err(error::from)
        } else {
            Ok(Log::Small(bytes))
        };
        metrics::gauge!("ledgerline_sqlite_wal_held").set(f64::from(u8::from(matches!(done, Ok(Log::Held(_))))));
        done
    }

    /// Copies all that was acknowledged into the database file that is open, wherever it is now: a process that is killed
    /// takes a deleted log with it. Returns whether that is done.
    async fn rescue(&self, files: &Files) -> bool {
        if !files.is_log_ours() {
            tracing::error!(
                "another process has begun a write-ahead log of its own: nothing can be copied into the file"
            );
            return true;
        }
        let pragma = Statement::from_string(Dialect::Sqlite.backend(), "PRAGMA wal_checkpoint(FULL)");
        let row = self.write.query_one_raw(pragma).await;
        let numbers = row.and_then(|row| {
            let row = row.ok_or_else(|| DbErr::RecordNotFound("the checkpoint says nothing".to_owned()))?;
            Ok((row.try_get_by_index::<i64>(1)?, row.try_get_by_index::<i64>(2)?))
        });
        match numbers {
            Ok((log, copied)) if log == copied => {
                tracing::error!("everything that was acknowledged is in the database file that the service has open");
            }
            Ok(_) => return false,
            Err(error) => {
                tracing::error!("what was acknowledged cannot be copied into the database file: {error}");
                return false;
            }
        }
        match files.set_log_aside() {
            Ok(renamed) => {
                for path in renamed {
                    tracing::error!("{} was set aside: it does not belong to the new file", path.display());
                }
            }
            Err(error) => {
                tracing::error!("the log beside the new file does not belong to it, and cannot be renamed: {error}");
            }
        }
        true
    }
}

/// Copies the log on a connection of its own, so that recording goes on meanwhile.
async fn checkpoint(url: &str, bytes: u64) -> Result<Log, DbErr> {
    let mut connection = connect::reopen_writer(url).await?;
    let emptied = async {
        connection.execute("PRAGMA busy_timeout = 50").await?;
        let (_, log, copied) = copied(&mut connection, "PASSIVE").await?;
        if log - copied > MEANWHILE {
            return Ok(Log::Held(bytes));
        }
        let (is_busy, ..) = self::copied(&mut connection, "TRUNCATE").await?;
        Ok::<_, sqlx::Error>(if is_busy { Log::Held(bytes) } else { Log::Emptied(bytes) })
    };
    let emptied = emptied.await;
    let _ = connection.close().await;
    emptied.map_err(error::of_sqlx)
}

/// Whether somebody was in the way, the frames of the log, and how many of them are in the database file.
async fn copied(connection: &mut sqlx::SqliteConnection, mode: &str) -> Result<(bool, i64, i64), sqlx::Error> {
    let row = connection.fetch_one(AssertSqlSafe(format!("PRAGMA wal_checkpoint({mode})"))).await?;
    Ok((row.try_get::<i64, _>(0)? != 0, row.try_get(1)?, row.try_get(2)?))
}
