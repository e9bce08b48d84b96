//! Opening the database.

use std::time::Duration;

use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr};
use sqlx::sqlite::{SqliteAutoVacuum, SqliteJournalMode, SqliteSynchronous};

use super::{dialect::Dialect, error};
use crate::error::{Error, Result};

/// Readers of one SQLite file; each has a thread and a page cache of its own.
const SQLITE_READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 16;
/// How long a caller waits for a connection before the database counts as gone.
const ACQUIRE: Duration = Duration::from_secs(5);
/// Longest that one reading statement may take on PostgreSQL.
const STATEMENT_TIMEOUT_MS: u32 = 10_000;

/// The connections that write and read, and how the database is spoken to.
pub async fn open(url: &str) -> Result<(DatabaseConnection, DatabaseConnection, Dialect)> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        let path = path.trim_start_matches("//").split('?').next().unwrap_or_default();
        if path.is_empty() || path == ":memory:" {
            return Err(Error::bad_input(
                "LEDGERLINE_DATABASE_URL",
                "must name a file, as in sqlite://data/ledgerline.db",
            ));
        }
        if let Some(folder) = std::path::Path::new(path).parent() {
            std::fs::create_dir_all(folder).map_err(|e| Error::Unavailable(std::sync::Arc::new(e)))?;
        }
        let write = Database::connect(sqlite(url, 1, false)).await.map_err(error::from)?;
        let read = Database::connect(sqlite(url, SQLITE_READERS, true)).await.map_err(error::from)?;
        return Ok((write, read, Dialect::Sqlite));
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        let write = Database::connect(postgres(url, 4, None)).await.map_err(error::from)?;
        let read = Database::connect(postgres(url, POSTGRES_CONNECTIONS, Some(STATEMENT_TIMEOUT_MS)))
            .await
            .map_err(error::from)?;
        return Ok((write, read, Dialect::Postgres));
    }
    let unsupported =
        DbErr::Conn(RuntimeErr::Internal("the URL must begin with sqlite:, postgres: or postgresql:".to_owned()));
    Err(error::from(unsupported))
}

fn sqlite(url: &str, connections: u32, read_only: bool) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .sqlx_logging(false)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            let sqlite = sqlite
                .journal_mode(SqliteJournalMode::Wal)
                // An acknowledged event survives a power cut; group commit pays for it.
                .synchronous(SqliteSynchronous::Full)
                .auto_vacuum(SqliteAutoVacuum::None)
                .page_size(8192)
                .busy_timeout(Duration::from_secs(5))
                .foreign_keys(true)
                .create_if_missing(true)
                .pragma("wal_autocheckpoint", "10000")
                .pragma("temp_store", "memory")
                .statement_cache_capacity(128)
                // Of the usual 50 rows, a page of 50 fills all and reads one more: the thread of the connection would wait for
                // room, which is two switches of threads a page.
                .row_buffer_size(128);
            if read_only {
                sqlite.pragma("query_only", "1").pragma("cache_size", "-16384").pragma("mmap_size", "1073741824")
            } else {
                sqlite.pragma("cache_size", "-65536")
            }
        });
    options
}

fn postgres(url: &str, connections: u32, statement_timeout_ms: Option<u32>) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .sqlx_logging(false)
        .acquire_timeout(ACQUIRE)
        .set_application_name("ledgerline")
        .test_before_acquire_if_idle_for(Duration::from_secs(10))
        .map_sqlx_postgres_opts(move |postgres| {
            // A planner that picks a B-tree walk for a rare term costs seconds: the store decides, not statistics. And
            // planning for every partition anew takes longer than the statement does.
            let postgres = postgres.options([
                ("synchronous_commit", "on"),
                ("jit", "off"),
                ("plan_cache_mode", "force_generic_plan"),
            ]);
            match statement_timeout_ms {
                Some(ms) => postgres.options([("statement_timeout", ms.to_string())]),
                None => postgres,
            }
        });
    options
}
